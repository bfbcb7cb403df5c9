"""Distance IoU."""

from boxloss.formulas.record import Terms, formula
from boxloss.ops import ratio
from boxloss.pair import Pair


@formula(
    title="Distance IoU loss",
    paper="Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, eq. 7",
    bounds="[0, 2]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2}",
    metric=False,
    wild=(
        "Apart, the pull is weak, for the diagonal grows with the distance: 0.104 for unit boxes 3 widths apart. Wise-IoU, which holds the diagonal, has 0.6.",
    ),
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # centres 2 apart, diagonal^2 = 9 + 1
        ((0, 0, 2, 2), (1, 1, 3, 3), 6 / 7 + 1 / 9),  # offset^2 = 2, diagonal^2 = 18
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.75),  # one centre: 1 - IoU
    ),
)
def diou(p: Pair) -> Terms:
    """1 - DIoU: 1 - IoU plus the squared distance of the centres over the squared diagonal of the hull; smaller is better, in [0, 2].

    loss = jaccard + offset2 / hull_diagonal2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, points and lines included, and 2 is reached by two points alone. With one centre it is 1 - IoU, whatever the shapes.
    Gradient: pulls the centres together at any distance, weakly when far, since the diagonal grows with the distance.
    """
    return p.jaccard, ratio(p.offset2, p.hull_diagonal2)
