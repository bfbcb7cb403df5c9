"""Efficient IoU, and its focal form."""

from boxloss.formulas.diou import diou
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, ratio
from boxloss.pair import Pair
from boxloss.pair.axis import Axis


@formula(
    title="Efficient IoU loss",
    paper="Zhang et al., Focal and Efficient IOU Loss, Neurocomputing 2022, arXiv:2101.08158",
    bounds="[0, 3.25]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2} + \frac{(w - w^g)^2}{w_c^2} + \frac{(h - h^g)^2}{h_c^2}",
    aliases=("eiou",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # equal boxes: DIoU
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75 + 0.25 + 0.25),  # sides differ by half the hull's
    ),
    wild=("mmdet's `EIoULoss` is another loss, Extended IoU (`extended_iou`).",),
)
def efficient_iou(p: Pair) -> Terms:
    """1 - EIoU: DIoU's loss plus the squared differences of width and of height over the hull's; smaller is better, in [0, 3.25].

    loss = jaccard + offset2 / hull_diagonal2 + (x.side_difference / x.hull)^2 + (y.side_difference / y.hull)^2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    The most, 3.25, is a point in a corner of a box.
    Gradient: pulls centres and sides at any distance; nothing is held. Apart, part of the pull enlarges the box.
    """
    return *diou.function(p), p.sum_over_axes(_side_cost)


def _side_cost(axis: Axis) -> Array:
    share = ratio(axis.side_difference, axis.hull)
    return share * share
