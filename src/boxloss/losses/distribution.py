"""A side of a box as a distribution over bins: its loss, and the length that it stands for."""

import math
from typing import Any

import numpy as np

from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.losses.inputs import quietly
from boxloss.losses.reduce import check_reduction, reduce
from boxloss.losses.weighting import can_be_looked_at
from boxloss.ops import (
    Array,
    as_array,
    astype,
    check_same_kind,
    constant,
    hold,
    is_complex,
    is_torch,
    like_kind,
    maximum,
    minimum,
    namespace,
    where,
    working_dtype,
)


def distribution_focal(logits: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Array:
    """The distribution focal loss: the cross-entropy of a softmax over bins 0, 1, ... with the two bins beside the target; smaller is better, in [0, inf).

    S = softmax(logits), i = floor(target);  loss = -((i + 1 - target) ln S_i + (target - i) ln S_i+1)

    Shapes: `logits` (..., n_bins), n_bins >= 2, and `target`, lengths in bins from 0 to n_bins - 1, that broadcasts to (...); (...) comes out, a value a
    side, before the `reduction`. NumPy, PyTorch, JAX or CuPy; half types are computed in float32. `reduction` and `weight` as in any other loss.
    A target of n_bins - 1 is all in the last bin. One out of range is an error on NumPy and on PyTorch's CPU in eager mode; on a GPU, under
    `torch.compile` and in JAX, where it cannot be seen without waiting, its loss is NaN. Nothing is clamped: a box that is too large for the bins is best
    noticed. Whoever would rather have it cut off writes target.clamp(0, n_bins - 1).
    At best it is the entropy of the two weights: 0 for a whole number, ln 2 in the middle of two.
    Gradient: along `logits` softmax(logits) less the two weights, exactly; along `target` the difference of the two logits.

    Raises `ShapeError`, `DTypeError` and `ParameterError`.

    A detector's head gives (N, 4 n_bins) for the distances `ltrb` from N points at a stride of 8 pixels:

    >>> import boxloss as bl
    >>> n_bins, stride = 17, 8
    >>> head, points = torch.zeros(1, 4 * n_bins), torch.tensor([[100.0, 60.0]])
    >>> target = bl.boxes.convert(torch.tensor([[60.0, 40, 120, 100]]), "xyxy", "ltrb", points=points) / stride
    >>> target.tolist()
    [[5.0, 2.5, 2.5, 5.0]]
    >>> logits = head.reshape(-1, 4, n_bins)
    >>> loss = bl.distribution_focal(logits, target)  # nothing is known yet: ln 17
    >>> round(float(loss), 4)
    2.8332
    >>> bl.boxes.convert(bl.decode_distribution(logits) * stride, "ltrb", "xyxy", points=points).tolist()
    [[36.0, -4.0, 164.0, 124.0]]

    Reference: Li et al., Generalized Focal Loss, NeurIPS 2020, arXiv:2006.04388.
    """
    call = "distribution_focal"
    check_reduction(call, reduction)
    logits = _logits(call, logits)
    target = as_array(np.asarray(target) if isinstance(target, (int, float)) else target, "target")
    check_same_kind(call, ("logits", "target"), logits, target)
    logits, target = like_kind(logits, target), like_kind(target, logits)
    if is_complex(target):
        raise DTypeError(f"{call}: target holds {target.dtype}, expected real numbers")
    n_bins = logits.shape[-1]
    _check_shapes(call, tuple(logits.shape), tuple(target.shape))
    # Integers say nothing of the type that is wanted.
    is_whole = "float" not in str(target.dtype)
    dtype = working_dtype(logits) if is_whole else working_dtype(logits, target)
    logits, target = astype(logits, dtype), astype(target, dtype)
    if can_be_looked_at(target):
        _check_range(call, target, n_bins)
    return quietly(logits, lambda: reduce(call, _cross_entropy(logits, target), reduction, weight))


def decode_distribution(logits: Any) -> Array:
    """The length that a softmax over bins 0, 1, ... stands for, its expectation, in bins: in [0, n_bins - 1].

    length = sum over i of i softmax(logits)_i

    Shapes: `logits` (..., n_bins) gives (...). NumPy, PyTorch, JAX or CuPy; half types are computed in float32.
    Gradient: S_i (i - length), S being the softmax. Raises `ShapeError` and `DTypeError`.

    >>> decode_distribution([[0.0, 0.0, 0.0], [-1000.0, 0.0, 0.0]]).tolist()
    [1.0, 1.5]

    Reference: Li et al., Generalized Focal Loss, NeurIPS 2020, arXiv:2006.04388.
    """
    logits = _logits("decode_distribution", logits)
    logits = astype(logits, working_dtype(logits))

    def expectation() -> Array:
        xp = namespace(logits)
        # The greatest is held: what is subtracted from all logits changes nothing.
        parts = xp.exp(logits - hold(xp.amax(logits, -1))[..., None])
        return xp.sum(parts * _bins(logits), -1) / xp.sum(parts, -1)

    return quietly(logits, expectation)


def _cross_entropy(logits: Array, target: Array) -> Array:
    xp, n_bins = namespace(logits), logits.shape[-1]
    bins = _bins(logits)
    left = minimum(maximum(hold(xp.floor(target)), constant(target, 0.0)), constant(target, n_bins - 2.0))
    inside = (target >= 0) & (target <= n_bins - 1)
    right = target - where(inside, left, constant(target, math.nan))  # the share of the right one of the two bins
    # -ln S_k = (greatest - logit_k) + ln(1 + the other parts): a sum of two that are not negative, and exact where S_k is near 1.
    is_greatest = bins == astype(xp.argmax(logits, -1), logits.dtype)[..., None]
    greatest = xp.sum(where(is_greatest, logits, 0.0), -1)
    others = xp.sum(where(is_greatest, 0.0 * logits, xp.exp(logits - greatest[..., None])), -1)
    behind = greatest[..., None] - logits
    at, share = bins - left[..., None], right[..., None]
    of_target = where(at == 0, (1.0 - share) * behind, where(at == 1, share * behind, 0.0))
    # Where the target is NaN, neither bin is beside it.
    return xp.sum(of_target, -1) + xp.log1p(others) + 0.0 * right


def _bins(logits: Array) -> Array:
    """0, 1, ... in the type of `logits`, where they are."""
    if is_torch(logits):
        return namespace(logits).arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return namespace(logits).arange(logits.shape[-1], dtype=logits.dtype)


def _logits(call: str, logits: Any) -> Array:
    logits = as_array(logits, "logits")
    if logits.ndim == 0 or logits.shape[-1] < 2:
        raise ShapeError(f"{call}: logits have shape {tuple(logits.shape)}, expected (..., n_bins) with 2 bins or more")
    if is_complex(logits):
        raise DTypeError(f"{call}: logits hold {logits.dtype}, expected real numbers")
    return logits


def _check_shapes(call: str, logits: tuple[int, ...], target: tuple[int, ...]) -> None:
    try:
        fits = np.broadcast_shapes(target, logits[:-1]) == logits[:-1]
    except ValueError:
        fits = False
    if not fits:
        in_one_row = len(logits) == len(target) >= 2 and logits[:-1] == target[:-1] and target[-1] and logits[-1] % target[-1] == 0
        hint = f". Sides in one row? try logits.reshape(-1, {target[-1]}, {logits[-1] // target[-1]})" if in_one_row else ""
        raise ShapeError(f"{call}: logits have shape {logits} and target {target}, expected (..., n_bins) and one that broadcasts to (...){hint}")


def _check_range(call: str, target: Array, n_bins: int) -> None:
    # Neither comparison holds for NaN, which is let through.
    for found in (target[target < 0], target[target > n_bins - 1]):
        if found.shape[0]:
            raise ParameterError(
                f"{call}: target holds {float(found[0]):g}, expected lengths in bins from 0 to {n_bins - 1}: divide pixels by the stride, take more bins, or "
                f"cut off with target.clamp(0, {n_bins - 1})"
            )
