"""Boxes as the loops over all pairs want them: four columns, and for each box what its pairs need of a formula's text.

The text for tame pairs does less than half of the work (`boxloss.kernels.cpu.bodies`). A pair is tame where both boxes are upright and near the origin,
and not both small: then their hull is of a moderate size. So it is enough to look at each box once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boxloss.boxes import corners
from boxloss.kernels.cpu.bodies import LARGEST, SMALLEST

TAME, SMALL, WILD = 0, 1, 2
"""A pair is tame where the sum of its boxes' kinds is at most 1."""

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Columns:
    at: Floats
    """(4, n): the coordinates as they came."""
    kinds: npt.NDArray[np.int64]
    """(n,): `TAME`, `SMALL` or `WILD`."""

    def __len__(self) -> int:
        return len(self.kinds)


def columns(boxes: Floats, format: str, *, tame: bool) -> Columns:
    """The columns of boxes (n, 4). `tame`: whether the formula has a text for tame pairs."""
    at = np.ascontiguousarray(boxes.T)
    return Columns(at, kinds(at, format) if tame else np.full(at.shape[1], WILD))


def kinds(at: Floats, format: str) -> npt.NDArray[np.int64]:
    with np.errstate(all="ignore"):
        left, top, right, bottom = corners(tuple(at), format)
        # Comparisons with NaN are false, and so NaN is wild.
        upright = (left <= right) & (top <= bottom)
        reach = LARGEST / 2
        near = (left >= -reach) & (top >= -reach) & (right <= reach) & (bottom <= reach)
        small = np.maximum(right - left, bottom - top) < SMALLEST
    return np.where(upright & near, np.where(small, SMALL, TAME), WILD)
