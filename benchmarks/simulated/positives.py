"""How often a positive of a detector starts apart from its object: on the blood cells, with the rules, priors and predictions of `benchmarks.assigned`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.assigned import RULES, Scene, before_training, later, scenes
from boxloss.anchors import YOLOV3, retinanet, strides_of, yolo
from boxloss.assign import Priors, max_iou, ratio
from boxloss.formulas import find
from boxloss.kernels.switch import plain
from boxloss.losses import Similarity

SIZE = (640, 480)
LOOKS_AT_PREDICTIONS = ("`simota`", "`task_aligned`", "`hungarian`")
Rule = Callable[..., Any]
ROWS: dict[str, tuple[Rule, Priors | None]] = {
    "`max_iou`, RetinaNet's anchors": (max_iou, Priors(retinanet(*SIZE), strides_of(*SIZE, (8, 16, 32, 64, 128), 9))),
    "`ratio`, YOLOv3's anchors": (ratio, Priors(yolo(*SIZE, YOLOV3), strides_of(*SIZE, (8, 16, 32), 3))),
    **{f"{name}, squares": (rule, None) for name, rule in RULES.items()},
}
"""Rule and priors; None are squares of 8 strides."""


@dataclass(frozen=True)
class Found:
    """Of all pictures together."""

    positives: float
    """An object."""
    apart: float
    """The share of the positives whose box has no overlap with the object."""
    mean_iou: float


@cache
def pictures(say: Callable[..., Any]) -> list[Scene]:
    return scenes(say)


def measured(row: str, say: Callable[..., Any] = before_training) -> Found:
    """Of the boxes that are to be moved: priors, which are the predictions `before_training`, or the predictions `later`."""
    rule, given = ROWS[row]
    ious, n_objects = [], 0
    for squares, objects, said in pictures(say):
        priors = given or squares
        found = rule(priors, objects, said) if given is None else rule(priors, objects)
        boxes = priors.boxes if say is before_training else said.boxes
        with plain():
            ious.append(Similarity(find("iou"))(boxes[found.mask], objects.boxes[found.index[found.mask]]))
        n_objects += len(objects.boxes)
    every = np.concatenate(ious)
    return Found(len(every) / n_objects, float((every == 0).mean()), float(every.mean()))


def measured_later(row: str) -> Found:
    return measured(row, later)
