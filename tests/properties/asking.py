"""How a check asks a loss for its values and gradients, and how it complains."""

from collections.abc import Callable
from typing import Any

import numpy as np

from close import close
from properties.backends import NoGradientError, NumPy
from properties.samples import Sample, sample
from properties.subjects import Subject

Array = np.ndarray


class NotKeptError(AssertionError):
    """A loss that breaks the contract; the message begins with its name."""


def require(condition: Any, subject: Subject, message: str) -> None:
    if not condition:
        raise NotKeptError(f"{subject}: {message}")


def require_close(subject: Subject, got: Any, want: Any, dtype: str, roundoffs: int | str, **how: Any) -> None:
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
