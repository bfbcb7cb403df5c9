"""Every box with every box, on a GPU: a matrix."""

import torch
from torch import Tensor

from boxloss.formulas import Formula
from boxloss.kernels.gpu.launch import Parameters, is_packed, kernel_of, run, steps, two_boxes
from boxloss.kernels.gpu.program import pairwise_text

TILE = 512
"""Pairs of a program: two a thread, whose numbers fit the registers of most formulas."""
WIDEST = 64
"""Columns of a tile: enough for whole lines of memory to be written, few enough that rows are not read too often."""
WARPS = 8


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
        rows, columns = tile(n, m)
        run(
            kernel, (-(-n // rows) * -(-m // columns),), a, a, *steps(a), n, b, *steps(b), m, matrix,
            A_PACKED=is_packed(a), B_PACKED=is_packed(b), ROWS=rows, COLUMNS=columns, num_warps=WARPS,
        )  # fmt: skip
    return matrix


def tile(n: int, m: int) -> tuple[int, int]:
    """Rows and columns of a tile, powers of two: no wider than the matrix needs, nor higher."""
    columns = min(WIDEST, _power_from(m))
    rows = min(TILE // columns, _power_from(n))
    return rows, min(TILE // rows, _power_from(m))


def _power_from(n: int) -> int:
    """The smallest power of two that is at least `n`."""
    return 1 << (n - 1).bit_length()
