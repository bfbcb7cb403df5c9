"""Box i against box i, on a GPU: value and gradient in one pass over the boxes."""

import functools
import struct
from typing import Any

import torch
from torch import Tensor

from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.formulas import Formula
from boxloss.kernels.gpu.launch import Parameters, is_packed, kernel_of, run, steps, two_boxes
from boxloss.kernels.gpu.load import load
from boxloss.kernels.gpu.program import elementwise_text, stage_text

BLOCK = 32
"""Pairs that a program works on at a time, one a thread: a gradient needs many registers. A single warp asks itself without waiting for others whether all of
its pairs are tame, and a pair that is not costs 32 pairs the whole text."""
WARPS = 1
PROGRAMS = 8192
"""Programs that keep the largest GPU busy: where there are more blocks, each program has several, one after another."""
MOST_BLOCKS = 16
AHEAD = True
"""Whether the boxes of a program's next block are read before the present one is worked on."""
LANES = 4096
"""Partial sums that are added side by side."""

PRODUCTS = 4096
"""Numbers that a program multiplies at a time."""
MULTIPLIERS = 1024
"""Programs that multiply. Most of the time they have nothing to do, and starting one costs more than that."""

Values = tuple[Tensor, Tensor | None, Tensor | None]


def value_and_gradient(
    formula: Formula,
    parameters: Parameters,
    a: Tensor,
    b: Tensor,
    *,
    format: str = "xyxy",
    wrt: str = "",
    similarity: bool = False,
    weight: Tensor | None = None,
    scale: float | Tensor = 1.0,
    reduction: str = "none",
) -> Values:
    """The loss (or similarity) of `a` and `b`, each (N, 4), and its gradients along `a` and `b`, each (N, 4), where `wrt` ("", "a", "b" or "ab") names them.

    The value: (N,) for the reduction "none", of shape () for "sum" and for "mean", which is the sum times `scale`, whatever that is. It is made of values
    times `weight`, (N,) or what broadcasts to it, where given. The gradients are those of each pair's value, times weight and `scale` (a number, or a tensor
    of shape () which is not looked at here).
    Tensors of any strides, of float32 or float64, on one GPU. A pair with NaN has NaN, in value and gradient, and no other pair has.
    A sum is taken in float64 and rounded once, always in the same order. Nothing waits for the GPU.
    Raises `ShapeError`, `DTypeError`, `FormatError` or `ParameterError`.
    """
    call = f"{formula.name} on a GPU"
    a, b = two_boxes(call, a, b, format)
    if a.shape != b.shape:
        raise ShapeError(f"{call}: a has shape {tuple(a.shape)} and b {tuple(b.shape)}, expected the same: try b.expand_as(a)")
    if reduction not in ("none", "sum", "mean") or wrt not in ("", "a", "b", "ab"):
        raise ParameterError(f"{call}: reduction is {reduction!r} and wrt {wrt!r}, expected none, sum or mean, and one of '', a, b, ab")
    n = a.shape[0]
    weight = None if weight is None else _weight(call, weight, a)
    kernel = kernel_of(elementwise_text, formula, parameters, a, format=format, similarity=similarity, wrt=wrt)
    pairs_each = BLOCK * blocks_each(n)
    n_programs = -(-n // pairs_each)
    losses = torch.empty(n, dtype=a.dtype, device=a.device) if reduction == "none" else None
    sums = torch.empty(n_programs, dtype=torch.float64, device=a.device) if reduction != "none" else None
    grad_a, grad_b = (torch.empty((n, 4), dtype=a.dtype, device=a.device) if box in wrt else None for box in "ab")
    in_memory = isinstance(scale, Tensor)
    scale_given: Any = scale.detach().resolve_neg().to(a.device, non_blocking=True) if isinstance(scale, Tensor) else _bits(scale)
    if n:
        run(
            kernel, (n_programs,), a, a, *steps(a), b, *steps(b), n, pairs_each, weight, 0 if weight is None else weight.stride(0), scale_given,
            losses, sums, grad_a, grad_b,
            A_PACKED=is_packed(a), B_PACKED=is_packed(b), SCALE_IN_MEMORY=in_memory, BLOCK=BLOCK, AHEAD=AHEAD, num_warps=WARPS,
        )  # fmt: skip
    if losses is not None:
        return losses, grad_a, grad_b
    assert sums is not None
    return _total(sums, a, scale_given if reduction == "mean" else None), grad_a, grad_b


def multiply(rows: Tensor, factor: Tensor) -> None:
    """Multiplies packed rows, (N, 4), by `factor`, of shape () and of their type and device, in place.

    For a gradient and what comes from above in a backward pass, which is 1 more often than not. The host cannot look without waiting for the GPU, but the
    GPU can: where it is 1, no memory is moved, which would be two fifths of all that a loss's forward and backward pass moves.
    """
    if not is_packed(rows):
        raise ShapeError(f"multiply on a GPU: rows have the strides {rows.stride()}, expected (4, 1)")
    n = rows.shape[0]
    if n:
        n_programs = min(MULTIPLIERS, -(-4 * n // PRODUCTS))
        run(load(stage_text("multiply"), "multiply"), (n_programs,), rows, rows, n, factor.detach().resolve_neg(), BLOCK=PRODUCTS, num_warps=8)


def blocks_each(n: int) -> int:
    """Blocks of a program. It follows from the number of pairs alone, and so does the order of their sum: it has the same bits on however large a GPU."""
    return max(1, min(MOST_BLOCKS, n // (BLOCK * PROGRAMS)))


def _total(sums: Tensor, like: Tensor, scale: Any) -> Tensor:
    """The sum of the blocks' sums, times `scale` where given (a tensor, or a number's bits), in the type of `like`."""
    if not len(sums):
        return torch.zeros((), dtype=like.dtype, device=like.device)
    result = torch.empty((), dtype=like.dtype, device=like.device)
    run(load(stage_text("total"), "total"), (1,), like, sums, len(sums), scale, result, SCALE_IN_MEMORY=isinstance(scale, Tensor), LANES=LANES, num_warps=16)
    return result


def _weight(call: str, weight: Tensor, a: Tensor) -> Tensor:
    if weight.device != a.device:
        raise DTypeError(f"{call}: weight is on {weight.device} and a on {a.device}, expected one device")
    if weight.ndim > 1 or (weight.ndim == 1 and weight.shape[0] not in (1, a.shape[0])):
        raise ShapeError(f"{call}: weight has shape {tuple(weight.shape)}, expected ({a.shape[0]},)")
    return weight.detach().resolve_neg().to(a.dtype).expand(a.shape[0])


@functools.lru_cache(maxsize=256)
def _bits(x: float) -> int:
    """A float64 as an integer of the same bits, as which it reaches the kernel unrounded."""
    bits: int = struct.unpack("q", struct.pack("d", x))[0]
    return bits
