"""SCA: the overlap of sides and the distance of corners, without IoU."""

import math

from boxloss.errors import ParameterError
from boxloss.formulas.record import formula
from boxloss.ops import Array, norm, ratio
from boxloss.pair import Pair
from boxloss.pair.axis import Axis


@formula(
    title="Side and corner aligned loss",
    paper="Zheng et al., SCALoss, AAAI 2022, arXiv:2104.00462",
    bounds="[0, 5]",  # two points that differ along both axes: 2 + 2 from the sides, alpha 2 from the corners
    symmetric=True,
    scale_free=True,
    math=r"2 - \frac{\min(x_2, x_2^g) - \max(x_1, x_1^g)}{w_c} - \frac{\min(y_2, y_2^g) - \max(y_1, y_1^g)}{h_c}"
    r" + \alpha \frac{d_{\mathrm{top\ left}} + d_{\mathrm{bottom\ right}}}{c}",
    aliases=("scaloss",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 3, 4), (12, 12, 15, 16), 3.1 + math.sqrt(288 / 481)),  # gaps 9 of 15, 8 of 16; both corners 12, 12 away
        ((0, 0, 5, 10), (-3, -4, 5, 10), 3 / 8 + 4 / 14 + 0.5 * 5 / math.sqrt(260)),  # the top left corner is 5 away, the hull 8 x 14
    ),
    wild=(
        "The released code's default is alpha = 1.0; the paper's is 0.5.",
        "A signed overlap of sides makes up for a gap along one axis with an overlap along the other: it is not an area, and the loss has no IoU in it.",
        "Apart, a box is pulled to grow: in its width the slope is larger than in its place.",
    ),
    unsure="alpha = 0.5 as the paper's choice is from memory.",
)
def sca(p: Pair, *, alpha: float = 0.5) -> Array:
    """What the sides lack in common, as shares of the hull's, and the distance of two corners over its diagonal; smaller is better, in [0, 5].

    sides = (x.a_excess + x.b_excess + 2 x.gap) / x.hull + the same of y, which is 2 minus the two signed overlaps over the hull's sides
    loss = sides + alpha (distance of the top left corners + distance of the bottom right corners) / sqrt(hull_diagonal2)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Along an axis on which both boxes are the same point, the sides lack nothing: 0. The most is 4 + 2 alpha.
    Gradient: pulls at any distance. It is not 0 near a match, and has a kink there, as |x| has. Nothing is held. Apart, part of the pull enlarges the box.
    One number rather than a sum that begins with 1 - IoU, and so without modifiers.
    Raises `ParameterError` unless alpha is a finite number, 0 or above.
    """
    if not 0 <= alpha < math.inf:
        raise ParameterError(f"sca: alpha is {alpha}, expected a finite number >= 0")
    sides = _lack(p.x) + _lack(p.y)
    corners = norm(p.x.low_way, p.y.low_way) + norm(p.x.high_way, p.y.high_way)
    return sides + alpha * ratio(corners, norm(p.x.hull, p.y.hull))


def _lack(axis: Axis) -> Array:
    # hull - overlap is the sum of the excesses, and hull + gap that and twice the gap: nothing is subtracted.
    return ratio((axis.a_excess + axis.b_excess) + 2.0 * axis.gap, axis.hull)
