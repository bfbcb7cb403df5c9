"""Soft suppression: always the highest score that is left is taken next, and lowers the scores of those that it overlaps.

Scores only fall, so the highest is found with a heap whose keys are what the scores were: a box that comes up with a key of old goes down again with its
score of now. Whom a box overlaps is found near by (`boxloss.kernels.cpu.grid`) where the measure is never above the IoU, and else among all.
"""

import ctypes
import functools
from typing import Any

import numpy as np

from boxloss.calculus.text import NUMBA, assignments
from boxloss.calculus.trace import Traced
from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, indented, loads, named_constants, taken
from boxloss.kernels.cpu.grid import CONSTANTS, GRID, INSERT, NEAR, PLACE, Grid
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

Parameters = tuple[tuple[str, Any], ...]

_HEAP: Arguments = {
    "n": "integer",
    "heap": "integers",
    "scores": "floats",
    "keys": "floats",
    "min_score": "float64",
    "strength_given": "float64",
    "taken_rows": "integers",
    "taken_scores": "floats",
    "found": "integers",
}
"""`heap` (n,): the rows, best first; `scores` and `keys` (n,): two copies. Room for the rows as they are taken, with their scores, and for their number."""

NEARBY = GRID | _HEAP | {"seen": "integers"}
"""`seen` (n,): the last step at which a box was asked for, from -1 on: two cells may share a slot."""

ALL = {"boxes": "numbers", "columns": "numbers", "labels": "integers"} | _HEAP
"""`columns` (4, n): the boxes once more."""

FILL = """\
    for k in range(n):
        row = k
{place}
        if upright & near:
{insert}
"""

HEAP_TEXT = """\
    strength = number(strength_given)
    n_left = n
    n_taken = zero_count
    while n_left > 0:
        row = load(heap, 0)
        score = load(scores, row)
        key = load(keys, row)
        item = row
        store(keys, row, score)
        if score < min_score:
            n_left = where(score < key, n_left - 1, zero_count)
            item = load(heap, n_left)
        else:
            if not (score < key):
                store(taken_rows, n_taken, row)
                store(taken_scores, n_taken, score)
{lower}
                n_taken = n_taken + 1
                n_left = n_left - 1
                item = load(heap, n_left)
        hole = zero_count
        child = zero_count + 1
        item_key = load(keys, item)
        while child < n_left:
            lower = load(heap, child)
            lower_key = load(keys, lower)
            if child + 1 < n_left:
                second = load(heap, child + 1)
                second_key = load(keys, second)
                if (second_key > lower_key) | ((second_key == lower_key) & (second < lower)):
                    child = child + 1
                    lower = second
                    lower_key = second_key
            if (lower_key > item_key) | ((lower_key == item_key) & (lower < item)):
                store(heap, hole, lower)
                hole = child
                child = 2 * child + 1
            else:
                child = n_left
        store(heap, hole, item)
    store(found, 0, n_taken)
"""

LOWER_NEARBY = """\
store(seen, row, n)
{place}
if upright & near:
{near}
"""

MEETS = """\
if load(seen, other) < n_taken:
    store(seen, other, n_taken)
{read}
{lines}
    measured = {value}
{decay}
    store(scores, other, load(scores, other) * float64({factor}))
"""

LOWER_ALL = """\
{read_row}
label = load(labels, row)
for other in range(n):
{read_other}
{lines}
    measured = {value}
{decay}
    factor_of_class = where(load(labels, other) == label, float64({factor}), one_wide)
    store(scores, other, load(scores, other) * factor_of_class)
"""

_TAKEN = taken(PLACE, INSERT, NEAR, FILL, HEAP_TEXT, LOWER_NEARBY, MEETS, LOWER_ALL, *NEARBY, *ALL, "ill", "measured")


def nearby_program(bodies: Bodies, decay: Traced) -> Program:
    """The kernel for a measure that is never above the IoU. `decay`: from what is `measured` and a `strength` to the factor of a score."""
    read, written = _read("load(boxes, 4 * other + {})"), _written(bodies, decay)
    meets = MEETS.format(read=indented([*_named(bodies, "row"), *read(bodies)], 1), **written)
    near = NEAR.format(while_="other >= 0", visit=indented(meets.splitlines(), 7))
    lower = LOWER_NEARBY.format(place=PLACE.rstrip("\n"), near=indented(near.splitlines(), 1))
    fill = FILL.format(place=indented(PLACE.splitlines(), 2), insert=indented(INSERT.splitlines(), 3))
    text = head(NEARBY) + fill + HEAP_TEXT.format(lower=indented(lower.splitlines(), 4))
    return Program(text, bodies.number, (*CONSTANTS, *named_constants(bodies, decay)), ())


def all_program(bodies: Bodies, decay: Traced) -> Program:
    """The kernel for any measure."""
    read = _read("load(columns, {} * n + other)")
    lower = LOWER_ALL.format(read_row="\n".join(_named(bodies, "row")), read_other=indented(read(bodies), 1), **_written(bodies, decay))
    constants = (("zero_count", "int64", 0), ("one_wide", "float64", 1.0))
    return Program(head(ALL) + HEAP_TEXT.format(lower=indented(lower.splitlines(), 4)), bodies.number, (*constants, *named_constants(bodies, decay)), ())


def _named(bodies: Bodies, row: str) -> list[str]:
    return loads([f"load(boxes, 4 * {row} + {side})" for side in range(4)], bodies.inputs[:4])


def _read(place: str) -> Any:
    return lambda bodies: loads([place.format(side) for side in range(4)], bodies.inputs[4:])


def _written(bodies: Bodies, decay: Traced) -> dict[str, str]:
    lines, value = bodies.value_text(False, _TAKEN)
    names = {line.partition(" = ")[0] for line in lines}
    decay_lines, (factor,) = assignments(decay, NUMBA, _TAKEN | names)
    return {"lines": indented(lines, 1), "value": value, "decay": indented(decay_lines, 1), "factor": factor}


class Soft:
    """One measure's loops with one decay, in one number type."""

    def __init__(self, formula: Formula, parameters: Parameters, number: str, decay: Traced):
        texts = functools.cache(lambda: bodies(formula, dict(parameters), number=number, format="xyxy", similarity=True))
        self._nearby = Once(lambda: nearby_program(texts(), decay).load())
        self._all = Once(lambda: all_program(texts(), decay).load())

    def __call__(
        self, boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray, order: np.ndarray, min_score: float, strength: float, *, nearby: float | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The rows in the order that they are taken in, and their scores then. Boxes (n, 4), labels, scores (float64) and `order` without gaps.

        `nearby`: a measure up to this lowers nothing, and is never above the IoU; None where it may be.
        """
        n = len(boxes)
        scores, heap, keys = scores.copy(), order.copy(), scores.copy()
        rows, taken_scores, found = np.empty(n, np.int64), np.empty(n), ctypes.c_int64()
        of_heap = (n, *(x.ctypes.data for x in (heap, scores, keys)), min_score, strength)
        of_heap += rows.ctypes.data, taken_scores.ctypes.data, ctypes.addressof(found)
        if nearby is not None:
            grid, seen = Grid(boxes, labels, nearby), np.full(n, -1)
            self._nearby(_pack_nearby(*grid.arguments, *of_heap, seen.ctypes.data))
        else:
            columns = np.ascontiguousarray(boxes.T)
            self._all(_pack_all(boxes.ctypes.data, columns.ctypes.data, labels.ctypes.data, *of_heap))
        return rows[: found.value], taken_scores[: found.value]


_pack_nearby, _pack_all = packer(NEARBY), packer(ALL)
