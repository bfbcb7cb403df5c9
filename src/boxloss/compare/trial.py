"""A trial's folder: what lies in it, and when it counts as finished.

OUT/trials/<loss>-seed<k>/
    config.json             what this trial is
    checkpoint-<epoch>.pt   while it trains: the last two ends of epoch, sealed
    predictions.json        {picture: {boxes, scores, labels}} after the last epoch, in pixels of the original pictures
    weights.pt              the trained network's state_dict, for torch.load
    result.json             written last: while it is missing, damaged or another trial's, the trial is not finished
    error.log               the traceback, where the trial failed
"""

import re
from pathlib import Path
from typing import Any

from boxloss.compare import files
from boxloss.compare.chosen import slug_of
from boxloss.compare.plan import DEFAULTS, FIXED

PRODUCTS = ("predictions.json", "weights.pt")
KEPT = 2  # checkpoints: should the last one be damaged, the one before costs one epoch


def folder_of(out: Path, loss: str, seed: int) -> Path:
    return out / "trials" / f"{slug_of(loss)}-seed{seed}"


def config_of(record: dict[str, Any], loss: str, seed: int, weight: float) -> dict[str, Any]:
    """Everything that determines a trial's figures, but for the machine. `record` is that of plan.json."""
    config = {"loss": loss, "seed": seed, "box_weight": weight, **{key: record[key] for key in (*FIXED, "fingerprint", "versions")}}
    own = record.get("formulas", {}).get(loss)  # of a loss in a user's file
    return config | ({"formula": own} if own else {})


def finished(folder: Path, config: dict[str, Any]) -> dict[str, Any] | None:
    """The trial's result, where it is finished, it is this very trial, and all its files are as they were written; else None."""
    result = files.read_record(folder / "result.json")
    if result is None or {**DEFAULTS, **result.get("config", {})} != config:
        return None
    intact = all(files.digest_of(folder / name) == result["files"].get(name) for name in PRODUCTS)
    return result if intact else None


def finish(folder: Path, config: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Writes result.json, over the products that lie there already, and then removes what only an unfinished trial needs."""
    whole = {**result, "config": config, "files": {name: files.digest_of(folder / name) for name in PRODUCTS}}
    files.write_record(folder / "result.json", whole)
    for path in checkpoints(folder):
        path.unlink()
    (folder / "error.log").unlink(missing_ok=True)
    return whole


def begin(folder: Path, config: dict[str, Any]) -> None:
    """Makes the folder ready. Checkpoints of another trial (other weight, other plan) are removed, for going on from them would be wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    files.clean(folder)
    if files.read_record(folder / "config.json") != config:
        for path in checkpoints(folder):
            path.unlink()
        files.write_record(folder / "config.json", config)


def checkpoint_path(folder: Path, epoch: int) -> Path:
    return folder / f"checkpoint-{epoch:04d}.pt"


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints that lie in the folder, the latest first; whether they are intact is for their reader to see."""
    found = [(int(match.group(1)), path) for path in folder.glob("checkpoint-*.pt") if (match := re.fullmatch(r"checkpoint-(\d+)\.pt", path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def drop_old(folder: Path) -> None:
    """Keeps the latest checkpoints only."""
    for path in checkpoints(folder)[KEPT:]:
        path.unlink()
