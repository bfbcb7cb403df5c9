"""Powerful-IoU: a penalty in units of the target's sides, and an attention to pairs of medium quality."""

import math

from boxloss.errors import ParameterError
from boxloss.formulas.modify import is_number
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, absolute, exp, expm1, hold, ratio, where
from boxloss.pair import Pair
from boxloss.pair.axis import Axis

PAPER = "Liu et al., Powerful-IoU: More straightforward and faster bounding box regression loss, Neural Networks 170, 2024, doi:10.1016/j.neunet.2023.11.041"
WILD = (
    "Forks have it as `bbox_iou(..., PIoU=True)`, which returns the loss, and subtract that from 1 as if it were a similarity: training maximises it.",
    "PIoU is Pixels-IoU as well, another loss.",
)
FADES = "Far apart the loss is e to the -P, and P is off by roundoffs of P: more than 8 of the value from P = 2 on. Up to 1/2 the error is that of 1/2."

_FAR = 2.0**14  # so many sides away exp(-P) and exp(-P^2) are 0 in every type


def _distance(p: Pair) -> Array:
    """P: how far the four edges are off, in units of the target's sides, on average. An axis along which the target has no length does not count."""
    return (_in_sides(p.x) + _in_sides(p.y)) * 0.25


def _in_sides(axis: Axis) -> Array:
    off = absolute(axis.low_way) + absolute(axis.high_way)
    # What would leave the type stands still: infinity times a slope of 0 is no number.
    far = off > axis.b_side * _FAR
    sides = ratio(where(far, off * 0.0, off), axis.b_side)
    return where(far & (axis.b_side > 0), off * 0.0 + _FAR, sides)


def _attention(name: str, p: Pair, lam: float) -> Array:
    """u = 3 x exp(-x^2) at x = lam exp(-P)."""
    if not (is_number(lam) and 0 < lam < math.inf):
        raise ParameterError(f"{name}: lam is {lam!r}, expected a finite number > 0")
    x = exp(-_distance(p)) * lam
    return (3.0 * x) * exp(-(x * x))


# (0, 0, 1, 1) against (2, 0, 3, 1): the edges are off by 2 and 2 along x, P = 1.
_APART = 2 - math.exp(-1)
_X = 1.3 * math.exp(-1)
_U = 3 * _X * math.exp(-(_X**2))


@formula(
    title="Powerful-IoU loss",
    paper=PAPER,
    bounds="[0, 2]",  # reached where exp(-P^2) is below the roundoff of 1
    symmetric=False,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + 1 - e^{-P^2}",
    aliases=("piou",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), _APART),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75 + 1 - math.exp(-0.25)),  # each edge off by half a side of the target's: P = 1/2
    ),
    wild=WILD,
)
def powerful_iou(p: Pair) -> Terms:
    """1 - IoU, plus 1 - exp(-P^2), P the mean distance of the edges in sides of the target; smaller is better, in [0, 2].

    P = (|left| / w + |right| / w + |top| / h + |bottom| / h) / 4, w and h the target's;  loss = jaccard + 1 - exp(-P^2)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. An axis along which the target has no length does not count in P.
    Gradient: apart, it pulls each edge to its own, and nothing is gained by a larger box; it fades like exp(-P^2), and is nearly 0 four widths away.
    """
    distance = _distance(p)
    return p.jaccard, -expm1(-(distance * distance))


@formula(
    title="Powerful-IoU loss, version 2",
    paper=PAPER,
    bounds="[0, 1.8679)",  # u (2 - exp(-P^2)) has its maximum 1.86782 at P = .943, where boxes are apart
    symmetric=False,
    scale_free=True,
    held=("u",),
    math=r"3 \lambda q e^{-\lambda^2 q^2} \left( 1 - \mathrm{IoU} + 1 - e^{-P^2} \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), _U * _APART),
    ),
    floor=1 / 2,
    accuracy=FADES,
    wild=WILD,
    unsure="whether the paper holds the attention constant; the released code does not (`powerful_iou2_released`)",
)
def powerful_iou2(p: Pair, *, lam: float = 1.3) -> Array:
    """Powerful-IoU times an attention to pairs of medium quality, which is held constant; smaller is better, in [0, 1.8679).

    q = exp(-P);  u = 3 lam q exp(-(lam q)^2), held constant;  loss = u (jaccard + 1 - exp(-P^2)), P as in `powerful_iou`

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and so do, in the limit, boxes far apart: from a shift of 1.9 widths on the value falls with the distance.
    Gradient: that of `powerful_iou` times u, which pulls towards the target at any distance, though the value may grow on the way.
    Raises `ParameterError` where lam is not a finite number > 0.
    """
    distance, penalty = powerful_iou.function(p)
    return hold(_attention("powerful_iou2", p, lam)) * (distance + penalty)


@formula(
    title="Powerful-IoU loss, version 2, as released",
    paper=PAPER + "; the authors' code",
    bounds="[0, 1.8679)",
    symmetric=False,
    scale_free=True,
    math=r"3 \lambda q e^{-\lambda^2 q^2} \left( 1 - \mathrm{IoU} + 1 - e^{-P^2} \right)",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), _U * _APART),
    ),
    floor=1 / 2,
    accuracy=FADES,
    wild=(*WILD, "It pushes boxes apart: its value has a maximum at P = 0.943, a shift of 1.89 widths, and falls to 0 beyond."),
)
def powerful_iou2_released(p: Pair, *, lam: float = 1.3) -> Array:
    """Powerful-IoU, version 2, with the attention's own gradient, as the authors' code has it; smaller is better, in [0, 1.8679).

    loss = as `powerful_iou2`, with nothing held

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and so do, in the limit, boxes far apart.
    Gradient: repulsive beyond P = 0.943 (equal boxes that are 1.89 widths apart): a step of descent moves the prediction away from its target.
    Raises `ParameterError` where lam is not a finite number > 0.
    """
    distance, penalty = powerful_iou.function(p)
    return _attention("powerful_iou2_released", p, lam) * (distance + penalty)
