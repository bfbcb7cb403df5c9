"""What a loss's values must be: right, exact in their symmetries, within their bounds, finite."""

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from close import LARGEST
from oracle import exact
from oracle.arithmetic import mp, real
from oracle.forms.overlap import IOU_LOG_CEILING
from properties.asking import (
    boxes_for,
    evaluate,
    gradients,
    require,
    require_close,
    require_same_bits,
    same_bits,
    upstream_for,
)
from properties.backends import NumPy
from properties.samples import Sample, exact_gradients, exact_values, sample
from properties.subjects import Subject
from strategies import inverted

Array = np.ndarray
N_PAIRS = 128  # of a class


def check_value_against_oracle(subject: Subject, backend: NumPy, dtype: str, n: int = N_PAIRS) -> None:
    boxes = boxes_for(subject, backend, dtype, n)
    got = evaluate(subject, backend, boxes)
    require(got.shape == (len(boxes),), subject, f"values have shape {got.shape}, not {(len(boxes),)}")
    require(got.dtype == dtype, subject, f"values are {got.dtype}, not {dtype}")
    want = exact_values(subject.name, subject.parameters, boxes)
    require_close(subject, got, want, dtype, subject.accuracy, scale=subject.scales(want), where=boxes.cases, flushes=backend.flushes)


def check_identical_is_zero(subject: Subject, backend: NumPy, dtype: str) -> None:
    boxes = boxes_for(subject, backend, dtype, 30)
    same = Sample(boxes.a, boxes.a, boxes.labels)
    got = evaluate(subject, backend, same)
    require_same_bits(subject, got, np.zeros_like(got), "a box against itself must cost exactly 0", same.cases)


def check_symmetric(subject: Subject, backend: NumPy, dtype: str) -> None:
    boxes = boxes_for(subject, backend, dtype, N_PAIRS)
    one_way, other_way = evaluate(subject, backend, boxes), evaluate(subject, backend, Sample(boxes.b, boxes.a, boxes.labels))
    if subject.symmetric:
        require_same_bits(subject, other_way, one_way, "claimed symmetric, but the boxes exchanged", boxes.cases)
    else:
        require(not same_bits(one_way, other_way).all(), subject, "claimed not symmetric, but it is")


def check_transpose(subject: Subject, backend: NumPy, dtype: str) -> None:
    boxes = boxes_for(subject, backend, dtype, N_PAIRS)
    swapped = Sample(boxes.a[:, [1, 0, 3, 2]], boxes.b[:, [1, 0, 3, 2]], boxes.labels)
    require_same_bits(subject, evaluate(subject, backend, swapped), evaluate(subject, backend, boxes), "x and y exchanged", boxes.cases)


def check_power_of_two_scaling(subject: Subject, backend: NumPy, dtype: str) -> None:
    classes = [name for name in ("coco", "near equal", "integers", "nested", "points", "lines") if name in subject.classes]
    boxes = sample(tuple(classes), N_PAIRS, dtype)
    plain = evaluate(subject, backend, boxes)
    for power in (-11, 1, 30):
        factor = np.asarray(2.0**power, dtype)
        scaled = evaluate(subject, backend, Sample(boxes.a * factor, boxes.b * factor, boxes.labels))
        if subject.scale_free:
            require_same_bits(subject, scaled, plain, f"claimed scale-free, but scaled by 2^{power}", boxes.cases)
        else:
            require(not same_bits(scaled, plain).all(), subject, "claimed not scale-free, but it is")


def check_bounds(subject: Subject, backend: NumPy, dtype: str) -> None:
    """All values lie within the bounds, the bounds are the best ones, and their ends are open and closed as claimed."""
    low, high, low_closed, high_closed = parse_bounds(subject)
    boxes = boxes_for(subject, backend, dtype, N_PAIRS)
    got = evaluate(subject, backend, boxes)
    outside = ~((got >= low) & (got <= float(np.nextafter(np.asarray(high, dtype), np.asarray(np.inf, dtype)))))
    require(not outside.any(), subject, f"{got[outside][:1]} lies outside {subject.bounds}, for {first(boxes.cases, outside)}")
    values = [real(v) for v in exact_values(subject.name, subject.parameters, boxes_for(subject, NumPy(), "float64", N_PAIRS))]
    values += [real(v) for v in exact_values(subject.name, subject.parameters, extremes(subject.name))]
    require(min(values) == low and low_closed, subject, f"the lower end of {subject.bounds} is not the least value, {float(min(values))}")
    reached, bound = max(values), subject.bounds
    if math.isinf(high):
        require(reached > LARGE and not high_closed, subject, f"{bound}: the largest value is not unbounded but {float(reached)}")
    else:
        is_reached = reached == high or (is_rounded(high) and float(reached) == high)
        require(reached <= high or is_reached, subject, f"the exact value {float(reached)} lies outside {bound}")
        require(reached >= high * (1 - TIGHT), subject, f"the upper end of {bound} is never approached: the largest value is {float(reached)}")
        require(is_reached == high_closed, subject, f"the upper end of {bound} is {'reached' if is_reached else 'not reached'}")


LARGE = 1e12  # the boxes below make an unbounded loss at least as large
TIGHT = 1 / 64  # how near the largest exact value must come to a claimed upper end
# Slim boxes across each other, far apart and in the corners of a large hull: where the losses are largest
EXTREMES = Sample(
    np.array([[0, 0, 1, 1e6], [0, 0, 1e-3, 1], [0, 0, 1, 1], [0, 0, 1, 1]], float),
    np.array([[1e9, 1e9, 1e9 + 1e6, 1e9 + 1], [1e6, 1e6, 1e6 + 1, 1e6 + 1e-3], [1e9, 1e9, 1e9 + 1, 1e9 + 1], [0, 0, 1e15, 1]], float),
    np.array(["extreme"] * 4),
)


@lru_cache
def extremes(name: str) -> Sample:
    """`EXTREMES`, and pairs where this loss is largest, as `oracle.forms` may have them."""
    own = np.array(exact.EXTREMES.get(name, ()), float).reshape(-1, 2, 4)
    return Sample(np.vstack([EXTREMES.a, own[:, 0]]), np.vstack([EXTREMES.b, own[:, 1]]), np.array(["extreme"] * (len(EXTREMES) + len(own))))


def parse_bounds(subject: Subject) -> tuple[Any, Any, bool, bool]:
    match = re.fullmatch(r"([\[(])\s*([^,]+?)\s*,\s*([^,]+?)\s*([\])])", subject.bounds)
    require(match, subject, f"bounds {subject.bounds!r} do not read like '[0, 2)'")
    opening, low, high, closing = match.groups()  # type: ignore[union-attr]
    return number(low), number(high), opening == "[", closing == "]"


def number(text: str) -> Any:
    written = float(text)
    return next((irrational for irrational in (IOU_LOG_CEILING, mp.e) if same_bits(np.float32(written), np.float32(irrational))), written)


def is_rounded(bound: float) -> bool:
    """Is it a decimal like 3.6 that no binary number is? A parameter that the bound is worked out from is rounded likewise."""
    return bool(Fraction(repr(float(bound))) != Fraction(float(bound)))


def first(cases: list[Any], mask: Array) -> Any:
    return cases[int(np.argmax(mask))]


def check_finite(subject: Subject, backend: Any, dtype: str) -> None:
    """Finite in, finite out: values and gradients, inverted boxes too. What exceeds the number type may be infinite, never NaN."""
    drawn = boxes_for(subject, backend, dtype, 40)
    a, b = inverted(90, dtype)
    require(np.isfinite(evaluate(subject, backend, Sample(a, b, np.array(["inverted"] * 90)))).all(), subject, "inverted boxes: a value is not finite")
    got = evaluate(subject, backend, drawn)
    suspects = ~np.isfinite(got)
    wanted = exact_values(subject.name, subject.parameters, drawn.where(suspects))
    require_finite(subject, "value", got[suspects, None], [[w] for w in wanted], drawn.where(suspects), dtype)
    if backend.has_gradient:
        require(np.isfinite(gradients(subject, backend, Sample(a, b, drawn.labels[:90]), upstream_for(90))).all(), subject, "inverted boxes: NaN gradient")
        slopes = gradients(subject, backend, drawn, upstream_for(len(drawn)))
        suspects = ~np.isfinite(slopes).all(1)
        require_finite(
            subject, "gradient", slopes[suspects], exact_gradients(subject.name, subject.parameters, drawn.where(suspects)), drawn.where(suspects), dtype
        )


def require_finite(subject: Subject, what: str, got: Array, wanted: list[list[Any]], boxes: Sample, dtype: str) -> None:
    for row, (numbers, exact_numbers) in enumerate(zip(got, wanted, strict=True)):
        for x, want in zip(numbers, exact_numbers, strict=True):
            may_overflow = abs(real(want)) * 4 > real(LARGEST[dtype])
            require(np.isfinite(x) or (np.isinf(x) and may_overflow), subject, f"a {what} is {x}, and should be {real(want)}, for {boxes.cases[row]}")


def check_inverted(subject: Subject, backend: Any, dtype: str) -> None:
    """Boxes with crossed edges cost what the decision says, and are pulled upright: by value and gradient."""
    a, b = inverted(54, dtype)
    boxes = Sample(a, b, np.array(["inverted"] * 54))
    wanted = [exact.inverted_gradient(subject.name, p, t, **subject.parameters) for p, t in zip(a.tolist(), b.tolist(), strict=True)]
    got = evaluate(subject, backend, boxes)
    values = [w.value for w in wanted]
    require_close(subject, got, values, dtype, subject.inverted_accuracy, scale=subject.scales(values), where=boxes.cases, flushes=backend.flushes)
    if backend.has_gradient:
        upstream = upstream_for(54)
        slopes = gradients(subject, backend, boxes, upstream)
        want = [[real(s) * float(factor) for s in exact.slopes(w)] for w, factor in zip(wanted, upstream, strict=True)]
        scales = [max(abs(s) for s in row) + subject.has_sides for row in want for _ in range(8)]  # the terms of a slope are below 1: sides are above
        where = [case for case in boxes.cases for _ in range(8)]
        require_close(subject, slopes, want, dtype, subject.inverted_accuracy, scale=scales, where=where, flushes=backend.flushes)
