"""Modifiers: further parameters of every loss that is 1 - IoU plus other terms. They change the IoU, the terms, or what the sum counts for.

| modifier | what becomes of the loss 1 - IoU + R + ... | from |
|---|---|---|
| `inner=ratio` | IoU is that of both boxes with sides times `ratio`, about their own centres | Zhang et al., Inner-IoU, arXiv:2311.02877 |
| `focaler=(d, u)` | IoU is stretched from [d, u] to [0, 1] | Zhang & Zhang, Focaler-IoU, arXiv:2401.10525 |
| `power=a` | 1 - IoU^a + R^a + ... | He et al., alpha-IoU, NeurIPS 2021, arXiv:2110.13675 |
| `squared=True` | 1 - IoU^2 + R + ... | YOLOX, arXiv:2107.08430 |
| `log=True` | -ln IoU + R + ... | Yu et al., UnitBox, arXiv:1608.01471 |
| `wise=True` | the sum times exp(offset2 / hull_diagonal2), the diagonal held | Tong et al., Wise-IoU, arXiv:2301.10051 |
| `focal=g` | the sum times IoU^g | Zhang et al., Focal and Efficient IoU, arXiv:2101.08158 |
| `focal_inverse=g` | the sum times 1 - IoU^g, held | its opposite, as the code of Unified-IoU has it |

They are applied in this order, once each.
"""

import math
from typing import Any

from boxloss.errors import ParameterError
from boxloss.ops import Array, constant, exp, expm1, hold, log, log1p, maximum, minimum, power, ratio, where, with_slope
from boxloss.pair import Pair

MODIFIERS = ("inner", "focaler", "power", "squared", "log", "wise", "focal", "focal_inverse")

NO_OVERLAP = 126 * math.log(2)
"""What -ln IoU is without overlap: -ln of the smallest normal number of float32, in every type. See docs/decisions/no-overlap.md."""

# Pairs of modifiers that do not go together, and why.
_APART = {
    ("power", "squared"): "squared=True is the power 2 of the IoU alone: give one of the two",
    ("power", "log"): "-ln(IoU^a) is a times -ln IoU: give the loss a weight instead",
    ("squared", "log"): "-ln(IoU^2) is twice -ln IoU: give the loss a weight instead",
    ("focaler", "log"): "focaler makes IoU 0 below d, and 0 has no logarithm",
    ("focal", "focal_inverse"): "the one undoes what the other does: give one of the two",
}


def check(name: str, given: dict[str, Any]) -> None:
    """Raises `ParameterError` for a value that a modifier cannot have, and for two modifiers that have no meaning together."""
    for modifier, value in given.items():
        require(name, modifier, modifier, value)
    present = {modifier for modifier, value in given.items() if value is not False}
    for (first, second), why in _APART.items():
        if {first, second} <= present:
            raise ParameterError(f"{name}: {first} and {second} do not go together: {why}")


def require(name: str, parameter: str, modifier: str, value: Any) -> None:
    """Raises `ParameterError` where a loss's `parameter` has a value that `modifier`, which it is handed to, cannot have."""
    expected = _wanted(modifier, value)
    if expected:
        raise ParameterError(f"{name}: {parameter} is {value!r}, expected {expected}")


def _wanted(modifier: str, value: Any) -> str:
    """What `modifier` takes, where `value` is not that; else nothing."""
    if modifier in ("squared", "log", "wise"):
        return "" if isinstance(value, bool) else "True or False"
    if modifier == "focaler":
        fits = isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value)) and 0 <= value[0] < value[1] <= 1
        return "" if fits else "two numbers (d, u) with 0 <= d < u <= 1"
    return "" if is_number(value) and 0 < value < math.inf else "a finite number > 0"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def total(p: Pair, terms: tuple[Array, ...], given: dict[str, Any]) -> Array:
    """The sum of a loss's `terms`, modified by those of `given` that are modifiers."""
    exponent = given.get("power")
    first, *others = terms
    loss = overlap_term(p, given) if _changes_overlap(given) else first
    for term in others:
        loss = loss + (term if exponent is None else power(term, exponent))
    if given.get("wise"):
        loss = attention(p) * loss
    if "focal" in given:
        loss = power(p.iou, given["focal"]) * loss
    if "focal_inverse" in given:
        loss = hold(complement_of_power(p.jaccard, p.iou, given["focal_inverse"])) * loss
    return loss


def _changes_overlap(given: dict[str, Any]) -> bool:
    return bool(given.get("squared") or given.get("log") or given.keys() & {"inner", "focaler", "power"})


def overlap_term(p: Pair, given: dict[str, Any]) -> Array:
    """What stands for 1 - IoU."""
    boxes = p.scaled(given["inner"]) if "inner" in given else p
    if given.get("log"):
        return minus_log_iou(boxes)
    distance, iou = boxes.jaccard, boxes.iou
    if "focaler" in given:
        distance, iou = stretched(distance, iou, *given["focaler"])
    exponent = 2 if given.get("squared") else given.get("power")
    return distance if exponent is None else complement_of_power(distance, iou, exponent)


def stretched(distance: Array, iou: Array, low: float, high: float) -> tuple[Array, Array]:
    """1 - IoU and IoU, after IoU's interval [low, high] has become [0, 1]; beyond it they stand still."""

    def within(x: Array) -> Array:
        return minimum(maximum(x, constant(x, 0.0)), constant(x, 1.0))

    return within((distance - (1.0 - high)) / (high - low)), within((iou - low) / (high - low))


def complement_of_power(distance: Array, iou: Array, exponent: float) -> Array:
    """1 - iou^exponent, exact near a match, where it is small, and with an exact gradient where little overlaps."""
    if exponent == 1:
        return distance
    near = distance < 0.5
    if float(exponent).is_integer() and exponent <= 8:
        series = 1.0 + iou
        for _ in range(int(exponent) - 2):
            series = 1.0 + iou * series
        return where(near, distance * series, 1.0 - power(iou, exponent))
    # Through the logarithm while the power is above a half. For exponents below 1 little overlap is enough, and the distance says too little of that.
    logarithm = log1p(where(near, -distance, constant(distance, 0.0)))
    close = iou > max(0.5 ** (1.0 / exponent), 2.0**-126)
    if exponent < 1:
        logarithm = where(near, logarithm, log(where(near | ~close, constant(iou, 1.0), iou)))
    return where(close, -expm1(exponent * logarithm), 1.0 - power(iou, exponent))


def attention(p: Pair) -> Array:
    """Wise-IoU's factor, from 1 for one centre to e: the pull of the centres, without the diagonal's part in the gradient."""
    return exp(ratio(p.offset2, hold(p.hull_diagonal2)))


def minus_log_iou(p: Pair) -> Array:
    """-ln IoU, at most 126 ln 2."""
    tiny = 2.0**-126
    overlapping = p.iou > tiny
    # Near a match log1p of the small distance is exact; far from it the logarithm of the small overlap is.
    near = p.jaccard < 0.25
    far_value = _far(p, overlapping & ~near)
    near_value = -log1p(where(near, -p.jaccard, constant(p.jaccard, 0.0)))
    apart = p.iou <= tiny
    return where(apart, constant(p.iou, NO_OVERLAP), where(near, near_value, far_value))


def _far(p: Pair, there: Array) -> Array:
    """-ln IoU where `there`: its value from IoU, its derivative from the logarithms of the overlap's sides and of the union.

    The quotient's derivative has factors of 1 / IoU and 1 / union, whose product leaves the type long before the derivative itself does.
    """

    def logarithm(x: Array) -> Array:
        return log(where(there, x, constant(x, 1.0)))

    parts = logarithm(p.union) - p.sum_over_axes(lambda axis: logarithm(axis.overlap))
    return with_slope(-logarithm(p.iou), parts)
