"""Control distance IoU."""

from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, norm, ratio
from boxloss.pair import Pair


@formula(
    title="Control distance IoU loss",
    paper="Chen & Miao, Control Distance IoU and Control Distance IoU Loss Function for Better Bounding Box Regression, 2021, arXiv:2103.11696",
    bounds="[0, 2]",  # two different points: IoU 0, and all four corners a diagonal apart
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{d_1 + d_2 + d_3 + d_4}{4 c}",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 3, 4), (12, 12, 15, 16), 1 + 288**0.5 / 481**0.5),  # every corner 12, 12 away; hull 15 x 16
        ((0, 0, 6, 8), (3, 0, 9, 8), 2 / 3 + 3 / 145**0.5),  # overlap 24, union 72; every corner 3 away, hull 9 x 8
    ),
    wild=(
        "In the released code the distance term, 0.001 times, is a function of anchors and encoded targets alone (atss_core's loss.py): it has no gradient "
        "at all, and trains nothing.",
        "The same code has (I + 1) / (U + 1) for IoU, copied from FCOS: harmless in pixels, useless in coordinates from 0 to 1.",
    ),
    unsure="The term and its weight of 1 are from memory of the paper; the released code says neither, since its term does nothing.",
)
def cdiou(p: Pair) -> Terms:
    """1 - IoU plus the mean distance of the boxes' four corners over the diagonal of the hull; smaller is better, in [0, 2].

    loss = jaccard + (the distances of the top left, top right, bottom left and bottom right corners) / (4 sqrt(hull_diagonal2))

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    A point against itself costs 0, and 2 is reached by two points alone.
    Gradient: pulls every corner at any distance, and as hard near a match as far from it, with a kink there; 0 for a corner that is right. Nothing is held.
    """
    return p.jaccard, ratio(_corners(p), norm(p.x.hull, p.y.hull))


def _corners(p: Pair) -> Array:
    """The mean distance of the corners."""
    x, y = p.x, p.y
    # Exchanging x and y exchanges the two corners of the second sum.
    along = norm(x.low_way, y.low_way) + norm(x.high_way, y.high_way)
    across = norm(x.high_way, y.low_way) + norm(x.low_way, y.high_way)
    return (along + across) * 0.25
