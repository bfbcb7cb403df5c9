"""Centre sampling: a point near the middle of an object learns from it, at the level that fits the object's size."""

from typing import Any

import numpy as np

from boxloss.assign.cells import levels
from boxloss.assign.inputs import Flags, Floats, Integers, Measure, read
from boxloss.assign.ranking import Ranking
from boxloss.assign.types import BACKGROUND, Assignment
from boxloss.losses.inputs import check_number


def centre_sampling(priors: Any, objects: Any, predictions: Any = None, *, radius: float = 1.5, reach: float = 4.0, measure: Measure = "iou") -> Assignment:
    """A prior learns from an object if its point lies strictly inside the object, within `radius` strides of its centre in x and in y, and if the object fits
    the prior's level: the farthest side is at most `reach` strides from the point, and more than half of that (no upper limit on the coarsest level, no lower
    one on the finest). Of several such objects the smallest wins, and of equal ones the first.

    An object that got no prior (too small to hold a point, or smaller objects won them all) takes the nearest free point: one inside it where there is one,
    else one of its level, which then lies outside the object. Every object gets a prior as long as its level has a free one.
    `measure`: what `overlap` of the answer is; it decides nothing.

    `priors`: `Priors` with strides; `objects`: `Objects` or (N, 4), xyxy in one unit. `predictions` are not looked at. Memory grows with P + N.
    Raises ShapeError, DTypeError, and ParameterError without strides, or for a radius or reach that is not above 0.

    >>> import boxloss as bl
    >>> centre_sampling(bl.assign.Priors(np.array([[0.0, 0, 8, 8], [8, 0, 16, 8]]), np.array([8, 8])), np.array([[0.0, 0, 8, 8]])).index.tolist()
    [0, -1]

    Reference: FCOS (arXiv:1904.01355) and its centre sampling, Tian et al., TPAMI 2020, arXiv:2006.09214, section 3.2; the last step is our own.
    """
    asked = read("centre_sampling", priors, objects)
    for name, value in (("radius", radius), ("reach", reach)):
        check_number("centre_sampling", name, value, 0, above_low=True)
    return asked.assignment(_chosen(asked.centres, asked.needed("strides"), asked.objects, radius, reach), measure, asked.priors)


def _chosen(xy: Floats, strides: Floats, boxes: Floats, radius: float, reach: float) -> Integers:
    """For each point the row of `boxes` that it learns from, or `BACKGROUND`."""
    if len(boxes) == 0 or len(xy) == 0:
        return np.full(len(xy), BACKGROUND)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    by_area = np.argsort(area, kind="stable")
    boxes = boxes[by_area]
    low = np.where(strides == strides.min(), -np.inf, reach / 2 * strides)
    high = np.where(strides == strides.max(), np.inf, reach * strides)
    smallest = Ranking(len(xy), 1)
    for level in levels(xy, strides):
        for of, point in level.around((boxes[:, :2] + boxes[:, 2:]) / 2, radius * level.stride):
            nearest, farthest, distance = _seen(xy[point], boxes[of])
            candidate = (nearest > 0) & (low[point] < farthest) & (farthest <= high[point]) & (distance < radius * strides[point])
            smallest.offer(point[candidate], of[candidate], np.zeros(np.count_nonzero(candidate)))  # the first, and so the smallest
    matched = smallest.items[:, 0]
    half_side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / 2
    for n in np.setdiff1d(np.arange(len(boxes)), matched):
        nearest, _, distance = _seen(xy, boxes[n])
        free, inside, fits = (matched == BACKGROUND) & ~np.isnan(distance), nearest > 0, (low < half_side[n]) & (half_side[n] <= high)
        matched[_nearest_of(distance, (free & inside & fits, free & inside, free & fits))] = n
    return np.where(matched >= 0, by_area[matched], BACKGROUND)


def _seen(xy: Floats, boxes: Floats) -> tuple[Floats, Floats, Floats]:
    """How far a point is from a box's nearest side (above 0 inside), from its farthest side, and from its centre, along the worse axis."""
    left, top = xy[:, 0] - boxes[..., 0], xy[:, 1] - boxes[..., 1]
    right, bottom = boxes[..., 2] - xy[:, 0], boxes[..., 3] - xy[:, 1]
    nearest = np.minimum(np.minimum(left, right), np.minimum(top, bottom))
    farthest = np.maximum(np.maximum(left, right), np.maximum(top, bottom))
    return nearest, farthest, np.maximum(np.abs(left - right), np.abs(top - bottom)) / 2


def _nearest_of(distance: Floats, choices: tuple[Flags, ...]) -> Integers:
    """The nearest of those that the first choice allows which allows any; none where none does."""
    for allowed in choices:
        if allowed.any():
            return np.array([np.where(allowed, distance, np.inf).argmin()])
    return np.empty(0, np.int64)
