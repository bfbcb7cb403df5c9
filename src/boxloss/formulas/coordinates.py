"""The losses before IoU: they compare the two boxes' four coordinates one by one."""

from boxloss.errors import ParameterError
from boxloss.formulas.record import formula
from boxloss.ops import Array, absolute, constant, hold, largest, where, with_slope
from boxloss.pair import Pair


def _sign(d: Array) -> Array:
    return where(d > 0, constant(d, 1.0), where(d < 0, constant(d, -1.0), 0.0))


def _sum(terms: tuple[Array, ...], slopes: tuple[Array, ...], edges: tuple[Array, ...]) -> Array:
    """The sum of the four terms; where that is beyond the type's largest number it stays there, and the gradient goes on with the `slopes`."""
    left, top, right, bottom = terms
    total = (left + top) + (right + bottom)
    most = constant(total, largest(total))
    # The derivative of the terms, which overflow has not touched.
    carrier = sum(with_slope(constant(d, 0.0), d) * hold(slope) for d, slope in zip(edges, slopes, strict=True))
    return where(total > most, with_slope(most, carrier), total)


@formula(
    title="L1 loss",
    paper="The sum of absolute differences",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 6.0),
    ),
)
def l1(p: Pair) -> Array:
    """The sum of the absolute differences of left, top, right and bottom; smaller is better, in [0, inf).

    loss = |left| + |top| + |right| + |bottom|

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, so it grows with the picture.
    Gradient: 1 or -1 in each coordinate that differs, 0 in one that agrees. Overlap plays no part.
    """
    return _sum(tuple(absolute(d) for d in p.edges), tuple(_sign(d) for d in p.edges), p.edges)


@formula(
    title="L2 loss",
    paper="Half the sum of squared differences",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (1, -2, 13, 10), 7.0),
    ),
)
def l2(p: Pair) -> Array:
    """Half the sum of the squared differences of left, top, right and bottom; smaller is better, in [0, inf).

    loss = (left^2 + top^2 + right^2 + bottom^2) / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the square of the boxes' unit.
    Gradient: the difference itself, so large boxes and outliers rule, and it fades at the match.
    A value that its type cannot hold (differences beyond 1e19 in float32) stays at the largest number of the type; the gradient stays right.
    """
    return _sum(tuple(d * (d * 0.5) for d in p.edges), p.edges, p.edges)


@formula(
    title="Smooth L1 loss",
    paper="Girshick, Fast R-CNN, ICCV 2015, arXiv:1504.08083, eq. 3 (beta = 1); beta as in Ren et al., Faster R-CNN, arXiv:1506.01497",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (0.5, -2, 13, 10), 0.125 + 1.5 + 2.5),
    ),
)
def smooth_l1(p: Pair, *, beta: float = 1.0) -> Array:
    """Squared near 0, absolute beyond `beta`, summed over left, top, right and bottom; smaller is better, in [0, inf).

    loss = sum of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). In the boxes' unit, as `beta` is. beta = 0 is L1.
    Gradient: d / beta near 0, then 1 or -1. Not Huber's loss, which is beta times this.
    Raises `ParameterError` where beta is negative or not finite.
    """
    if not 0 <= beta < float("inf"):
        raise ParameterError(f"smooth_l1: beta is {beta}, expected a finite number >= 0, in the boxes' unit")
    if beta == 0:
        return l1.function(p)

    def smooth(d: Array) -> Array:
        size = absolute(d)
        near = size < beta
        # Divided before it is squared: d^2 would underflow for coordinates below 1e-19, and the quotient is at most 1.
        inside = where(near, d, 0.0)
        return where(near, (inside / beta) * inside * 0.5, size - beta * 0.5)

    return _sum(tuple(smooth(d) for d in p.edges), tuple(_sign(d) for d in p.edges), p.edges)
