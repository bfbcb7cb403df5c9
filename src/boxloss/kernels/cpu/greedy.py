"""Greedy suppression: from the best score down, a box stays unless one that stays suppresses it.

Each box is compared with those alone that stay: with those near by (`boxloss.kernels.cpu.grid`), where the measure is never above the IoU, and else with
all of its class, block by block. What stays is the same.
"""

import ctypes
import functools
from typing import Any

import numpy as np

from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, has_tame, indented, loads, named_constants, taken
from boxloss.kernels.cpu.grid import CONSTANTS, GRID, INSERT, NEAR, PLACE, Grid
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

BLOCK = 64
"""Boxes that stay, compared at a time."""

Parameters = tuple[tuple[str, Any], ...]

NEARBY: Arguments = GRID | {"n": "integer", "bar": "float64", "stay": "integers", "found": "integers"}
"""n boxes, best first. `stay`: room for the rows that stay, and in `found` how many these are."""

NEARBY_TEXT = """\
    limit = number(bar)
    n_stay = zero_count
    for row in range(n):
{place}
        stays = True
        if upright & near:
{near}
            if stays:
{insert}
        if stays:
            store(stay, n_stay, row)
            n_stay = n_stay + 1
    store(found, 0, n_stay)
"""

SUPPRESSED = """\
{read}
{lines}
stays = not ({value} > limit)
"""

ALL: Arguments = {
    "n": "integer",
    "order": "integers",
    "boxes": "numbers",
    "room": "integer",
    "columns": "numbers",
    "bar": "float64",
    "stay": "integers",
    "found": "integers",
}
"""`columns` (4, room), a multiple of BLOCK: where the boxes that stay are copied to."""

ALL_TEXT = """\
    limit = number(bar)
    n_stay = zero_count
    for k in range(n):
        row = load(order, k)
{read_row}
        start = zero_count
        n_above = zero_count
        while (start < n_stay) & (n_above == 0):
            n_there = least(n_stay - start, BLOCK)
            for j in range(BLOCK):
                other = start + least(j, n_there - 1)
{read_other}
{lines}
                n_above = add_if(n_above, {value} > limit)
            start = start + BLOCK
        if n_above == 0:
            for side in range(4):
                store(columns, side * room + n_stay, load(boxes, 4 * row + side))
            store(stay, n_stay, row)
            n_stay = n_stay + 1
    store(found, 0, n_stay)
"""

_TAKEN = taken(PLACE, INSERT, NEAR, NEARBY_TEXT, SUPPRESSED, ALL_TEXT, *NEARBY, *ALL, "ill")


def nearby_program(bodies: Bodies) -> Program:
    """The kernel for a measure that is never above the IoU."""
    of_best, of_row = bodies.inputs[:4], bodies.inputs[4:]
    read = loads([f"load(boxes, 4 * other + {side})" for side in range(4)], of_best) + loads([f"load(boxes, 4 * row + {side})" for side in range(4)], of_row)
    lines, value = bodies.value_text(False, _TAKEN)
    suppressed = SUPPRESSED.format(read="\n".join(read), lines="\n".join(lines), value=value)
    near = NEAR.format(while_="stays & (other >= 0)", visit=indented(suppressed.splitlines(), 7))
    text = NEARBY_TEXT.format(place=indented(PLACE.splitlines(), 2), near=indented(near.splitlines(), 3), insert=indented(INSERT.splitlines(), 4))
    return Program(head(NEARBY) + text, bodies.number, (*CONSTANTS, *named_constants(bodies)), ())


def all_program(bodies: Bodies, *, tame: bool) -> Program:
    """The kernel for any measure, `tame` where every pair is."""
    of_best, of_row = bodies.inputs[:4], bodies.inputs[4:]
    lines, value = bodies.value_text(tame, _TAKEN)
    text = ALL_TEXT.format(
        read_row=indented(loads([f"load(boxes, 4 * row + {side})" for side in range(4)], of_row), 2),
        read_other=indented(loads([f"load(columns, {side} * room + other)" for side in range(4)], of_best), 4),
        lines=indented(lines, 4),
        value=value,
    )
    constants = (("BLOCK", "int64", BLOCK), ("zero_count", "int64", 0))
    return Program(head(ALL) + text, bodies.number, (*constants, *named_constants(bodies)), ())


class Greedy:
    """One measure's loops, in one number type."""

    def __init__(self, formula: Formula, parameters: Parameters, number: str):
        texts = functools.cache(lambda: bodies(formula, dict(parameters), number=number, format="xyxy", similarity=True))
        self.has_tame = has_tame(formula)
        self._nearby = Once(lambda: nearby_program(texts()).load())
        self._all = {tame: Once(lambda tame=tame: all_program(texts(), tame=tame).load()) for tame in (True, False)}  # type: ignore[misc]

    def nearby(self, boxes: np.ndarray, labels: np.ndarray, order: np.ndarray, threshold: float) -> np.ndarray:
        """The rows that stay, in the order of `order`."""
        # Side by side in memory as they are come by
        grid = Grid(boxes[order], labels[order], threshold)
        stay, found = np.empty(len(order), np.int64), ctypes.c_int64()
        self._nearby(_pack_nearby(*grid.arguments, len(order), threshold, stay.ctypes.data, ctypes.addressof(found)))
        return order[stay[: found.value]]

    def all(self, boxes: np.ndarray, order: np.ndarray, threshold: float, *, tame: bool) -> np.ndarray:
        """The same within one class, by comparing each with all that stay."""
        room = -(-len(order) // BLOCK) * BLOCK
        columns = np.empty((4, room), boxes.dtype)
        stay, found = np.empty(len(order), np.int64), ctypes.c_int64()
        places = boxes.ctypes.data, room, columns.ctypes.data, threshold, stay.ctypes.data, ctypes.addressof(found)
        self._all[tame](_pack_all(len(order), order.ctypes.data, *places))
        return stay[: found.value]


_pack_nearby, _pack_all = packer(NEARBY), packer(ALL)


@functools.lru_cache(maxsize=256)
def greedy(formula: Formula, parameters: Parameters, number: str) -> Greedy:
    """The loops for what is asked, made once."""
    return Greedy(formula, parameters, number)
