"""Who overlaps whom, as pairs, for the kinds of suppression that are a rule on all pairs at once. The matrix is never there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError
from boxloss.losses import pairs_above
from boxloss.suppress.inputs import Detections, Measure, Rows

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Overlaps:
    """Pairs of ranks (0: the best score) of one class: `better` < `worse`, and how similar the two boxes are.

    Those with one `worse` stand in the order of `better`.
    """

    n: int
    better: Rows
    worse: Rows
    values: Floats

    def where(self, which: npt.NDArray[np.bool_]) -> "Overlaps":
        return Overlaps(self.n, self.better[which], self.worse[which], self.values[which])


def overlaps(found: Detections, above: float, measure: Measure) -> Overlaps:
    """The pairs that are more similar than `above`, which is taken in the boxes' type: an IoU of 3/5 equals 0.6 and is not above it."""
    boxes, bar = found.boxes[found.order], float(found.boxes.dtype.type(above))
    pairs = []
    for ranks in classes(found.labels[found.order]) or [found.order]:
        better, worse, values = pairs_above(measure.formula, boxes[ranks], boxes[ranks], bar, **measure.parameters)
        first = better < worse
        pairs.append((ranks[better[first]], ranks[worse[first]], values[first]))
    better, worse, values = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return Overlaps(len(boxes), better, worse, values)


def classes(labels: Rows) -> list[Rows]:
    """The places of each label, in order."""
    if not len(labels):
        return []
    places = np.argsort(labels, kind="stable")
    return np.split(places, np.flatnonzero(np.diff(labels[places])) + 1)


def staying(pairs: Overlaps) -> npt.NDArray[np.bool_]:
    """Which ranks greedy suppression lets stay, where each of `pairs` is a better box that drops a worse one if it stays itself.

    Not one box after the other: in a round, all that nobody left can drop stay for good, and drop what they overlap. It ends after as many rounds as the
    longest chain of boxes that spare one another needs, a handful on real detections (Zheng et al., arXiv:2005.03572).
    """
    stay = np.ones(pairs.n, bool)
    better, worse = pairs.better, pairs.worse
    while len(better):
        open_ = np.zeros(pairs.n, bool)
        open_[worse] = True
        sure = ~open_[better]
        stay[worse[sure]] = False
        left = ~sure & stay[better] & stay[worse]
        better, worse = better[left], worse[left]
    return stay


def check_idle(call: str, decay: str, name: str, value: float | None, of: str) -> None:
    """Raises `ParameterError` where a number was given that belongs to another decay, and would do nothing."""
    if value is not None and decay != of:
        raise ParameterError(f"{call}: {name} is for decay={of!r}, and the decay is {decay!r}: leave {name} out, or change the decay")


def check_weights(call: str, found: Detections) -> None:
    """Scores that are multiplied, or weigh something: finite and not negative."""
    bad = ~((found.scores >= 0) & (found.scores < np.inf))
    if bad.any():
        i = int(np.argmax(bad))
        raise ParameterError(f"{call}: scores[{i}] is {found.scores[i]:g}, expected finite numbers >= 0: logits must go through a sigmoid first")
