"""The coordinate losses on the boxes' centre and size rather than on their edges.

Differences of centre and size, dx = (left + right) / 2 and dw = right - left, may be far smaller than the edges' differences that they are made of, and are
held against beta or 0; hence `boxloss.pair.ways`.
"""

from boxloss.formulas.coordinates import absolute_sum, half_square_sum, smooth_sum
from boxloss.formulas.record import formula
from boxloss.ops import Array
from boxloss.pair import Pair
from boxloss.pair.ways import centre_and_size


@formula(
    title="L1 loss of centre and size",
    paper="Carion et al., End-to-End Object Detection with Transformers (DETR), ECCV 2020, arXiv:2005.12872",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\left| x - x^g \right| + \left| y - y^g \right| + \left| w - w^g \right| + \left| h - h^g \right|",
    metric=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 2 + 1 + 2 + 2),  # centres (5, 5) and (7, 4), sizes (10, 10) and (12, 12)
    ),
    wild=("L1 of the corners (`l1`) is another loss: along x the larger of 2 |dx| and |dw|, where this one is their mixed sum |dx| + |dw|.",),
    unsure="That DETR takes it of coordinates over the picture's size, with weight 5 beside 2 times GIoU.",
)
def l1_cxcywh(p: Pair) -> Array:
    """The sum of the absolute differences of the centre's two coordinates, width and height; smaller is better, in [0, inf).

    loss = |dx| + |dy| + |dw| + |dh|

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, so it grows with the picture.
    Gradient: along centre and size 1 or -1, 0 where they agree. Along an edge 1.5 or 0.5: the half of the centre's and the whole of the size's.
    """
    return absolute_sum(centre_and_size(p))


@formula(
    title="L2 loss of centre and size",
    paper="Half the sum of squared differences",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\frac{1}{2} \left( (x - x^g)^2 + (y - y^g)^2 + (w - w^g)^2 + (h - h^g)^2 \right)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), (4 + 1 + 4 + 4) / 2),  # centres (5, 5) and (7, 4), sizes (10, 10) and (12, 12)
    ),
    wild=("L2 of the corners (`l2`) is another loss: dx^2 + dw^2 / 4 along x, where this one is dx^2 / 2 + dw^2 / 2.",),
)
def l2_cxcywh(p: Pair) -> Array:
    """Half the sum of the squared differences of the centre's two coordinates, width and height; smaller is better, in [0, inf).

    loss = (dx^2 + dy^2 + dw^2 + dh^2) / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the square of the boxes' unit.
    Gradient: along centre and size the difference itself.
    """
    return half_square_sum(centre_and_size(p))


@formula(
    title="Smooth L1 loss of centre and size",
    paper="Girshick, Fast R-CNN, ICCV 2015, arXiv:1504.08083, eq. 3, on centre and size",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    math=r"\sum_d s(d), \quad s(d) = \frac{d^2}{2 \beta} \;\; (|d| < \beta), \quad |d| - \frac{\beta}{2} \;\; (|d| \geq \beta)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 7 - 4 / 18),  # all four differences are above beta = 1/9
    ),
    unsure="That beta = 1/9 is the RPN's of Faster R-CNN (written sigma = 3, beta = 1 / sigma^2).",
)
def smooth_l1_cxcywh(p: Pair, *, beta: float = 1 / 9) -> Array:
    """Squared near 0, absolute beyond `beta`, summed over the centre's two coordinates, width and height; smaller is better, in [0, inf).

    loss = sum of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, as `beta` is. beta = 0 is L1 of centre and size.
    Detectors take it of centre and size after encoding (offsets over the anchor's size, logarithms of sizes); this is on the boxes as they are.
    Gradient: along centre and size d / beta near 0, then 1 or -1.
    Raises `ParameterError` where beta is negative or not finite.
    """
    return smooth_sum("smooth_l1_cxcywh", centre_and_size(p), beta)
