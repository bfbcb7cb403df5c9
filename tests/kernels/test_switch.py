"""Kernels may be switched off, be missing, or fail to compile: the losses are the same."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import FormulaError
from boxloss.kernels import switch
from boxloss.kernels.cpu import compile as compiling
from kernels.processes import run
from strategies import hazard

pytestmark = pytest.mark.thread_unsafe(reason="what is patched or counted is the process's")

A, B = hazard("coco", 50, "float64")

# The representatives on arrays and tensors, with gradients; the libraries that are then loaded.
EVERYTHING = """
import sys
import numpy as np
import boxloss as bl
from each import REPRESENTATIVES
from strategies import hazard
a, b = hazard("coco", 50, "float64")
for name in REPRESENTATIVES:
    loss = bl.loss(name)
    print(name, float(loss(a, b)), float(loss(a, b, weight=a[:, 0], reduction="sum")), float(bl.pairwise(name, a, b[:7]).sum()))
    value, (grad_a, grad_b) = loss.value_and_gradient(a, b, wrt="both")
    print(name, float(value), float(abs(grad_a).sum()), float(abs(grad_b).sum()))
import torch
for name in REPRESENTATIVES:
    x = torch.from_numpy(a).requires_grad_()
    value = bl.loss(name)(x, torch.from_numpy(b))
    value.backward()
    print(name, value.item(), bool(x.grad.isfinite().all()))
print("loaded", *({"numba", "llvmlite"} & set(sys.modules)))
"""


def test_plain_nests() -> None:
    assert switch.cpu_kernels()
    with switch.plain():
        assert not switch.cpu_kernels()
        with switch.plain():
            assert not switch.cpu_kernels()
        assert not switch.cpu_kernels()
        assert not switch.gpu_kernels()
    assert switch.cpu_kernels()


def test_plain_ends_with_an_error() -> None:
    with pytest.raises(ZeroDivisionError), switch.plain():
        _ = 1 / 0
    assert switch.cpu_kernels()


def test_plain_is_its_threads_own() -> None:
    seen = []
    with switch.plain():
        thread = threading.Thread(target=lambda: seen.append(switch.cpu_kernels()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_both_ways_are_quiet(recwarn: pytest.WarningsRecorder) -> None:
    """NumPy would warn of corners that overflow, a width and a centre being large enough."""
    large = np.full((2, 4), 3e38, "float32")
    for format in ("xyxy", "xywh", "cxcywh", "ltrb"):
        bl.giou_loss(large, large, format=format)
        bl.giou_loss.value_and_gradient(large, large, format=format)
        with switch.plain():
            bl.giou_loss(large, large, format=format)
            bl.giou_loss.value_and_gradient(large, large, format=format)
    assert not recwarn.list


@pytest.fixture(scope="module")
def everything() -> str:
    return run(EVERYTHING)


def rounded(lines: str) -> list[Any]:
    """The printed lines, without the last; sums of some tens of numbers may differ in their last digits."""
    words = [line.split() for line in lines.splitlines()[:-1]]
    return [[f"{float(word):.12g}" if word[0].isdigit() or word[0] == "-" else word for word in line] for line in words]


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no", "false"])
def test_the_environment_switches_a_process_off(word: str) -> None:
    assert run("from boxloss.kernels import switch; print(switch.cpu_kernels(), switch.gpu_kernels())", BOXLOSS_KERNELS=word) == "False False"


@pytest.mark.parametrize("word", ["on", "1", ""])
def test_the_environment_leaves_a_process_on(word: str) -> None:
    assert run("from boxloss.kernels import switch; print(switch.cpu_kernels(), switch.gpu_kernels())", BOXLOSS_KERNELS=word) == "True True"


def test_switched_off_everything_is_there(everything: str) -> None:
    plainly = run(EVERYTHING, BOXLOSS_KERNELS="off")
    assert plainly.splitlines()[-1] == "loaded"
    assert rounded(plainly) == rounded(everything)


@pytest.mark.parametrize("package", ["numba", "llvmlite", "platformdirs"])
def test_without_a_package_everything_is_there(package: str, everything: str) -> None:
    plainly = run(f"import sys; sys.modules[{package!r}] = None\n{EVERYTHING}")
    assert rounded(plainly) == rounded(everything)


# What fails to compile


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A loss that was not compiled before, and cannot be now."""

    def compile_text(*how: Any) -> Any:
        raise TypeError("a release of Numba\nthat differs")

    monkeypatch.setattr(compiling, "compile_text", compile_text)
    monkeypatch.setattr(switch, "_broken", frozenset())
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path))
    return bl.loss(replace(bl.catalogue()["smooth_l1"]), beta=0.123)  # equal to nothing but itself


def plainly(loss: Any, *args: Any, **how: Any) -> Any:
    with switch.plain():
        return loss(*args, **how)


def test_where_compiling_fails_the_plain_formula_runs_and_says_so_once(failing: Any, recwarn: pytest.WarningsRecorder) -> None:
    value = failing(A, B, reduction="none")
    assert np.array_equal(value, plainly(failing, A, B, reduction="none"))
    (said,) = recwarn.list
    assert said.category is RuntimeWarning
    assert str(said.message) == (
        "boxloss: kernels cannot be compiled here: TypeError: a release of Numba. From now on the plain formulas are used, which are slower"
    )
    assert said.filename == __file__
    failing(A, B)
    assert len(recwarn.list) == 1


def test_where_compiling_fails_tensors_have_their_gradient(failing: Any) -> None:
    x, y = torch.from_numpy(A).requires_grad_(), torch.from_numpy(B)
    with pytest.warns(RuntimeWarning, match="cannot be compiled"):
        failing(x, y).backward()
    with switch.plain():
        (want,) = torch.autograd.grad(failing(x, y), x)
    assert x.grad is not None
    assert torch.equal(x.grad, want)


def test_where_compiling_fails_arrays_have_their_gradient(failing: Any) -> None:
    with pytest.warns(RuntimeWarning, match="cannot be compiled"):
        value, gradient = failing.value_and_gradient(A, B)
    assert value == failing(A, B)
    assert gradient.shape == A.shape


def test_threads_that_fail_at_once_say_so_once(failing: Any, recwarn: pytest.WarningsRecorder) -> None:
    start = threading.Barrier(8)

    def one(_: int) -> Any:
        start.wait()
        return failing(A, B)

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(one, range(8)))
    assert set(values) == {plainly(failing, A, B)}
    assert len(recwarn.list) == 1


def test_a_formulas_own_fault_is_told() -> None:
    def of(p: Any) -> Any:
        return p.overlap if p.overlap > 0 else p.union

    with pytest.raises(FormulaError, match=r"test_switch\.py"):
        bl.loss(bl.formula(title="", paper="", bounds="[0, inf)", symmetric=False, scale_free=False, cases=())(of))(A, B)
    assert switch.cpu_kernels()


def test_a_library_that_cannot_be_loaded_is_no_end() -> None:
    code = """
import sys, warnings
warnings.simplefilter("always")
import llvmlite
sys.modules["llvmlite.binding"] = None
import boxloss as bl
with warnings.catch_warnings(record=True) as said:
    print(float(bl.iou_loss([[0, 0, 2, 2]], [[0, 0, 2, 1]])), float(bl.giou_loss([[0, 0, 2, 2]], [[0, 0, 2, 1]])), len(said))
"""
    assert run(code) == "0.5 0.5 1"
