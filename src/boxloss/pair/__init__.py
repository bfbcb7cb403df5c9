"""The geometry of two boxes: all that a formula may ask of them."""

from boxloss.ops import Array, atan2, constant, hold, largest, maximum, minimum, ratio, where
from boxloss.pair.axis import Axis, extent
from boxloss.pair.quantity import quantity
from boxloss.pair.scale import rescale

__all__ = ["Pair"]


class Pair:
    """Two boxes `xyxy`, or two arrays of boxes that broadcast, and the quantities between them.

    Each quantity is worked out when it is first asked for. Lengths are in a unit of the pair's own (a power of two near its size), so only
    ratios of equal dimension mean something outside; `edges` alone is in the boxes' unit. Areas are sums of products of non-negative
    lengths, in an order that swapping the boxes or transposing the picture keeps to the bit.

    `tame`: whoever makes the pair has seen that both boxes are upright and of a moderate size, so that the unit can be 1 and there is no inversion.
    Whatever is a ratio of lengths is the same then, to the bit, in many operations fewer.
    """

    def __init__(self, a: tuple[Array, ...], b: tuple[Array, ...], *, tame: bool = False):
        self._a, self._b, self._tame = a, b, tame

    @quantity
    def edges(self) -> tuple[Array, ...]:
        """a's left, top, right and bottom minus b's, in the boxes' own unit; finite wherever the coordinates are."""
        most = largest(self._a[0])
        return tuple(_within(p - q, most) for p, q in zip(self._a, self._b, strict=True))

    @quantity
    def _axes(self) -> tuple[Axis, Axis]:
        a, b = (self._a, self._b) if self._tame else rescale(self._a, self._b)
        return Axis(a[0], a[2], b[0], b[2], "x_", self._tame), Axis(a[1], a[3], b[1], b[3], "y_", self._tame)

    @property
    def x(self) -> Axis:
        return self._axes[0]

    @property
    def y(self) -> Axis:
        return self._axes[1]

    def scaled(self, ratio: float) -> "Pair":
        """The pair with both boxes' sides times `ratio`, about their own centres."""
        return _Moved(self, (self.x.scaled(ratio), self.y.scaled(ratio)))

    def towards(self, share: Array | float) -> "Pair":
        """The pair with a moved, edge by edge, by `share` of its way to b, in [0, 1]: at 1 it is b."""
        return _Moved(self, (self.x.towards(share), self.y.towards(share)))

    @quantity
    def overlap(self) -> Array:
        """The area that both boxes cover."""
        return self.x.overlap * self.y.overlap

    @quantity
    def difference(self) -> Array:
        """The area that one of the two covers and the other does not: a's beyond the overlap plus b's."""
        x, y = self.x, self.y
        of_a = (x.a_excess * y.overlap + x.overlap * y.a_excess) + x.a_excess * y.a_excess
        of_b = (x.b_excess * y.overlap + x.overlap * y.b_excess) + x.b_excess * y.b_excess
        return of_a + of_b

    @quantity
    def union(self) -> Array:
        """The area that at least one of the two covers."""
        return self.difference + self.overlap

    @quantity
    def iou(self) -> Array:
        """Overlap over union, in [0, 1]: 1 for a box and itself, 0 without overlap, and 0 for two different boxes without area."""
        return where(self._areas, ratio(self.overlap, self.union), where(self._differ, constant(self.union, 0.0), 1.0))

    @quantity
    def jaccard(self) -> Array:
        """The Jaccard distance 1 - IoU, in [0, 1], accurate where the boxes are nearly equal, and its gradient where they hardly touch."""
        # The derivative of difference / union is a difference that cancels where little overlaps; that of 1 - IoU does not, and its value is exact there.
        apart = self.difference > self.overlap
        share = ratio(where(apart, self.overlap, self.difference), self.union)
        return where(self._areas, where(apart, 1.0 - share, share), where(self._differ, constant(self.union, 1.0), 0.0))

    @quantity
    def _areas(self) -> Array:
        # "Not 0" rather than "above 0": NaN takes this branch and stays NaN.
        return self.union != 0

    @quantity
    def _differ(self) -> Array:
        # Asked of the coordinates as they came: in the pair's unit a difference may be too small for the type.
        left, top, right, bottom = (p != q for p, q in zip(self._a, self._b, strict=True))
        return left | top | right | bottom

    @quantity
    def hull(self) -> Array:
        """The area of the smallest box around both."""
        return self.x.hull * self.y.hull

    @quantity
    def waste(self) -> Array:
        """The area of the hull that the union does not fill: its empty corners, and the strips beside a gap."""
        x, y = self.x, self.y
        corners = x.a_excess * y.b_excess + x.b_excess * y.a_excess
        strips = x.span * y.gap + x.gap * y.span
        return (corners + strips) + x.gap * y.gap

    @quantity
    def offset2(self) -> Array:
        """The squared distance of the centres."""
        x, y = self.x.double_offset, self.y.double_offset
        return (x * x + y * y) * 0.25

    @quantity
    def hull_diagonal2(self) -> Array:
        """The squared diagonal of the hull."""
        return self.x.hull * self.x.hull + self.y.hull * self.y.hull

    @quantity
    def aspect_angle(self) -> Array:
        """atan(w / h) of b minus that of a, in [-pi/2, pi/2]: the angle between the boxes' diagonals. 0 where one is a point: it has no aspect."""
        wa, ha, wb, hb = self.x.a_side, self.y.a_side, self.x.b_side, self.y.b_side
        return atan2(wb * ha - wa * hb, ha * hb + wa * wb)

    @quantity
    def inversion(self) -> Array:
        """How far the boxes are inverted, as a share of the pair's extent: 0 for boxes, and its gradient pulls an inverted box upright."""
        if self._tame:
            return constant(self._a[0], 0.0)
        shares = []
        for axis in self._axes:
            a, b = axis.inversion
            shares.append(ratio(a + b, hold(extent(*axis.raw))))
        return shares[0] + shares[1]


class _Moved(Pair):
    """A pair made of another, of which its axes are made; boxes that differ still do."""

    def __init__(self, pair: Pair, axes: tuple[Axis, Axis]):
        super().__init__(pair._a, pair._b, tame=pair._tame)
        self._axes = axes  # the instance's own attribute is found before the quantity of that name


def _within(x: Array, most: float) -> Array:
    return maximum(minimum(x, constant(x, most)), constant(x, -most))
