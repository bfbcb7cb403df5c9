"""Shape-IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, as_real, exponential, greatest, negative, ratio, size, to_the


def shape_iou(pair: Pair, scale: float = 1.0) -> Any:
    a, b = pair.a, pair.b
    ww, hh = weights(b.width, b.height, scale, b.is_point)
    dx, dy, (w, h) = a.x - b.x, a.y - b.y, pair.hull_sides
    distance = ratio(hh * as_real(dx * dx) + ww * as_real(dy * dy), as_real(w * w + h * h))
    omega_w = hh * as_real(ratio(size(a.width - b.width), greatest(a.width, b.width)))
    omega_h = ww * as_real(ratio(size(a.height - b.height), greatest(a.height, b.height)))
    shape = sum((to_the(1 - exponential(negative(omega)), 4) for omega in (omega_w, omega_h)), as_real(0))
    return as_real(pair.jaccard) + distance + shape / 2


def weights(width: Any, height: Any, scale: float, is_point: bool) -> tuple[Any, Any]:
    """The paper's ww and hh. A point has no shape: 1 and 1."""
    if scale == 0 or is_point:
        return as_real(Fraction(1)), as_real(Fraction(1))
    w, h = to_the(width, Fraction(scale)), to_the(height, Fraction(scale))
    return 2 * (w / (w + h)), 2 * (h / (w + h))


def shape_iou_released(pair: Pair) -> Any:
    return shape_iou(pair, scale=0.0)


FORMS = (shape_iou, shape_iou_released)
# 1.5: a half, whose power is a product with a root; 0.7: through the logarithm
VARIANTS = {"shape_iou": (({"scale": 1.5}, None), ({"scale": 0.7}, None))}
EXTREMES = {
    "shape_iou": (((0, 0, 1e3, 1e3), (1e12, 0, 1e12 + 1e-3, 1e3)),),
    "shape_iou_released": (((0, 0, 1, 1), (1e12, 0, 1e12 + 1e3, 1e3)),),
}
