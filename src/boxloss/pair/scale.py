"""A pair's unit of length: a power of two near the size of its hull, so that no product of lengths over- or underflows."""

import functools

from boxloss.ops import Array, constant, exponents, hold, maximum, minimum, power_of_two, where, with_slope
from boxloss.pair.axis import extent


def rescale(a: tuple[Array, ...], b: tuple[Array, ...]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The coordinates of both boxes, lower ends and then upper ones, over a power of two, so that the hull's longest side is in [1, 8).

    The factor is exact and the same for both boxes, so whatever depends on ratios of lengths alone is unchanged to the bit.
    Its derivative is the factor itself, up to 2^120 (float32; 2^1016 in float64): beyond that, which takes boxes of subnormal size,
    the true gradient (1 / side) is not a number of the type, and the largest power that keeps it finite stands in.
    """
    n = len(a) // 2
    size = hold(functools.reduce(maximum, [extent(a[k], a[k + n], b[k], b[k + n]) for k in range(n)]))
    smallest, largest = exponents(size)
    # Coordinates up to the type's maximum may be up to twice that apart: the hull is then that many times the scale, which is why it is "below 8".
    size = minimum(size, constant(size, 2.0 ** (largest - 1)))
    # Subnormal sizes have no exponent of their own: lift them first, by a power of two. 1 / 2^k is then a normal number, also when subnormals are flushed.
    # A size of 0 is left alone: one point twice, maybe at large coordinates, which a lift would overflow.
    lift = where((size < 2.0 ** (smallest + 26)) & (size > 0), constant(size, 2.0 ** -(smallest + 26)), 1.0)
    unit = power_of_two(size * lift)
    factor = 1.0 / where(unit == 0, constant(unit, 1.0), unit)
    slope = where(lift > 1, minimum(factor, constant(factor, 2.0**20)), factor)

    def scaled(x: Array) -> Array:
        lifted = x * lift
        return with_slope(lifted * factor, lifted * slope)

    return tuple(scaled(x) for x in a), tuple(scaled(x) for x in b)
