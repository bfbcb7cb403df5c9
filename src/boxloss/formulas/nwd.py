"""Distances that fade as an exponential: NWD and DotD, for tiny objects."""

import functools
import math

from boxloss.formulas.coordinates import Ways, check_positive
from boxloss.formulas.record import formula
from boxloss.ops import Array, absolute, constant, exp, expm1, largest, maximum, norm, where, with_slope
from boxloss.pair import Pair
from boxloss.pair.ways import double_offsets


def _x(ways: Ways, length: float) -> Array:
    """The length of the vector `ways` over a constant."""
    # A short length makes more of the ways: of those that are subnormal, by a power of two first, that they keep their digits.
    inside = 2.0 ** (1 - min(math.frexp(length)[1], 1))
    # The length of four numbers of the type is up to twice the type's largest: large ones are made smaller.
    size = functools.reduce(maximum, map(absolute, ways))
    large = size > largest(size) * (0.25 / inside)
    factor = where(large, constant(size, 0.25), inside)
    return norm(*(d * factor for d in ways)) * (1.0 / (length * inside)) * where(large, constant(size, 4.0 * inside), 1.0)


def complement_of_exp(x: Array) -> Array:
    """1 - exp(-x) for x >= 0."""
    # The slope is exp(-x), as a square, which goes on where `exp` stops: below the type's smallest normal number.
    half = exp(x * -0.5)
    return with_slope(-expm1(-x), -(half * half))


def _similarity(x: Array) -> Array:
    half = exp(x * -0.5)
    return half * half


def _nwd_x(p: Pair, length: float) -> Array:
    # The paper has dx^2 + dy^2 + (dw^2 + dh^2) / 4. With left = dx - dw / 2 and right = dx + dw / 2, left^2 + right^2 = 2 dx^2 + dw^2 / 2; hence it is
    # half of left^2 + top^2 + right^2 + bottom^2.
    check_positive("nwd", "constant", length)
    return _x(p.edges, math.sqrt(2) * length)


def _nwd_similarity(p: Pair, *, constant: float = 12.8) -> Array:
    return _similarity(_nwd_x(p, constant))


@formula(
    title="Normalized Gaussian Wasserstein distance loss",
    paper="Wang et al., A Normalized Gaussian Wasserstein Distance for Tiny Object Detection, 2021, arXiv:2110.13389",
    bounds="[0, 1)",
    symmetric=True,
    scale_free=False,
    coordinates=True,
    similarity=_nwd_similarity,
    gradient_roundoffs=2048,
    accuracy="A slope has the factor exp(-x), x the distance over the constant, and is off by x times what x is: 4 x roundoffs, and x is up to 100 "
    "in float32 and 700 in float64.",
    math=r"1 - \exp \left( - \frac{1}{C} \sqrt{\rho^2 + \frac{(w - w^g)^2 + (h - h^g)^2}{4}} \right)",
    metric=True,  # 1 - exp(-d / C) is 0 at 0, increasing and concave, and d is a metric: it is a norm of the edges' differences
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 8, 8), (8, 0, 16, 8), 1 - math.exp(-8 / 12.8)),  # centres 8 apart: similarity 0.535
        ((0, 0, 8, 8), (1, 0, 9, 8), 1 - math.exp(-1 / 12.8)),  # centres 1 apart: similarity 0.925
        ((0, 0, 8, 8), (0, 0, 16, 8), 1 - math.exp(-math.sqrt(32) / 12.8)),  # centres 4 apart, widths 8: 16 + 64 / 4
    ),
    wild=(
        "The constant is the data's, in pixels: other data, another size of the input or coordinates in [0, 1] need another one. Forks have 12.7, 2.5.",
        "An eps under the root makes a box's similarity with itself 0.99998 in released code, and 1 is never reached.",
        "The squared distance is half the sum of the squared differences of the four edges: NWD is exp(-sqrt(L2) / C), a function of the L2 loss alone.",
        "It is not scale free, by design: the same shift costs a large box as much as a small one.",
    ),
    unsure="That 12.8 is the mean size of AI-TOD's objects; the equations' numbers.",
)
def nwd(p: Pair, *, constant: float = 12.8) -> Array:
    """1 - NWD: a distance of the two boxes' Gaussians that fades over the length `constant`; smaller is better, in [0, 1).

    loss = 1 - exp(-distance / constant), distance = sqrt(offset2 + (dw^2 + dh^2) / 4) = sqrt((left^2 + top^2 + right^2 + bottom^2) / 2)

    So the distance is the root of the `l2` loss: the Gaussians (centre; half the sides as deviations) put nothing in that L2 of the four edges has not.

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). Not scale free: `constant` is a length in the boxes' unit, in the authors' code 12.8 pixels.
    Boxes of any four numbers have a distance, so points, lines and inverted boxes need no rule.
    Gradient: along the difference of the edges, of length about 1 / constant near a match, however near, and fading with the distance. 0 at a match.
    Raises `ParameterError` where the constant is not positive and finite.
    """
    return complement_of_exp(_nwd_x(p, constant))


def _dotd_x(p: Pair, size: float) -> Array:
    check_positive("dotd", "size", size)
    return _x(double_offsets(p), 2.0 * size)


def _dotd_similarity(p: Pair, *, size: float = 12.8) -> Array:
    return _similarity(_dotd_x(p, size))


@formula(
    title="Dot distance loss",
    paper="Xu et al., Dot Distance for Tiny Object Detection in Aerial Images, CVPR Workshops 2021",
    bounds="[0, 1)",
    symmetric=True,
    scale_free=False,
    similarity=_dotd_similarity,
    gradient_roundoffs=2048,
    accuracy="A slope has the factor exp(-x), x the distance over the constant, and is off by x times what x is: 4 x roundoffs, and x is up to 100 "
    "in float32 and 700 in float64.",
    math=r"1 - \exp \left( - \frac{\rho}{S} \right)",
    metric=True,  # as `nwd`; boxes with one centre are 0 apart, so it is a pseudometric
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.0),  # one centre
        ((0, 0, 8, 8), (3, 4, 11, 12), 1 - math.exp(-5 / 12.8)),  # centres 5 apart
    ),
    wild=("It sees no shape: a box around the target's centre costs 0, whatever its size, and no gradient changes a size.",),
    unsure="The formula and the title; that the size is the root of the mean area of the data set's objects; that 12.8 is AI-TOD's, as it is `nwd`'s.",
)
def dotd(p: Pair, *, size: float = 12.8) -> Array:
    """1 - DotD: the distance of the centres, fading over the length `size`; smaller is better, in [0, 1).

    loss = 1 - exp(-sqrt(offset2) / size)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). Not scale free: `size`, a length, is the root of the mean area of the data's objects.
    A way to assign, rather than a loss to train with: boxes of one centre cost 0, whatever their sizes.
    Gradient: pulls the centre with a force of about 1 / size near a match, which fades with the distance. None on the sizes.
    Raises `ParameterError` where the size is not positive and finite.
    """
    return complement_of_exp(_dotd_x(p, size))
