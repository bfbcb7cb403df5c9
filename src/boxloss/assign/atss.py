"""ATSS: each object sets its own threshold, from the overlaps of the priors nearest to it."""

from typing import Any

import numpy as np

from boxloss.assign.cells import levels, nearest_points
from boxloss.assign.inputs import Measure, at_least_one, centres, inside, read, similarity
from boxloss.assign.ranking import strongest
from boxloss.assign.types import Assignment


def atss(priors: Any, objects: Any, predictions: Any = None, *, k: int = 9, measure: Measure = "iou") -> Assignment:
    """For each object the candidates are the `k` priors of each level whose centres are nearest to its own. Those learn from it whose overlap is at least
    the mean plus the standard deviation of all candidates' overlaps, and whose centre lies strictly inside the object.

    A prior that several objects want learns from the one that it overlaps most, and of equal ones from the first; of equally near priors the first are
    candidates. The standard deviation has n - 1 in its denominator, as in the authors' code, and is 0 for a single candidate. An object may be left with
    none. `measure`: what overlap is, any similarity of the catalogue.

    `priors`: `Priors` with strides, whose levels these are; `objects`: `Objects` or (N, 4), xyxy in one unit. `predictions` are not looked at.
    Memory grows with P + N. Raises ShapeError, DTypeError, and ParameterError without strides or where k < 1.

    >>> import boxloss as bl
    >>> row = np.array([[0.0, 0, 8, 8], [8, 0, 16, 8], [16, 0, 24, 8]])
    >>> atss(bl.assign.Priors(row, np.full(3, 8.0)), np.array([[0.0, 0, 9, 8]])).index.tolist()
    [0, -1, -1]

    Reference: Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection via Adaptive Training Sample Selection", CVPR 2020,
    arXiv:1912.02424, algorithm 1. The authors' code asks for a centre 0.01 px inside.
    """
    asked = read("atss", priors, objects)
    at_least_one("atss", k=k)
    points = asked.centres
    near = [nearest_points(level, points, centres(asked.objects), k) for level in levels(points, asked.needed("strides"))]
    candidates = np.concatenate([np.empty((len(asked.objects), 0), np.int64), *near], axis=1)
    of, place = np.nonzero(candidates >= 0)
    candidate = candidates[of, place]
    overlap = np.zeros(candidates.shape)
    overlap[of, place] = similarity(measure, asked.priors[candidate], asked.objects[of])
    n = np.maximum((candidates >= 0).sum(axis=1), 1)
    mean = overlap.sum(axis=1) / n
    off = np.where(candidates >= 0, overlap - mean[:, None], 0.0)
    threshold = mean + np.sqrt((off * off).sum(axis=1) / np.maximum(n - 1, 1))
    chosen = (overlap[of, place] >= threshold[of]) & inside(points, asked.objects, candidate, of)
    index = strongest(len(points), candidate[chosen], of[chosen], overlap[of, place][chosen])
    return asked.assignment(index, measure, asked.priors)
