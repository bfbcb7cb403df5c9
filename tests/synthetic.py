"""A run that nobody trained: results of the right form with figures of a known truth, for tests of statistics, verdict and report."""

import json
import math
from pathlib import Path

import numpy as np

from boxloss.compare.plan import DEFAULTS
from boxloss.compare.results import Results
from boxloss.datasets import Dataset, Picture

LOSSES = ("l2", "smooth_l1", "iou", "giou", "diou", "ciou")
AP = 0.33


def results(effects: dict[str, float], n_seeds: int = 5, noise: float = 0.01, disjoint: float = 0.2, dataset: Dataset | None = None, **plan) -> Results:
    """`effects`: loss -> its true AP minus `AP`. `noise`: standard deviation, in AP, of what a seed does to one loss. `disjoint`: the first epoch's share."""
    rng = np.random.default_rng(0)
    losses, seeds = list(effects), list(range(n_seeds))
    trials = [_trial(rng, loss, seed, AP + effect, noise, disjoint) for seed in seeds for loss, effect in effects.items()]
    dataset = dataset or data()
    whole = {
        "data": "data/somewhere", "dataset": dataset.name, "format": dataset.format, "classes": list(dataset.classes),
        "pictures": {split: len(pictures) for split, pictures in dataset.splits.items()}, "losses": losses, "seeds": seeds, "epochs": 25,
        "image_size": [192, 144], "batch_size": 16, "weights": "equal-gradient", "baseline": "iou" if "iou" in losses else losses[0], "train": "train",
        "evaluate": [split for split in dataset.splits if split != "train"], "eval_every": 5, "notes": list(dataset.notes), "fingerprint": dataset.fingerprint,
        **DEFAULTS, "versions": {"boxloss": "0.1.0", "torch": "2.13.0"},
        "command": f"boxloss compare data/somewhere --losses {','.join(losses)} --seeds {n_seeds} --out runs/mine",
    }  # fmt: skip
    return Results(
        {**whole, **plan}, trials, {loss: 1.0 + 0.31 * i for i, loss in enumerate(losses)}, {loss: 0.2 / (1.0 + 0.31 * i) for i, loss in enumerate(losses)}, []
    )


def without(run: Results, *gone: tuple[str, int]) -> Results:
    """The run with these trials, (loss, seed), not finished."""
    return Results(run.plan, [t for t in run.trials if (t["loss"], t["seed"]) not in gone], run.weights, run.gradients, list(gone))


def _trial(rng: np.random.Generator, loss: str, seed: int, ap: float, noise: float, disjoint: float) -> dict:
    own, common = rng.normal(0, noise), np.random.default_rng(seed).normal(0, 0.02)
    final = float(np.clip(ap + own + common, 0.0, 1.0))
    epochs = []
    for epoch in range(1, 26):
        share = 1 - math.exp(-epoch / 8)
        metrics = _metrics(final * share / (1 - math.exp(-25 / 8))) if epoch % 5 == 0 else None
        box = (2.0 if loss == "l2" else 0.8) * math.exp(-epoch / 14) * float(rng.uniform(0.97, 1.03))
        missed = disjoint * math.exp(-epoch / 3) * float(rng.uniform(0.9, 1.1))
        epochs.append(
            {"epoch": epoch, "train_loss": 2 * box, "box_loss": box, "class_loss": box, "disjoint_share": missed, "positives": 4000, "metrics": metrics}
        )
    return {
        "loss": loss, "seed": seed, "metrics": _metrics(final), "epochs": epochs, "box_weight": 1.0, "versions": {}, "cpu_seconds": float(rng.uniform(60, 90)),
        "setup_cpu_seconds": 4.0, "n_parameters": 871_234,
    }  # fmt: skip


def _metrics(ap: float) -> dict[str, float]:
    return {"ap": ap, "ap50": min(1.0, 2 * ap), "ap75": 1.05 * ap if ap < 0.9 else ap, "ap90": 0.2 * ap, "ap_small": math.nan}


def data(name: str = "cells", n: int = 7, classes: tuple[str, ...] = ("round", "long")) -> Dataset:
    """A data set of drawn rectangles on noise, 96 x 72 pixels: `n` pictures to train on, `n` to evaluate."""
    rng = np.random.default_rng(7)
    splits = {split: tuple(_picture(rng, f"{split}-{i:02d}", len(classes)) for i in range(n)) for split in ("train", "val")}
    return Dataset(name, "embedded", classes, splits, ("1 box has no size: first val-00",))


def _picture(rng: np.random.Generator, name: str, n_classes: int) -> Picture:
    width, height, n = 96, 72, int(rng.integers(1, 5))
    array = rng.integers(90, 170, (height, width, 3)).astype(np.uint8)
    corners, sides = rng.integers(0, 40, (n, 2)), rng.integers(8, 30, (n, 2))
    boxes = np.concatenate([corners, corners + sides], axis=1).astype(float)
    labels = rng.integers(0, n_classes, n)
    for (left, top, right, bottom), label in zip(boxes.astype(int), labels, strict=True):
        array[top:bottom, left:right] = (200, 80, 60) if label else (60, 110, 190)
    return Picture(name, width, height, boxes, labels, np.zeros(n, bool), None, array)


def write_predictions(run: Results, dataset: Dataset, out: Path) -> None:
    """predictions.json of every trial: the true boxes, shaken, and a few that are nowhere near."""
    rng = np.random.default_rng(1)
    for trial in run.trials:
        found = {picture.name: _shaken(rng, picture) for split in run.plan["evaluate"] for picture in dataset.splits[split]}
        folder = run.folder(out, trial["loss"], trial["seed"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "predictions.json").write_text(json.dumps(found))


def _shaken(rng: np.random.Generator, picture: Picture) -> dict:
    sides = np.tile(picture.boxes[:, 2:] - picture.boxes[:, :2], 2)
    boxes = picture.boxes + rng.normal(0, 0.12, picture.boxes.shape) * sides
    boxes = np.sort(boxes.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    return {"boxes": boxes.tolist(), "scores": rng.uniform(0, 1, len(boxes)).tolist(), "labels": picture.labels.tolist()}
