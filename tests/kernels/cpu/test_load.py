"""Object files as functions."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from boxloss.kernels.cpu.compile import compile_text
from boxloss.kernels.cpu.load import load_object, processor
from boxloss.kernels.cpu.program import Arguments, head, packer

ARGUMENTS: Arguments = {"n": "integer", "of": "integers"}
TEXT = head(ARGUMENTS) + "    for i in range(n):\n        store(of, 0, (load(of, 0) * 3 + i) // two)\n"


@pytest.fixture(scope="module")
def made() -> tuple[bytes, str]:
    return compile_text(TEXT, "float64", {"two": ("int64", 2)}, {})


def arguments(n: int, of: Any) -> bytes:
    return packer(ARGUMENTS)(n, of.__array_interface__["data"][0])


def test_an_object_file_is_a_function(made: tuple[bytes, str]) -> None:
    of = np.array([5])
    load_object(*made)(arguments(2, of))
    assert of.tolist() == [11]  # 5 -> 15 // 2 = 7 -> (21 + 1) // 2


def test_one_file_may_be_loaded_twice(made: tuple[bytes, str]) -> None:
    of = np.array([5])
    for kernel in [load_object(*made) for _ in range(3)]:
        kernel(arguments(1, of))
    assert of.tolist() == [15]  # 5 -> 15 // 2 = 7 -> 21 // 2 = 10 -> 30 // 2


def test_threads_may_load_at_once(made: tuple[bytes, str]) -> None:
    found: list[int] = []

    def one() -> None:
        of = np.array([5])
        load_object(*made)(arguments(2, of))
        found.append(int(of[0]))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [11] * 8


@pytest.mark.parametrize("symbol", ["nobody", "", "main"])
def test_a_function_that_is_not_there(made: tuple[bytes, str], symbol: str) -> None:
    with pytest.raises(RuntimeError, match=r"no function|no object file"):
        load_object(made[0], symbol)


def test_no_code_at_all(made: tuple[bytes, str]) -> None:
    with pytest.raises(RuntimeError, match="no object file"):
        load_object(b"", made[1])


def test_other_threads_run_meanwhile(made: tuple[bytes, str]) -> None:
    """A call lets go of the interpreter's lock: this thread counts while the other one computes."""
    kernel = load_object(*made)
    begun, ended = [], []

    def work() -> None:
        begun.append(time.perf_counter())
        kernel(arguments(200_000_000, np.array([5])))
        ended.append(time.perf_counter())

    thread = threading.Thread(target=work)
    thread.start()
    while not begun:
        pass
    counted = 0
    while not ended:
        counted += 1
    thread.join()
    assert counted > 100, f"{counted} in {ended[0] - begun[0]:.3f} s"


def test_the_processor_has_a_name() -> None:
    assert len(processor().split()) >= 3
    assert processor() is processor()
