"""The drawn shapes of the embedded set: large masks, and their coverage of pixels when stretched, turned and put somewhere."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

SHAPES = ("arrow", "ring", "star")
SIDE = 512
"""Side of a mask in cells; the largest sprite has 60 x 4 samples, so a sample is never larger than a few cells."""
RIM = 28
"""Width of the rim in cells."""
FINE = 4
"""Samples a pixel, in x and in y: coverage comes in 16ths, boxes in quarters of a pixel."""

IN_RIM, IN_FILL = 1, 32
"""Values of a mask: the sum over a pixel's 16 samples holds both counts, and no sum is above 512."""

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Placed:
    """A shape in a picture: centre, half sides before it is turned (all in pixels), and its turn."""

    shape: str
    x: float
    y: float
    half_width: float
    half_height: float
    cos: float
    sin: float
    """Of its turn, clockwise, since y points down."""

    @property
    def reach(self) -> tuple[float, float]:
        """Half the width and height of what the turned rectangle needs."""
        across, along = abs(self.cos), abs(self.sin)
        return across * self.half_width + along * self.half_height, along * self.half_width + across * self.half_height


@dataclass(frozen=True)
class Coverage:
    """What a placed shape covers, in samples (0 ... 16) of each pixel of a patch whose first pixel is (left, top)."""

    left: int
    top: int
    fill: npt.NDArray[np.int64]
    rim: npt.NDArray[np.int64]
    box: tuple[float, float, float, float]
    """xyxy in pixels: the sides of the outermost samples that are covered."""


@cache
def mask_of(shape: str) -> Mask:
    """(SIDE + 2, SIDE + 2): 0 outside, `IN_RIM`, `IN_FILL`. The shape reaches the sides of the inner SIDE x SIDE; around it is an empty frame."""
    # Odd numbers: cell middles, in units of half a cell. Whole numbers, so that every machine draws the same.
    x, y = np.meshgrid(np.arange(1 - SIDE, SIDE, 2), np.arange(1 - SIDE, SIDE, 2))
    if shape == "ring":
        inside = (x * x + y * y <= SIDE * SIDE) & (100 * (x * x + y * y) >= 25 * SIDE * SIDE)
    elif shape == "star":
        inside = _in_polygon(x, y, _star())
    else:
        inside = _in_polygon(x, y, [(-100, -40), (10, -40), (10, -100), (100, 0), (10, 100), (10, 40), (-100, 40)])
    core = _shrink(_shrink(inside, RIM).T, RIM).T
    return np.pad(np.where(core, IN_FILL, np.where(inside, IN_RIM, 0)), 1).astype(np.uint8)


def _shrink(inside: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """What is farther than `by` cells from the outside, along each row."""
    outside = np.cumsum(np.pad(~inside, [(0, 0), (by + 1, by)], constant_values=True), axis=1)
    return np.asarray(outside[:, 2 * by + 1 :] == outside[:, : -2 * by - 1])


def _star() -> list[tuple[int, int]]:
    """Five points, stretched to fill the square of +-100."""
    corners = [((100 if i % 2 == 0 else 45) * math.sin(math.pi * i / 5), -(100 if i % 2 == 0 else 45) * math.cos(math.pi * i / 5)) for i in range(10)]
    low, high = min(y for _, y in corners), max(y for _, y in corners)
    widest = max(x for x, _ in corners)
    return [(round(100 * x / widest), round(200 * (y - low) / (high - low) - 100)) for x, y in corners]


def _in_polygon(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], corners: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which cell middles lie in the polygon (corners in hundredths of the half side), by the even-odd rule, in whole numbers."""
    inside = np.zeros(x.shape, dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y1 == y2:
            continue
        crosses = (100 * y >= SIDE * min(y1, y2)) & (100 * y < SIDE * max(y1, y2))
        # Right of the edge: (x - x1) / (x2 - x1) > (y - y1) / (y2 - y1), multiplied out.
        across = (100 * x - SIDE * x1) * (y2 - y1) - (100 * y - SIDE * y1) * (x2 - x1)
        inside ^= crosses & ((across > 0) == (y2 > y1))
    return inside


def cover(placed: Placed) -> Coverage:
    """The pixels that a placed shape covers, found by looking up FINE x FINE samples a pixel in its mask."""
    cos, sin = placed.cos, placed.sin
    reach_x, reach_y = placed.reach
    left, top = math.floor(placed.x - reach_x), math.floor(placed.y - reach_y)
    width, height = math.ceil(placed.x + reach_x) - left, math.ceil(placed.y + reach_y) - top
    dx = left + (np.arange(width * FINE) + 0.5) / FINE - placed.x
    dy = (top + (np.arange(height * FINE) + 0.5) / FINE - placed.y)[:, None]
    u = _cell((cos * dx + sin * dy) / placed.half_width)
    v = _cell((cos * dy - sin * dx) / placed.half_height)
    samples = mask_of(placed.shape)[v, u]
    columns, rows = np.flatnonzero(samples.max(axis=0)), np.flatnonzero(samples.max(axis=1))
    box = (left + columns[0] / FINE, top + rows[0] / FINE, left + (columns[-1] + 1) / FINE, top + (rows[-1] + 1) / FINE)
    wide = samples.astype(np.int16)
    by_row = wide[0::FINE] + wide[1::FINE] + wide[2::FINE] + wide[3::FINE]
    sums = (by_row[:, 0::FINE] + by_row[:, 1::FINE] + by_row[:, 2::FINE] + by_row[:, 3::FINE]).astype(np.int64)
    return Coverage(left, top, sums // IN_FILL, sums % IN_FILL, box)


def _cell(position: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The mask's row or column, 0 or SIDE + 1 for its frame, at a position from -1 to 1."""
    cell = np.floor(position * (SIDE / 2)).astype(np.int64) + (SIDE // 2 + 1)
    return np.minimum(np.maximum(cell, 0), SIDE + 1)
