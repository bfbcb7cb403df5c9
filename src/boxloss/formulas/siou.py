"""SIoU, the paper's and the one that mmdet trains with by default."""

import math

from boxloss.errors import ParameterError
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, absolute, expm1, maximum, minimum, positive, power, ratio, where
from boxloss.pair import Pair
from boxloss.pair.axis import Axis
from boxloss.pair.ways import double_offset

# (0, 0, 1, 1) against (2, 0, 3, 1): centres 2 apart along x, hull 3 wide, no angle: gamma = 2, and (dx / w_c)^2 = 4/9
_APART = -math.expm1(-8 / 9) / 2
# (0, 0, 4, 4) against (1, 1, 3, 3): one centre; each side differs by half the larger one
_HALVES = (-math.expm1(-0.5)) ** 4


def _gamma(p: Pair) -> Array:
    """2 - sin 2a, a the angle between the way of the centres and an axis: from 1 on a diagonal to 2 along an axis."""
    # An angle knows no hull that a small offset is small beside: slim boxes whose centres hardly differ need all digits of both.
    x, y = absolute(double_offset(p.x)), absolute(double_offset(p.y))
    # sin 2a = 2 |dx| |dy| / (dx^2 + dy^2), in t = tan a. At t = 1 minimum and maximum tie, and the derivative along t is 0.
    tangent = ratio(minimum(x, y), maximum(x, y))
    return 2.0 - 2.0 * tangent / (1.0 + tangent * tangent)


def _offset_share2(axis: Axis) -> Array:
    share = ratio(axis.double_offset, axis.hull) * 0.5
    return share * share


def _shape(p: Pair, theta: float) -> Array:
    return _shape_along(p.x, theta) + _shape_along(p.y, theta)


def _shape_along(axis: Axis, theta: float) -> Array:
    return power(-expm1(-side_change(axis)), theta)


def side_change(axis: Axis) -> Array:
    """How far the sides differ, as a share of the longer one."""
    return ratio(absolute(side_difference(axis)), maximum(axis.a_side, axis.b_side))


def side_difference(axis: Axis) -> Array:
    """The pair's `side_difference`, as exact beside the sides as that is beside the hull."""
    # The ways between the edges, whose difference it is, are no longer than the longer side unless there is a gap.
    return where(axis.gap > 0, axis.b_side - axis.a_side, axis.side_difference)


@formula(
    title="SIoU loss",
    paper="Gevorgyan, SIoU Loss: More Powerful Learning for Bounding Box Regression, 2022, arXiv:2205.12740",
    # 1 + (1 - e^-2) + (1 - e^-1)^4 = 2.02433: two small boxes of very different size, as far apart as the hull is long, far more so along one axis
    bounds="[0, 2.0244)",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{1}{2} \left( 2 - e^{-\gamma (x - x^g)^2 / w_c^2} - e^{-\gamma (y - y^g)^2 / h_c^2} \right)"
    r" + \frac{1}{2} \left( (1 - e^{-\omega_w})^{\theta} + (1 - e^{-\omega_h})^{\theta} \right), \quad \gamma = 2 - \sin 2\alpha",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1 + _APART),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75 + _HALVES),
    ),
    wild=(
        "PaddleDetection divides by the distance of the centres: 0/0, NaN, where they coincide. YOLOv6 gives NaN for boxes of size 0 with one centre; "
        "NaN in training is reported there (YOLOv6#417).",
        "Ports add their eps to the signed offset: the gradient at a match then has the sign of that noise.",
        "mmdet's default has the sign of gamma turned, which rewards distance: that is `siou_mmdet`.",
        "Another SIoU, of few-shot detection, is scale-adaptive IoU.",
    ),
    unsure="The formula is from three ports that agree (YOLOv6, PaddleDetection, Wise-IoU's repository), not from the paper; the author has released no code.",
)
def siou(p: Pair, *, theta: float = 4.0) -> Terms:
    """1 - SIoU: 1 - IoU plus half a cost of distance, which depends on its angle, and half a cost of shape; smaller is better, in [0, 2.0244).

    gamma = 2 - sin 2a = 2 - 2 |dx dy| / (dx^2 + dy^2);  distance = 2 - exp(-gamma (dx / x.hull)^2) - exp(-gamma (dy / y.hull)^2)
    shape = (1 - exp(-omega_x))^theta + (1 - exp(-omega_y))^theta;  omega = |side_difference| / the larger side
    loss = jaccard + (distance + shape) / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    With one centre there is no angle, and the distance costs 0 whatever it would be. Two sides of 0 do not differ. The bound is that of theta = 4.
    The paper's 1 - 2 sin^2(asin(sin a) - pi / 4) is sin 2a, which needs no arc sine, whose slope is infinite along the axes.
    Gradient: pulls the centres together, more along an axis than on a diagonal at the same distance; it has a kink where they are level. Nothing is held.
    Raises `ParameterError` unless theta is a finite number above 0; the paper has it between 2 and 6.
    """
    if not 0 < theta < math.inf:
        raise ParameterError(f"siou: theta is {theta}, expected a finite number > 0")
    gamma = _gamma(p)
    distance = -expm1(-gamma * _offset_share2(p.x)) - expm1(-gamma * _offset_share2(p.y))
    return p.jaccard, (distance + _shape(p, theta)) * 0.5


@formula(
    title="SIoU loss as in mmdet",
    paper="OpenMMLab, mmdetection, SIoULoss with neg_gamma=False, pull request #10290; after Gevorgyan, 2022, arXiv:2205.12740",
    # 1 + (1 - e^-1)^4 = 1.15967: a horizontal and a vertical line through one centre
    bounds="[0, 1.1597)",
    symmetric=True,
    scale_free=True,
    math=r"\max \left( 0, 1 - \mathrm{IoU} - \frac{1}{2} \left( e^{\gamma (x - x^g)^2 / w_c^2} + e^{\gamma (y - y^g)^2 / h_c^2} - 2 \right)"
    r" + \frac{1}{2} \left( (1 - e^{-\omega_w})^4 + (1 - e^{-\omega_h})^4 \right) \right), \quad \gamma = 2 - \sin 2\alpha",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1 - math.expm1(8 / 9) / 2),  # cheaper apart than it is side by side
        ((0, 0, 1, 1), (9, 0, 10, 1), 0.0),  # (9/10)^2: e^1.62 > 3, a far box costs nothing
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75 + _HALVES),
    ),
    roundoffs=12,
    floor=1.0,
    accuracy="It is a difference of terms up to 1.2 that may be as near to each other as one likes, and is cut off where they are equal: "
    "10.1 seen in 2,000,000 pairs.",
    wild=(
        "Its cost of distance is negative: boxes that do not overlap are pushed further apart, until they cost nothing at all.",
        "`neg_gamma=True` is the paper's sign, `siou`; the pull request found that one less stable.",
    ),
    unsure="That False is the default, and where the value is clamped, is from memory of mmdet's code; that the flag exists is from issue threads.",
)
def siou_mmdet(p: Pair) -> Array:
    """SIoU's loss with mmdet's sign of gamma, which rewards distance, cut off at 0; smaller is better, in [0, 1.1597).

    loss = max(0, jaccard + (2 - exp(gamma (dx / x.hull)^2) - exp(gamma (dy / y.hull)^2) + shape) / 2), gamma and shape as in `siou`, theta = 4

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    It is here so that people can see what they train with. mmdet clamps SIoU to [-1, 1]; below -1 it never is.
    Gradient: pushes the centres of disjoint boxes apart, and is 0 where the loss is cut off. Nothing is held.
    One number rather than a sum, and so without modifiers.
    """
    gamma = _gamma(p)
    reward = expm1(gamma * _offset_share2(p.x)) + expm1(gamma * _offset_share2(p.y))
    return positive((p.jaccard + _shape(p, 4.0) * 0.5) - reward * 0.5)
