"""Losses of the overlap, and those with one term beside it."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, logarithm, mp, negative, value_of

# -ln IoU is infinite where boxes do not overlap; it is given this ceiling instead, the logarithm of float32's smallest normal number
IOU_LOG_CEILING = 126 * mp.ln(2)


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


FORMS = (iou, iou_log, iou_squared, giou, diou)
