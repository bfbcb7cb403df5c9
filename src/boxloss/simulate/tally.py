"""What is known of cases without keeping them: counts, and sums that are exact, so that parts add up to the same bits in whatever order they come."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.simulate.protocol import Boxes

Parts = tuple[float, ...]
"""A sum: a few floats that are together exactly what was summed, the largest first."""

HIGH_IOU = 0.75
"""A box that overlaps its target by more has arrived, as the tables say it."""


@dataclass(frozen=True)
class Tally:
    """Of so many cases: their errors' sum before the first step and after each, their final IoUs' sum, and how many of these are high."""

    n: int
    errors: tuple[Parts, ...]
    ious: Parts
    n_high: int

    @staticmethod
    def of(errors: Boxes, ious: Boxes) -> "Tally":
        """Of cases whose errors' sums are `errors`, (steps + 1,), and whose final IoUs are `ious`, (n,)."""
        return Tally(len(ious), tuple((float(x),) for x in errors), (float(ious.sum()),), int((ious > HIGH_IOU).sum()))

    @staticmethod
    def joined(tallies: Iterable["Tally"]) -> "Tally":
        """Of all their cases together."""
        every = list(tallies)
        return Tally(
            sum(one.n for one in every),
            tuple(exact_sum(x for parts in step for x in parts) for step in zip(*(one.errors for one in every), strict=True)),
            exact_sum(x for one in every for x in one.ious),
            sum(one.n_high for one in every),
        )

    def curve(self) -> Boxes:
        """The errors' sum before the first step and after each, (steps + 1,), each rounded once."""
        return np.array([total(parts) for parts in self.errors])

    @property
    def final_error(self) -> float:
        return total(self.errors[-1])

    @property
    def all_errors(self) -> float:
        """The sum of the errors after all steps, not of those before the first: the less, the sooner the boxes arrived."""
        return total(x for parts in self.errors[1:] for x in parts)

    @property
    def mean_iou(self) -> float:
        return total(self.ious) / self.n

    @property
    def high_share(self) -> float:
        """The share of the cases with an IoU above 0.75."""
        return self.n_high / self.n

    def as_dict(self) -> dict[str, Any]:
        return {"n": self.n, "errors": [list(parts) for parts in self.errors], "ious": list(self.ious), "n_high": self.n_high}

    @staticmethod
    def from_dict(found: dict[str, Any]) -> "Tally":
        return Tally(found["n"], tuple(map(tuple, found["errors"])), tuple(found["ious"]), found["n_high"])


def total(parts: Iterable[float]) -> float:
    """The sum, rounded once. What passes the largest float is infinite."""
    try:
        return math.fsum(parts)
    except OverflowError:
        return math.inf


def exact_sum(numbers: Iterable[float]) -> Parts:
    """The sum of numbers >= 0 as few floats, exactly: the rounded sum, what that is off by, and so on.

    >>> exact_sum([1.0, 2.0**-80, 2.0**-80])
    (1.0, 1.6543612251060553e-24)
    """
    left, parts = list(numbers), list[float]()
    while (head := total(left)) != 0 or not parts:
        parts.append(head)
        if not math.isfinite(head):
            break
        left.append(-head)
    return tuple(parts)
