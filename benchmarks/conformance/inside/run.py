"""Asks a peer's functions: `python run.py PEER QUESTIONS ANSWERS`, each of the two the stem of a .npz and a .json.

QUESTIONS.json: [{"name", "dtype", "gradient", "singly"}, ...], with the boxes as NAME/a and NAME/b in the .npz (bfloat16 ones as float32).
ANSWERS.json: {"versions": {...}, "functions": {KEY: {"error": str | null, "answers": {NAME: {"dtype", "refused"}}}}}, with KEY/NAME/value (n,) and
KEY/NAME/gradient (n, 4), by the predictions, in the .npz. What a function raised stands under "refused", and there are no numbers then.
"""

import importlib.metadata
import json
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    from adapters import Function, of
else:
    from .adapters import Function, of

Array = np.ndarray


def ask(function: Function, call: Any, question: dict[str, Any], a: Array, b: Array) -> dict[str, Any]:
    """{"value", "gradient", "dtype"}, or {"refused": why}. `gradient` is None where there is none."""
    if question["dtype"] not in function.dtypes:
        return {"refused": f"takes no {question['dtype']}"}
    # A matrix is asked for one pair at a time where its gradient is wanted: else another pair's NaN would be counted here
    apart = question["singly"] or (function.matrix and question["gradient"]) or function.peer == "keras-cv"
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if not apart:
                return answer(function, call, question, a, b)
            rows = [answer(function, call, question, a[i : i + 1], b[i : i + 1]) for i in range(len(a))]
    except Exception as error:  # whatever a peer raises is its answer
        return {"refused": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
    gradients = [row["gradient"] for row in rows]
    gradient = None if any(g is None for g in gradients) else np.concatenate(gradients)
    return {"value": np.concatenate([row["value"] for row in rows]), "gradient": gradient, "dtype": rows[0]["dtype"]}


def answer(function: Function, call: Any, question: dict[str, Any], a: Array, b: Array) -> dict[str, Any]:
    if function.arrays == "numpy":
        got = np.asarray(call(np.ascontiguousarray(a), np.ascontiguousarray(b)))
        got = np.diagonal(got) if function.matrix else got
        return {"value": np.array(got, np.float64), "gradient": None, "dtype": str(got.dtype)}
    import torch

    dtype = getattr(torch, question["dtype"])
    pred, target = torch.tensor(np.array(a)).to(dtype).requires_grad_(question["gradient"]), torch.tensor(np.array(b)).to(dtype)
    got = call(pred, target)
    got = torch.diagonal(got) if function.matrix else got
    gradient = None
    if question["gradient"] and got.requires_grad:
        (slopes,) = torch.autograd.grad(got.sum(), pred, allow_unused=True)
        gradient = None if slopes is None else slopes.double().numpy()
    return {"value": np.atleast_1d(got.detach().double().numpy()), "gradient": gradient, "dtype": str(got.dtype).removeprefix("torch.")}


def ask_all(functions: tuple[Function, ...], questions: list[dict[str, Any]], boxes: dict[str, Array]) -> dict[str, Any]:
    """{KEY: {"error": why it could not be made, or None, "answers": {NAME: what `ask` says}}}"""
    said: dict[str, Any] = {}
    for function in functions:
        try:
            call = function.make()
        except Exception as error:
            said[function.key] = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300], "answers": {}}
            continue
        answers = {q["name"]: ask(function, call, q, boxes[q["name"] + "/a"], boxes[q["name"] + "/b"]) for q in questions}
        said[function.key] = {"error": None, "answers": answers}
        print(f"asked {function.name}", flush=True)
    return said


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}


def main(peer: str, questions: Path, answers: Path) -> None:
    with np.load(questions.with_suffix(".npz")) as file:
        boxes = dict(file)
    said = ask_all(of(peer), json.loads(questions.with_suffix(".json").read_text()), boxes)
    arrays = {}
    for key, function in said.items():
        for name, got in function["answers"].items():
            arrays |= {f"{key}/{name}/{part}": got.pop(part) for part in ("value", "gradient") if got.get(part) is not None}
            got.pop("gradient", None)
    np.savez(answers.with_suffix(".npz"), **arrays)
    answers.with_suffix(".json").write_text(json.dumps({"versions": versions(), "functions": said}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
