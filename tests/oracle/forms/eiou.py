"""Efficient IoU."""

from typing import Any

from oracle.arithmetic import Pair, ratio
from oracle.forms.overlap import diou


def efficient_iou(pair: Pair) -> Any:
    (w, h), a, b = pair.hull_sides, pair.a, pair.b
    dw, dh = a.width - b.width, a.height - b.height
    return diou(pair) + ratio(dw * dw, w * w) + ratio(dh * dh, h * h)


FORMS = (efficient_iou,)
