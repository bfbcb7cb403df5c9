"""The numerical contract, asked of every loss of the catalogue, on every array library that is installed, through the kernels and without them.

The same checks judge the kernels for GPUs (`kernels/gpu/test_contract.py`) and the generated JavaScript (`calculus/test_javascript.py`).

A claim that is false fails here, naming the loss: also when "not symmetric" turns out symmetric.
"""

import contextlib
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import boxloss as bl
from close import close
from each import REPRESENTATIVES, by_default
from oracle import exact
from properties.backends import NumPy, installed
from properties.check_batches import NARROW
from properties.check_gradients import check_gradient_against_oracle
from properties.check_values import check_value_against_oracle
from properties.checks import GRADIENT_CHECKS, THREAD_CHECKS, TYPE_CHECKS, VALUE_CHECKS, Check
from properties.subjects import OF_THE_FORMULA, OF_THE_LIBRARY, Subject, catalogue, is_asked
from strategies import CLASSES, pairs

SUBJECTS = catalogue()
BACKENDS = installed()
DTYPES = ("float32", "float64")
# The default run leaves to the slow one most of what takes minutes: JAX, which compiles each operation for each shape, threads, and kernels of most losses
JAX_BY_DEFAULT = {("value", "float32", name) for name in REPRESENTATIVES} | {("gradient", "float32", "ciou")}
PLAIN_BY_DEFAULT = {("value", "float32"), ("gradient", "float32")}
ASKED_OF_ALL = ("value", "gradient", "identical", "symmetric", "bounds", "finite", "inverted")
# What losses other than the representatives are asked: what depends on the formula once in each number type, in float32 through the kernels, which NumPy's
# arrays and PyTorch's tensors share. Without kernels NumPy has their bits in either (kernels/cpu/test_elementwise.py), and nothing is compiled.
OF_OTHERS = {
    ("numpy", "float32"): OF_THE_FORMULA,
    ("numpy-plain", "float64"): OF_THE_FORMULA,
    ("torch", "float32"): ("gradient", "ties", "finite", "nan"),
    ("torch", "float64"): ("gradient", "ties", "finite", "nan"),
    ("torch-plain", "float32"): OF_THE_LIBRARY,
    ("torch-plain", "float64"): OF_THE_LIBRARY,
    ("jax", "float32"): OF_THE_LIBRARY,
}
THREADS_BY_DEFAULT = ("ciou", "iou_log")


def ask(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    with contextlib.nullcontext() if backend.kernels else bl.plain():
        check(subject, backend, dtype)


def is_slow(check: str, backend: NumPy, dtype: str, subject: Subject) -> bool:
    if check in THREAD_CHECKS:
        return subject.name not in THREADS_BY_DEFAULT
    if subject.name not in REPRESENTATIVES or (subject.parameters and subject.name != "smooth_l1"):
        # Kernels of each would have to be compiled first
        return subject.parameters != {} or backend.name != "numpy-plain" or check not in ASKED_OF_ALL
    if not backend.kernels:
        return (check, dtype) not in PLAIN_BY_DEFAULT
    return backend.name == "jax" and (check, dtype, subject.name) not in JAX_BY_DEFAULT


def cases(asked: dict[str, Check], dtypes: tuple[str, ...], backends: list[Any]) -> list[Any]:
    """Each check of each loss, in each library and number type: all of one loss together, so that the oracle's answers are still at hand."""
    params = []
    for subject, dtype, name, backend in product(SUBJECTS, dtypes, asked, backends):
        if dtype in backend.dtypes and is_asked(name, subject, OF_OTHERS.get((backend.name, dtype), ())):
            marks = [pytest.mark.slow] if is_slow(name, backend, dtype, subject) else []
            params.append(pytest.param(asked[name], subject, backend, dtype, marks=marks, id=f"{name}-{backend.name}-{dtype}-{subject}"))
    return params


WITH_GRADIENT = [backend for backend in BACKENDS if backend.has_gradient]
TORCH = [backend for backend in BACKENDS if backend.name == "torch"]


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(VALUE_CHECKS, DTYPES, BACKENDS))
def test_values(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    ask(check, subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(GRADIENT_CHECKS, DTYPES, WITH_GRADIENT))
def test_gradients(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    ask(check, subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(TYPE_CHECKS, tuple(NARROW), BACKENDS))
def test_narrow_types(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    ask(check, subject, backend, dtype)


@pytest.mark.parametrize(("check", "subject", "backend", "dtype"), cases(THREAD_CHECKS, ("float32",), TORCH))
def test_threads(check: Check, subject: Subject, backend: NumPy, dtype: str) -> None:
    ask(check, subject, backend, dtype)


def test_every_loss_has_an_oracle() -> None:
    """A loss without an oracle would not be tested: write its text-book form in `oracle/exact.py`."""
    assert {subject.name for subject in SUBJECTS} == set(exact.LOSSES)


@pytest.mark.parametrize("name", bl.catalogue())
def test_the_records_pencil_cases(name: str) -> None:
    """At least two cases stand in each formula's record, one of them identical boxes; the oracle agrees to the digits given, the loss to the contract's."""
    pencil = bl.catalogue()[name].cases
    assert len(pencil) >= 2
    assert any(pred == target and cost == 0 for pred, target, cost in pencil)
    for pred, target, cost in pencil:
        want = exact.value(name, pred, target)
        close(cost, want, "float64")
        for dtype in DTYPES:
            with bl.plain():
                got = bl.loss(name)(np.array([pred], dtype), np.array([target], dtype))
            close(got, want, dtype, where=[(pred, target)])


@pytest.mark.parametrize(
    ("dtype", "subject"),
    [
        pytest.param(dtype, subject, marks=by_default(subject.name, subject.parameters), id=f"{dtype}-{subject}")
        for dtype, subject in product(DTYPES, SUBJECTS)
        if dtype == "float32" or subject.name in REPRESENTATIVES
    ],
)
def test_value_on_boxes_that_hypothesis_finds(dtype: str, subject: Subject) -> None:
    @settings(max_examples=40, derandomize=True, database=None)
    @given(pairs(dtype))
    def agrees(boxes: tuple[np.ndarray, np.ndarray]) -> None:
        a, b = boxes
        want = exact.value(subject.name, a.tolist(), b.tolist(), **subject.parameters)
        close(subject.values(a[None], b[None]), [want], dtype, subject.accuracy, scale=subject.scales([want]), where=[boxes])

    agrees()


MANY = [subject for subject in SUBJECTS if subject.name in REPRESENTATIVES]


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_on_many_pairs(dtype: str, kind: str) -> None:
    for subject in MANY:
        check_value_against_oracle(replace(subject, classes=(kind,)), NumPy(), dtype, n=500)


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_on_many_pairs(dtype: str, kind: str) -> None:
    for subject in MANY:
        check_gradient_against_oracle(replace(subject, classes=(kind,)), *TORCH, dtype, n=100)
