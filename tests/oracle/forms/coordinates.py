"""Losses that compare coordinates."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, size, value_of


def l1(pair: Pair) -> Any:
    return sum((size(d) for d in pair.differences), Fraction(0))


def l2(pair: Pair) -> Any:
    return sum((d * d for d in pair.differences), Fraction(0)) / 2


def smooth_l1(pair: Pair, beta: float = 1.0) -> Any:
    b = Fraction(beta)
    return sum((d * d / (2 * b) if size(value_of(d)) < b else size(d) - b / 2 for d in pair.differences), Fraction(0))


IN_COORDINATES = ("l1", "l2", "smooth_l1")
FORMS = (l1, l2, smooth_l1)
VARIANTS = {"smooth_l1": (({"beta": 0.0}, None), ({"beta": 1 / 9}, None))}
