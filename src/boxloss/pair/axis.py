"""One axis of a pair of boxes: two intervals. Coordinates are subtracted here and nowhere else.

Every quantity is a difference of two coordinates, rounded once, or a sum of such differences that are not negative: nothing cancels.
"""

from boxloss.ops import Array, maximum, minimum, positive, where
from boxloss.pair.quantity import quantity


class Axis:
    """The intervals [a_low, a_high] and [b_low, b_high].

    An inverted interval (high < low) counts as the point in its middle; `inversion` is what it costs. See docs/decisions/inverted-boxes.md.
    """

    def __init__(self, a_low: Array, a_high: Array, b_low: Array, b_high: Array, prefix: str = "", upright: bool = False):
        self.prefix = prefix
        self.raw = a_low, a_high, b_low, b_high
        self.a_low, self.a_high = (a_low, a_high) if upright else _upright(a_low, a_high)
        self.b_low, self.b_high = (b_low, b_high) if upright else _upright(b_low, b_high)

    @quantity
    def inversion(self) -> tuple[Array, Array]:
        """How far each of the two is inverted: low - high where that is positive, else 0."""
        a_low, a_high, b_low, b_high = self.raw
        return positive(a_low - a_high), positive(b_low - b_high)

    @quantity
    def a_side(self) -> Array:
        return self.a_high - self.a_low

    @quantity
    def b_side(self) -> Array:
        return self.b_high - self.b_low

    @quantity
    def overlap(self) -> Array:
        return positive(minimum(self.a_high, self.b_high) - maximum(self.a_low, self.b_low))

    @quantity
    def gap(self) -> Array:
        return positive(maximum(self.a_low, self.b_low) - minimum(self.a_high, self.b_high))

    @quantity
    def hull(self) -> Array:
        return maximum(self.a_high, self.b_high) - minimum(self.a_low, self.b_low)

    @quantity
    def a_excess(self) -> Array:
        """The part of a outside b: a's side minus the overlap, as what sticks out below plus what sticks out above."""
        return _excess(self.a_low, self.a_high, self.b_low, self.b_high)

    @quantity
    def b_excess(self) -> Array:
        return _excess(self.b_low, self.b_high, self.a_low, self.a_high)

    @quantity
    def span(self) -> Array:
        """The length that the two cover together: the hull without the gap."""
        return (self.a_excess + self.b_excess) + self.overlap

    @quantity
    def double_offset(self) -> Array:
        """Twice the way from a's centre to b's: the sum of the two edges' ways."""
        return (self.b_low - self.a_low) + (self.b_high - self.a_high)


def extent(a_low: Array, a_high: Array, b_low: Array, b_high: Array) -> Array:
    """From the lowest of the four coordinates to the highest, whichever way round an interval is."""
    return maximum(maximum(a_low, a_high), maximum(b_low, b_high)) - minimum(minimum(a_low, a_high), minimum(b_low, b_high))


def _upright(low: Array, high: Array) -> tuple[Array, Array]:
    inverted = high < low
    middle = low * 0.5 + high * 0.5
    return where(inverted, middle, low), where(inverted, middle, high)


def _excess(low: Array, high: Array, other_low: Array, other_high: Array) -> Array:
    # Where the two are apart, one of the terms is the whole side and the other is 0.
    below = positive(minimum(other_low, high) - low)
    above = positive(high - maximum(other_high, low))
    return below + above
