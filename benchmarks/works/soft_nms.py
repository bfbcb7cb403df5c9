"""Soft suppression: scores fall instead of boxes."""

from typing import Any

import numpy as np

import boxloss as bl
from benchmarks import boxes
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

METHODS = {"linear": 1, "gaussian": 2}
Inputs = tuple[boxes.Boxes, boxes.Boxes, str]


def inputs(case: Case) -> Inputs:
    """In units of the picture, as ensemble-boxes wants them."""
    found, scores = boxes.raw_detections(case.n) if "dense" in case.name else boxes.clutter(case.n)
    found = found.astype(np.float64) - found.min()
    return found / found.max(), scores.astype(np.float64), case.name.rpartition(" ")[2]


def ours(x: Inputs) -> Call:
    found, scores, decay = x
    return lambda: bl.suppress.soft_nms(found, scores, decay=decay)


def ensemble_boxes(x: Inputs) -> Call:
    from ensemble_boxes import soft_nms

    found, scores, decay = x
    labels = np.zeros(len(found))
    return lambda: soft_nms([found], [scores], [labels], method=METHODS[decay], iou_thr=0.3, sigma=0.5, thresh=0.001)


def who_stays(scores: Any) -> Seen:
    """By their scores before."""
    return (np.sort(np.asarray(scores)),)


def case(n: int, kind: str, decay: str) -> Case:
    return Case(f"{n:,} {kind}, {decay}", n)


WORK = Contest(
    name="soft_nms",
    title="Soft suppression",
    story="`bl.suppress.soft_nms(boxes, scores, decay=...)` with the paper's defaults, float64, of the boxes of greedy suppression. "
    "ensemble-boxes goes through all that is left at each step, and gives back the scores that came, so that who stays is compared.",
    cases=tuple(case(10_000, kind, decay) for kind in ("sparse", "dense") for decay in METHODS),
    quick_cases=(case(300, "sparse", "gaussian"), case(300, "dense", "linear")),
    inputs=inputs,
    contenders=(
        Contender("boxloss, NumPy", ours, lambda got, x: who_stays(x[1][got[0]])),
        Contender("ensemble-boxes", ensemble_boxes, lambda got, x: who_stays(got[1]), needs=("ensemble_boxes",), slow_to_start=True),
    ),
)
