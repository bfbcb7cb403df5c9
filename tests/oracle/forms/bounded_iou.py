"""Bounded IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, greatest, least, ratio, size, value_of


def bounded_iou(pair: Pair, beta: float = 0.2) -> Any:
    a, b, limit = pair.a, pair.b, Fraction(beta)
    costs = [
        offset(a.x - b.x, b.width),
        offset(a.y - b.y, b.height),
        side(a.width, b.width),
        side(a.height, b.height),
    ]
    return sum((c * c / (2 * limit) if value_of(c) < limit else c - limit / 2 for c in costs), Fraction(0))


def offset(d: Any, target: Any) -> Any:
    twice = size(d) * 2
    if value_of(twice) == value_of(target) == 0:
        return Fraction(0)
    return 1 - greatest(Fraction(0), (target - twice) / (target + twice))


def side(w: Any, target: Any) -> Any:
    """1 - the smaller of the two quotients of the sides; two sides of 0 are equal."""
    if value_of(w) == value_of(target) == 0:
        return Fraction(0)
    return 1 - least(ratio(w, target), ratio(target, w)) if value_of(w) and value_of(target) else Fraction(1)


FORMS = (bounded_iou,)
VARIANTS = {"bounded_iou": (({"beta": 1.0}, "[0, 2]"),)}
# A point off the centre of a box
EXTREMES = {"bounded_iou": [((0, 0, 0, 0), (0, 0, 2, 2))]}
