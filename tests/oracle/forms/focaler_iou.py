"""Focaler-IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, greatest, least


def focaler_iou(pair: Pair, low: float = 0.0, high: float = 0.95) -> Any:
    low, high = Fraction(low), Fraction(high)
    return 1 - greatest(Fraction(0), least(Fraction(1), (1 - pair.jaccard - low) / (high - low)))


FORMS = (focaler_iou,)
VARIANTS = {"focaler_iou": (({"low": 0.25, "high": 0.95}, None),)}
