"""The oracle: every loss in its text-book form, on exact rational numbers.

Written apart from the package, from the papers' formulas, with areas and centres as on paper: nothing is rounded here, so nothing needs care.
Where a formula leaves the rationals (an arctangent, a logarithm) it goes on with mpmath at 80 digits.

`value` and `gradient` take two boxes of any numbers that `Fraction` takes (float32 and float64 are rationals). The gradient is exact too: the same
formulas run on dual numbers, with the rule of the contract for ties: `minimum`, `maximum` and |x| share the slope half and half.

What 0/0 means: a ratio is 0; the Jaccard distance of a thing to itself is 0, and of two different things without area it is 1 (they share nothing);
a point has no aspect ratio; a line has one, whose arctangent is pi/2 or 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from mpmath import MPContext

mp = MPContext()
mp.dps = 80

# -ln IoU is infinite where boxes do not overlap; it is given this ceiling instead, the logarithm of float32's smallest normal number
IOU_LOG_CEILING = 126 * mp.ln(2)


def real(x: Any) -> Any:
    """A rational number as an mpmath number of 80 digits."""
    return mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x


@dataclass(frozen=True)
class Dual:
    """A number and its slopes along the eight coordinates of a pair (those that are not there are 0)."""

    value: Any
    slopes: dict[int, Any] = field(default_factory=dict)

    def __add__(self, other: Any) -> "Dual":
        return combine(value_of(self) + value_of(other), (1, self), (1, other))

    def __sub__(self, other: Any) -> "Dual":
        return combine(value_of(self) - value_of(other), (1, self), (-1, other))

    def __rsub__(self, other: Any) -> "Dual":
        return combine(value_of(other) - value_of(self), (-1, self))

    def __mul__(self, other: Any) -> "Dual":
        return combine(value_of(self) * value_of(other), (value_of(other), self), (value_of(self), other))

    def __truediv__(self, other: Any) -> "Dual":
        return quotient(self, other)

    def __rtruediv__(self, other: Any) -> "Dual":
        return quotient(other, self)

    __radd__ = __add__
    __rmul__ = __mul__


def value_of(x: Any) -> Any:
    return x.value if isinstance(x, Dual) else x


def combine(value: Any, *terms: tuple[Any, Any]) -> Dual:
    """A dual number whose slopes are the weighted sum of other numbers' slopes."""
    slopes: dict[int, Any] = {}
    for weight, x in terms:
        if isinstance(x, Dual):
            for index, slope in x.slopes.items():
                slopes[index] = slopes.get(index, 0) + weight * slope
    return Dual(value, slopes)


def quotient(x: Any, y: Any) -> Dual:
    below = Fraction(y) if isinstance(y, int) else value_of(y)  # not an int: 1 / 2 is a float
    value = value_of(x) / below
    return combine(value, (1 / below, x), (-value / below, y))


def least(x: Any, y: Any) -> Any:
    if value_of(x) == value_of(y):
        return combine(value_of(x), (Fraction(1, 2), x), (Fraction(1, 2), y)) if isinstance(x, Dual) or isinstance(y, Dual) else x
    return x if value_of(x) < value_of(y) else y


def greatest(x: Any, y: Any) -> Any:
    return negative(least(negative(x), negative(y)))


def negative(x: Any) -> Any:
    return 0 - x


def size(x: Any) -> Any:
    """|x|; its slope at 0 is 0."""
    return greatest(x, negative(x))


def ratio(x: Any, y: Any) -> Any:
    return x / y if value_of(y) != 0 else Fraction(0)


def held(x: Any) -> Any:
    return value_of(x)


def as_real(x: Any) -> Any:
    return Dual(real(x.value), {k: real(s) for k, s in x.slopes.items()}) if isinstance(x, Dual) else real(Fraction(x) if isinstance(x, int) else x)


def arctangent(width: Any, height: Any) -> Any:
    """atan(width / height) of a box that is not a point."""
    w, h = as_real(width), as_real(height)
    angle = mp.atan2(value_of(w), value_of(h))
    if not isinstance(w, Dual):
        return angle
    length2 = value_of(w) ** 2 + value_of(h) ** 2
    return combine(angle, (value_of(h) / length2, w), (-value_of(w) / length2, h))


def logarithm(x: Any) -> Any:
    x = as_real(x)
    return combine(mp.ln(x.value), (1 / x.value, x)) if isinstance(x, Dual) else mp.ln(x)


class Box:
    def __init__(self, corners: Sequence[Any]):
        self.left, self.top, self.right, self.bottom = corners
        self.corners = tuple(corners)
        self.width, self.height = self.right - self.left, self.bottom - self.top
        self.area = self.width * self.height
        self.x, self.y = (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def is_point(self) -> bool:
        return value_of(self.width) == 0 and value_of(self.height) == 0


class Pair:
    """What the formulas of the papers are made of."""

    def __init__(self, a: Sequence[Any], b: Sequence[Any]):
        self.a, self.b = Box(a), Box(b)
        self.differences = tuple(p - q for p, q in zip(self.a.corners, self.b.corners, strict=True))

    @cached_property
    def overlap(self) -> Any:
        a, b = self.a, self.b
        width = greatest(least(a.right, b.right) - greatest(a.left, b.left), Fraction(0))
        height = greatest(least(a.bottom, b.bottom) - greatest(a.top, b.top), Fraction(0))
        return width * height

    @cached_property
    def union(self) -> Any:
        return self.a.area + self.b.area - self.overlap

    @cached_property
    def jaccard(self) -> Any:
        """The Jaccard distance, 1 - IoU."""
        if value_of(self.union) == 0:
            return Fraction(0) if all(value_of(d) == 0 for d in self.differences) else Fraction(1)
        return 1 - self.overlap / self.union

    @cached_property
    def hull_sides(self) -> tuple[Any, Any]:
        a, b = self.a, self.b
        return greatest(a.right, b.right) - least(a.left, b.left), greatest(a.bottom, b.bottom) - least(a.top, b.top)

    @cached_property
    def waste_share(self) -> Any:
        """(hull - union) / hull."""
        hull = self.hull_sides[0] * self.hull_sides[1]
        return ratio(hull - self.union, hull)

    @cached_property
    def offset_share(self) -> Any:
        """Squared distance of the centres / squared diagonal of the hull."""
        (w, h), dx, dy = self.hull_sides, self.a.x - self.b.x, self.a.y - self.b.y
        return ratio(dx * dx + dy * dy, w * w + h * h)

    @cached_property
    def aspect(self) -> Any:
        """v of CIoU."""
        if self.a.is_point or self.b.is_point:
            return mp.mpf(0)
        angle = arctangent(self.b.width, self.b.height) - arctangent(self.a.width, self.a.height)
        return 4 / mp.pi**2 * (angle * angle)


def l1(pair: Pair) -> Any:
    return sum((size(d) for d in pair.differences), Fraction(0))


def l2(pair: Pair) -> Any:
    return sum((d * d for d in pair.differences), Fraction(0)) / 2


def smooth_l1(pair: Pair, beta: float = 1.0) -> Any:
    b = Fraction(beta)
    return sum((d * d / (2 * b) if size(value_of(d)) < b else size(d) - b / 2 for d in pair.differences), Fraction(0))


def iou(pair: Pair) -> Any:
    return pair.jaccard


def iou_log(pair: Pair) -> Any:
    similarity = 1 - pair.jaccard
    return negative(logarithm(similarity)) if value_of(similarity) >= Fraction(1, 2**126) else IOU_LOG_CEILING


def iou_squared(pair: Pair) -> Any:
    return 1 - (1 - pair.jaccard) * (1 - pair.jaccard)


def giou(pair: Pair) -> Any:
    return pair.jaccard + pair.waste_share


def diou(pair: Pair) -> Any:
    return pair.jaccard + pair.offset_share


def ciou(pair: Pair, alpha: Any = None) -> Any:
    """`alpha`: what to hold alpha at, instead of its own value (for a numeric derivative)."""
    return as_real(diou(pair)) + (ciou_alpha(pair) if alpha is None else alpha) * pair.aspect


def ciou_gated(pair: Pair, alpha: Any = None) -> Any:
    return ciou(pair, gated_alpha(pair) if alpha is None else alpha)


def ciou_alpha(pair: Pair) -> Any:
    v = real(held(pair.aspect))
    return ratio(v, real(held(pair.jaccard)) + v)


def gated_alpha(pair: Pair) -> Any:
    """The journal's alpha: 0 unless IoU > 1/2."""
    return ciou_alpha(pair) if value_of(pair.jaccard) < Fraction(1, 2) else mp.mpf(0)


LOSSES: dict[str, Callable[..., Any]] = {f.__name__: f for f in (l1, l2, smooth_l1, iou, iou_log, iou_squared, giou, diou, ciou, ciou_gated)}
IN_COORDINATES = ("l1", "l2", "smooth_l1")
HELD: dict[str, Callable[[Pair], Any]] = {"ciou": ciou_alpha, "ciou_gated": gated_alpha}


def pair(a: Sequence[Any], b: Sequence[Any]) -> Pair:
    for box in (a, b):
        if box[0] > box[2] or box[1] > box[3]:
            raise ValueError(f"an inverted box: {tuple(box)}")
    return Pair([Fraction(x) for x in a], [Fraction(x) for x in b])


def duals(a: Sequence[Any], b: Sequence[Any]) -> tuple[list[Dual], list[Dual]]:
    """The eight coordinates as the variables to differentiate by."""
    coordinates = [Dual(Fraction(x), {i: Fraction(1)}) for i, x in enumerate([*a, *b])]
    return coordinates[:4], coordinates[4:]


def dual_pair(a: Sequence[Any], b: Sequence[Any]) -> Pair:
    return Pair(*duals(a, b))


def value(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Any:
    """The loss of box `a` against box `b`, a `Fraction` or an 80-digit mpmath number."""
    return LOSSES[name](pair(a, b), **parameters)


def slopes(x: Any) -> list[Any]:
    return [x.slopes.get(i, Fraction(0)) for i in range(8)] if isinstance(x, Dual) else [Fraction(0)] * 8


def gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> list[Any]:
    """The derivative of `value` along the four coordinates of `a`, then of `b`."""
    return slopes(LOSSES[name](dual_pair(a, b), **parameters))


def inverted_gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Dual:
    """The loss of boxes whose edges may be crossed, with its gradient, as `docs/decisions/inverted-boxes.md` has it.

    An axis along which a box is inverted counts as the point in its middle, and costs how far the edges have crossed, over the extent of the
    pair's four coordinates there, which is held. Losses in coordinates take the four numbers as they are.
    """
    first, second = duals(a, b)
    if name in IN_COORDINATES:
        return as_real(LOSSES[name](Pair(first, second), **parameters))
    crossed = Dual(Fraction(0))
    for low, high in ((0, 2), (1, 3)):
        coordinates = [held(box[k]) for box in (first, second) for k in (low, high)]
        for box in (first, second):
            if held(box[low]) > held(box[high]):
                crossed = crossed + (box[low] - box[high]) / (max(coordinates) - min(coordinates))
                box[low] = box[high] = (box[low] + box[high]) / 2
    return as_real(crossed) + as_real(LOSSES[name](Pair(first, second), **parameters))


def numeric_gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> list[Any]:
    """`gradient` again, by central differences of `value`: right to some 25 digits on pairs with no two coordinates equal."""
    at = [Fraction(x) for x in [*a, *b]]
    if name in HELD:
        parameters["alpha"] = HELD[name](pair(a, b))
    step = min(at[i + 2] - at[i] for i in (0, 1, 4, 5)) / 2**60

    def moved(i: int, by: Fraction) -> Any:
        there = [x + (by if k == i else 0) for k, x in enumerate(at)]
        return value(name, there[:4], there[4:], **parameters)

    return [real(moved(i, step) - moved(i, -step)) / real(2 * step) for i in range(8)]
