"""An order of boxes in which neighbours in the picture, of like size, stand together: so that a block of them has tight bounds.

It matters for speed alone; any order gives the same results.
"""

import numpy as np
import numpy.typing as npt

from boxloss.boxes import corners

BITS = 14
"""Of each coordinate of a centre; four more are the size's octave."""

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]


def keys(groups: list[Floats], format: str) -> list[npt.NDArray[np.uint64]]:
    """For each group of columns (4, n) the boxes' places along one curve through size and position."""
    with np.errstate(all="ignore"):
        found = [_centre_and_size(at, format) for at in groups]
        low = np.array([min(x[axis].min() for x in found) for axis in (0, 1)])
        extent = max(max(x[axis].max() for x in found) - low[axis] for axis in (0, 1))
        top = max(int(x[2].max()) for x in found)
        return [_key(x, low, extent if extent > 0 else 1.0, top) for x in found]


def _centre_and_size(at: Floats, format: str) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
    left, top, right, bottom = corners(tuple(at.astype(np.float32, copy=False)), format)
    size = np.maximum(right - left, bottom - top)
    return (left + right) * np.float32(0.5), (top + bottom) * np.float32(0.5), np.frexp(size)[1]


def _key(box: tuple[Floats, Floats, npt.NDArray[np.int32]], low: Floats, extent: float, top: int) -> npt.NDArray[np.uint64]:
    steps = np.float32((2**BITS - 1) / extent)
    x, y = (_spread(np.clip((centre - np.float32(least)) * steps, 0, 2**BITS - 1).astype(np.uint32)) for centre, least in zip(box, low, strict=False))
    octave = np.clip(box[2] - (top - 15), 0, 15).astype(np.uint32)
    return ((octave << np.uint32(2 * BITS)) | (x << np.uint32(1)) | y).astype(np.uint64)


def _spread(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The bits of x with a 0 between each two."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        x = (x | (x << np.uint32(shift))) & np.uint32(mask)
    return x


def order(key: npt.NDArray[np.uint64]) -> Integers:
    """The boxes along the curve. Key and index are sorted as one number, which is the quickest sort that NumPy has."""
    packed = np.sort((key << np.uint64(32)) | np.arange(len(key), dtype=np.uint64))
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
