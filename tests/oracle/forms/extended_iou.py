"""Extended IoU, with coordinates from the hull's top left corner."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, greatest, least, value_of


def extended_iou(pair: Pair, smooth_point: float = 0.1) -> Any:
    s, j = Fraction(smooth_point), distance(pair)
    if s == 0:
        return j
    return j * j / (2 * s) if value_of(j) < s else j - s / 2


def distance(pair: Pair) -> Any:
    a, b = pair.a, pair.b
    x0, y0 = least(a.left, b.left), least(a.top, b.top)
    x1, y1 = greatest(a.left, b.left) - x0, greatest(a.top, b.top) - y0
    x2, y2 = least(a.right, b.right) - x0, least(a.bottom, b.bottom) - y0
    intersection = x2 * y2 + least(x1, x2) * least(y1, y2) - x1 * greatest(y1, y2) - greatest(x1, x2) * y1
    union = a.area + b.area - intersection
    return pair.jaccard if value_of(union) == 0 else 1 - intersection / union


FORMS = (extended_iou,)
VARIANTS = {"extended_iou": (({"smooth_point": 0.0}, "[0, 2]"), ({"smooth_point": 0.5}, "[0, 1.75]"))}
EXTREMES = {"extended_iou": (((0, 0, 0, 0), (3, 4, 3, 4)),)}
