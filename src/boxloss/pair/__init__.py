"""The geometry of two boxes: all that a formula may ask of them."""

import functools
import operator
from collections.abc import Callable

from boxloss.errors import DimensionError
from boxloss.ops import Array, atan2, constant, hold, largest, maximum, minimum, ratio, where
from boxloss.pair import products
from boxloss.pair.axis import Axis, extent
from boxloss.pair.quantity import quantity
from boxloss.pair.scale import rescale

__all__ = ["Pair"]


class Pair:
    """Two boxes `xyxy`, or two arrays of boxes that broadcast, and the quantities between them.

    Also segments `xx` and volumes `xyzxyz`, whose "areas" are lengths and volumes. What only a rectangle has (`x`, `y`, `aspect_angle`) raises a
    `DimensionError` there; `axes` are all of them, and `sum_over_axes` is what most formulas need of these.

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
        """a's left, top, right and bottom minus b's, in the boxes' own unit: lower ends, then upper ones. Finite wherever the coordinates are."""
        most = largest(self._a[0])
        return tuple(_within(p - q, most) for p, q in zip(self._a, self._b, strict=True))

    @property
    def dimension(self) -> int:
        return len(self._a) // 2

    @quantity
    def axes(self) -> tuple[Axis, ...]:
        """x, then y and z where there are any."""
        a, b = (self._a, self._b) if self._tame else rescale(self._a, self._b)
        n = self.dimension
        return tuple(Axis(a[k], a[k + n], b[k], b[k + n], f"{'xyz'[k]}_", self._tame) for k in range(n))

    @property
    def x(self) -> Axis:
        return self.of_rectangles("x")[0]

    @property
    def y(self) -> Axis:
        return self.of_rectangles("y")[1]

    def of_rectangles(self, what: str) -> tuple[Axis, ...]:
        """The two axes, for `what` only rectangles have. A formula that asked for two axes of three would leave one out, and say nothing."""
        if self.dimension != 2:
            axis = "one of the two axes of a rectangle" if what in "xy" else "which only rectangles have"
            raise DimensionError(f"it asks for {what}, {axis}")
        return self.axes

    def sum_over_axes(self, of: Callable[[Axis], Array]) -> Array:
        """`of(x)`, plus `of(y)` and `of(z)` where there are these axes."""
        return functools.reduce(operator.add, map(of, self.axes))

    def scaled(self, ratio: float) -> "Pair":
        """The pair with both boxes' sides times `ratio`, about their own centres."""
        return _Moved(self, tuple(axis.scaled(ratio) for axis in self.axes), "scaled_")

    def towards(self, share: Array | float, rest: Array | float | None = None) -> "Pair":
        """The pair with a moved, edge by edge, by `share` of its way to b, in [0, 1]: at 1 it is b. `rest` is 1 - share, where there is a more exact one."""
        return _Moved(self, tuple(axis.towards(share, rest) for axis in self.axes), "moved_")

    @quantity
    def overlap(self) -> Array:
        """The area that both boxes cover."""
        return products.product(self.axes, lambda axis: axis.overlap)

    @quantity
    def difference(self) -> Array:
        """The area that one of the two covers and the other does not: a's beyond the overlap plus b's."""
        of_a = products.a_alone(self.axes)
        of_b = products.b_alone(self.axes)
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
        return functools.reduce(operator.or_, (p != q for p, q in zip(self._a, self._b, strict=True)))

    @quantity
    def hull(self) -> Array:
        """The area of the smallest box around both."""
        return products.product(self.axes, lambda axis: axis.hull)

    @quantity
    def waste(self) -> Array:
        """The area of the hull that the union does not fill: its empty corners, and the strips beside a gap."""
        return products.waste(self.axes)

    @quantity
    def offset2(self) -> Array:
        """The squared distance of the centres."""
        offsets = [axis.double_offset for axis in self.axes]
        return functools.reduce(operator.add, (d * d for d in offsets)) * 0.25

    @quantity
    def hull_diagonal2(self) -> Array:
        """The squared diagonal of the hull."""
        return self.sum_over_axes(lambda axis: axis.hull * axis.hull)

    @quantity
    def aspect_angle(self) -> Array:
        """atan(w / h) of b minus that of a, in [-pi/2, pi/2]: the angle between the boxes' diagonals. 0 where one is a point: it has no aspect."""
        x, y = self.of_rectangles("aspect_angle")
        wa, ha, wb, hb = x.a_side, y.a_side, x.b_side, y.b_side
        return atan2(wb * ha - wa * hb, ha * hb + wa * wb)

    @quantity
    def inversion(self) -> Array:
        """How far the boxes are inverted, as a share of the pair's extent: 0 for boxes, and its gradient pulls an inverted box upright."""
        if self._tame:
            return constant(self._a[0], 0.0)
        shares = []
        for axis in self.axes:
            a, b = axis.inversion
            shares.append(ratio(a + b, hold(extent(*axis.raw))))
        return functools.reduce(operator.add, shares)


class _Moved(Pair):
    """A pair made of another, of which its axes are made; boxes that differ still do. Its edges and its inversion are those of the other."""

    def __init__(self, pair: Pair, axes: tuple[Axis, ...], prefix: str):
        super().__init__(pair._a, pair._b, tame=pair._tame)
        self._pair, self.axes = pair, axes  # the instance's own attribute is found before the quantity of that name
        self.prefix = prefix + getattr(pair, "prefix", "")

    @quantity
    def inversion(self) -> Array:
        return self._pair.inversion


def _within(x: Array, most: float) -> Array:
    return maximum(minimum(x, constant(x, most)), constant(x, -most))
