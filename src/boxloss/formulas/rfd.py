"""RFD: the Kullback-Leibler divergence of two boxes' Gaussians, as RFLA assigns by it."""

import math

from boxloss.formulas.record import formula
from boxloss.ops import Array, constant, exponents, log, maximum, minimum, ratio, where, x_less_log1p
from boxloss.pair import Pair
from boxloss.pair.axis import Axis

FARTHEST = 2.0**30
"""Quotients are cut here: the loss of their squares is 1 to the last digit of any type."""


@formula(
    title="Receptive field distance loss",
    paper="Xu et al., RFLA: Gaussian Receptive Field based Label Assignment for Tiny Object Detection, ECCV 2022, arXiv:2208.08738",
    bounds="[0, 1]",  # 1 where one of the two has no width or height and the other has
    symmetric=False,
    scale_free=True,
    math=r"1 - \frac{1}{1 + K}, \quad K = \frac{1}{2} \left( \frac{(w^g)^2 + 4 (x - x^g)^2}{w^2} + \frac{(h^g)^2 + 4 (y - y^g)^2}{h^2} + "
    r"\ln \frac{w^2 h^2}{(w^g)^2 (h^g)^2} - 2 \right)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 4), (2, 0, 6, 4), 1 / 3),  # K = 4 * 2^2 / 4^2 / 2 = 1/2
        ((1, 0, 3, 2), (0, 0, 4, 2), (1.5 - math.log(2)) / (2.5 - math.log(2))),  # twice as wide: K = (4 - 1 - ln 4) / 2
    ),
    wild=(
        "Made to assign anchors to tiny objects, not to train boxes: its authors' README says that the code is unsuited for generic object detection.",
        "The code has other forms beside 1 / (1 + K): 1 / (10 + K), exp(-K / 10), and 1 / (1 + W) with W the squared Wasserstein distance.",
        "The divergence is not symmetric: with prediction and target exchanged it is another loss.",
    ),
    unsure="Which of the two boxes is the receptive field, whose sides divide: here the first, the prediction. The equations' numbers.",
)
def rfd(p: Pair) -> Array:
    """1 - RFD: K / (1 + K), K the divergence of the target's Gaussian from the prediction's; smaller is better, in [0, 1].

    K = (w_t^2 + 4 dx^2) / (2 w^2) + (h_t^2 + 4 dy^2) / (2 h^2) + ln(w h / (w_t h_t)) - 1, with w and h the prediction's, w_t and h_t the target's
    loss = K / (1 + K)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Not symmetric: the sides of the first box, the receptive field, divide. Where one of the two has no extent along an axis, and the other has or lies
    elsewhere, K is infinite and the loss 1; two that agree along an axis cost nothing there, points and lines included.
    Gradient: fades at the match, like L2's, and far away; it pulls centre and sides at any distance. Far away it enlarges the prediction, whose width divides.
    """
    k, infinite = _divergence(p)
    # 1 - 1 / (1 + K) where K is large, for its derivative: that of K / (1 + K) is a difference that cancels there.
    similarity = 1.0 / (1.0 + k)
    return where(infinite, constant(k, 1.0), where(k < 1.0, k * similarity, 1.0 - similarity))


def _divergence(p: Pair) -> tuple[Array, Array]:
    """K, and where it is infinite."""
    flat = [_flat(axis) for axis in p.axes]
    infinite = flat[0]
    for one in flat[1:]:
        infinite = infinite | one
    return p.sum_over_axes(_along) * 0.5, infinite


def _flat(axis: Axis) -> Array:
    a_none, b_none = axis.a_side == 0, axis.b_side == 0
    return (a_none & ~(b_none & (axis.double_offset == 0))) | (b_none & ~a_none)


def _along(axis: Axis) -> Array:
    """Twice an axis's part of K: (w_t^2 + 4 dx^2) / w^2 - 1 - ln(w_t^2 / w^2)."""
    # With r = w_t / w and y = r - 1, r^2 - 1 - 2 ln r = y^2 + 2 (y - ln(1 + y)), and neither part is negative.
    y, offset = _within(ratio(axis.side_difference, axis.a_side)), _within(ratio(axis.double_offset, axis.a_side))
    near = (y >= -0.5) & (y <= 1.0)
    smallest, _ = exponents(y)
    # A normal number, for the logarithm.
    quotient = maximum(where(near, constant(y, 1.0), ratio(axis.b_side, axis.a_side)), constant(y, 2.0**smallest))
    rest = where(near, x_less_log1p(where(near, y, 0.0)), y - log(minimum(quotient, constant(y, FARTHEST))))
    return (y * y + 2.0 * rest) + offset * offset


def _within(x: Array) -> Array:
    return maximum(minimum(x, constant(x, FARTHEST)), constant(x, -FARTHEST))
