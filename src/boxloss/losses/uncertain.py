"""The loss of a prediction that says how sure it is."""

import math
from typing import Any

from boxloss.boxes import check_broadcast
from boxloss.errors import DTypeError, ShapeError
from boxloss.losses.inputs import quietly
from boxloss.losses.reduce import check_reduction, reduce
from boxloss.ops import Array, absolute, as_array, astype, check_same_kind, constant, is_complex, largest, like_kind, minimum, namespace, working_dtype


def kl_loss(pred: Any, target: Any, log_variance: Any, *, reduction: str = "mean", weight: Any = None) -> Array:
    """The KL divergence of a predicted normal distribution from the target, but for a constant, with Smooth L1's tails; smaller is better, in (-inf, inf).

    a = log_variance, d = pred - target;  loss = sum over coordinates of e^-a d^2 / 2 + a / 2 where |d| <= 1, and e^-a (|d| - 1/2) + a / 2 beyond

    Shapes: `pred`, `target` and `log_variance`, (..., n), broadcast; (...) comes out, a value a box, before the `reduction`. In the paper the n = 4 numbers
    are a box's left, top, right and bottom, as offsets from its anchor's in units of the anchor's width and height: d has to be without unit, as what is
    small is below 1. NumPy, PyTorch, JAX or CuPy; half types are computed in float32. `reduction` and `weight` as in any other loss.
    The loss is 0 for d = 0 and a variance of 1, and below 0 for smaller variances. For a d that is given the best variance is d^2, or 2 |d| - 1 in the tails.
    An a below -88 (float32; -709 in float64) counts as that, and may still make the loss infinite.
    Gradient: e^-a d, or e^-a with the sign of d, along `pred`; 1/2 - e^-a (...) along `log_variance`. Nothing is held.
    The tails are as readers of the paper report them; they have not been checked against the paper itself.

    Raises `ShapeError`, `DTypeError` and `ParameterError`.

    >>> kl_loss([[0.0, 0, 0, 0]], [[0.0, 1, 2, 0]], [[0.0, 0, 0, 2]], reduction="none").tolist()  # 0 + 1/2 + 3/2 + 2/2
    [3.0]

    Reference: He, Zhu, Wang, Savvides, Zhang, Bounding Box Regression with Uncertainty for Accurate Object Detection, CVPR 2019, arXiv:1809.08545.
    """
    call, names = "kl_loss", ("pred", "target", "log_variance")
    check_reduction(call, reduction)
    arrays = [as_array(x, name) for x, name in zip((pred, target, log_variance), names, strict=True)]
    for name, x in zip(names, arrays, strict=True):
        check_same_kind(call, ("pred", name), arrays[0], x)
        if x.ndim == 0:
            raise ShapeError(f"{call}: {name} is one number, expected an array (..., n)")
        if is_complex(x):
            raise DTypeError(f"{call}: {name} holds {x.dtype}, expected real numbers")
    first = like_kind(like_kind(arrays[0], arrays[1]), arrays[2])
    dtype = working_dtype(*(like_kind(x, first) for x in arrays))
    pred, target, log_variance = (astype(like_kind(x, first), dtype) for x in arrays)
    check_broadcast(call, ("pred", "target"), pred, target)
    check_broadcast(call, ("pred", "log_variance"), pred, log_variance)
    check_broadcast(call, ("target", "log_variance"), target, log_variance)
    return quietly(pred, lambda: reduce(call, _divergence(pred - target, log_variance), reduction, weight))


def _divergence(d: Array, a: Array) -> Array:
    distance = absolute(d)
    # Both forms in one, without a branch whose square may overflow: for m = |d| it is d^2 / 2, for m = 1 it is |d| - 1/2.
    m = minimum(distance, constant(distance, 1.0))
    xp = namespace(d)
    # Half of the type's largest number, whose logarithm can be rounded without harm.
    precision = xp.exp(minimum(-a, constant(a, math.log(largest(a) / 2))))
    return xp.sum(precision * (m * (distance - 0.5 * m)) + 0.5 * a, -1)
