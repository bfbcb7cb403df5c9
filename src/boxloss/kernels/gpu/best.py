"""The best of every box's partners, on a GPU, without the matrix of all pairs.

The matrix is divided into at most `PROGRAMS` rectangles, and a program goes through one of them. What it found best for each of its rows and columns is kept
aside, and a second stage takes the best of that: of equal values always the one with the lowest index, so the order does not matter. What is kept aside
is least where the rectangles are shaped like the matrix, and is then about 2 sqrt(PROGRAMS N M) values and indices, for any number of pairs.
"""

import math

import torch
from torch import Tensor

from boxloss.errors import ParameterError
from boxloss.formulas import Formula
from boxloss.kernels.gpu.launch import Parameters, is_packed, kernel_of, run, steps, two_boxes
from boxloss.kernels.gpu.load import load
from boxloss.kernels.gpu.matrix import tile
from boxloss.kernels.gpu.program import nearest_text, stage_text

PROGRAMS = 2048
"""Enough to keep the largest GPU busy."""
PROGRAMS_ONE_WAY = 8192
"""Where only rows have something kept aside, which hardly grows with the programs."""
WARPS = 1
BLOCK = 256
"""Boxes of a program of the second stage."""

Best = tuple[Tensor, Tensor]
"""Values and indices; where there is nothing to choose from, -infinity and -1."""


def nearest(formula: Formula, parameters: Parameters, a: Tensor, b: Tensor, *, format: str = "xyxy", k: int = 1) -> Best:
    """For each box of `a`, (N, 4), the most similar of `b`, (M, 4): similarity and index, each (N,); for k > 1 the k most similar, best first, each (N, k).

    Of equal ones the lowest index comes first. NaN never wins: where fewer than k are left the rest is -infinity with the index -1.
    Memory grows with N + M. Each of the k takes a pass over the pairs, so k is to be small. Nothing waits for the GPU.
    Raises `ShapeError`, `DTypeError`, `FormatError`, or `ParameterError` where k is below 1.
    """
    if k < 1:
        raise ParameterError(f"nearest: k is {k}, expected at least 1")
    a, b = two_boxes(f"nearest by {formula.name} on a GPU", a, b, format)
    found: list[Best] = []
    for _ in range(k):
        found.append(_best(formula, parameters, a, b, format, both=False, before=found[-1] if found else None)[0])
    if k == 1:
        return found[0]
    return torch.stack([values for values, _ in found], 1), torch.stack([indices for _, indices in found], 1)


def nearest_both(formula: Formula, parameters: Parameters, a: Tensor, b: Tensor, *, format: str = "xyxy") -> tuple[Best, Best]:
    """`nearest` for each box of `a` among `b`, and for each of `b` among `a`, in one pass over the pairs."""
    a, b = two_boxes(f"nearest by {formula.name} on a GPU", a, b, format)
    of_a, of_b = _best(formula, parameters, a, b, format, both=True)
    assert of_b is not None
    return of_a, of_b


def _best(formula: Formula, parameters: Parameters, a: Tensor, b: Tensor, format: str, *, both: bool, before: Best | None = None) -> tuple[Best, Best | None]:
    """The best for each of `a`, and of `b` if `both`. `before`: what is taken already: a's best is the best of what comes after it."""
    n, m = a.shape[0], b.shape[0]
    if not (n and m):
        return _nothing(n, a), _nothing(m, a) if both else None
    kernel = kernel_of(nearest_text, formula, parameters, a, format=format, similarity=True)
    rows, columns = tile(n, m, a)
    rows_each, columns_each = _rectangle(-(-n // rows), -(-m // columns), n / m if both else None)
    rows_each, columns_each = rows_each * rows, columns_each * columns
    grid = -(-n // rows_each), -(-m // columns_each)
    kept_a, kept_b = _kept(grid[1], n, a), _kept(grid[0], m, a) if both else (None, None)
    run(
        kernel, grid, a, a, *steps(a), n, b, *steps(b), m, rows_each, columns_each, *(before or (None, None)), *kept_a, *kept_b,
        A_PACKED=is_packed(a), B_PACKED=is_packed(b), ROWS=rows, COLUMNS=columns, num_warps=WARPS,
    )  # fmt: skip
    return _merged(*kept_a), None if kept_b[0] is None or kept_b[1] is None else _merged(kept_b[0], kept_b[1])


def _rectangle(tiles_down: int, tiles_across: int, shape: float | None) -> tuple[int, int]:
    """Height and width, in tiles, of each program's rectangle. `shape`: rows over columns of the matrix; None where only rows have something kept aside."""
    wanted = min(PROGRAMS_ONE_WAY if shape is None else PROGRAMS, tiles_down * tiles_across)
    down = wanted if shape is None else min(wanted, math.ceil(math.sqrt(wanted * shape)))
    # One side may have fewer tiles than its share: the other takes what is left
    down = min(tiles_down, max(down, -(-wanted // tiles_across)))
    across = min(tiles_across, -(-wanted // down))
    return -(-tiles_down // down), -(-tiles_across // across)


def _kept(lines: int, n: int, like: Tensor) -> Best:
    return torch.empty((lines, n), dtype=like.dtype, device=like.device), torch.empty((lines, n), dtype=torch.int64, device=like.device)


def _nothing(n: int, like: Tensor) -> Best:
    return torch.full((n,), -math.inf, dtype=like.dtype, device=like.device), torch.full((n,), -1, dtype=torch.int64, device=like.device)


def _merged(values: Tensor, indices: Tensor) -> Best:
    """The best of the lines of (lines, n)."""
    lines, n = values.shape
    if lines == 1:
        return values[0], indices[0]
    best = torch.empty_like(values[0]), torch.empty_like(indices[0])
    run(load(stage_text("merge"), "merge"), (-(-n // BLOCK),), values, values, indices, lines, n, *best, BLOCK=BLOCK, num_warps=4)
    return best
