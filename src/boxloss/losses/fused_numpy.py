"""NumPy's arrays through the kernels, and how value and gradient are had without them."""

import functools
import math
from typing import Any

import numpy as np

from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.trace import Traced, trace
from boxloss.formulas import Formula
from boxloss.kernels.cpu.places import in_steps, place, rows
from boxloss.kernels.cpu.run import elementwise
from boxloss.losses.reduce import checked_weight, reduce
from boxloss.ops import Array, number_of

Parameters = tuple[tuple[str, Any], ...]
Reduced = tuple[Array, Array | None, Array | None]
"""A value, and its gradients along the first and the second boxes where they were asked for."""


def flat(a: Array, b: Array) -> tuple[tuple[int, ...], Array, Array]:
    """The shape of the values of boxes that broadcast, and the boxes as two arrays (n, 4), or of as many columns as they have."""
    if a.shape != b.shape:
        a, b = np.broadcast_arrays(a, b)
    return a.shape[:-1], a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])


def reduced(
    call: str, formula: Formula, parameters: Parameters, a: Array, b: Array, format: str, reduction: str, weight: Any, *,
    wrt: str = "", similarity: bool = False,
) -> Reduced:  # fmt: skip
    """The value as `boxloss.losses.reduce.reduce` has it, and its gradients along the boxes named in `wrt`, of the shape that `a` and `b` broadcast to."""
    kernel = elementwise(formula, parameters, number_of(a), format, wrt, similarity)
    shape, a, b = flat(a, b)
    n = len(a)
    weight, divisor = _weight(call, weight, shape, a.dtype, reduction)
    weight = None if weight is None else in_steps(weight)
    weight_at, weight_step = (0, 0) if weight is None else (place(weight), weight.strides[0] // weight.itemsize)
    out = np.empty(n if reduction == "none" else 1, a.dtype)
    grads = [np.empty((n, 4), a.dtype) if box in wrt else None for box in "ab"]
    (a, at_a), (b, at_b) = rows(a), rows(b)
    where = {"losses": place(out)} if reduction == "none" else {"total": place(out)}
    where |= {f"grad_{box}": place(grad) for box, grad in zip("ab", grads, strict=True) if grad is not None}
    kernel(n, *at_a, *at_b, weight=weight_at, weight_row=weight_step, scale=1 / divisor, count=divisor, **where)
    if divisor == math.inf:
        out[0] = 0  # whatever the losses are: NaN times 0 is NaN
    value = out.reshape(shape) if reduction == "none" and shape else out[0]
    return value, *_shaped(grads, shape)


def reduced_by_graph(
    call: str, formula: Formula, parameters: Parameters, a: Array, b: Array, format: str, reduction: str, weight: Any, *, wrt: str
) -> Reduced:  # fmt: skip
    """What `reduced` gives, to the bit but for the order of a sum, without a compiler: the formula's graph, one operation on arrays after another."""
    shape, a, b = flat(a, b)
    weight, divisor = _weight(call, weight, shape, a.dtype, reduction)
    values, *slopes = evaluate(_graph(formula, parameters, number_of(a), format, wrt), [*a.T, *b.T])
    scale = a.dtype.type(1 / divisor) * (np.ones_like(values) if weight is None else weight)
    # Comparisons in a slope may pass a NaN over.
    scale = np.where(np.isnan(a).any(-1) | np.isnan(b).any(-1), np.nan, scale)
    with np.errstate(all="ignore"):
        # A slope may be infinite, for boxes near the type's smallest numbers, and a weight of 0 still means nothing.
        slopes = [np.where(scale == 0, 0, slope * scale) for slope in slopes]
        columns = a.shape[-1]
        grads = [np.stack(slopes[columns * wrt.index(box) :][:columns], -1) if box in wrt else None for box in "ab"]
        value = reduce(call, values.reshape(shape), reduction, None if weight is None else weight.reshape(shape))
    return value[()], *_shaped(grads, shape)  # a number rather than an array of no dimensions


@functools.lru_cache(maxsize=64)
def _graph(formula: Formula, parameters: Parameters, number: str, format: str, wrt: str) -> Traced:
    return trace(formula, dict(parameters), dtype=number, format=format, wrt=wrt)


def _weight(call: str, weight: Any, shape: tuple[int, ...], dtype: Any, reduction: str) -> tuple[Array | None, float]:
    """One weight a pair, and what the sum of losses is divided by."""
    count = float(max(math.prod(shape), 1))
    if weight is not None:
        weight = np.broadcast_to(checked_weight(call, np.empty(shape, dtype), weight), shape).reshape(-1)
        count = float(np.sum(weight, dtype=np.float64))
    # The mean of nothing, or of weights that are all 0, is 0.
    return weight, (count or math.inf) if reduction == "mean" else 1.0


def _shaped(grads: list[Array | None], shape: tuple[int, ...]) -> tuple[Array | None, Array | None]:
    of_a, of_b = (None if grad is None else grad.reshape(*shape, grad.shape[-1]) for grad in grads)
    return of_a, of_b


def summed(grad: Array, shape: tuple[int, ...]) -> Array:
    """The gradient along boxes of `shape` that were broadcast: the sum over their copies."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(k for k, n in enumerate(shape) if n != grad.shape[k]), keepdims=True)
