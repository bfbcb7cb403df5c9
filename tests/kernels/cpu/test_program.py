"""A kernel's text and what becomes of it: from memory, from disk, or newly compiled."""

import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxloss.kernels import cache, switch
from boxloss.kernels.cpu import compile as compiling
from boxloss.kernels.cpu import load
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

pytestmark = pytest.mark.thread_unsafe(reason="the cache's folder is the process's")

ARGUMENTS: Arguments = {"n": "integer", "x": "float64", "of": "numbers", "wide": "floats", "whole": "integers"}
TEXT = (
    head(ARGUMENTS)
    + """\
    store(of, 0, number(x))
    store(wide, 0, x)
    store(whole, 0, n)
    for i in range(n):
        store(of, 1 + i, load(of, 0) + two)
"""
)
PROGRAM = Program(TEXT, "float32", (("two", "float32", 2.0),), ())


def call(kernel: Any) -> tuple[list[float], float, int]:
    of, wide, whole = np.zeros(4, "float32"), np.zeros(1), np.zeros(1, "int64")
    kernel(packer(ARGUMENTS)(3, 0.1, *(x.__array_interface__["data"][0] for x in (of, wide, whole))))
    return of.tolist(), float(wide[0]), int(whole[0])


SAID = [*np.array([0.1, 2.1, 2.1, 2.1], "float32").tolist()], 0.1, 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_text(*how: Any) -> Any:
        raise LookupError("it was compiled\nthough it is there")

    monkeypatch.setattr(compiling, "compile_text", compile_text)


def test_arguments_arrive() -> None:
    assert call(PROGRAM.load()) == SAID


def test_a_program_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PROGRAM.load()
    assert [file.name for file in folder.iterdir()] == [PROGRAM.key]
    monkeypatch.setattr(compiling, "compile_text", None)
    assert call(replace(PROGRAM).load()) == SAID


def test_what_cannot_be_loaded_is_compiled(folder: Path) -> None:
    cache.write(PROGRAM.key, b"nobody\0" + b"")
    assert call(PROGRAM.load()) == SAID
    assert len((folder / PROGRAM.key).read_bytes()) > 500


@pytest.mark.usefixtures("no_compiler", "folder")
def test_a_failure_has_one_line() -> None:
    with pytest.raises(switch.KernelError, match=r"^kernels cannot be compiled here: LookupError: it was compiled$"):
        PROGRAM.load()


def test_a_text_that_means_nothing_is_a_failure() -> None:
    for line in ("store(of, 0, unheard)", "store(of, 0, x ** x)", "store(of, 0, (x, x))", "store(of, 0", "store(of)"):
        with pytest.raises(switch.KernelError) as told:
            Program(f"{head(ARGUMENTS)}    {line}\n", "float32", (), ()).load()
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 400


@pytest.mark.usefixtures("folder")
def test_a_failing_library_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_object(*how: Any) -> Any:
        raise OSError("no LLVM")

    monkeypatch.setattr(load, "load_object", load_object)
    with pytest.raises(switch.KernelError, match="OSError: no LLVM"):
        PROGRAM.load()


def test_the_packer_packs_in_order() -> None:
    assert packer(ARGUMENTS)(1, 2.5, 3, 4, 5) == struct.pack("qdqqq", 1, 2.5, 3, 4, 5)


# Once


def test_what_is_wanted_by_many_is_made_once() -> None:
    made = []
    start = threading.Barrier(8)

    def make() -> Any:
        made.append(threading.get_ident())
        return lambda arguments: arguments

    call = Once(make)

    def one(k: int) -> object:
        start.wait()
        return call(bytes([k]))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(8))) == [bytes([k]) for k in range(8)]
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again() -> None:
    tries = []

    def make() -> Any:
        tries.append(0)
        if len(tries) < 3:
            raise LookupError
        return lambda arguments: len(arguments)

    call = Once(make)
    for _ in range(2):
        with pytest.raises(LookupError):
            call(b"")
    assert call(b"abc") == 3
    assert call(b"") == 0
    assert len(tries) == 3
