"""Greedy suppression: in sparse clutter, where a quarter goes, and of a detector's raw output, where nearly all goes."""

from typing import Any

import numpy as np

import boxloss as bl
from benchmarks import boxes, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

THRESHOLD = 0.5
Inputs = tuple[boxes.Boxes, boxes.Boxes]


def inputs(case: Case) -> Inputs:
    return boxes.raw_detections(case.n) if case.name.endswith("dense") else boxes.clutter(case.n)


def on_torch(function: Any, x: Inputs) -> Call:
    import torch

    found, scores = (torch.from_numpy(part) for part in x)
    return lambda: function(found, scores)


def powerboxes(x: Inputs) -> Call:
    from powerboxes import rtree_nms

    found, scores = (part.astype(np.float64) for part in x)
    return lambda: rtree_nms(found, scores, THRESHOLD, 0.0)


def lsnms(x: Inputs) -> Call:
    from lsnms import nms

    found, scores = (part.astype(np.float64) for part in x)
    return lambda: nms(found, scores, iou_threshold=THRESHOLD, score_threshold=0.0)


def rows(kept: Any, x: Inputs) -> Seen:
    """What stays, as a set: the others' orders differ where scores are equal."""
    return (np.sort(np.asarray(kept, np.int64)),)


SPARSE, DENSE = tuple(Case(f"{n:,} sparse", n) for n in (1000, 10_000, 100_000)), Case("10,000 dense", 10_000)

WORK = Contest(
    name="nms",
    title="Greedy suppression",
    story="`bl.nms(boxes, scores, threshold=0.5)`, float32; powerboxes and lsnms have float64, as they ask for it. "
    "Sparse: boxes of 10 to 60 px, anywhere, so many that a quarter are dropped. Dense: 10,000 raw detections around 100 objects in one picture, "
    "jittered as those of a detector are. "
    "Sorting: `np.argsort(-scores, kind=\"stable\")` alone. What stays is the same for all, or no time is told.",
    cases=(*SPARSE, DENSE),
    quick_cases=(Case("300 sparse", 300), Case("300 dense", 300)),
    inputs=inputs,
    contenders=(
        Contender("boxloss, NumPy", lambda x: lambda: bl.nms(*x, threshold=THRESHOLD), rows),
        Contender("boxloss, PyTorch", lambda x: on_torch(lambda found, scores: bl.nms(found, scores, threshold=THRESHOLD), x), rows),
        Contender(
            "torchvision", lambda x: on_torch(lambda found, scores: peers.torchvision().ops.nms(found, scores, THRESHOLD), x), rows,
            needs=("torchvision",), hinders=peers.no_operators,
        ),
        Contender("powerboxes, R-tree", powerboxes, rows, needs=("powerboxes",)),
        Contender("lsnms", lsnms, rows, needs=("lsnms",)),
        Contender("sorting the scores", lambda x: lambda: np.argsort(-x[1], kind="stable")),
    ),
    relative=0.0,
    absolute=0.25,
)  # fmt: skip
