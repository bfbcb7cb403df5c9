"""Alpha-IoU: powers of the overlap, and of the terms beside it."""

import math

from boxloss.formulas.ciou import ciou
from boxloss.formulas.diou import diou
from boxloss.formulas.giou import giou
from boxloss.formulas.modify import require, total
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, constant, minimum, with_slope
from boxloss.pair import Pair

PAPER = "He, Erfani, Ma, Bailey, Chi, Hua, Alpha-IoU, NeurIPS 2021, arXiv:2110.13675"
WILD = (
    "The slope at a match is alpha times that of 1 - IoU: a larger weight of the loss, too, beside which alpha = 1 has to be tried with a weight of 3.",
    "In the authors' code (utils/loss.py) the target of YOLOv5's objectness is alpha-CIoU as well: two changes in one experiment.",
    "The authors' code adds 1e-9 to what it raises to a power.",
)


def _powered(name: str, p: Pair, terms: Terms, alpha: float) -> Array:
    require(name, "alpha", "power", alpha)
    return total(p, terms, {"power": alpha})


@formula(
    title="Alpha-IoU loss",
    paper=PAPER,
    bounds="[0, 1]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU}^\alpha",
    # A concave function of a metric that is 0 at 0 is a metric: 1 - (1 - d)^alpha is concave from alpha = 1 on.
    metric=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 2, 1), (1, 0, 3, 1), 26 / 27),  # IoU 1/3
        ((0, 0, 4, 4), (0, 0, 2, 4), 7 / 8),
        ((0, 0, 1, 1), (1, 0, 2, 1), 1.0),
    ),
    wild=WILD,
)
def alpha_iou(p: Pair, *, alpha: float = 3.0) -> Array:
    """1 - IoU^alpha; smaller is better, in [0, 1].

    loss = 1 - iou^alpha

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0; without overlap it is 1. alpha = 1 is `iou`, alpha = 2 is `iou_squared`. A metric where alpha >= 1.
    Gradient: alpha IoU^(alpha - 1) times that of 1 - IoU: alpha times as steep at a match, flat where IoU is small, and 0 without overlap.
    Raises `ParameterError` where alpha is not a finite number > 0.
    """
    return _powered("alpha_iou", p, (p.jaccard,), alpha)


@formula(
    title="Alpha-GIoU loss",
    paper=PAPER,
    bounds="[0, 2]",  # two points alone
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU}^\alpha + \left( \frac{C - U}{C} \right)^\alpha",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1 + 1 / 27),  # a third of the hull is wasted
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 - (1 / 7) ** 3 + (2 / 9) ** 3),  # hull 9, union 7, overlap 1
    ),
    wild=WILD,
)
def alpha_giou(p: Pair, *, alpha: float = 3.0) -> Array:
    """1 - IoU^alpha plus the power alpha of the share of the hull that the union leaves empty; smaller is better, in [0, 2].

    loss = 1 - iou^alpha + (waste / hull)^alpha

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and 2 is reached by two points alone.
    Gradient: alpha times as steep as GIoU's at a match; the waste pulls hardly at all where it is small.
    Raises `ParameterError` where alpha is not a finite number > 0.
    """
    jaccard, share = giou.function(p)
    # Two lines waste all of their hull, or in rounded numbers a little more, of which a power would make too much.
    share = with_slope(minimum(share, constant(share, 1.0)), share)
    return _powered("alpha_giou", p, (jaccard, share), alpha)


@formula(
    title="Alpha-DIoU loss",
    paper=PAPER,
    bounds="[0, 2]",  # two points alone
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU}^\alpha + \left( \frac{\rho^2}{c^2} \right)^\alpha",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.064),  # centres 2 apart, diagonal^2 = 9 + 1: 0.4^3
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 - (1 / 7) ** 3 + (1 / 9) ** 3),
    ),
    wild=WILD,
)
def alpha_diou(p: Pair, *, alpha: float = 3.0) -> Array:
    """1 - IoU^alpha plus the power alpha of the squared distance of the centres over the hull's squared diagonal; smaller is better, in [0, 2].

    loss = 1 - iou^alpha + (offset2 / hull_diagonal2)^alpha

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and 2 is reached by two points alone.
    Gradient: alpha times as steep as DIoU's at a match; the pull of the centres fades with the power 2 alpha - 1 of their distance.
    Raises `ParameterError` where alpha is not a finite number > 0.
    """
    return _powered("alpha_diou", p, diou.function(p), alpha)


# (0, 0, 4, 1) against (0, 0, 1, 4): overlap 1, union 7, offset^2 4.5, diagonal^2 32.
_V = 4 / math.pi**2 * (math.atan(4) - math.atan(1 / 4)) ** 2
_CROSS = 1 - (1 / 7) ** 3 + (4.5 / 32) ** 3 + (_V**2 / (6 / 7 + _V)) ** 3


@formula(
    title="Alpha-CIoU loss",
    paper=PAPER,
    bounds="[0, 2.125)",  # crossed slim boxes, far apart: beta v is near 1/2, whose third power is 1/8
    symmetric=True,
    scale_free=True,
    held=("beta",),
    math=r"1 - \mathrm{IoU}^\alpha + \left( \frac{\rho^2}{c^2} \right)^\alpha + \left( \beta v \right)^\alpha",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.064),  # one aspect: alpha-DIoU
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS),
    ),
    wild=WILD,
)
def alpha_ciou(p: Pair, *, alpha: float = 3.0) -> Array:
    """Alpha-DIoU's loss plus the power alpha of CIoU's aspect term; smaller is better, in [0, 2.125).

    loss = 1 - iou^alpha + (offset2 / hull_diagonal2)^alpha + (beta v)^alpha, with v and beta as `ciou`'s v and alpha; beta is held constant

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. With another alpha the upper bound is 2 + 2^-alpha.
    Gradient: as `alpha_diou`'s, and the power's derivative times that of beta v, with beta held.
    Raises `ParameterError` where alpha is not a finite number > 0.
    """
    return _powered("alpha_ciou", p, ciou.function(p), alpha)
