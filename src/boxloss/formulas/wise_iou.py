"""Wise-IoU, version 1. Versions 2 and 3 remember a running mean: they are modules, not formulas."""

from math import e, exp

from boxloss.formulas.modify import attention
from boxloss.formulas.record import formula
from boxloss.ops import Array
from boxloss.pair import Pair


@formula(
    title="Wise-IoU loss, version 1",
    paper="Tong, Chen, Xu, Yu, Wise-IoU: Bounding Box Regression Loss with Dynamic Focusing Mechanism, arXiv:2301.10051",
    bounds=f"[0, {e}]",  # two points alone
    symmetric=True,
    scale_free=True,
    held=("c^2",),
    math=r"\exp \left( \frac{\rho^2}{c^2} \right) \left( 1 - \mathrm{IoU} \right)",
    aliases=("wiou",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), exp(0.4)),  # centres 2 apart, diagonal^2 = 9 + 1
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75),  # one centre: 1 - IoU
    ),
    wild=("The authors' code has a baseline that it calls EIoU, whose penalty is that of the centres' offsets and not of the sides.",),
)
def wise_iou(p: Pair) -> Array:
    """1 - IoU times e to the squared distance of the centres over the hull's squared diagonal; smaller is better, in [0, 2.718281828459045].

    loss = exp(offset2 / hull_diagonal2) jaccard, the diagonal held constant

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0; e is reached by two points alone. With one centre it is 1 - IoU.
    Gradient: apart, it pulls the centres together; the diagonal is held, so that nothing is gained by a larger box.
    """
    return attention(p) * p.jaccard
