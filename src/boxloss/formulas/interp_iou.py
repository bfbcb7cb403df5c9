"""InterpIoU: the overlap once more, of a box on the way to the target."""

from boxloss.errors import ParameterError
from boxloss.formulas.modify import is_number
from boxloss.formulas.record import Terms, formula
from boxloss.ops import constant, hold, maximum, minimum
from boxloss.pair import Pair

PAPER = "Liu & Watanabe, InterpIoU: Rethinking Bounding Box Regression with Interpolation-Based IoU Optimization, arXiv:2507.12420"
UNSURE = "the equations and the defaults .98, .6 and .99 come from another's implementation; the paper has yet to be read"


@formula(
    title="InterpIoU loss",
    paper=PAPER,
    bounds="[0, 2]",  # two points alone
    symmetric=False,
    scale_free=True,
    math=r"1 - \mathrm{IoU} \left( B, B^g \right) + 1 - \mathrm{IoU} \left( \left( 1 - \alpha \right) B + \alpha B^g, B^g \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (50, 0, 51, 1), 1 + 1.0),  # the box on the way, [49, 50], touches
        ((0, 0, 1, 1), (25, 0, 26, 1), 1 + 2 / 3),  # the box on the way is half a width off: overlap .5, union 1.5
    ),
    wild=("A port in the wild exchanges the roles of the two boxes in the interpolation, and lets alpha be learnt.",),
    unsure=UNSURE,
)
def interp_iou(p: Pair, *, alpha: float = 0.98) -> Terms:
    """1 - IoU, plus 1 - IoU of the target and of a box that has gone `alpha` of the way to it; smaller is better, in [0, 2].

    loss = jaccard + towards(alpha).jaccard

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. From a distance of 1 / (1 - alpha) widths on, both terms are 1. alpha = 0 is twice `iou`.
    Gradient: apart, that of the second term: 1 - alpha times an IoU's, and 0 where the box on the way does not overlap the target either.
    Raises `ParameterError` unless 0 <= alpha < 1.
    """
    if not (is_number(alpha) and 0 <= alpha < 1):
        raise ParameterError(f"interp_iou: alpha is {alpha!r}, expected a number in [0, 1)")
    return p.jaccard, p.towards(alpha).jaccard


@formula(
    title="InterpIoU loss, dynamic",
    paper=PAPER,
    bounds="[0, 2]",  # two points alone
    symmetric=False,
    scale_free=True,
    held=("alpha",),
    math=r"1 - \mathrm{IoU} \left( B, B^g \right) + 1 - \mathrm{IoU} \left( \left( 1 - \alpha \right) B + \alpha B^g, B^g \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (50, 0, 51, 1), 1 + 2 / 3),  # alpha .99: the box on the way is half a width off
        ((0, 0, 4, 4), (2, 0, 6, 4), 2 / 3 + 2 / 7),  # IoU 1/3, alpha 2/3: the box on the way, [4/3, 16/3], is 2/3 off: 4/3 of 14/3
    ),
    wild=("Its value is not monotonic: where alpha leaves one of its marks, a box that comes nearer may cost a little more.",),
    unsure=UNSURE,
)
def interp_iou_dynamic(p: Pair, *, low: float = 0.6, high: float = 0.99) -> Terms:
    """1 - IoU, plus 1 - IoU of the target and of a box that has gone some of the way to it, the more the worse it is; smaller is better, in [0, 2].

    alpha = clamp(jaccard, low, high), held constant;  loss = jaccard + towards(alpha).jaccard

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. From a distance of 1 / (1 - high) widths on, both terms are 1.
    Gradient: as `interp_iou`'s, with each pair's own alpha.
    Raises `ParameterError` unless 0 <= low < high < 1.
    """
    if not (is_number(low) and is_number(high) and 0 <= low < high < 1):
        raise ParameterError(f"interp_iou_dynamic: low is {low!r} and high is {high!r}, expected 0 <= low < high < 1")
    # What is left of the way is alpha's rest: from IoU it is exact where alpha is near 1.
    share = minimum(maximum(p.jaccard, constant(p.jaccard, low)), constant(p.jaccard, high))
    rest = minimum(maximum(p.iou, constant(p.iou, 1.0 - high)), constant(p.iou, 1.0 - low))
    return p.jaccard, p.towards(hold(share), hold(rest)).jaccard
