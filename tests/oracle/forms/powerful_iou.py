"""Powerful-IoU."""

from typing import Any

from oracle.arithmetic import Pair, as_real, exponential, held, negative, ratio, real, size


def distance(pair: Pair) -> Any:
    """P."""
    left, top, right, bottom = pair.differences
    return (ratio(size(left) + size(right), pair.b.width) + ratio(size(top) + size(bottom), pair.b.height)) / 4


def powerful_iou(pair: Pair) -> Any:
    p = distance(pair)
    return as_real(pair.jaccard) + (1 - exponential(negative(p * p)))


def attention(pair: Pair, lam: float = 1.3) -> Any:
    x = real(lam) * exponential(negative(distance(pair)))
    return 3 * x * exponential(negative(x * x))


def held_attention(pair: Pair, lam: float = 1.3) -> Any:
    return held(attention(pair, lam))


def powerful_iou2(pair: Pair, lam: float = 1.3, held_at: Any = None) -> Any:
    return (held_attention(pair, lam) if held_at is None else held_at) * powerful_iou(pair)


def powerful_iou2_released(pair: Pair, lam: float = 1.3) -> Any:
    return attention(pair, lam) * powerful_iou(pair)


FORMS = (powerful_iou, powerful_iou2, powerful_iou2_released)
HELD = {"powerful_iou2": held_attention}
# Equal boxes P = .943 apart, and 1.114 for lam = 1.7
APART = [([0, 0, 1, 1], [shift, 0, shift + 1, 1]) for shift in (1.886, 2.227)]
EXTREMES = {"powerful_iou2": APART, "powerful_iou2_released": APART}
VARIANTS = {name: (({"lam": 1.7}, "[0, 2.0978)"),) for name in EXTREMES}
