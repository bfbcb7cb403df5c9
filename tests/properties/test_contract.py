"""The numerical contract, asked of every loss of the catalogue, on every array library that is installed.

A claim that is false fails here, naming the loss: also when "not symmetric" turns out symmetric.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from close import close
from oracle import exact
from properties import checks
from properties.backends import NumPy, installed
from properties.checks import GRADIENT_CHECKS, NARROW, THREAD_CHECKS, VALUE_CHECKS
from properties.subjects import Subject, catalogue
from strategies import pairs

SUBJECTS = [pytest.param(subject, id=str(subject)) for subject in catalogue()]
BACKENDS = [pytest.param(backend, id=backend.name) for backend in installed()]
DIFFERENTIABLE = [pytest.param(backend, id=backend.name) for backend in installed() if backend.has_gradient]
THREADED = [pytest.param(backend, id=backend.name) for backend in installed() if backend.name == "torch"]
DTYPES = ("float32", "float64")


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("check", VALUE_CHECKS.values(), ids=VALUE_CHECKS)
def test_values(check: Any, backend: NumPy, dtype: str, subject: Subject) -> None:
    check(subject, backend, dtype)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", DIFFERENTIABLE)
@pytest.mark.parametrize("check", GRADIENT_CHECKS.values(), ids=GRADIENT_CHECKS)
def test_gradients(check: Any, backend: NumPy, dtype: str, subject: Subject) -> None:
    check(subject, backend, dtype)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("backend", BACKENDS)
def test_narrow_types(backend: NumPy, dtype: str, subject: Subject) -> None:
    if dtype in backend.dtypes:
        checks.check_narrow_types(subject, backend, dtype)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("backend", THREADED)
@pytest.mark.parametrize("check", THREAD_CHECKS.values(), ids=THREAD_CHECKS)
def test_threads(check: Any, backend: NumPy, subject: Subject) -> None:
    check(subject, backend, "float32")


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_value_on_boxes_that_hypothesis_finds(dtype: str, subject: Subject) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(pairs(dtype))
    def agrees(boxes: tuple[np.ndarray, np.ndarray]) -> None:
        a, b = boxes
        want = exact.value(subject.name, a.tolist(), b.tolist(), **subject.parameters)
        close(subject.values(a[None], b[None]), [want], dtype, where=[boxes])

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b.id != "jax"])
def test_value_on_five_thousand_pairs_of_each_class(backend: NumPy, dtype: str, subject: Subject) -> None:
    checks.check_value_against_oracle(subject, backend, dtype, n=5000)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("backend", DIFFERENTIABLE)
def test_gradient_on_three_hundred_pairs_of_each_class(backend: NumPy, dtype: str, subject: Subject) -> None:
    checks.check_gradient_against_oracle(subject, backend, dtype, n=300)
