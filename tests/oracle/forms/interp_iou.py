"""InterpIoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, held
from oracle.moved import towards


def interp_iou(pair: Pair, alpha: Any = 0.98) -> Any:
    return pair.jaccard + towards(pair, Fraction(alpha)).jaccard


def clamped(pair: Pair, low: float = 0.6, high: float = 0.99) -> Any:
    return min(max(held(pair.jaccard), Fraction(low)), Fraction(high))


def interp_iou_dynamic(pair: Pair, low: float = 0.6, high: float = 0.99, held_at: Any = None) -> Any:
    return interp_iou(pair, clamped(pair, low, high) if held_at is None else held_at)


FORMS = (interp_iou, interp_iou_dynamic)
HELD = {"interp_iou_dynamic": clamped}
VARIANTS = {"interp_iou": (({"alpha": 0.5}, None),), "interp_iou_dynamic": (({"low": 0.25, "high": 0.75}, None),)}
