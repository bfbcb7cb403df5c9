"""The oracle in any number of dimensions: text-book forms on exact fractions, of boxes (lower ends, then upper ends).

A form of `oracle.forms` that asks the pair for no more than a `Solids` has is taken as it is; the others are written here once more, over all axes.
What 0/0 means is as in `oracle.exact`.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from oracle import exact
from oracle.arithmetic import Dual, as_real, exponential, greatest, held, least, length, logarithm, mp, ratio, real, size, to_the, value_of
from oracle.forms import bounded_iou, coordinates, interp_iou, nwd


class Solid:
    def __init__(self, ends: Sequence[Any]):
        n = len(ends) // 2
        self.ends, self.lows, self.highs = tuple(ends), tuple(ends[:n]), tuple(ends[n:])
        self.sides = [high - low for low, high in zip(self.lows, self.highs, strict=True)]
        self.centre = [(low + high) / 2 for low, high in zip(self.lows, self.highs, strict=True)]
        self.volume = product(self.sides)


class Solids:
    """A pair of boxes; what it has is called as in `oracle.arithmetic.Pair`."""

    def __init__(self, a: Sequence[Any], b: Sequence[Any]):
        self.solids = Solid(a), Solid(b)
        self.differences = tuple(p - q for p, q in zip(a, b, strict=True))

    def over(self, of: Callable[[Solid], Sequence[Any]]) -> list[tuple[Any, Any]]:
        """What `of` has for each axis, of the one and of the other."""
        a, b = self.solids
        return list(zip(of(a), of(b), strict=True))

    @cached_property
    def overlap(self) -> Any:
        ends = zip(self.over(lambda s: s.lows), self.over(lambda s: s.highs), strict=True)
        return product([greatest(least(*highs) - greatest(*lows), Fraction(0)) for lows, highs in ends])

    @cached_property
    def union(self) -> Any:
        a, b = self.solids
        return a.volume + b.volume - self.overlap

    @cached_property
    def jaccard(self) -> Any:
        if value_of(self.union) == 0:
            return Fraction(0) if all(value_of(d) == 0 for d in self.differences) else Fraction(1)
        return 1 - self.overlap / self.union

    @cached_property
    def hull_sides(self) -> list[Any]:
        ends = zip(self.over(lambda s: s.lows), self.over(lambda s: s.highs), strict=True)
        return [greatest(*highs) - least(*lows) for lows, highs in ends]

    @cached_property
    def waste_share(self) -> Any:
        hull = product(self.hull_sides)
        return ratio(hull - self.union, hull)

    @cached_property
    def offsets(self) -> list[Any]:
        return [p - q for p, q in self.over(lambda s: s.centre)]

    @cached_property
    def side_differences(self) -> list[Any]:
        return [p - q for p, q in self.over(lambda s: s.sides)]

    @cached_property
    def offset_share(self) -> Any:
        return ratio(square_sum(self.offsets), square_sum(self.hull_sides))

    def scaled(self, factor: Any) -> "Solids":
        """Both boxes with sides times `factor`, about their centres."""

        def ends(s: Solid) -> list[Any]:
            halves = [side * Fraction(factor) / 2 for side in s.sides]
            return [c - h for c, h in zip(s.centre, halves, strict=True)] + [c + h for c, h in zip(s.centre, halves, strict=True)]

        return Solids(*map(ends, self.solids))

    def towards(self, share: Any) -> "Solids":
        """The first box with each end moved by `share` of its way to the other's."""
        a, b = self.solids
        return Solids([p * (1 - share) + q * share for p, q in zip(a.ends, b.ends, strict=True)], b.ends)


def product(factors: Sequence[Any]) -> Any:
    return math.prod(factors, start=Fraction(1))


def square_sum(parts: Sequence[Any]) -> Any:
    return sum((x * x for x in parts), Fraction(0))


def efficient_iou(p: Solids) -> Any:
    shares = [ratio(d * d, hull * hull) for d, hull in zip(p.side_differences, p.hull_sides, strict=True)]
    return p.jaccard + p.offset_share + sum(shares, Fraction(0))


def focal_efficient_iou(p: Solids, gamma: float = 0.5) -> Any:
    return to_the(1 - p.jaccard, gamma) * as_real(efficient_iou(p))


def inner_iou(p: Solids, ratio: float = 0.75) -> Any:
    return p.scaled(ratio).jaccard


def interpolated(p: Solids, alpha: Any = 0.98) -> Any:
    return p.jaccard + p.towards(Fraction(alpha)).jaccard


def interpolated_dynamic(p: Solids, low: float = 0.6, high: float = 0.99) -> Any:
    return interpolated(p, interp_iou.clamped(p, low, high))


def wise_iou(p: Solids) -> Any:
    return exponential(ratio(square_sum(p.offsets), held(square_sum(p.hull_sides)))) * as_real(p.jaccard)


def l1_of_centre_and_size(p: Solids) -> Any:
    return sum((size(d) for d in (*p.offsets, *p.side_differences)), Fraction(0))


def l2_of_centre_and_size(p: Solids) -> Any:
    return square_sum((*p.offsets, *p.side_differences)) / 2


def smooth_l1_of_centre_and_size(p: Solids, beta: float = 1 / 9) -> Any:
    return coordinates.smooth((*p.offsets, *p.side_differences), beta)


def bounded(p: Solids, beta: float = 0.2) -> Any:
    targets, limit = p.solids[1].sides, Fraction(beta)
    costs = [bounded_iou.offset(d, target) for d, target in zip(p.offsets, targets, strict=True)]
    costs += [bounded_iou.side(*sides) for sides in p.over(lambda s: s.sides)]
    return sum((c * c / (2 * limit) if value_of(c) < limit else c - limit / 2 for c in costs), Fraction(0))


def gaussian_distance(p: Solids, constant: float = 12.8) -> Any:
    halves = [d * Fraction(1, 2) for d in p.side_differences]
    return nwd.fading(length(*p.offsets, *halves) / real(constant))


def dotd(p: Solids, size: float = 12.8) -> Any:
    return nwd.fading(length(*p.offsets) / real(size))


def rfd(p: Solids) -> Any:
    """Kullback and Leibler's divergence K of two Gaussians whose axes are the boxes', as K / (1 + K); 1 where it is infinite."""
    total = mp.mpf(0)
    for (s, t), d in zip(p.over(lambda solid: solid.sides), p.offsets, strict=True):
        if value_of(s) == value_of(t) == value_of(d) == 0:
            continue
        if value_of(s) == 0 or value_of(t) == 0:
            return Fraction(1)
        total = total + as_real(t * t / (s * s) + 4 * (d * d) / (s * s) - 1) + logarithm(s * s / (t * t))
    return total / (total + real(2))


FORMS: dict[str, Callable[..., Any]] = {
    "efficient_iou": efficient_iou,
    "focal_efficient_iou": focal_efficient_iou,
    "inner_iou": inner_iou,
    "interp_iou": interpolated,
    "interp_iou_dynamic": interpolated_dynamic,
    "wise_iou": wise_iou,
    "l1_cxcywh": l1_of_centre_and_size,
    "l2_cxcywh": l2_of_centre_and_size,
    "smooth_l1_cxcywh": smooth_l1_of_centre_and_size,
    "bounded_iou": bounded,
    "nwd": gaussian_distance,
    "dotd": dotd,
    "rfd": rfd,
}


def value(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Any:
    """The loss of box `a` against box `b`."""
    return _form(name)(Solids([Fraction(x) for x in a], [Fraction(x) for x in b]), **parameters)


def gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> list[Any]:
    """The derivative of `value` along the ends of `a`, then of `b`."""
    along = [Dual(Fraction(x), {i: Fraction(1)}) for i, x in enumerate([*a, *b])]
    found = _form(name)(Solids(along[: len(a)], along[len(a) :]), **parameters)
    return [found.slopes.get(i, Fraction(0)) if isinstance(found, Dual) else Fraction(0) for i in range(len(along))]


def inverted(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Any:
    """`value` of boxes whose ends may be crossed: an axis along which one is counts as the point in its middle, and costs how far they have crossed."""
    first, second = ([Fraction(x) for x in box] for box in (a, b))
    n, crossed = len(a) // 2, Fraction(0)
    for low, high in ((k, k + n) for k in range(n)):
        extent = [box[k] for box in (first, second) for k in (low, high)]
        for box in (first, second):
            if box[low] > box[high]:
                crossed += (box[low] - box[high]) / (max(extent) - min(extent))
                box[low] = box[high] = (box[low] + box[high]) / 2
    return _form(name)(Solids(first, second), **parameters) + crossed


def _form(name: str) -> Callable[..., Any]:
    return FORMS.get(name) or exact.LOSSES[name]
