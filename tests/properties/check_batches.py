"""What must not matter: reductions, number types, batches, memory, threads, a NaN elsewhere."""

import math
from typing import Any

import numpy as np

from properties.asking import (
    boxes_for,
    evaluate,
    gradients,
    require,
    require_close,
    require_same_bits,
    slopes_of,
    upstream_for,
)
from properties.backends import NumPy
from properties.samples import Sample, exact_values, sample
from properties.subjects import Subject

Array = np.ndarray


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
        want = exact_values(subject.name, subject.parameters, boxes)
        require_close(subject, got, want, wide, subject.accuracy, scale=subject.scales(want), where=boxes.cases)
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
