"""Efficient IoU."""

from typing import Any

from oracle.arithmetic import Pair, as_real, ratio, to_the
from oracle.forms.overlap import diou


def efficient_iou(pair: Pair) -> Any:
    (w, h), a, b = pair.hull_sides, pair.a, pair.b
    dw, dh = a.width - b.width, a.height - b.height
    return diou(pair) + ratio(dw * dw, w * w) + ratio(dh * dh, h * h)


def focal_efficient_iou(pair: Pair, gamma: float = 0.5) -> Any:
    return to_the(1 - pair.jaccard, gamma) * as_real(efficient_iou(pair))


FORMS = (efficient_iou, focal_efficient_iou)
VARIANTS = {"focal_efficient_iou": (({"gamma": 1.0}, "[0, 0.4204)"),)}
EXTREMES = {"focal_efficient_iou": (((0, 0, 1e6, 0.3194), (0, 0, 277.2e3, 1)), ((0, 0, 1e6, 1), (0, 0, 412.7e3, 1)))}
