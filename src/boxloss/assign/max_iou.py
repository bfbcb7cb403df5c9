"""Max-IoU: each prior learns from the object that it overlaps most, if it does so well enough."""

from typing import Any

import numpy as np

from boxloss.assign.inputs import Flags, Inputs, Measure, best_of, check_overlap, read
from boxloss.assign.types import BACKGROUND, IGNORED, Assignment
from boxloss.errors import ParameterError
from boxloss.losses import pairwise

CHUNK = 2**20
"""Numbers of the matrix at a time, where objects have more than one best prior."""


def max_iou(
    priors: Any, objects: Any, predictions: Any = None, *, positive: float = 0.5, negative: float = 0.4, low_quality: bool = True, measure: Measure = "iou"
) -> Assignment:
    """Each prior learns from the object that it overlaps most: if the overlap is at least `positive`; below `negative` it is background, and between the two
    ignored.

    `low_quality`: a prior that overlaps an object as much as no other prior does (all of these, where there are several) is positive whatever the overlap,
    as long as there is any. It learns from the object that *it* overlaps most, which may be another one. So an object may be left with none.
    Of objects that a prior overlaps equally the first wins. `measure`: what overlap is, any similarity of the catalogue.

    Defaults are RetinaNet's. Faster R-CNN's region proposals have positive=0.7, negative=0.3, its second stage 0.5, 0.5, low_quality=False.
    `priors`: `Priors` or (P, 4); `objects`: `Objects` or (N, 4), xyxy in one unit. `predictions` are not looked at. Memory grows with P + N.
    Raises ShapeError, DTypeError, and ParameterError where negative > positive or one of them is outside the measure's range.

    >>> max_iou(np.array([[0.0, 0, 8, 8], [0, 0, 8, 4], [0, 0, 2, 2]]), np.array([[0.0, 0, 8, 9]])).index.tolist()
    [0, -2, -1]

    Reference: Ren et al., "Faster R-CNN", NeurIPS 2015, arXiv:1506.01497, section 3.1.2; Lin et al., RetinaNet, ICCV 2017, arXiv:1708.02002, section 4.
    As torchvision's `Matcher` but for objects that no prior overlaps: there every prior has that object's best overlap, 0, and becomes positive.
    """
    asked = read("max_iou", priors, objects)
    check_overlap("max_iou", "positive", positive, measure)
    check_overlap("max_iou", "negative", negative, measure)
    if not negative <= positive:
        raise ParameterError(f"max_iou: negative is {negative} and positive {positive}, expected negative <= positive")
    values, best = (x[:, 0] for x in best_of(measure, asked.priors, asked.objects, 1))
    index = np.where(values >= positive, best, np.where(values >= negative, IGNORED, BACKGROUND))
    if low_quality:
        best_of_some = _attains_a_best(asked, measure)
        index[best_of_some] = best[best_of_some]
    return asked.assignment(index, measure, asked.priors)


def _attains_a_best(asked: Inputs, measure: Measure) -> Flags:
    """Which priors overlap some object as much as no other prior does."""
    attains = np.zeros(len(asked.priors), dtype=bool)
    values, best = best_of(measure, asked.objects, asked.priors, 2)
    some = values[:, 0] > 0
    attains[best[some, 0]] = True
    # An object within several priors of one size overlaps all of them equally. How many there are nobody knows before looking at them.
    tied = np.flatnonzero(some & (values[:, 0] == values[:, 1]))
    step = max(1, CHUNK // max(len(attains), 1))
    for start in range(0, len(tied), step):
        rows = tied[start : start + step]
        attains |= (pairwise(measure, asked.objects[rows], asked.priors) == values[rows, :1]).any(axis=0)
    return attains
