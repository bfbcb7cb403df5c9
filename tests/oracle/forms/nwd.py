"""Distances that fade as an exponential."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Dual, Pair, as_real, combine, exponential, length, mp, negative, real, value_of


def nwd(pair: Pair, constant: float = 12.8) -> Any:
    """As the paper has it: by centres and sizes."""
    a, b = pair.a, pair.b
    half = Fraction(1, 2)
    return fading(length(a.x - b.x, a.y - b.y, (a.width - b.width) * half, (a.height - b.height) * half) / real(constant))


def dotd(pair: Pair, size: float = 12.8) -> Any:
    return fading(length(pair.a.x - pair.b.x, pair.a.y - pair.b.y) / real(size))


def fading(x: Any) -> Any:
    """1 - exp(-x). It is below 1 for every x, although 80 digits do not always tell, and good near 0."""
    x = as_real(x)
    left = exponential(negative(x))
    value = min(-mp.expm1(-value_of(x)), 1 - mp.eps)
    return combine(value, (-1, left)) if isinstance(x, Dual) else value


FORMS = (nwd, dotd)
IN_COORDINATES = ("nwd",)
VARIANTS = {"nwd": (({"constant": 0.001}, None),), "dotd": (({"size": 200.0}, None),)}
