"""SSD's rule: first every object gets a prior of its own, then the other priors choose."""

from typing import Any

import numpy as np

from boxloss.assign.inputs import Integers, Measure, best_of, check_overlap, read
from boxloss.assign.types import BACKGROUND, Assignment

FEW = 8
"""Priors that an object knows of at first: seldom do others take so many of its best."""


def ssd(priors: Any, objects: Any, predictions: Any = None, *, threshold: float = 0.5, measure: Measure = "iou") -> Assignment:
    """Each object gets the prior that it overlaps most and that no object with a greater overlap took; then each other prior learns from the object that it
    overlaps most, if by more than `threshold`.

    The first step takes the greatest overlap of all pairs, then the greatest of those of other objects with other priors, and so on (of equal ones that of
    the first object, and of its the first prior), as long as there is any overlap: an object has a prior of its own unless all that it overlaps are taken.
    In the second step the first of equal objects wins. `measure`: what overlap is, any similarity of the catalogue; 0 and less is no overlap.

    `priors`: `Priors` or (P, 4); `objects`: `Objects` or (N, 4), xyxy in one unit. `predictions` are not looked at. Memory grows with P + N, and for the
    first step with as many priors for each object as it takes to find one that is free. Raises ShapeError, DTypeError, and ParameterError for a threshold
    outside the measure's range.

    >>> ssd(np.array([[0.0, 0, 8, 8], [0, 0, 8, 7], [0, 0, 8, 2]]), np.array([[0.0, 0, 8, 8], [0, 0, 8, 1]])).index.tolist()
    [0, 0, 1]

    Reference: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325, section 2.2. torchvision's `SSDMatcher` differs where two
    objects have the same best prior (the last takes it, and the others have none of their own), where an object overlaps no prior (it takes the first),
    and where an overlap is the threshold (it is enough).
    """
    asked = read("ssd", priors, objects)
    check_overlap("ssd", "threshold", threshold, measure)
    values, best = (x[:, 0] for x in best_of(measure, asked.priors, asked.objects, 1))
    index = np.where(values > threshold, best, BACKGROUND)
    own = bipartite(asked.objects, asked.priors, measure)
    index[own[own >= 0]] = np.flatnonzero(own >= 0)
    return asked.assignment(index, measure, asked.priors)


def bipartite(objects: np.ndarray, priors: np.ndarray, measure: Measure) -> Integers:
    """For each object a prior of its own, or -1, greatest overlap first.

    Objects ask for priors from their best down, and a prior leaves an object for one that it overlaps more. That ends where taking the greatest of all
    pairs again and again does, since both sides rank a pair by the same number, and needs of each object only the priors that it comes to ask.
    """
    own, asks = np.full(len(objects), -1), np.zeros(len(objects), np.int64)
    holder: dict[int, tuple[float, int]] = {}
    known: dict[int, tuple[list[float], list[int]]] = {}
    k, free = FEW, list(range(len(objects)))
    while free:
        values, best = best_of(measure, objects[free], priors, k)
        known |= {n: (values[row].tolist(), best[row].tolist()) for row, n in enumerate(free)}
        waiting: list[int] = []
        while free:
            n = free.pop()
            if asks[n] == len(known[n][0]):
                waiting.append(n)
                continue
            value, prior = known[n][0][asks[n]], known[n][1][asks[n]]
            asks[n] += 1
            if not value > 0:
                continue  # nor is any that follows
            other = holder.get(prior)
            if other is None or (-value, n) < (-other[0], other[1]):
                holder[prior], own[n] = (value, n), prior
                n = -1 if other is None else other[1]
                if other is None:
                    continue
                own[n] = -1
            free.append(n)
        k, free = 2 * max(k, max((len(known[n][0]) for n in waiting), default=0)), waiting
    return own
