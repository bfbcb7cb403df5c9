"""Exact arithmetic, with slopes where they are asked for, and the quantities of text-books between two boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from mpmath import MPContext

mp = MPContext()
mp.dps = 80


def real(x: Any) -> Any:
    """A rational number as an mpmath number of 80 digits."""
    return mp.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mp.mpf(x) if isinstance(x, (int, float)) else x


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


def exponential(x: Any) -> Any:
    x = as_real(x)
    value = mp.exp(value_of(x))
    return combine(value, (value, x)) if isinstance(x, Dual) else value


def to_the(x: Any, exponent: Any) -> Any:
    """x^exponent, exponent > 0, for x >= 0; an infinite slope at 0 is 0."""
    x, exponent = as_real(x), real(exponent)
    base = value_of(x)
    value = base**exponent
    slope = exponent * base ** (exponent - 1) if base > 0 or exponent >= 1 else mp.mpf(0)
    return combine(value, (slope, x)) if isinstance(x, Dual) else value


def root(x: Any) -> Any:
    return to_the(x, Fraction(1, 2))


def length(*parts: Any) -> Any:
    """The length of a vector."""
    return root(sum((part * part for part in parts), Fraction(0)))


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
