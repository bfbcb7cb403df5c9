"""The losses of the overlap alone: they have no gradient where the boxes do not overlap."""

import math

from boxloss.formulas.modify import NO_OVERLAP, complement_of_power, minus_log_iou
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array
from boxloss.pair import Pair


@formula(
    title="IoU loss (linear)",
    paper="Jaccard distance; as a box loss in Yu et al., UnitBox, ACM MM 2016, arXiv:1608.01471, and Rezatofighi et al., CVPR 2019, arXiv:1902.09630",
    bounds="[0, 1]",
    symmetric=True,
    scale_free=True,
    similarity=lambda p: p.iou,
    math=r"1 - \mathrm{IoU} = 1 - \frac{I}{U}",
    metric=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 2, 1), (1, 0, 3, 1), 2 / 3),  # overlap 1, union 3
        ((0, 0, 4, 4), (0, 0, 2, 2), 0.75),  # nested: 4 of 16
        ((0, 0, 1, 1), (1, 0, 2, 1), 1.0),  # touching
    ),
)
def iou(p: Pair) -> Terms:
    """1 - IoU: the share of the union that only one of the boxes covers; smaller is better, in [0, 1].

    loss = jaccard = 1 - overlap / union

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes, points and lines included, cost 0; without overlap it is 1, and so it is for two different boxes without area.
    Gradient: 0 without overlap; half of the one-sided gradient where edges coincide; about 2 / width for a small shift, and it does not
    fade towards the match.
    A metric: the triangle inequality holds.
    """
    return (p.jaccard,)


@formula(
    title="IoU loss (logarithmic)",
    paper="Yu et al., UnitBox: An Advanced Object Detection Network, ACM MM 2016, arXiv:1608.01471",
    bounds="[0, 87.33654475055312]",  # 126 ln 2
    symmetric=True,
    scale_free=True,
    math=r"-\ln \mathrm{IoU}",
    aliases=("unitbox",),
    metric=False,
    wild=(
        "FCOS and ATSS count (I + 1) / (U + 1): harmless in pixels, of no use in coordinates from 0 to 1, where IoU 0.5 at a side of 0.05 reads 0.9988.",
        "mmdet clamps IoU at 1e-6 before the logarithm: without overlap the loss is 13.8, with no gradient.",
    ),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 4), (0, 0, 2, 4), math.log(2)),
        ((0, 0, 1, 1), (5, 0, 6, 1), NO_OVERLAP),
    ),
)
def iou_log(p: Pair) -> Array:
    """-ln IoU, UnitBox's loss; smaller is better, in [0, 126 ln 2].

    loss = -ln(1 - jaccard)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. Without overlap the logarithm has no value: there, and where IoU is below 2^-126, the loss is 126 ln 2 = 87.3.
    Gradient: that of 1 - IoU over IoU, so it grows without limit as the overlap vanishes, and is 0 without overlap.
    """
    return minus_log_iou(p)


@formula(
    title="Squared IoU loss",
    paper="1 - IoU^2, in use since YOLOX, arXiv:2107.08430; alpha-IoU with alpha = 2: He et al., NeurIPS 2021, arXiv:2110.13675",
    bounds="[0, 1]",
    symmetric=True,
    scale_free=True,
    similarity=lambda p: p.iou * p.iou,
    math=r"1 - \mathrm{IoU}^2",
    metric=True,  # 2 d - d^2 of the metric d = 1 - IoU: rising and concave on [0, 1]
    wild=(
        'YOLOX calls it `iou`: its `loss_type="iou"` is 1 - IoU^2. PaddleDetection\'s `IouLoss` has it as `loss_square=True`.',
        "Its slope at the match is twice that of 1 - IoU: beside plain IoU it is also a change of the loss's weight.",
    ),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 2, 1), (1, 0, 3, 1), 8 / 9),
        ((0, 0, 4, 4), (0, 0, 2, 2), 15 / 16),
    ),
)
def iou_squared(p: Pair) -> Array:
    """1 - IoU^2; smaller is better, in [0, 1].

    loss = 1 - iou^2 = jaccard (1 + iou)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0; without overlap it is 1. Gradient: 2 IoU times that of 1 - IoU: twice as steep at a match, flat where IoU is small.
    """
    return complement_of_power(p.jaccard, p.iou, 2)
