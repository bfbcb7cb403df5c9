"""Greedy suppression of many boxes of like sizes on a large field, by a measure that is never above the IoU: the loop around a formula's text.

What a hash table waits for is memory, where neighbours lie anywhere. Here boxes are sorted into the cells of a grid first, as wide as the longest side: a
box's partners lie in its own cell and the eight around it, which are two runs of the sorted boxes for those that come after it. Each pair that suppresses
becomes an edge from the better box to the worse; then the boxes are gone through once, best first. What can be passed over is what `grid` passes over.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, indented, loads, named_constants, taken
from boxloss.kernels.cpu.grid import floor
from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

Parameters = tuple[tuple[str, Any], ...]

MANY = 4096
"""Boxes from which a look at all of them is worth the while."""
MOST_IN_A_CELL = 32
"""On average. With more of them, the hash table looks at fewer boxes."""
EDGES = 4
"""For each box, on average: with more the boxes are too many on one place, and the hash table, of those alone that stay, is faster."""

ARGUMENTS: Arguments = {
    "n": "integer",
    "boxes": "numbers",
    "labels": "integers",
    "bar": "float64",
    "floor_iou": "float64",
    "left_end": "float64",
    "top_end": "float64",
    "per_side": "float64",
    "n_columns": "integer",
    "n_cells": "integer",
    "cells": "integers",
    "starts": "integers",
    "columns": "numbers",
    "ranks": "integers",
    "capacity": "integer",
    "edges": "integers",
    "heads": "integers",
    "kept": "integers",
    "done": "integers",
}
"""`boxes` (n, 4), best first. Memory: `cells` n, `starts` n_cells + 2, `columns` 4 n, `ranks` n, `edges` 2 capacity, `heads` n. `done` becomes 1, or
stays 0 where there are too many edges."""

TEXT = """\
    limit = number(bar)
    near = number(floor_iou)
    for cell in range(n_cells + 2):
        store(starts, cell, 0)
    for i in range(n):
        row = 4 * i
        x = half_wide * (float64(load(boxes, row)) + float64(load(boxes, row + 2)))
        y = half_wide * (float64(load(boxes, row + 1)) + float64(load(boxes, row + 3)))
        # A column and a row of empty cells on each side, so that each cell has eight around it.
        cell = (whole((y - top_end) * per_side) + 1) * n_columns + whole((x - left_end) * per_side) + 1
        store(cells, i, cell)
        store(starts, cell + 2, load(starts, cell + 2) + 1)
        store(heads, i, minus_one)
        store(kept, i, 1)
    for cell in range(n_cells):
        store(starts, cell + 2, load(starts, cell + 2) + load(starts, cell + 1))
    # Each start is one cell too late, and comes to its place while the cell is filled.
    for i in range(n):
        cell = load(cells, i) + 1
        at = load(starts, cell)
        store(starts, cell, at + 1)
        store(ranks, at, i)
        for side in range(4):
            store(columns, side * n + at, load(boxes, 4 * i + side))
    lefts = shifted(columns, zero_count)
    tops = shifted(columns, n)
    rights = shifted(columns, 2 * n)
    bottoms = shifted(columns, 3 * n)
    n_edges = zero_count
    for cell in range(n_columns, n_cells - n_columns):
        for at in range(load(starts, cell), load(starts, cell + 1)):
            left = load(lefts, at)
            top_edge = load(tops, at)
            right = load(rights, at)
            bottom = load(bottoms, at)
            for run in range(2):
                first = at + 1
                last = load(starts, cell + 2)
                if run == 1:
                    first = load(starts, cell + n_columns - 1)
                    last = load(starts, cell + n_columns + 2)
                n_near = zero_count
                for other in range(first, last):
{count}
                if n_near != 0 and n_edges + n_near <= capacity:
                    for other in range(first, last):
{near}
                        if is_near:
                            i = least(load(ranks, at), load(ranks, other))
                            j = load(ranks, at) + load(ranks, other) - i
                            if load(labels, i) == load(labels, j):
{compare}
                                if {value} > limit:
                                    store(edges, 2 * n_edges, load(heads, i))
                                    store(edges, 2 * n_edges + 1, j)
                                    store(heads, i, n_edges)
                                    n_edges = n_edges + 1
                if n_edges + n_near > capacity:
                    return
    for i in range(n):
        if load(kept, i) != 0:
            edge = load(heads, i)
            for k in range(n_edges):
                if edge < 0:
                    break
                store(kept, load(edges, 2 * edge + 1), 0)
                edge = load(edges, 2 * edge)
    store(done, 0, 1)
"""

NEAR = """\
overlap_x = minimum(right, load(rights, other)) - maximum(left, load(lefts, other))
overlap_y = minimum(bottom, load(bottoms, other)) - maximum(top_edge, load(tops, other))
hull_x = maximum(right, load(rights, other)) - minimum(left, load(lefts, other))
hull_y = maximum(bottom, load(bottoms, other)) - minimum(top_edge, load(tops, other))
is_near = (overlap_x >= near * hull_x) & (overlap_y >= near * hull_y)
""".splitlines()

_TAKEN = taken(TEXT, *NEAR, *ARGUMENTS, "ill")
CONSTANTS = (("zero_count", "int64", 0), ("minus_one", "int64", -1), ("half_wide", "float64", 0.5))


def program(bodies: Bodies) -> Program:
    read = [*loads([f"load(boxes, 4 * {row} + {side})" for row in "ij" for side in range(4)], bodies.inputs)]
    lines, value = bodies.value_text(False, _TAKEN)
    count = [*NEAR, "n_near = add_if(n_near, is_near)"]
    text = TEXT.format(count=indented(count, 5), near=indented(NEAR, 6), compare=indented([*read, *lines], 8), value=value)
    return Program(head(ARGUMENTS) + text, bodies.number, (*CONSTANTS, *named_constants(bodies)), ())


_pack = packer(ARGUMENTS)


class Join:
    """One measure's loop, in one number type."""

    def __init__(self, formula: Formula, parameters: Parameters, number: str):
        texts = functools.cache(lambda: bodies(formula, dict(parameters), number=number, format="xyxy", similarity=True))
        self._kernel = Once(lambda: program(texts()).load())

    def __call__(self, boxes: np.ndarray, labels: np.ndarray, threshold: float, field: "Field") -> np.ndarray | None:
        """Which of `boxes`, (n, 4), best first, stay: (n,) of truths; None where too many suppress one another. `labels`: (n,) int64. All without gaps."""
        n = len(boxes)
        capacity = EDGES * n
        cells, ranks, heads, kept = np.empty((4, n), np.int64)
        starts, edges = np.empty(field.n_cells + 2, np.int64), np.empty(2 * capacity, np.int64)
        columns, done = np.empty(4 * n, boxes.dtype), np.zeros(1, np.int64)
        self._kernel(
            _pack(
                n, place(boxes), place(labels), threshold, floor(threshold, boxes.dtype == np.float64), field.left, field.top, field.per_side,
                field.n_columns, field.n_cells, place(cells), place(starts), place(columns), place(ranks), capacity, place(edges), place(heads),
                place(kept), place(done),
            )
        )  # fmt: skip
        return kept.astype(bool) if done[0] else None


@dataclass(frozen=True)
class Field:
    """A grid over the centres of all boxes, with a column and a row more on each side."""

    left: float
    top: float
    per_side: float
    n_columns: int
    n_cells: int


def field(boxes: np.ndarray) -> Field | None:
    """The grid for these boxes; None where there is none that would pay, or where a box is inverted, infinite or NaN."""
    if len(boxes) < MANY:
        return None
    lows, highs = boxes[:, :2], boxes[:, 2:]
    with np.errstate(all="ignore"):
        if not (lows <= highs).all():
            return None
        low, high = lows.min(0).astype(np.float64), highs.max(0).astype(np.float64)
        side = float((highs - lows).max()) * (1 + 2.0**-18)
        n_columns, n_rows = (high - low) / side
    if not (side > 0 and n_columns * n_rows * MOST_IN_A_CELL >= len(boxes) and n_columns * n_rows <= 64 * len(boxes) and max(n_columns, n_rows) < 2**20):
        return None
    n_columns, n_rows = int(n_columns) + 3, int(n_rows) + 3
    return Field(float(low[0]), float(low[1]), 1 / side, n_columns, n_columns * n_rows)


@functools.lru_cache(maxsize=64)
def join(formula: Formula, parameters: Parameters, number: str) -> Join:
    """The loop for what is asked, made once."""
    return Join(formula, parameters, number)
