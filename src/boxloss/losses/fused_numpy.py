"""NumPy's arrays through the kernels."""

from typing import Any

import numpy as np

from boxloss.formulas import Formula
from boxloss.kernels.cpu.run import Rows, elementwise
from boxloss.losses.reduce import checked_weight
from boxloss.ops import Array


def place(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


def rows(boxes: Array) -> tuple[Array, Rows]:
    """Boxes of shape (n, 4), with where they lie; the first keeps the memory alive."""
    if boxes.strides[0] % boxes.itemsize or boxes.strides[1] % boxes.itemsize or not boxes.flags.aligned:
        boxes = np.ascontiguousarray(boxes)
    return boxes, (place(boxes), boxes.strides[0] // boxes.itemsize, boxes.strides[1] // boxes.itemsize)


def flat(a: Array, b: Array) -> tuple[tuple[int, ...], Array, Array]:
    """The shape of the values of boxes that broadcast, and the boxes as two arrays (n, 4)."""
    if a.shape != b.shape:
        a, b = np.broadcast_arrays(a, b)
    return a.shape[:-1], a.reshape(-1, 4), b.reshape(-1, 4)


def reduced(
    call: str, formula: Formula, parameters: tuple[tuple[str, Any], ...], a: Array, b: Array, format: str, reduction: str, weight: Any, *,
    wrt: str = "", similarity: bool = False,
) -> tuple[Array, Array | None, Array | None]:  # fmt: skip
    """The value as `boxloss.losses.reduce.reduce` has it, and its gradients along the boxes named in `wrt`, as arrays of the shape that `a` and `b` broadcast to."""
    kernel = elementwise(formula, parameters, a.dtype.name, format, wrt, similarity)
    shape, a, b = flat(a, b)
    n = len(a)
    weight_place, count = (0, 0), float(max(n, 1))
    if weight is not None:
        weight = checked_weight(call, np.empty(shape, a.dtype), weight)
        weight = np.broadcast_to(weight, shape).reshape(-1)
        count = float(np.sum(weight, dtype=np.float64))
        weight_place = (place(weight), weight.strides[0] // weight.itemsize)
    averaged = reduction == "mean"
    # The mean of nothing, or of weights that are all 0, is 0.
    divisor = (count if count != 0 else np.inf) if averaged else 1.0
    out = np.empty(n if reduction == "none" else 1, a.dtype)
    grads = [np.empty((n, 4), a.dtype) if box in wrt else None for box in "ab"]
    (a, at_a), (b, at_b) = rows(a), rows(b)
    where = {"losses": place(out)} if reduction == "none" else {"total": place(out)}
    where |= {f"grad_{box}": place(grad) for box, grad in zip("ab", grads, strict=True) if grad is not None}
    kernel(n, at_a, at_b, weight=weight_place, scale=1 / divisor, count=divisor, **where)
    value = out.reshape(shape) if reduction == "none" and shape else out[0]
    return value, *(None if grad is None else grad.reshape(*shape, 4) for grad in grads)  # type: ignore[return-value]


def summed(grad: Array, shape: tuple[int, ...]) -> Array:
    """The gradient along boxes of `shape` that were broadcast: the sum over their copies."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(k for k, n in enumerate(shape) if n != grad.shape[k]), keepdims=True)
