"""Boxes that a formula moves before it compares them, from their corners."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Box, Pair


def scaled(pair: Pair, ratio: Any) -> Pair:
    """Both boxes with sides times `ratio`, about their centres."""
    return Pair(*(_scaled(box, Fraction(ratio)) for box in (pair.a, pair.b)))


def _scaled(box: Box, ratio: Fraction) -> list[Any]:
    w, h = box.width * ratio / 2, box.height * ratio / 2
    return [box.x - w, box.y - h, box.x + w, box.y + h]


def towards(pair: Pair, share: Any) -> Pair:
    """The first box with each coordinate moved by `share` of its way to the other's."""
    return Pair([p * (1 - share) + q * share for p, q in zip(pair.a.corners, pair.b.corners, strict=True)], pair.b.corners)
