"""Efficient IoU, and its focal form."""

import math

from boxloss.errors import ParameterError
from boxloss.formulas.diou import diou
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, power, ratio
from boxloss.pair import Pair
from boxloss.pair.axis import Axis

_FADES = "`focal_efficient_iou`, which the same paper proposes, is 0 for every disjoint pair; Powerful-IoU's and Wise-IoU's figures have it below plain EIoU."


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
    wild=(
        "mmdet's `EIoULoss` is another loss, Extended IoU (`extended_iou`).",
        "Wise-IoU's repository has an `EIoU` whose penalty is (dx / w_c)^2 + (dy / h_c)^2, the centres' offset in place of the differences of the sides: "
        "rows called EIoU in its tables are probably that loss.",
        _FADES,
        "The authors have released no code.",
    ),
    unsure="The venue and year (Neurocomputing 506, 2022) are from memory; the formula agrees with several ports and has yet to be read in the paper.",
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


@formula(
    title="Focal efficient IoU loss",
    paper="Zhang et al., Focal and Efficient IOU Loss, Neurocomputing 2022, arXiv:2101.08158",
    # 0.81069: a flat box 1 x t and one s x 1 in its corner, s = 0.277, t = 0.319, drawn out along x. A maximum of sqrt(q) (1 - q + 1.25 (1 - s)^2 + (1 - t)^2),
    # q = s t / (s + t - s t), that has no short form.
    bounds="[0, 0.811)",
    symmetric=True,
    scale_free=True,
    math=r"\mathrm{IoU}^{\gamma} \left( 1 - \mathrm{IoU} + \frac{\rho^2}{c^2} + \frac{(w - w^g)^2}{w_c^2} + \frac{(h - h^g)^2}{h_c^2} \right)",
    aliases=("focal_eiou",),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 0.0),  # apart: nothing
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.5 * 1.25),  # IoU 1/4, EIoU's loss 3/4 + 1/4 + 1/4
    ),
    wild=(
        "Disjoint boxes cost 0, as a match does: a prediction is rewarded for leaving its target. "
        "Unit boxes shifted along x cost most, 0.431, at a shift of 0.533.",
        "Unified-IoU's code multiplies by IoU^gamma, detached, and calls it `Focal-inv`; its `Focal` multiplies by 1 - IoU^gamma.",
    ),
    unsure="gamma = 0.5 as the paper's choice is from memory, and so is that IoU^gamma is not held in the gradient.",
)
def focal_efficient_iou(p: Pair, *, gamma: float = 0.5) -> Array:
    """IoU^gamma (1 - EIoU), so that pairs that overlap much count for more; smaller is better, in [0, 0.811).

    loss = iou^gamma (jaccard + offset2 / hull_diagonal2 + (x.side_difference / x.hull)^2 + (y.side_difference / y.hull)^2)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Every disjoint pair costs 0, as a match does. The bound is that of gamma = 0.5; it falls as gamma grows.
    Gradient: 0 for every disjoint pair. Nothing is held: where little overlaps, IoU^gamma's part is larger than EIoU's and pushes the boxes apart.
    Not a sum that begins with 1 - IoU, so it takes no modifiers; EIoU with `focal=gamma` is the same loss and takes the others, too.
    Raises `ParameterError` unless gamma is a finite number above 0.
    """
    if not 0 < gamma < math.inf:
        raise ParameterError(f"focal_efficient_iou: gamma is {gamma}, expected a finite number > 0")
    jaccard, centres, sides = efficient_iou.function(p)
    return power(p.iou, gamma) * (jaccard + centres + sides)
