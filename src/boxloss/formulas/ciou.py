"""Complete IoU: the conference paper's, and the journal's with its gate."""

import math

from boxloss.formulas.diou import diou
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, hold, ratio, where
from boxloss.pair import Pair

# (0, 0, 4, 1) against (0, 0, 1, 4): overlap 1, union 7, centres (1.5, 1.5) apart, hull 4 x 4.
_CROSS_V = 4 / math.pi**2 * (math.atan(4) - math.atan(1 / 4)) ** 2
_CROSS_DIOU = 6 / 7 + 4.5 / 32


def _aspect(p: Pair) -> Array:
    return 4 / math.pi**2 * (p.aspect_angle * p.aspect_angle)


@formula(
    title="Complete IoU loss",
    paper="Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, eq. 8 to 11",
    bounds="[0, 2.5)",
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # one aspect: DIoU
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_DIOU + _CROSS_V**2 / (6 / 7 + _CROSS_V)),
    ),
)
def ciou(p: Pair) -> Terms:
    """1 - CIoU: DIoU's loss plus a cost for another aspect ratio; smaller is better, in [0, 2.5).

    v = 4 / pi^2 aspect_angle^2;  alpha = v / (jaccard + v), held constant in the gradient;  loss = jaccard + offset2 / hull_diagonal2 + alpha v

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. A point has no aspect ratio: v = 0. A line has one, as the limit of thin boxes.
    Gradient: the exact derivative of v, with its factor 1 / (w^2 + h^2), which the authors' code drops; alpha held, as the paper has it.
    Boxes of one aspect and one centre but different size differ by 1 - IoU alone.
    """
    v = _aspect(p)
    alpha = hold(ratio(v, p.jaccard + v))
    return *diou.function(p), alpha * v


@formula(
    title="Complete IoU loss, gated",
    paper="Zheng et al., Enhancing Geometric Factors, IEEE Trans. Cybernetics 2021, arXiv:2005.03572, eq. 12",
    bounds="[0, 2]",
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_DIOU),  # IoU 1/7: the gate is shut
    ),
)
def ciou_gated(p: Pair) -> Terms:
    """1 - CIoU with the aspect term only where IoU is above 0.5; smaller is better, in [0, 2].

    loss = jaccard + offset2 / hull_diagonal2 + alpha v, with alpha as in `ciou` where IoU > 0.5, else 0

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    The value jumps where IoU passes 0.5, by up to the aspect term there. Gradient: as `ciou`'s above the gate, `diou`'s below.
    """
    v = _aspect(p)
    alpha = hold(where(p.jaccard < 0.5, ratio(v, p.jaccard + v), 0.0))
    return *diou.function(p), alpha * v
