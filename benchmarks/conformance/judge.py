"""What a function's answers are worth: errors in roundoffs, what is not finite, wrong signs, the cost of a perfect match, symmetries, half types.

A loss's error is counted in roundoffs of the right value: a loss of 1e-5 that is off by 1e-7 is off by a hundredth. A similarity's is counted in
roundoffs of 1, since its difference from 1 is not what is asked for. Where the right value is 0, too, it is roundoffs of 1.
A slope's error is counted in roundoffs of the pair's largest slope, and only where the loss has a derivative: at a tie any slope between two is right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.conformance.inside.adapters import Function
from benchmarks.conformance.truth import ALL_CLASSES, IDENTICAL, LARGEST, ROUNDOFF, SCALES, SMALLEST, UNIT_SMALL, Question, Truth, error, same_kind, similarity

Array = np.ndarray
Answer = dict[str, Any]
Judged = dict[str, Any]
TURNED = 1 / 64  # a slope that is smaller than this beside the others may have any sign
CONTRACT, SLOPE_CONTRACT = 8, 64  # roundoffs, as in tests/close.py's table: a pair that is off by more is kept as an example
HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class Claims:
    """What boxloss claims of a measure, and its tests confirm; of one that it does not have nothing is asked."""

    symmetric: bool = False
    scale_free: bool = False
    floor: float = 0.0  # a smaller loss may be as far off as if it were this large: a difference of terms of that size


def judge(function: Function, answers: dict[str, Answer], asked: dict[str, Question], truth: Truth, claims: Claims) -> Judged:
    """All verdicts on one function."""
    classes = {
        dtype: {name: judge_class(function, answers[f"{dtype}/{name}"], asked[f"{dtype}/{name}"], truth, claims.floor) for name in ALL_CLASSES}
        for dtype in ("float32", "float64")
    }
    classes["float64"] = without_examples(classes["float64"])
    return {
        "measure": function.measure,
        "loss": function.loss,
        "has_gradient": any("gradients" in one for one in classes["float32"].values()),
        "classes": classes,
        "identical": {name: judge_identical(function, answers[f"identical/{name}"], asked[f"identical/{name}"]) for name in IDENTICAL},
        "invariance": judge_invariances(function, answers, claims),
        "half": without_examples({dtype: judge_class(function, answers[f"{dtype}/coco"], asked[f"{dtype}/coco"], truth, claims.floor) for dtype in HALVES}),
    }


def without_examples(judged: Any) -> Any:
    """The figures alone: examples are kept for float32, which is what the page prints."""
    return {key: without_examples(value) for key, value in judged.items() if not key.endswith("_at")} if isinstance(judged, dict) else judged


def judge_class(function: Function, answer: Answer, question: Question, truth: Truth, floor: float) -> Judged:
    if "refused" in answer:
        return {"refused": answer["refused"]}
    got, dtype = answer["value"], coarser(question.dtype, answer["dtype"])
    rows = judged_rows(function, question, truth)
    wants = truth.values(function.measure, question, function.parameters)
    wants = wants if function.loss else [similarity(want) for want in wants]
    infinite = [i for i in rows if not np.isfinite(got[i]) and error(got[i], wants[i], 1, dtype) > 0]
    finite = [i for i in rows if np.isfinite(got[i]) and not question.flat_twins[i]]
    scales = [max(abs(want), same_kind(floor, want)) if function.loss and (want or floor) else 1 for want in wants]
    errors = {i: error(got[i], wants[i], scales[i], dtype) for i in finite}
    judged: Judged = {"n": len(rows), "answered_in": answer["dtype"], "not_finite": len(infinite), "worst": max(errors.values(), default=None)}
    if errors and max(errors.values()) > CONTRACT:
        i = telling(errors, question)
        judged["worst_at"] = case(question, i) | {"got": shown(got[i], answer["dtype"]), "right": shown(float(wants[i]), answer["dtype"])}
    if infinite:
        i = telling(dict.fromkeys(infinite, 1.0), question)
        judged["not_finite_at"] = case(question, i) | {"got": shown(got[i], answer["dtype"]), "right": shown(float(wants[i]), answer["dtype"])}
    if answer.get("gradient") is not None:
        judged["gradients"] = judge_gradients(function, answer, question, truth, rows)
    return judged


def judge_gradients(function: Function, answer: Answer, question: Question, truth: Truth, rows: list[int]) -> Judged:
    got, dtype, sign = answer["gradient"], question.dtype, 1 if function.loss else -1
    asked = [i for i in rows if not question.too_steep[i]]
    infinite = [i for i in asked if not np.isfinite(got[i]).all()]
    judged: Judged = {"n": len(asked), "not_finite": len(infinite)}
    if infinite:
        i = telling(dict.fromkeys(infinite, 1.0), question)
        judged["not_finite_at"] = case(question, i) | {"got": [shown(x, dtype) for x in got[i]]}
    errors, turned, lost, rights = {}, [], [], {}
    slopes = truth.slopes(function.measure, question, function.parameters)
    for i, want in slopes.items():
        if i not in rows or i in infinite:
            continue
        right = [sign * w for w in want]
        largest = max(abs(w) for w in right)
        if not float(SMALLEST[dtype] / ROUNDOFF[dtype]) < float(largest) < float(LARGEST[dtype]) / 4:
            continue  # the type has no number for it, or few: it may be flushed to 0, or infinite
        errors[i] = max(error(float(g), w, largest, dtype) for g, w in zip(got[i], right[:4], strict=True))
        rights[i] = [float(w) for w in right[:4]]
        if not got[i].any() and any(rights[i]):
            lost.append(i)
        elif any(float(g) * (1 if w > 0 else -1) < 0 for g, w in zip(got[i], rights[i], strict=True) if abs(w) > TURNED * float(largest)):
            turned.append(i)
    judged |= {"n_judged": len(errors), "worst": max(errors.values(), default=None), "wrong_sign": len(turned), "lost": len(lost)}
    for name, found in (("worst_at", errors), ("wrong_sign_at", {i: errors[i] for i in turned}), ("lost_at", {i: errors[i] for i in lost})):
        if found and max(found.values()) > SLOPE_CONTRACT:
            i = telling(found, question)
            judged[name] = case(question, i) | {"got": [shown(x, dtype) for x in got[i]], "right": [shown(x, dtype) for x in rights[i]]}
    return judged


def judge_identical(function: Function, answer: Answer, question: Question) -> Judged:
    """What a box against itself costs: 0 is right."""
    if "refused" in answer:
        return {"refused": answer["refused"]}
    cost = answer["value"] if function.loss else 1 - answer["value"]
    finite = np.isfinite(cost)
    judged: Judged = {"n": len(cost), "not_finite": int((~finite).sum()), "cost": float(np.abs(cost[finite]).max()) if finite.any() else None}
    if answer.get("gradient") is not None:
        judged["gradients_not_finite"] = int((~np.isfinite(answer["gradient"])).any(axis=1).sum())
    sizes = {i: float(abs(cost[i])) if finite[i] else np.inf for i in range(len(cost))}
    if max(sizes.values()) > 0:
        i = telling(sizes, question)
        judged["worst_at"] = case(question, i) | {"got": shown(answer["value"][i], answer["dtype"]), "right": "0" if function.loss else "1"}
    return judged


def judge_invariances(function: Function, answers: dict[str, Answer], claims: Claims) -> Judged:
    """By how many roundoffs answers differ that should be the same; 0 is to the bit, None where nothing is claimed or nothing was answered."""

    def apart(kind: str) -> float | None:
        return largest(differences(function, answers[f"float32/{name}"], answers[f"{kind}/{name}"]) for name in ("coco", UNIT_SMALL))

    scaled = largest(differences(function, answers["float32/coco"], answers[f"scaled/{k}"]) for k in SCALES)
    return {
        "symmetric": apart("swapped") if claims.symmetric else None,
        "transposed": apart("transposed"),
        "batch": apart("singly"),
        "scale_free": scaled if claims.scale_free else None,
    }


def differences(function: Function, one: Answer, other: Answer) -> float | None:
    if "refused" in one or "refused" in other:
        return None
    x, y = one["value"], other["value"]
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(x), np.abs(y)) if function.loss else np.ones_like(x)
        apart = np.where(same, 0.0, np.abs(x - y) / (size * float(ROUNDOFF["float32"])))
    return float(np.nan_to_num(apart, nan=np.inf).max())


def largest(numbers: Any) -> float | None:
    known = [number for number in numbers if number is not None]
    return max(known) if known else None


def judged_rows(function: Function, question: Question, truth: Truth) -> list[int]:
    """Where what is right is no convention: not -ln IoU of boxes apart, which is infinite and has a ceiling of anybody's choice."""
    if function.measure != "iou_log":
        return list(range(len(question.a)))
    values = truth.values("iou", question, {})
    return [i for i, value in enumerate(values) if value < 1 - 2.0**-10]


def coarser(one: str, other: str) -> str:
    """The less precise of two types: an answer in float32 is not blamed for float64's last digits, nor one in float64 praised for float32's."""
    return max((name for name in (one, other) if name in ROUNDOFF), key=lambda name: ROUNDOFF[name])


def telling(errors: dict[int, float], question: Question) -> int:
    """Of the pairs that are nearly as bad as the worst, the one that is the shortest to print."""
    bad = [i for i, size in errors.items() if size >= max(errors.values()) / 2]
    return min(bad, key=lambda i: sum(len(x) + 9 * ("e" in x) for part in ("prediction", "target") for x in case(question, i)[part]))


def case(question: Question, i: int) -> dict[str, Any]:
    dtype = question.dtype
    return {"prediction": [shown(x, dtype) for x in question.a[i]], "target": [shown(x, dtype) for x in question.b[i]]}


def shown(x: Any, dtype: str) -> str:
    """The shortest digits that give the number back in its type; numbers that no float has are text, as JSON has none of them."""
    kind = dtype if dtype in ("float16", "float32", "float64") else "float32"
    with np.errstate(all="ignore"):
        number = np.dtype(kind).type(x)
    return "0" if number == 0 else str(number).removesuffix(".0")
