"""Improved CIoU, whose term of shape does not vanish where the aspects are equal."""

import math

from boxloss.formulas.diou import diou
from boxloss.formulas.record import Terms, formula
from boxloss.formulas.siou import side_difference
from boxloss.ops import Array, atan2, hold, ratio
from boxloss.pair import Pair
from boxloss.pair.axis import Axis

# (0, 0, 4, 4) around (1, 1, 3, 3): both sides 1/2, IoU 1/4
_HALF_V = 16 / math.pi**2 * (math.atan(1 / 2) - math.pi / 4) ** 2


@formula(
    title="ICIoU loss",
    paper="Wang & Song, ICIoU: Improved Loss Based on Complete Intersection Over Union, IEEE Access 2021",
    bounds="[0, 2.5)",  # towards 1 + 1 + 1/2, as CIoU: two small boxes of very different sides, infinitely far apart
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    math=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2} + \alpha v, \quad "
    r"v = \frac{8}{\pi^2} \left( \left( \arctan \frac{w^g}{w} - \frac{\pi}{4} \right)^2 + \left( \arctan \frac{h^g}{h} - \frac{\pi}{4} \right)^2 \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # equal boxes: DIoU
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75 + _HALF_V**2 / (0.75 + _HALF_V)),  # one aspect, and yet v > 0
    ),
    wild=("It is said to repair CIoU's term for boxes of one aspect and different size; the IoU term tells these apart in either loss.",),
    unsure="The form of v, its factor 8 / pi^2 and that alpha is CIoU's, held, are from memory with little confidence: "
    "read the paper before any figure from this loss is called ICIoU's.",
)
def iciou(p: Pair) -> Terms:
    """1 - ICIoU: DIoU's loss plus a cost for other widths and heights, apart; smaller is better, in [0, 2.5).

    v = 8 / pi^2 ((atan(x.b_side / x.a_side) - pi / 4)^2 + the same of y);  alpha = v / (jaccard + v), held constant in the gradient
    loss = jaccard + offset2 / hull_diagonal2 + alpha v

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    The formula is from memory: see `unsure`. Two sides of 0 do not differ; v is at most 1, where of each two sides one is 0.
    Gradient: the exact derivative of v, with alpha held. It pulls the sides of boxes of one aspect, too, which CIoU's term does not.
    """
    v = 8 / math.pi**2 * (_angle2(p.x) + _angle2(p.y))
    alpha = hold(ratio(v, p.jaccard + v))
    return *diou.function(p), alpha * v


def _angle2(axis: Axis) -> Array:
    # atan(b / a) - pi / 4 is the angle of the point (a + b, b - a): exact where the sides are nearly equal.
    angle = atan2(side_difference(axis), axis.a_side + axis.b_side)
    return angle * angle
