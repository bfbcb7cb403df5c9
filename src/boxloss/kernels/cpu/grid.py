"""Boxes found by where they are: a hash grid with a level for each octave of size, as text for the loops that ask who overlaps whom.

A box lies in one cell: that of its centre, on the level of its longer side, whose cells are as wide as the least of it. Cells are slots of a table; who
shares a slot without sharing the cell is sent away by the coordinates. Where one asks for more cells than a level has boxes, all of these are looked at.

Who overlaps a box with an IoU above t > 0 is of like size, near by: along each axis the overlap over the length that both cover together is above t too. So
the longer sides differ by a factor below 1 / t, and the centres by less than half of the sum of the sides times (1 - t) / (1 + t). An IoU above 0 still needs
an overlap. All of it in float64, with `t` somewhat lower than asked for: rounding may find a few boxes more, and never one less.
"""

import math

import numpy as np

from boxloss.kernels.cpu.program import Arguments

LOWEST = -500
"""The exponent of the lowest level: smaller boxes, down to points, are there too."""
LEVELS = 1024
FAR = 2.0**500
"""Beyond that a product of sides or of places leaves float64; boxes of float32 never are."""
LARGEST_32 = float(np.finfo(np.float32).max)

GRID: Arguments = {
    "boxes": "numbers",
    "labels": "integers",
    "table": "integer",
    "heads": "integers",
    "counts": "integers",
    "links": "integers",
    "links_each": "integer",
    "inverses": "floats",
    "far": "float64",
    "floor_iou": "float64",
    "most_ratio": "float64",
    "share": "float64",
    "tiny": "float64",
}
"""n `boxes` (n, 4) and their classes. `heads`: the first box of each of the `table` slots, then of each level; `links` (2, n): the next in the slot, and in
the level; `counts`: boxes on each level, then the lowest and the highest level that has one. `inverses`: 1 / cell of each level.
`floor_iou`: t, `most_ratio`: 1 / t, `share`: half of (1 - t) / (1 + t), `tiny`: with a smaller sum of areas products say nothing."""

PLACE = """\
left = float64(load(boxes, 4 * row))
top = float64(load(boxes, 4 * row + 1))
right = float64(load(boxes, 4 * row + 2))
bottom = float64(load(boxes, 4 * row + 3))
label = load(labels, row)
box_width = right - left
box_height = bottom - top
longer = where(box_width > box_height, box_width, box_height)
centre_x = (left + right) * half_wide
centre_y = (top + bottom) * half_wide
area = box_width * box_height
upright = (box_width >= zero_wide) & (box_height >= zero_wide)
near = (left >= -far) & (top >= -far) & (right <= far) & (bottom <= far)
own_level = whole(where(upright & near, exponent(longer), zero_wide)) - LOWEST
own_level = where(own_level < 0, zero_count, own_level)
"""

INSERT = """\
inverse = load(inverses, own_level)
cell_x = floor(centre_x * inverse)
cell_y = floor(centre_y * inverse)
cell_x = cell_x - floor(cell_x * down_wide) * up_wide
cell_y = cell_y - floor(cell_y * down_wide) * up_wide
slot = (whole(cell_x) + whole(cell_y) * HASH_Y + own_level * HASH_LEVEL + label * HASH_LABEL) & (table - 1)
store(links, row, load(heads, slot))
store(heads, slot, row)
store(links, links_each + row, load(heads, table + own_level))
store(heads, table + own_level, row)
store(counts, own_level, load(counts, own_level) + 1)
store(counts, LEVELS, least(load(counts, LEVELS), own_level))
store(counts, LEVELS + 1, most(load(counts, LEVELS + 1), own_level))
"""

NEAR = """\
first_level = most(load(counts, LEVELS), whole(maximum(exponent(longer * floor_iou), lowest_wide)) - LOWEST)
last_level = least(load(counts, LEVELS + 1), whole(maximum(exponent(longer * most_ratio), lowest_wide)) - LOWEST)
for level in range(first_level, last_level + 1):
    n_there = load(counts, level)
    if n_there != 0:
        inverse = load(inverses, level)
        largest = two_wide / inverse
        reach_x = (box_width + minimum(box_width * most_ratio, largest)) * share + (absolute(left) + absolute(right)) * slack_wide
        reach_y = (box_height + minimum(box_height * most_ratio, largest)) * share + (absolute(top) + absolute(bottom)) * slack_wide
        start_x = floor((centre_x - reach_x) * inverse)
        start_y = floor((centre_y - reach_y) * inverse)
        across = floor((centre_x + reach_x) * inverse) - start_x + one_wide
        down = floor((centre_y + reach_y) * inverse) - start_y + one_wide
        by_cell = across * down <= float64(n_there)
        n_across = whole(where(by_cell, across, one_wide))
        n_down = whole(where(by_cell, down, one_wide))
        first_x = whole(start_x - floor(start_x * down_wide) * up_wide)
        first_y = whole(start_y - floor(start_y * down_wide) * up_wide)
        offset = where(by_cell, zero_count, links_each)
        corner = first_x + first_y * HASH_Y + level * HASH_LEVEL + label * HASH_LABEL
        for step_y in range(n_down):
            for step_x in range(n_across):
                slot = where(by_cell, (corner + step_x + step_y * HASH_Y) & (table - 1), table + level)
                other = load(heads, slot)
                while {while_}:
                    other_left = float64(load(boxes, 4 * other))
                    other_top = float64(load(boxes, 4 * other + 1))
                    other_right = float64(load(boxes, 4 * other + 2))
                    other_bottom = float64(load(boxes, 4 * other + 3))
                    common_x = minimum(right, other_right) - maximum(left, other_left)
                    common_y = minimum(bottom, other_bottom) - maximum(top, other_top)
                    both = area + (other_right - other_left) * (other_bottom - other_top)
                    common = common_x * common_y
                    hardly = (common + common * floor_iou <= both * floor_iou) & (both >= tiny)
                    if (common_x >= zero_wide) & (common_y >= zero_wide) & (not hardly):
                        if load(labels, other) == label:
{visit}
                    other = load(links, offset + other)
"""

CONSTANTS: tuple[tuple[str, str, float], ...] = (
    ("zero_count", "int64", 0),
    ("LEVELS", "int64", LEVELS),
    ("LOWEST", "int64", LOWEST),
    # Odd, so that neighbours in x share a line of memory and those in y do not; wrapped like the sum that they go into
    ("HASH_Y", "int64", 0x9E3779B1),
    ("HASH_LEVEL", "int64", 0x85EBCA77),
    ("HASH_LABEL", "int64", 0xC2B2AE3D),
    ("zero_wide", "float64", 0.0),
    ("half_wide", "float64", 0.5),
    ("one_wide", "float64", 1.0),
    ("two_wide", "float64", 2.0),
    ("lowest_wide", "float64", float(LOWEST)),
    ("slack_wide", "float64", 2.0**-50),
    ("down_wide", "float64", 2.0**-40),
    ("up_wide", "float64", 2.0**40),
)

Floats = np.ndarray
INVERSES = np.ldexp(1.0, -(np.arange(LEVELS) + LOWEST))


def floor(threshold: float, wide: bool) -> float:
    """What the IoU of boxes of float64 (`wide`) or float32 is above where a computed measure, never above it, is above `threshold`; 0 where that is little."""
    # Measures are rounded, some in steps of roundoffs of 1: a number of them below the threshold still counts as above
    least = threshold * (1 - 2.0**-16) - (2.0**-48 if wide else 2.0**-20)
    return least if least > 2.0**-40 else 0.0


class Grid:
    """The memory of a grid for `boxes` (n, 4) without gaps and `labels` (n,) int64, where an overlap above `threshold` >= 0 is asked for."""

    def __init__(self, boxes: Floats, labels: np.ndarray, threshold: float):
        n, wide = len(boxes), boxes.dtype == np.float64
        least = floor(threshold, wide)
        table = 2 ** max(6, (n - 1).bit_length())
        counts = np.zeros(LEVELS + 2, np.int64)
        counts[LEVELS], counts[LEVELS + 1] = LEVELS, -1
        self._alive = boxes, labels, np.full(table + LEVELS, -1), counts, np.empty(2 * n, np.int64)
        places = [x.ctypes.data for x in self._alive]
        self.far = FAR if wide else LARGEST_32
        self.arguments = (
            places[0], places[1], table, *places[2:], n, INVERSES.ctypes.data, self.far,
            least, 1 / least if least else 2.0**400, 0.5 * (1 + 2.0**-40) * (1 - least) / (1 + least), 2.0**-900 if least else math.inf,
        )  # fmt: skip
