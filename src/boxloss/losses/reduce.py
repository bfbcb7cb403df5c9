"""From a loss for each pair to one number."""

from typing import Any

import numpy as np

from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.ops import Array, as_array, astype, check_same_kind, is_torch, namespace, ratio

REDUCTIONS = ("mean", "sum", "none")


def reduce(call: str, values: Array, reduction: str, weight: Any = None) -> Array:
    """`values`, times `weight` where given, as they are, summed, or averaged.

    The mean with weights is the weighted mean, sum(weight * loss) / sum(weight): weights of 2 everywhere change nothing. The mean of nothing, or of
    weights that are all 0, is 0, with a gradient (of 0) to what came in.
    """
    check_reduction(call, reduction)
    count: Array | int = max(values.size if not is_torch(values) else values.numel(), 1)
    if weight is not None:
        weight = checked_weight(call, values, weight)
        values = values * weight
        xp = namespace(weight)
        count = xp.sum(xp.broadcast_to(weight, values.shape))
    if reduction == "none":
        return values
    total = namespace(values).sum(values)
    if reduction == "sum":
        return total
    return total / count if isinstance(count, int) else ratio(total, count)


def check_reduction(call: str, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ParameterError(f"{call}: reduction is {reduction!r}, expected one of {', '.join(REDUCTIONS)}")


def checked_weight(call: str, values: Array, weight: Any) -> Array:
    """`weight` as an array of the values' kind and type that broadcasts to them. Raises `ShapeError` and `DTypeError`."""
    if isinstance(weight, (int, float)):
        weight = namespace(values).full_like(values, weight)
    elif isinstance(weight, (list, tuple)) and is_torch(values):
        weight = namespace(values).as_tensor(weight, device=values.device)
    weight = as_array(weight, "weight")
    check_same_kind(call, ("pred", "weight"), values, weight)
    if "complex" in str(weight.dtype):
        raise DTypeError(f"{call}: weight holds {weight.dtype}, expected real numbers")
    try:
        shape = np.broadcast_shapes(tuple(weight.shape), tuple(values.shape))
    except ValueError:
        shape = ()
    if shape != tuple(values.shape):
        hint = ": one weight a pair, not one a coordinate; try weight.mean(-1)" if tuple(weight.shape[:-1]) == tuple(values.shape) else ""
        raise ShapeError(f"{call}: weight has shape {tuple(weight.shape)}, expected one that broadcasts to {tuple(values.shape)}{hint}")
    return astype(weight, values.dtype)
