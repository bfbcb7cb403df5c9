"""`python -m benchmarks.assigned`: how many priors each assigner makes positive on the blood cells of ../shared/data/bccd, as docs/assigners.md shows it.

The priors are those of the small detector, a point a cell on strides of 8, 16 and 32, with a square of 8 strides about each. Three rules look at predictions,
which are made up: before training each is its prior's square, with a score of 0.01 for every class; later each is the nearest object, its edges off by a tenth
of its size, with a score of 0.6 for its class and 0.05 for the others.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from boxloss.anchors import points
from boxloss.assign import ASSIGNERS, Objects, Predictions, Priors, from_points, max_iou
from boxloss.datasets import load

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "bccd"
RULES: dict[str, Any] = {
    "`max_iou`, RetinaNet's 0.5, 0.4": max_iou,
    "`max_iou`, RPN's 0.7, 0.3": lambda priors, objects, said: max_iou(priors, objects, positive=0.7, negative=0.3),
    **{f"`{name}`": rule for name, rule in ASSIGNERS.items() if name != "max_iou"},
}
Scene = tuple[Priors, Objects, Predictions]


def before_training(priors: Priors, objects: Objects) -> Predictions:
    return Predictions(priors.boxes, np.full((len(priors.boxes), 3), 0.01, np.float32))


def later(priors: Priors, objects: Objects) -> Predictions:
    random = np.random.default_rng(0)
    at, there = ((boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (priors.boxes, objects.boxes))
    nearest = np.abs(at[:, None] - there).max(axis=2).argmin(axis=1)
    boxes, labels = objects.boxes[nearest], np.asarray(objects.labels)[nearest]
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    scores = np.where(labels[:, None] == np.arange(3), 0.6, 0.05)
    return Predictions((boxes + 0.1 * size * random.normal(0, 1, boxes.shape)).astype(np.float32), scores.astype(np.float32))


def scenes(say: Any) -> list[Scene]:
    priors = from_points(*points(640, 480))
    found = []
    for picture in load(DATA, pixels=False).splits["val"]:
        objects = Objects(picture.boxes.astype(np.float32), picture.labels, size=(picture.width, picture.height))
        found.append((priors, objects, say(priors, objects)))
    return found


def row(name: str, rule: Any, early: list[Scene], late: list[Scene]) -> str:
    cells = []
    for pictures in (early, late):
        rule(*pictures[0])
        start = time.perf_counter()
        found = [rule(*scene) for scene in pictures]
        seconds = time.perf_counter() - start
        n_objects = sum(len(objects.boxes) for _, objects, _ in pictures)
        n_positive = sum(int(x.mask.sum()) for x in found)
        n_served = sum(len(np.unique(x.index[x.mask])) for x in found)
        overlap = np.concatenate([x.overlap[x.mask] for x in found]).mean()
        cells += [f"{n_positive / n_objects:.1f}", f"{100 * (1 - n_served / n_objects):.1f} %", f"{overlap:.2f}"]
    shown = [a if a == b else f"{a} to {b}" for a, b in zip(cells[:3], cells[3:], strict=True)]
    return f"| {name} | {' | '.join(shown)} | {1e3 * seconds / len(late):.1f} |"


def main() -> None:
    early, late = scenes(before_training), scenes(later)
    n_objects = sum(len(objects.boxes) for _, objects, _ in late)
    print(f"{len(late)} pictures, {n_objects} objects, {len(late[0][0].boxes):,} priors a picture\n")
    print("| rule | positives an object | objects without | mean overlap | ms a picture |\n|---|---:|---:|---:|---:|")
    for name, rule in RULES.items():
        print(row(name, rule, early, late))


if __name__ == "__main__":
    main()
