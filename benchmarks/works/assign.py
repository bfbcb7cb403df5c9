"""Assigners: who learns from whom, against torchvision's matchers and the papers' rules written on the whole matrix."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks import boxes, direct_assigners, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen
from boxloss import assign
from boxloss.anchors import points

N_CLASSES = 80


class Inputs(NamedTuple):
    """Tensors, float32."""

    case: str
    anchors: Tensor
    strides: Tensor
    objects: Tensor
    labels: Tensor
    predictions: Tensor
    scores: Tensor


def inputs(case: Case) -> Inputs:
    """For max-IoU RetinaNet's anchors. Else one square anchor a cell, and predictions as in mid-training: near an object, more or less."""
    random = boxes.rng(5)
    if case.name.startswith("max-IoU"):
        anchors, strides, objects = boxes.anchors(case.n, 1216, 912), np.empty(0), boxes.objects(500 if case.n > 10_000 else 20, 1216, 912)
    else:
        objects, side = boxes.objects(300 if case.n > 1000 else 10, 640, 640), 640 if case.n > 1000 else 128
        xy, strides = points(side, side)
        anchors = assign.from_points(xy, strides).boxes
    near = objects[random.integers(0, len(objects), len(anchors))]
    if len(strides):
        centre = (anchors[:, :2] + anchors[:, 2:]) / 2
        middles = (objects[:, :2] + objects[:, 2:]) / 2
        near = objects[np.abs(centre[:, None] - middles).max(axis=2).argmin(axis=1)]
    size = near[:, 2:] - near[:, :2]
    predictions = near + np.hstack([size, size]) * random.normal(0, 0.2, near.shape).astype(np.float32)
    predictions = np.hstack([np.minimum(predictions[:, :2], predictions[:, 2:]), np.maximum(predictions[:, :2], predictions[:, 2:])])
    scores = random.beta(1, 20, (len(anchors) if len(strides) else 0, N_CLASSES)).astype(np.float32)
    labels = random.integers(0, N_CLASSES, len(objects))
    return Inputs(case.name, *(torch.from_numpy(np.asarray(x)) for x in (anchors, strides, objects, labels, predictions, scores)))


def ours(as_given: Callable[[Tensor], Any]) -> Callable[[Inputs], Call]:
    def prepare(x: Inputs) -> Call:
        name, *arrays = x
        anchors, strides, *rest = (as_given(array) for array in arrays)
        objects, labels, predictions, scores = rest
        priors, things = assign.Priors(anchors, strides if len(strides) else None), assign.Objects(objects, labels)
        said = assign.Predictions(predictions, scores)
        if name.startswith("max-IoU"):
            return lambda: assign.max_iou(priors, things, positive=0.7, negative=0.3)
        rule = assign.ASSIGNERS[RULES[name.split(",")[0]]]
        return lambda: rule(priors, things, said)

    return prepare


RULES = {"ATSS": "atss", "SimOTA": "simota", "task-aligned": "task_aligned"}


def direct(x: Inputs) -> Call:
    if x.case.startswith("max-IoU"):
        peers.torchvision()
        from torchvision.models.detection._utils import Matcher
        from torchvision.ops import box_iou

        matcher = Matcher(0.7, 0.3, allow_low_quality_matches=True)
        return lambda: matcher(box_iou(x.objects, x.anchors))
    if x.case.startswith("ATSS"):
        return lambda: direct_assigners.atss(x.anchors, x.strides, x.objects)
    if x.case.startswith("SimOTA"):
        return lambda: direct_assigners.simota(x.anchors, x.strides, x.objects, x.labels, x.predictions, x.scores)
    return lambda: direct_assigners.task_aligned(x.anchors, x.objects, x.labels, x.predictions, x.scores)[0]


def see(result: Any, x: Inputs) -> Seen:
    """How many priors learn from each object; of max-IoU how many in all: where an object lies within several anchors torchvision's roundoff picks some.
    Results are compared prior by prior in the tests."""
    index = np.asarray(result.index if isinstance(result, assign.Assignment) else result)
    counts = np.bincount(index[index >= 0], minlength=len(x.objects))
    return (counts if len(x.strides) else counts.sum(),)


def _cases(n_anchors: int, n_objects: int, n_points: int, n_few: int) -> tuple[Case, ...]:
    others = (Case(f"{name}, {n_points:,} x {n_few}", n_points) for name in RULES)
    return Case(f"max-IoU, {n_anchors:,} x {n_objects}", n_anchors), *others


WORK = Contest(
    name="assign",
    title="Assigners",
    story="Which object each prior learns from, float32. Max-IoU: RetinaNet's anchors in a picture of 1,216 x 912 with objects of COCO's sizes, thresholds "
    "0.7 and 0.3 and low-quality matches, against torchvision's `Matcher` on `box_iou`. The others: one prior a cell on strides of 8, 16 and 32 in a "
    "picture of 640 x 640, predictions near objects, 80 classes, against the paper's rule in PyTorch on the matrix of pairs (benchmarks/direct_assigners.py).",
    cases=_cases(200_000, 500, 8400, 300),
    quick_cases=_cases(2000, 20, 336, 10),
    inputs=inputs,
    contenders=(
        Contender("boxloss, NumPy", ours(lambda x: x.numpy()), see),
        Contender("boxloss, PyTorch", ours(lambda x: x), see),
        Contender("on the whole matrix, PyTorch", direct, see, needs=("torchvision",)),
    ),
    memory_from=1000,
    relative=0.05,
    absolute=2.0,
)
