"""The numerical contract, asked of every loss of the catalogue, on every array library that is installed.

A claim that is false fails here, naming the loss: also when "not symmetric" turns out symmetric.
"""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from close import close
from oracle import exact
from properties import checks
from properties.backends import NumPy, installed
from properties.checks import GRADIENT_CHECKS, NARROW, THREAD_CHECKS, TYPE_CHECKS, VALUE_CHECKS, Check
from properties.subjects import Subject, catalogue
from strategies import pairs

SUBJECTS = catalogue()
BACKENDS = installed()
DTYPES = ("float32", "float64")
# The default run leaves to the slow one most of what takes minutes: JAX, which compiles each operation for each shape, and threads
JAX_BY_DEFAULT = {("value", "float32", subject.name) for subject in SUBJECTS} | {("gradient", "float32", "ciou")}
THREADS_BY_DEFAULT = ("ciou", "iou_log")


def is_slow(check: str, backend: NumPy, dtype: str, subject: Subject) -> bool:
    if check in THREAD_CHECKS:
        return subject.name not in THREADS_BY_DEFAULT
    return backend.name == "jax" and (check, dtype, subject.name) not in JAX_BY_DEFAULT


def cases(asked: dict[str, Check], dtypes: tuple[str, ...], backends: list[Any]) -> list[Any]:
    """Each check of each loss, in each library and number type."""
    params = []
    for name, backend, dtype, subject in product(asked, backends, dtypes, SUBJECTS):
        if dtype in backend.dtypes:
            marks = [pytest.mark.slow] if is_slow(name, backend, dtype, subject) else []
            params.append(pytest.param(asked[name], subject, backend, dtype, marks=marks, id=f"{name}-{backend.name}-{dtype}-{subject}"))
    return params


WITH_GRADIENT = [backend for backend in BACKENDS if backend.has_gradient]
TORCH = [backend for backend in BACKENDS if backend.name == "torch"]


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(VALUE_CHECKS, DTYPES, BACKENDS))
def test_values(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    check(subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(GRADIENT_CHECKS, DTYPES, WITH_GRADIENT))
def test_gradients(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    check(subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(TYPE_CHECKS, tuple(NARROW), BACKENDS))
def test_narrow_types(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    check(subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(THREAD_CHECKS, ("float32",), TORCH))
def test_threads(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    check(subject, backend, dtype)


def test_the_catalogue_has_the_ten_losses_of_the_oracle() -> None:
    """A loss without an oracle would not be tested: write its text-book form in `oracle/exact.py`."""
    assert {subject.name for subject in SUBJECTS} == set(exact.LOSSES)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_value_on_boxes_that_hypothesis_finds(dtype: str, subject: Subject) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(pairs(dtype))
    def agrees(boxes: tuple[np.ndarray, np.ndarray]) -> None:
        a, b = boxes
        want = exact.value(subject.name, a.tolist(), b.tolist(), **subject.parameters)
        close(subject.values(a[None], b[None]), [want], dtype, where=[boxes])

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b.name != "jax"], ids=lambda backend: backend.name)
def test_value_on_five_thousand_pairs_of_each_class(backend: NumPy, dtype: str, subject: Subject) -> None:
    checks.check_value_against_oracle(subject, backend, dtype, n=5000)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", TORCH, ids=lambda backend: backend.name)
def test_gradient_on_three_hundred_pairs_of_each_class(backend: NumPy, dtype: str, subject: Subject) -> None:
    checks.check_gradient_against_oracle(subject, backend, dtype, n=300)
