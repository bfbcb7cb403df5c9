"""Inner-IoU: the overlap of smaller or larger boxes about the same centres."""

import math

from boxloss.formulas.ciou import ciou
from boxloss.formulas.modify import require, total
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array
from boxloss.pair import Pair

PAPER = "Zhang, Xu, Zhang, Inner-IoU: More Effective Intersection over Union Loss with Auxiliary Bounding Box, arXiv:2311.02877"
WILD = (
    "The released code's ratio is 1.0 where none is given, which changes nothing: the loss under test is then the plain one.",
    "A ratio below 1 makes boxes part earlier, and pairs that overlapped a little lose the overlap's gradient.",
)
UNSURE = "that Inner-CIoU is CIoU's loss plus IoU minus the inner IoU is the code's form; the paper's equation has yet to be read"


def _inner(name: str, p: Pair, terms: Terms, ratio: float) -> Array:
    require(name, "ratio", "inner", ratio)
    return total(p, terms, {"inner": ratio})


@formula(
    title="Inner-IoU loss",
    paper=PAPER,
    bounds="[0, 1]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU}^{\mathrm{inner}}",
    metric=True,  # 1 - IoU is one, of the smaller boxes, too
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 8, 8), (4, 0, 12, 8), 0.8),  # 6 x 6 each, 4 apart: overlap 2 x 6 of 60
        ((0, 0, 8, 8), (6, 0, 14, 8), 1.0),  # the smaller boxes touch
        ((0, 0, 4, 4), (0, 0, 2, 4), 6 / 9.75),  # [.5, 3.5] and [.25, 1.75], both 3 high: overlap 3.75, union 9.75
    ),
    wild=WILD,
)
def inner_iou(p: Pair, *, ratio: float = 0.75) -> Array:
    """1 - IoU of both boxes with sides times `ratio`, about their own centres; smaller is better, in [0, 1].

    loss = scaled(ratio).jaccard

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0; where the scaled boxes do not overlap it is 1. ratio = 1 is `iou`. A metric.
    Gradient: below a ratio of 1 steeper near a match, about 2 / (ratio width) for a small shift, and 0 further in; above 1 the other way round.
    Raises `ParameterError` where ratio is not a finite number > 0.
    """
    return _inner("inner_iou", p, (p.jaccard,), ratio)


# (0, 0, 4, 1) against (0, 0, 1, 4), times 3/4: 3 x .75 about (2, .5) and .75 x 3 about (.5, 2), which overlap in [.5, .875] squared.
_V = 4 / math.pi**2 * (math.atan(4) - math.atan(1 / 4)) ** 2
_INNER = 1 - 0.375**2 / (4.5 - 0.375**2)


@formula(
    title="Inner-CIoU loss",
    paper=PAPER,
    bounds="[0, 2.5)",  # CIoU's: crossed slim boxes, far apart
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    math=r"1 - \mathrm{IoU}^{\mathrm{inner}} + \frac{\rho^2}{c^2} + \alpha v",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 8, 8), (4, 0, 12, 8), 0.8 + 16 / 208),  # centres 4 apart, hull 12 x 8
        ((0, 0, 4, 1), (0, 0, 1, 4), _INNER + 4.5 / 32 + _V**2 / (6 / 7 + _V)),
    ),
    wild=WILD,
    unsure=UNSURE,
)
def inner_ciou(p: Pair, *, ratio: float = 0.75) -> Array:
    """CIoU's loss with the IoU of both boxes with sides times `ratio`, about their own centres; smaller is better, in [0, 2.5).

    loss = scaled(ratio).jaccard + offset2 / hull_diagonal2 + alpha v, with alpha and v as `ciou`'s, of the boxes as they are; alpha is held constant

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. ratio = 1 is `ciou`.
    Gradient: `inner_iou`'s in the place of IoU's, and CIoU's beside it.
    Raises `ParameterError` where ratio is not a finite number > 0.
    """
    return _inner("inner_ciou", p, ciou.function(p), ratio)
