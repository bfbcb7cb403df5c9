"""Every box with every box, on a GPU: a matrix."""

import torch
from torch import Tensor

from boxloss.formulas import Formula
from boxloss.kernels.gpu.launch import Parameters, is_packed, kernel_of, run, steps, two_boxes
from boxloss.kernels.gpu.program import pairwise_text

TILE = 128
"""Pairs of a tile: four a thread, so that what is asked once of a tile costs each of them little; of float64 half as many, for the registers."""
WIDEST = 32
"""Columns of a tile: a whole line of memory is written, and each thread has one column, with all rows of the tile."""
WARPS = 1
TILES = 8
"""Tiles of a program, side by side."""


def pairwise(formula: Formula, parameters: Parameters, a: Tensor, b: Tensor, *, format: str = "xyxy", similarity: bool = True) -> Tensor:
    """The similarity (or the loss) of every box of `a`, (N, 4), with every box of `b`, (M, 4): (N, M). Equal to `value_and_gradient`'s to the bit.

    Tensors of any strides, of float32 or float64, on one GPU. NaN in every row and column of a box with NaN. Nothing waits for the GPU.
    Raises `ShapeError`, `DTypeError` or `FormatError`.
    """
    a, b = two_boxes(f"pairwise {formula.name} on a GPU", a, b, format)
    n, m = a.shape[0], b.shape[0]
    matrix = torch.empty((n, m), dtype=a.dtype, device=a.device)
    if n and m:
        kernel = kernel_of(pairwise_text, formula, parameters, a, format=format, similarity=similarity)
        rows, columns = tile(n, m, a)
        columns_each = TILES * columns
        run(
            kernel, (-(-n // rows) * -(-m // columns_each),), a, a, *steps(a), n, b, *steps(b), m, columns_each, matrix,
            A_PACKED=is_packed(a), B_PACKED=is_packed(b), ROWS=rows, COLUMNS=columns, num_warps=WARPS,
        )  # fmt: skip
    return matrix


def tile(n: int, m: int, like: Tensor) -> tuple[int, int]:
    """Rows and columns of a tile, powers of two: no wider than the matrix needs, nor higher."""
    n_pairs = TILE * 4 // like.itemsize
    columns = min(WIDEST, _power_from(m))
    rows = min(n_pairs // columns, _power_from(n))
    return rows, min(n_pairs // rows, _power_from(m))


def _power_from(n: int) -> int:
    """The smallest power of two that is at least `n`."""
    return 1 << (n - 1).bit_length()
