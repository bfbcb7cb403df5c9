"""The losses before IoU: they compare the two boxes' four edges one by one. `centre_size` has the same of centre and size."""

import functools
import math
import operator
from collections.abc import Sequence

from boxloss.errors import ParameterError
from boxloss.formulas.record import formula
from boxloss.ops import Array, absolute, constant, hold, largest, log1p_integral, where, with_slope
from boxloss.pair import Pair

Ways = Sequence[Array]
"""The differences of four coordinates: two lower ends and then two upper ones, or the centre's two and then the size's two."""


def check_positive(loss: str, name: str, value: float, unit: str = ", in the boxes' unit") -> None:
    if not 0 < value < math.inf:
        raise ParameterError(f"{loss}: {name} is {value}, expected a finite number > 0{unit}")


def sign(d: Array) -> Array:
    return where(d > 0, constant(d, 1.0), where(d < 0, constant(d, -1.0), 0.0))


def total(terms: Ways, slopes: Ways, ways: Ways) -> Array:
    """The sum of the terms; where that is beyond the type's largest number it stays there, and the gradient goes on with the `slopes` along the `ways`."""
    half = len(terms) // 2
    found = functools.reduce(operator.add, terms[:half]) + functools.reduce(operator.add, terms[half:])
    most = constant(found, largest(found))
    # The derivative of the terms, which overflow has not touched.
    carrier = sum(with_slope(constant(d, 0.0), d) * hold(slope) for d, slope in zip(ways, slopes, strict=True))
    return where(found > most, with_slope(most, carrier), found)


def absolute_sum(ways: Ways) -> Array:
    return total([absolute(d) for d in ways], [sign(d) for d in ways], ways)


def half_square_sum(ways: Ways) -> Array:
    return total([d * (d * 0.5) for d in ways], ways, ways)


def smooth_sum(loss: str, ways: Ways, beta: float) -> Array:
    if not 0 <= beta < math.inf:
        raise ParameterError(f"{loss}: beta is {beta}, expected a finite number >= 0, in the boxes' unit")
    if beta == 0:
        return absolute_sum(ways)

    def smooth(d: Array) -> Array:
        size = absolute(d)
        near = size < beta
        # Divided before it is squared: d^2 would underflow for coordinates below 1e-19, and the quotient is at most 1.
        inside = where(near, d, 0.0)
        return where(near, (inside / beta) * inside * 0.5, size - beta * 0.5)

    return total([smooth(d) for d in ways], [sign(d) for d in ways], ways)


@formula(
    title="L1 loss",
    paper="The sum of absolute differences",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\left| x_1 - x_1^g \right| + \left| y_1 - y_1^g \right| + \left| x_2 - x_2^g \right| + \left| y_2 - y_2^g \right|",
    metric=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 6.0),  # 1 + 2 + 3 + 0
    ),
    wild=(
        "L1 of left, top, right and bottom is not L1 of centre and size (`l1_cxcywh`): they have other values and other gradients, and papers say only L1.",
        "Detectors take it of offsets that are encoded against an anchor: a weight that was tuned there is wrong for raw coordinates.",
    ),
)
def l1(p: Pair) -> Array:
    """The sum of the absolute differences of left, top, right and bottom; smaller is better, in [0, inf).

    loss = |left| + |top| + |right| + |bottom|

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, so it grows with the picture.
    Along x it is the larger of 2 |dx| and |dw|, with dx and dw the differences of centre and width; the same along y.
    Gradient: 1 or -1 in each coordinate that differs, 0 in one that agrees. Overlap plays no part.
    """
    return absolute_sum(p.edges)


@formula(
    title="L2 loss",
    paper="Half the sum of squared differences",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\frac{1}{2} \left( (x_1 - x_1^g)^2 + (y_1 - y_1^g)^2 + (x_2 - x_2^g)^2 + (y_2 - y_2^g)^2 \right)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 7.0),  # (1 + 4 + 9 + 0) / 2
    ),
    wild=("With and without the half, summed and averaged over the four coordinates: a factor of up to 8 between implementations of one name.",),
)
def l2(p: Pair) -> Array:
    """Half the sum of the squared differences of left, top, right and bottom; smaller is better, in [0, inf).

    loss = (left^2 + top^2 + right^2 + bottom^2) / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the square of the boxes' unit.
    It is also the squared Wasserstein distance of the two boxes' Gaussians, which `nwd` is made of.
    Gradient: the difference itself, so large boxes and outliers rule, and it fades at the match.
    A value that its type cannot hold (differences beyond 1e19 in float32) stays at the largest number of the type; the gradient stays right.
    """
    return half_square_sum(p.edges)


@formula(
    title="Smooth L1 loss",
    paper="Girshick, Fast R-CNN, ICCV 2015, arXiv:1504.08083, eq. 3 (beta = 1); beta as in Ren et al., Faster R-CNN, arXiv:1506.01497",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\sum_d s(d), \quad s(d) = \frac{d^2}{2 \beta} \;\; (|d| < \beta), \quad |d| - \frac{\beta}{2} \;\; (|d| \geq \beta)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (0.5, -2, 13, 10), 0.125 + 1.5 + 2.5),
    ),
    wild=(
        "Not Huber's loss, which is beta times this: as beta vanishes this becomes L1, and Huber's becomes 0 (fvcore's docstring says so).",
        "beta = 0 through `torch.where` has NaN gradients, 0/0 in the branch that is not taken; fvcore therefore takes L1 below 1e-5.",
        "detectron2's default beta is 0, for the RPN and for the box head (config/defaults.py): its Smooth L1 is L1.",
        "Lecture slides call it the Smooth L2 loss.",
    ),
    unsure="That Faster R-CNN's RPN has beta = 1/9 (written sigma = 3, beta = 1 / sigma^2).",
)
def smooth_l1(p: Pair, *, beta: float = 1.0) -> Array:
    """Squared near 0, absolute beyond `beta`, summed over left, top, right and bottom; smaller is better, in [0, inf).

    loss = sum of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, as `beta` is. beta = 0 is L1.
    Gradient: d / beta near 0, then 1 or -1. Not Huber's loss (`huber`), which is beta times this.
    Raises `ParameterError` where beta is negative or not finite.
    """
    return smooth_sum("smooth_l1", p.edges, beta)


@formula(
    title="Huber loss",
    paper="Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35 (1964)",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\sum_d s(d), \quad s(d) = \frac{d^2}{2} \;\; (|d| < \delta), \quad \delta \left( |d| - \frac{\delta}{2} \right) \;\; (|d| \geq \delta)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (0.5, -2, 13, 10), 0.125 + 1.5 + 2.5),  # at delta = 1 it is Smooth L1
    ),
    wild=("Taken for Smooth L1, which is this over delta: they agree at delta = 1 alone, and with delta the weight beside other losses changes.",),
)
def huber(p: Pair, *, delta: float = 1.0) -> Array:
    """Half the square near 0, linear beyond `delta`, summed over left, top, right and bottom; smaller is better, in [0, inf).

    loss = sum of d^2 / 2 where |d| < delta, else delta (|d| - delta / 2)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the square of the boxes' unit; `delta` is in the unit itself.
    It is delta times Smooth L1 with beta = delta, so it vanishes with delta. Above all differences of coordinates, it is L2.
    Gradient: the difference itself, at most delta.
    Raises `ParameterError` where delta is not positive and finite.
    """
    check_positive("huber", "delta", delta)

    def smooth(d: Array) -> Array:
        size = absolute(d)
        near = size < delta
        inside = where(near, d, 0.0)
        return where(near, inside * (inside * 0.5), (size - delta * 0.5) * delta)

    return total([smooth(d) for d in p.edges], [where(absolute(d) < delta, d, sign(d) * delta) for d in p.edges], p.edges)


@formula(
    title="Balanced L1 loss",
    paper="Pang et al., Libra R-CNN, CVPR 2019, arXiv:1904.02701",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\sum_d s(d), \quad s(d) = \frac{\alpha}{b} (b |d| + \beta) \ln \left( \frac{b |d|}{\beta} + 1 \right) - \alpha |d| \;\; (|d| < \beta), \quad "
    r"\gamma |d| + \frac{\gamma \beta}{b} - \alpha \beta \;\; (|d| \geq \beta), \quad b = e^{\gamma / \alpha} - 1",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        # b = e^3 - 1. |d| = 2: 1.5 * 2 + 1.5 / b - 0.5. And |d| = 1 / b: (0.5 / b) 2 ln 2 - 0.5 / b.
        ((0, 0, 10, 10), (2, 0, 10, 10), 2.5 + 1.5 / math.expm1(3)),
        ((0, 0, 10, 10), (1 / math.expm1(3), 0, 10, 10), (math.log(2) - 0.5) / math.expm1(3)),
    ),
    wild=(
        "mmdet and det3d have (b |d| + 1) where beta times the loss of d / beta has (b |d| + beta). At the default, beta = 1, that is the same. At another one "
        "theirs is about alpha (1/beta - 1) |d| near a match: below 0 for beta > 1, so that the least cost is not the match; a kink for beta < 1; and the "
        "gradient jumps at |d| = beta.",
    ),
    unsure="The equation's number; that the paper has no beta.",
)
def balanced_l1(p: Pair, *, alpha: float = 0.5, gamma: float = 1.5, beta: float = 1.0) -> Array:
    """A gradient that grows as a logarithm up to `gamma` at `beta`, summed over left, top, right and bottom; smaller is better, in [0, inf).

    b = exp(gamma / alpha) - 1
    loss = sum of alpha / b (b |d| + beta) ln(b |d| / beta + 1) - alpha |d| where |d| < beta, else gamma |d| + gamma beta / b - alpha beta

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, as `beta` is.
    Near 0 it is alpha b / (2 beta) d^2. Scaling the boxes and beta scales the loss; released code has that at beta = 1 alone.
    Gradient: alpha ln(b |d| / beta + 1) up to beta, gamma beyond, with d's sign: near a match far more than Smooth L1's.
    Raises `ParameterError` where a parameter is not positive and finite, or gamma / alpha is above 80, where b leaves float32.
    """
    check_positive("balanced_l1", "alpha", alpha, "")
    check_positive("balanced_l1", "gamma", gamma, "")
    check_positive("balanced_l1", "beta", beta)
    if gamma / alpha > 80:
        raise ParameterError(f"balanced_l1: gamma / alpha is {gamma / alpha}, expected at most 80")
    b = math.expm1(gamma / alpha)
    at_beta = (gamma + gamma / b - alpha) * beta

    def balanced(d: Array) -> Array:
        size = absolute(d)
        near = size < beta
        inside = log1p_integral((where(near, size, 0.0) / beta) * b)
        # Beyond beta from what it costs there, so that no constant is taken from |d|.
        return where(near, inside * (alpha * beta / b), (size - beta) * gamma + at_beta)

    return total([balanced(d) for d in p.edges], [sign(d) * gamma for d in p.edges], p.edges)
