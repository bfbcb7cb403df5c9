"""Generalised IoU."""

from boxloss.formulas.record import Terms, formula
from boxloss.ops import ratio
from boxloss.pair import Pair


@formula(
    title="Generalised IoU loss",
    paper="Rezatofighi et al., Generalized Intersection over Union, CVPR 2019, arXiv:1902.09630, algorithm 2",
    bounds="[0, 2]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{C - U}{C}",
    wild=(
        "The authors' darknet code (`dx_box_iou` in src/box.c) takes an overlap that is not clamped where boxes are apart.",
        "It had no chain rule through exp and sigmoid either: generalized-iou/g-darknet issue 19, where mending it is reported to bring 3 points.",
        "Weights differ: the authors' darknet multiplies it by 0.5 (`iou_normalizer`).",
    ),
    unsure="Whether the paper says that 1 - GIoU is a metric, as generalized-iou/g-darknet issue 11, which asks for the proof, has it.",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 4 / 3),  # hull 3, a third of it wasted
        ((0, 0, 2, 2), (1, 1, 3, 3), 6 / 7 + 2 / 9),  # hull 9, union 7
        ((0, 0, 4, 4), (1, 1, 2, 2), 15 / 16),  # nested: nothing wasted, GIoU is IoU
    ),
)
def giou(p: Pair) -> Terms:
    """1 - GIoU: 1 - IoU plus the share of the hull that the union leaves empty; smaller is better, in [0, 2].

    loss = jaccard + waste / hull

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and 2 is reached by two points alone. A hull without area wastes nothing. A box inside the other leaves no waste:
    there it is 1 - IoU.
    Gradient: everywhere but in nested pairs it has a part beyond IoU's. Apart, it pulls, and enlarges the box towards the target
    rather than moving it.
    """
    return p.jaccard, ratio(p.waste, p.hull)
