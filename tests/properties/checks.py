"""The contract, as functions: each takes a loss, an array library and a number type, and raises an AssertionError that names the loss.

They are written once and asked of everything: of the whole catalogue in `test_contract.py`, and of wrong losses in `tests/meta`.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from close import LARGEST, close
from oracle import exact
from oracle.exact import IOU_LOG_CEILING, real
from properties.backends import NoGradientError, NumPy
from properties.samples import Sample, exact_gradients, exact_values, have_area, no_ties, sample
from properties.subjects import Subject
from strategies import inverted

Array = np.ndarray
N_PAIRS = 150  # of a class, for values
N_GRADIENTS = 12  # of a class, for gradients


class NotKeptError(AssertionError):
    """A loss that breaks the contract; the message begins with its name."""


def require(condition: Any, subject: Subject, message: str) -> None:
    if not condition:
        raise NotKeptError(f"{subject}: {message}")


def require_close(subject: Subject, got: Any, want: Any, dtype: str, roundoffs: str, **how: Any) -> None:
    try:
        close(got, want, dtype, roundoffs, **how)
    except AssertionError as error:
        raise NotKeptError(f"{subject}: {error}") from None


def require_same_bits(subject: Subject, got: Array, want: Array, what: str, cases: list[Any]) -> None:
    require(got.shape == want.shape and got.dtype == want.dtype, subject, f"{what}: {got.dtype}{got.shape} is not {want.dtype}{want.shape}")
    differ = ~same_bits(got, want)
    if differ.any():
        row = int(np.argmax(differ.reshape(len(differ), -1).any(1)))
        raise NotKeptError(f"{subject}: {what}: {int(differ.sum())} of {differ.size} numbers differ; first {got[row]!r}, not {want[row]!r}, for {cases[row]}")


def same_bits(got: Array, want: Array) -> Array:
    """Element by element; a NaN is the same as a NaN, and 0 as -0."""
    return (got == want) | (np.isnan(got) & np.isnan(want))


def boxes_for(subject: Subject, backend: NumPy, dtype: str, n: int) -> Sample:
    classes = tuple(name for name in subject.classes if not (backend.flushes and name == "subnormal"))
    return sample(classes, n, dtype)


def evaluate(subject: Subject, backend: NumPy, boxes: Sample) -> Array:
    dtype = boxes.a.dtype.name
    a, b = padded(backend, boxes.a, boxes.b)
    return backend.numbers(subject.values(backend.array(a, dtype), backend.array(b, dtype)))[: len(boxes)]


def gradients(subject: Subject, backend: Any, boxes: Sample, upstream: Array) -> Array:
    """(n, 8): along the coordinates of pred, then of target."""
    dtype = boxes.a.dtype.name
    a, b, factors = padded(backend, boxes.a, boxes.b, upstream)
    return np.hstack(slopes_of(subject, backend, subject.values, backend.array(a, dtype), backend.array(b, dtype), factors))[: len(boxes)]


def slopes_of(subject: Subject, backend: Any, function: Callable[..., Any], a: Any, b: Any, upstream: Array) -> tuple[Array, Array]:
    try:
        return backend.gradients(function, a, b, upstream)
    except NoGradientError as error:
        raise NotKeptError(f"{subject}: {error}") from None


def padded(backend: NumPy, *arrays: Array) -> list[Array]:
    """The arrays with their rows repeated up to the number that the backend likes."""
    n = backend.rows_at_once
    return [np.concatenate([x, np.repeat(x[:1], n - len(x), 0)]) if n and len(x) < n else x for x in arrays]


def upstream_for(n: int) -> Array:
    """Upstream gradients that are not 1, with few enough digits to multiply by without rounding."""
    return np.resize([1.75, -0.625, 3.0, 0.5, -2.0], n)


# ---- values


def check_value_against_oracle(subject: Subject, backend: NumPy, dtype: str, n: int = N_PAIRS) -> None:
    boxes = boxes_for(subject, backend, dtype, n)
    got = evaluate(subject, backend, boxes)
    require(got.shape == (len(boxes),), subject, f"values have shape {got.shape}, not {(len(boxes),)}")
    require(got.dtype == dtype, subject, f"values are {got.dtype}, not {dtype}")
    want = exact_values(subject.name, subject.parameters, boxes)
    require_close(subject, got, want, dtype, subject.accuracy, where=boxes.cases, flushes=backend.flushes)


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
    values += [real(v) for v in exact_values(subject.name, subject.parameters, EXTREMES)]
    require(min(values) == low and low_closed, subject, f"the lower end of {subject.bounds} is not the least value, {float(min(values))}")
    reached, bound = max(values), subject.bounds
    if math.isinf(high):
        require(reached > LARGE and not high_closed, subject, f"{bound}: the largest value is not unbounded but {float(reached)}")
    else:
        require(reached <= high, subject, f"the exact value {float(reached)} lies outside {bound}")
        require(reached >= high * (1 - TIGHT), subject, f"the upper end of {bound} is never approached: the largest value is {float(reached)}")
        require((reached == high) == high_closed, subject, f"the upper end of {bound} is {'reached' if reached == high else 'not reached'}")


LARGE = 1e12  # the boxes below make an unbounded loss at least as large
TIGHT = 1 / 64  # how near the largest exact value must come to a claimed upper end
# Slim boxes across each other, far apart and in the corners of a large hull: where the losses are largest
EXTREMES = Sample(
    np.array([[0, 0, 1, 1e6], [0, 0, 1e-3, 1], [0, 0, 1, 1], [0, 0, 1, 1]], float),
    np.array([[1e9, 1e9, 1e9 + 1e6, 1e9 + 1], [1e6, 1e6, 1e6 + 1, 1e6 + 1e-3], [1e9, 1e9, 1e9 + 1, 1e9 + 1], [0, 0, 1e15, 1]], float),
    np.array(["extreme"] * 4),
)


def parse_bounds(subject: Subject) -> tuple[Any, Any, bool, bool]:
    match = re.fullmatch(r"([\[(])\s*([^,]+?)\s*,\s*([^,]+?)\s*([\])])", subject.bounds)
    require(match, subject, f"bounds {subject.bounds!r} do not read like '[0, 2)'")
    opening, low, high, closing = match.groups()  # type: ignore[union-attr]
    return number(low), number(high), opening == "[", closing == "]"


def number(text: str) -> Any:
    written = float(text)
    return IOU_LOG_CEILING if same_bits(np.float32(written), np.float32(IOU_LOG_CEILING)) else written


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


# ---- gradients


def check_gradient_against_oracle(subject: Subject, backend: Any, dtype: str, n: int = N_GRADIENTS) -> None:
    """In value, for both boxes, with an upstream gradient that is not 1; what the formula holds is held."""
    boxes = boxes_for(subject, backend, dtype, n)
    require_gradients(subject, backend, boxes.where(no_ties(boxes)))


def check_gradient_at_ties(subject: Subject, backend: Any, dtype: str) -> None:
    """Where coordinates are equal, minimum, maximum and |x| share the slope half and half."""
    classes = tuple(name for name in ("integers", "touching", "identical") if name in subject.classes)
    boxes = sample(classes, N_GRADIENTS, dtype)
    require_gradients(subject, backend, boxes.where(have_area(boxes) & ~no_ties(boxes)))


def require_gradients(subject: Subject, backend: Any, boxes: Sample) -> None:
    dtype = boxes.a.dtype.name
    upstream = upstream_for(len(boxes))
    got = gradients(subject, backend, boxes, upstream).astype(float)
    wanted = exact_gradients(subject.name, subject.parameters, boxes)
    want = [[real(s) * float(factor) for s in slopes] for slopes, factor in zip(wanted, upstream, strict=True)]
    sizes = np.array([float(min(max(abs(s) for s in slopes), real(LARGEST["float64"]))) for slopes in want])
    is_flat = sizes == 0
    require((got[is_flat & no_ties(boxes)] == 0).all(), subject, "a gradient is not 0 where the loss is constant")
    is_huge = sizes > float(LARGEST[dtype]) / 4  # the derivative itself exceeds the type: only its direction is left to tell
    for row in np.flatnonzero(is_huge):
        require_direction(subject, got[row], want[row], dtype, boxes.cases[row])
    kept = np.flatnonzero(~is_huge)
    scales = [max(sizes[row], abs(upstream[row]) * term_size(boxes, row) * subject.scale_free) for row in kept for _ in range(8)]
    where = [boxes.cases[row] for row in kept for _ in range(8)]
    require_close(subject, got[kept], [want[row] for row in kept], dtype, subject.gradient_accuracy, scale=scales, where=where, flushes=backend.flushes)


def term_size(boxes: Sample, row: int) -> float:
    """How large the terms of a scale-free loss's slope are, which may cancel: 1 / side where boxes overlap, 1 / side of the hull where they do not."""
    a, b = boxes.a[row].astype(float), boxes.b[row].astype(float)
    overlap = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    hull = np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])
    sides = np.concatenate([a[2:] - a[:2], b[2:] - b[:2]]) if (overlap > 0).all() else hull
    return float(min(1 / sides.min(), np.finfo(float).max / 16)) if sides.min() > 0 else 0.0


def require_direction(subject: Subject, got: Array, want: list[Any], dtype: str, case: Any) -> None:
    """No NaN, something that is not 0, and no slope of the wrong sign but where it is small beside the others."""
    longest = max(abs(w) for w in want)
    wrong = any(g * (1 if w > 0 else -1) < 0 for g, w in zip(got, want, strict=True) if abs(w) > longest * TIGHT)
    bad = np.isnan(got).any() or not np.any(got) or wrong
    require(not bad, subject, f"a gradient too large for {dtype} became {got.tolist()}, for {case}")


# ---- reductions, shapes, types


def check_reductions(subject: Subject, backend: Any, dtype: str) -> None:
    boxes = sample(("coco", "integers"), 23, dtype)
    a, b = backend.array(boxes.a, dtype), backend.array(boxes.b, dtype)
    weights = np.resize(np.asarray([0.5, 2.0, 0.0, 1.25], dtype), len(boxes))
    weight = backend.array(weights, dtype)
    values = evaluate(subject, backend, boxes)
    total, weighted = math.fsum(values), math.fsum(values * weights)
    none = backend.numbers(subject.loss(a, b, reduction="none", weight=weight))
    require_same_bits(subject, none, values * weights, "weighted values", boxes.cases)
    for reduction, w, want in (
        ("sum", None, total),
        ("mean", None, total / len(boxes)),
        ("sum", weight, weighted),
        ("mean", weight, weighted / math.fsum(weights)),
    ):
        got = backend.numbers(subject.loss(a, b, reduction=reduction, weight=w))
        require(got.shape == () and got.dtype == dtype, subject, f"{reduction} gives {got.dtype}{got.shape}")
        require_close(subject, got, want, dtype, "sum", where=[f"{reduction}{'' if w is None else ', weighted'}"])
    default = backend.numbers(subject.loss(a, b))
    require_close(subject, default, total / len(boxes), dtype, "sum", where=["the default reduction, mean"])
    if backend.has_gradient:
        check_reduced_gradients(subject, backend, boxes, weight, weights)


def check_reduced_gradients(subject: Subject, backend: Any, boxes: Sample, weight: Any, weights: Array) -> None:
    dtype = boxes.a.dtype.name
    a, b = backend.array(boxes.a, dtype), backend.array(boxes.b, dtype)
    plain = gradients(subject, backend, boxes, np.ones(len(boxes))).astype(float)
    scales = [np.abs(plain).max()] * plain.size  # of all pairs: a pair's own slopes may cancel, and then only rounding is left
    for reduction in ("sum", "mean"):
        for w, factors in ((None, np.ones(len(boxes))), (weight, weights.astype(float))):
            share = 1 / factors.sum() if reduction == "mean" else 1.0
            reduced = slopes_of(subject, backend, lambda p, t, r=reduction, w=w: subject.loss(p, t, reduction=r, weight=w), a, b, np.asarray(-3.0))
            want = plain * factors[:, None] * (-3.0 * share)
            require_close(subject, np.hstack(reduced), want, dtype, "sum", scale=scales, where=[f"the gradient of the {reduction}"] * want.size)


def check_empty_batch(subject: Subject, backend: Any, dtype: str) -> None:
    """No boxes: no values; their sum and mean are 0, and a gradient flows (of no numbers)."""
    none = backend.array(np.zeros((0, 4)), dtype)
    require(backend.numbers(subject.loss(none, none, reduction="none")).shape == (0,), subject, "an empty batch has values")
    for reduction in ("sum", "mean"):
        got = backend.numbers(subject.loss(none, none, reduction=reduction))
        require(got.shape == () and got == 0, subject, f"the {reduction} over an empty batch is {got}, not 0")
        if backend.has_gradient:
            slopes = slopes_of(subject, backend, lambda p, t, r=reduction: subject.loss(p, t, reduction=r), none, none, np.asarray(2.0))
            require(all(s.shape == (0, 4) for s in slopes), subject, f"the {reduction} over an empty batch has no gradient path")


NARROW = {"float16": "float32", "bfloat16": "float32", "int8": "float32", "uint8": "float32", "int16": "float32", "int32": "float32", "int64": "float64"}


def check_narrow_types(subject: Subject, backend: Any, dtype: str) -> None:
    """Half types and integers are computed in the wider type: areas do not overflow, subtractions do not wrap around."""
    wide = NARROW[dtype]
    drawn = sample(("integers", "touching"), 40, "float64")
    boxes = Sample(drawn.a, np.where(np.arange(len(drawn))[:, None] % 5 == 0, drawn.a, drawn.b), drawn.labels)
    factor = {"int8": 5, "uint8": 10, "float16": 64, "bfloat16": 64}.get(dtype, 1000)  # all of them numbers of the type
    boxes = Sample(boxes.a * factor, boxes.b * factor, boxes.labels)
    got = backend.numbers(subject.values(backend.array(boxes.a, dtype), backend.array(boxes.b, dtype)))
    require(got.dtype in (np.float32, np.float64), subject, f"losses of {dtype} boxes are {got.dtype}")
    if dtype == "int32":  # may be computed in either
        require_close(subject, got, exact_values(subject.name, subject.parameters, boxes), wide, subject.accuracy, where=boxes.cases)
        return
    want = backend.numbers(subject.values(backend.array(boxes.a, wide), backend.array(boxes.b, wide)))
    require_same_bits(subject, got, want, f"{dtype} boxes, against {wide}", boxes.cases)
    if backend.has_gradient and "float" in dtype:
        slopes = slopes_of(subject, backend, subject.values, backend.array(boxes.a, dtype), backend.array(boxes.b, dtype), np.ones(len(boxes)))
        require(all(np.isfinite(s.astype(float)).all() for s in slopes), subject, f"a gradient of {dtype} boxes is not finite")


def check_pairwise_equals_elementwise(subject: Subject, backend: NumPy, dtype: str) -> None:
    boxes = boxes_for(subject, backend, dtype, 4)
    a, b = boxes.a[::2], boxes.b[1::3]
    matrix = backend.numbers(subject.pairwise(backend.array(a, dtype), backend.array(b, dtype)))
    require(matrix.shape == (len(a), len(b)), subject, f"the pairwise matrix of {len(a)} and {len(b)} boxes has shape {matrix.shape}")
    rows, columns = np.indices(matrix.shape).reshape(2, -1)
    one_by_one = backend.numbers(subject.elementwise(backend.array(a[rows], dtype), backend.array(b[columns], dtype)))
    require_same_bits(subject, matrix.ravel(), one_by_one, "pairwise against element-wise", list(zip(a[rows].tolist(), b[columns].tolist(), strict=True)))


def check_batch_and_stride_bits(subject: Subject, backend: NumPy, dtype: str) -> None:
    """A pair's value does not depend on the batch it is in, nor on how that lies in memory."""
    boxes = boxes_for(subject, backend, dtype, 8)
    n = len(boxes) // 2 * 2
    boxes = boxes.where(np.arange(len(boxes)) < n)
    a, b = backend.array(boxes.a, dtype), backend.array(boxes.b, dtype)
    whole = evaluate(subject, backend, boxes)

    def same(what: str, values: Any, want: Array) -> None:
        require_same_bits(subject, backend.numbers(values), want, what, boxes.cases)

    for start, stop in ((0, 1), (5, 6), (3, 20), (n - 7, n)):
        same(f"rows {start} to {stop} alone", subject.values(a[start:stop], b[start:stop]), whole[start:stop])
    same("one row without a batch", subject.values(a[4], b[4])[None], whole[4:5])
    same("every second row", subject.values(a[::2], b[::2]), whole[::2])
    same("columns apart in memory", subject.values(backend.array(np.repeat(boxes.a, 2, 1), dtype)[:, ::2], b), whole)
    same("column by column in memory", subject.values(backend.array(boxes.a.T.copy(), dtype).T, backend.array(boxes.b.T.copy(), dtype).T), whole)
    same("in two columns of boxes", subject.values(a.reshape(-1, 2, 4), b.reshape(-1, 2, 4)), whole.reshape(-1, 2))
    same("one target for all", subject.values(a, b[:1]), backend.numbers(subject.values(a, backend.array(np.repeat(boxes.b[:1], n, 0), dtype))))


def check_threads(subject: Subject, backend: Any, dtype: str) -> None:
    """One thread and two give the same bits (PyTorch's; its loops divide from 32,768 rows on)."""
    import torch

    boxes = boxes_for(subject, backend, dtype, 8)
    n = len(boxes)
    many = Sample(np.resize(boxes.a, (40_001, 4)), np.resize(boxes.b, (40_001, 4)), boxes.labels)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = evaluate(subject, backend, many)
        torch.set_num_threads(2)
        require_same_bits(subject, evaluate(subject, backend, many), one, "two threads", boxes.cases * (40_001 // n + 1))
    finally:
        torch.set_num_threads(before)
    require_same_bits(subject, one[:n], evaluate(subject, backend, boxes), "in a batch of 40,001", boxes.cases)


def check_nan_stays_in_its_row(subject: Subject, backend: Any, dtype: str) -> None:
    boxes = sample(("coco",), 25, dtype)
    clean = evaluate(subject, backend, boxes)
    a, b = boxes.a.copy(), boxes.b.copy()
    for column in range(4):
        a[3 * column, column] = b[12 + 3 * column, column] = np.nan
    ill = Sample(a, b, boxes.labels)
    is_ill = np.arange(25) % 3 == 0
    is_ill[24] = False
    got = evaluate(subject, backend, ill)
    require(np.isnan(got[is_ill]).all(), subject, f"a NaN was swallowed: {got[is_ill]}")
    require_same_bits(subject, got[~is_ill], clean[~is_ill], "rows beside a NaN", ill.where(~is_ill).cases)
    if backend.has_gradient:
        slopes, clean_slopes = (gradients(subject, backend, x, upstream_for(25)) for x in (ill, boxes))
        require_same_bits(subject, slopes[~is_ill], clean_slopes[~is_ill], "gradients beside a NaN", ill.where(~is_ill).cases)


def check_inverted(subject: Subject, backend: Any, dtype: str) -> None:
    """Boxes with crossed edges cost what the decision says, and are pulled upright: by value and gradient."""
    a, b = inverted(54, dtype)
    boxes = Sample(a, b, np.array(["inverted"] * 54))
    wanted = [exact.inverted_gradient(subject.name, p, t, **subject.parameters) for p, t in zip(a.tolist(), b.tolist(), strict=True)]
    got = evaluate(subject, backend, boxes)
    require_close(subject, got, [w.value for w in wanted], dtype, subject.inverted_accuracy, where=boxes.cases)
    if backend.has_gradient:
        upstream = upstream_for(54)
        slopes = gradients(subject, backend, boxes, upstream)
        want = [[real(s) * float(factor) for s in exact.slopes(w)] for w, factor in zip(wanted, upstream, strict=True)]
        scales = [max(abs(s) for s in row) + subject.scale_free for row in want for _ in range(8)]  # the terms of a slope are below 1: sides are above
        require_close(subject, slopes, want, dtype, subject.inverted_accuracy, scale=scales, where=[case for case in boxes.cases for _ in range(8)])


Check = Callable[[Subject, Any, str], None]

# The name says what a broken loss is blamed for
VALUE_CHECKS: dict[str, Check] = {
    "value": check_value_against_oracle,
    "identical": check_identical_is_zero,
    "symmetric": check_symmetric,
    "transpose": check_transpose,
    "scaling": check_power_of_two_scaling,
    "bounds": check_bounds,
    "finite": check_finite,
    "inverted": check_inverted,
    "reductions": check_reductions,
    "empty": check_empty_batch,
    "pairwise": check_pairwise_equals_elementwise,
    "batch": check_batch_and_stride_bits,
    "nan": check_nan_stays_in_its_row,
}
GRADIENT_CHECKS: dict[str, Check] = {"gradient": check_gradient_against_oracle, "ties": check_gradient_at_ties}
TYPE_CHECKS: dict[str, Check] = {"narrow": check_narrow_types}
THREAD_CHECKS: dict[str, Check] = {"threads": check_threads}
