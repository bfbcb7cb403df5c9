"""One axis of a pair of boxes: two intervals. Coordinates are subtracted here and nowhere else.

Every quantity is a difference of two coordinates, rounded once, or a sum of such differences that are not negative: nothing cancels.
"""

from boxloss.ops import Array, Symbol, maximum, minimum, positive, where
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
    def ahead(self) -> Array:
        """How far a's high end lies beyond b's low one; negative where a gap is between them."""
        return self.a_high - self.b_low

    @quantity
    def behind(self) -> Array:
        """How far b's high end lies beyond a's low one."""
        return self.b_high - self.a_low

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
    def low_way(self) -> Array:
        """The way from a's low edge to b's."""
        return self.b_low - self.a_low

    @quantity
    def high_way(self) -> Array:
        """The way from a's high edge to b's."""
        return self.b_high - self.a_high

    @quantity
    def side_difference(self) -> Array:
        """b's side minus a's: the difference of the two edges' ways, which is exact where the sides are nearly equal."""
        return self.high_way - self.low_way

    @quantity
    def double_offset(self) -> Array:
        """Twice the way from a's centre to b's: the sum of the two edges' ways."""
        return self.low_way + self.high_way

    def scaled(self, ratio: float) -> "Axis":
        """Both intervals with their lengths times `ratio`, about their own middles."""
        near, far = (1 + ratio) / 2, (1 - ratio) / 2
        low, high, ahead, behind = self.low_way, self.high_way, self.ahead, self.behind
        return Moved(
            f"scaled_{self.prefix}",
            # In the same way as `ahead` and `behind`, so that two intervals that are equal stay equal to the bit: a tie, whose slope is shared.
            a_side=self.a_side * near - self.a_side * far,
            b_side=self.b_side * near - self.b_side * far,
            low_way=low * near + high * far,
            high_way=high * near + low * far,
            ahead=ahead * near - behind * far,
            behind=behind * near - ahead * far,
            side_difference=self.side_difference * ratio,
            double_offset=self.double_offset,
        )

    def towards(self, share: Array | float, rest: Array | float | None = None) -> "Axis":
        """The interval a with each end moved by `share` of its way to b's; `rest` is 1 - share, where there is a more exact one."""
        rest = 1.0 - share if rest is None else rest
        target = self.b_side * share
        return Moved(
            f"moved_{self.prefix}",
            a_side=self.a_side * rest + target,
            b_side=self.b_side * rest + target,
            low_way=self.low_way * rest,
            high_way=self.high_way * rest,
            ahead=self.ahead * rest + target,
            behind=self.behind * rest + target,
            side_difference=self.side_difference * rest,
            double_offset=self.double_offset * rest,
        )


class Moved(Axis):
    """Two intervals that were moved, by their lengths and the ways between their ends.

    New ends would be rounded like coordinates, and what is a difference of them would cancel. New ways are sums of old ways.
    """

    def __init__(self, prefix: str, **ways: Array):
        self.prefix = prefix
        for name, value in ways.items():
            setattr(self, name, value)
            if isinstance(value, Symbol):
                value.label(prefix + name)

    @quantity
    def overlap(self) -> Array:
        return positive(minimum(minimum(self.a_side, self.b_side), minimum(self.ahead, self.behind)))

    @quantity
    def gap(self) -> Array:
        return positive(-minimum(self.ahead, self.behind))

    @quantity
    def hull(self) -> Array:
        return maximum(maximum(self.a_side, self.b_side), maximum(self.ahead, self.behind))

    @quantity
    def a_excess(self) -> Array:
        return positive(minimum(self.low_way, self.a_side)) + positive(minimum(-self.high_way, self.a_side))

    @quantity
    def b_excess(self) -> Array:
        return positive(minimum(-self.low_way, self.b_side)) + positive(minimum(self.high_way, self.b_side))


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
