"""Shape-IoU, with the target's shape as the paper weighs it, and as released, without."""

import math

from boxloss.errors import ParameterError
from boxloss.formulas.record import Terms, formula
from boxloss.formulas.siou import side_change
from boxloss.ops import Array, constant, expm1, hold, maximum, power, ratio, where
from boxloss.pair import Pair

# (0, 0, 2, 6) in the corner of (0, 0, 4, 12): each side differs by half the larger one, IoU 1/4, centres (1, 3) apart, diagonal^2 160
_SMALL = ((0, 0, 2, 6), (0, 0, 4, 12))


def _half(weight: float) -> float:
    """(1 - e^-omega)^4 of a side that is half the other one, its share weighted."""
    return (-math.expm1(-weight / 2)) ** 4


@formula(
    title="Shape-IoU loss",
    paper="Zhang & Zhang, Shape-IoU, 2023, arXiv:2312.17663",
    # 1 + 2 + (1 - e^-2)^4 / 2 = 3.27952: a vertical line, and a box that is far away along x
    bounds="[0, 3.2796)",
    symmetric=False,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{h_s (x - x^g)^2 + w_s (y - y^g)^2}{c^2}"
    r" + \frac{1}{2} \left( \left( 1 - e^{- h_s \omega_w} \right)^4 + \left( 1 - e^{- w_s \omega_h} \right)^4 \right), \quad"
    r" \omega_w = \frac{|w - w^g|}{\max(w, w^g)}, \quad w_s = \frac{2 (w^g)^s}{(w^g)^s + (h^g)^s}, \quad h_s = 2 - w_s",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 3), (2, 0, 3, 3), 1 + 1.5 * 4 / 18),  # a target 1 x 3: weights 1/2 and 3/2; centres 2 apart along x, hull 3 x 3
        (*_SMALL, 0.75 + (1.5 * 1 + 0.5 * 9) / 160 + (_half(1.5) + _half(0.5)) / 2),
    ),
    wild=("The released code's default, scale = 0, makes both weights 1: the shape is off (`shape_iou_released`).",),
    unsure="The formula is the released code's, not read in the paper. Its scale depends on the data set; whether 1 is among the paper's choices is unknown.",
)
def shape_iou(p: Pair, *, scale: float = 1.0) -> Terms:
    """1 - IoU plus costs of distance and of shape that the target's own shape weighs; smaller is better, in [0, 3.2796).

    x_weight = 2 h^scale / (w^scale + h^scale) of the target's sides, which the code calls hh, and y_weight = 2 - x_weight
    loss = jaccard + (x_weight dx^2 + y_weight dy^2) / hull_diagonal2 + ((1 - exp(-x_weight omega_x))^4 + (1 - exp(-y_weight omega_y))^4) / 2
    omega = |side_difference| / the larger side

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    A target that is tall weighs what differs along x, one that is wide what differs along y; a point weighs both alike, a line nothing along itself.
    The bound is that of scale = 1; with scale = 0 the loss is `shape_iou_released`.
    Gradient: pulls centres and sides at any distance, along the target's long axis less. Nothing is held.
    Raises `ParameterError` unless scale is a finite number, 0 or above.
    """
    if not 0 <= scale < math.inf:
        raise ParameterError(f"shape_iou: scale is {scale}, expected a finite number >= 0")
    x_weight, y_weight = _weights(p, scale)
    x, y = p.x.double_offset, p.y.double_offset
    distance = ratio((x_weight * (x * x) + y_weight * (y * y)) * 0.25, p.hull_diagonal2)
    shape = power(-expm1(-x_weight * side_change(p.x)), 4) + power(-expm1(-y_weight * side_change(p.y)), 4)
    return p.jaccard, distance, shape * 0.5


def _weights(p: Pair, scale: float) -> tuple[Array, Array]:
    """What a difference along x counts for, and one along y: together 2."""
    width, height = p.x.b_side, p.y.b_side
    if scale == 0:
        return constant(width, 1.0), constant(height, 1.0)
    # Over the longer side, so that no power leaves the type. That may be held: each weight depends on the quotient of the sides alone.
    longer = hold(maximum(width, height))
    wide, tall = power(ratio(width, longer), scale), power(ratio(height, longer), scale)
    total = wide + tall
    point = total == 0
    return tuple(where(point, constant(total, 1.0), 2.0 * ratio(part, total)) for part in (tall, wide))


@formula(
    title="Shape-IoU loss as released",
    paper="Zhang & Zhang, Shape-IoU, 2023, arXiv:2312.17663; the repository's default, scale = 0",
    # 1 + 1 + (1 - e^-1)^4 = 2.15967: two small boxes of very different sides, infinitely far apart
    bounds="[0, 2.1597)",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2}"
    r" + \frac{1}{2} \left( \left( 1 - e^{- \frac{|w - w^g|}{\max(w, w^g)}} \right)^4 + \left( 1 - e^{- \frac{|h - h^g|}{\max(h, h^g)}} \right)^4 \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # equal boxes: DIoU
        (*_SMALL, 0.75 + 10 / 160 + _half(1)),
    ),
    wild=("Trained with the released default, Shape-IoU is DIoU plus half of SIoU's cost of shape: the target's shape plays no part.",),
    unsure="The formula is the released code's, not read in the paper.",
)
def shape_iou_released(p: Pair) -> Terms:
    """Shape-IoU without the shape: DIoU's loss plus half of SIoU's cost of shape; smaller is better, in [0, 2.1597).

    loss = jaccard + offset2 / hull_diagonal2 + ((1 - exp(-omega_x))^4 + (1 - exp(-omega_y))^4) / 2;  omega = |side_difference| / the larger side

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    `shape_iou` with scale = 0, which makes both of its weights 1.
    Gradient: pulls centres and sides at any distance. Nothing is held.
    """
    return shape_iou.function(p, scale=0.0)
