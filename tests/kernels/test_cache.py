"""Machine code on disk: whatever is there, and whoever writes it at once, losses are right."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import boxloss as bl
from boxloss.kernels import cache
from boxloss.kernels.cpu import load
from boxloss.kernels.cpu.bodies import bodies
from boxloss.kernels.cpu.elementwise import program
from boxloss.kernels.cpu.program import Program
from kernels.processes import printed, run, start

pytestmark = pytest.mark.thread_unsafe(reason="the cache's folder is the process's")

LOSS = "import boxloss as bl; print(float(bl.iou_loss([[0, 0, 2, 2]], [[0, 0, 2, 1]])))"
QUIETLY = "import sys; sys.modules['boxloss.kernels.cpu.compile'] = None; " + LOSS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path / "made" / "when needed"))
    return tmp_path / "made" / "when needed"


def test_what_is_written_is_read(folder: Path) -> None:
    assert cache.read("name") is None
    cache.write("name", b"content")
    assert cache.read("name") == b"content"
    cache.write("name", b"")
    assert cache.read("name") == b""
    assert [file.name for file in folder.iterdir()] == ["name"]
    assert stat.S_IMODE((folder / "name").stat().st_mode) & 0o022 == 0  # nobody else may put code there


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "shorter than a digest": lambda data: data[:10],
    "the digest alone": lambda data: data[: cache.DIGEST],
    "truncated": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "a flipped bit": lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    "a flipped bit of the digest": lambda data: bytes([data[0] ^ 1]) + data[1:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_as_good_as_not_there(damage: str, folder: Path) -> None:
    cache.write("name", b"the content of a file")
    file = folder / "name"
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert cache.read("name") is None
    cache.write("name", b"new")
    assert cache.read("name") == b"new"


# The content that a file gets, from its symbol and its code: with the right digest
FOREIGN: dict[str, Callable[[bytes, bytes], bytes]] = {
    "nothing": lambda symbol, code: b"",
    "no symbol": lambda symbol, code: b"\0" + code,
    "another symbol": lambda symbol, code: b"nobody\0" + code,
    "a symbol that is no text": lambda symbol, code: b"\xff\xfe\0" + code,
    "no code": lambda symbol, code: symbol + b"\0",
}


def compiled(folder: Path) -> dict[str, bytes]:
    """The files that a process makes."""
    assert run(LOSS, BOXLOSS_CACHE=folder) == "0.5"
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a first process leaves to the next."""
    return compiled(tmp_path_factory.mktemp("first"))


@pytest.mark.parametrize("damage", ["empty", "a flipped bit"])
def test_a_process_compiles_what_is_damaged(damage: str, folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(DAMAGE[damage](data))
    assert compiled(folder).keys() == files.keys()
    assert run(QUIETLY) == "0.5"


@pytest.mark.parametrize("content", FOREIGN)
def test_a_process_compiles_what_it_cannot_use(content: str, folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        symbol, _, code = (cache.read(name) or b"").partition(b"\0")
        cache.write(name, FOREIGN[content](symbol, code))
    assert compiled(folder).keys() == files.keys()
    assert run(QUIETLY) == "0.5"


def test_another_kernels_file_is_not_taken(folder: Path) -> None:
    cache.write("one", b"content")
    (folder / "one").rename(folder / "other")
    assert cache.read("other") is None


def test_a_second_process_compiles_nothing(folder: Path) -> None:
    files = compiled(folder)
    assert run(QUIETLY) == "0.5"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files


# Folders that cannot be used


def unusable(kind: str, place: Path) -> str:
    if kind == "a file":
        place.write_text("")
        return str(place)
    if kind == "below a file":
        place.write_text("")
        return str(place / "folder")
    if kind == "read only":
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        place.mkdir()
        place.chmod(0o500)
        return str(place)
    return {"no file system for files": "/proc/boxloss", "too long": "/tmp/" + 300 * "x"}[kind]


@pytest.mark.parametrize("kind", ["a file", "below a file", "read only", "no file system for files", "too long"])
def test_where_nothing_can_be_kept_losses_are_compiled(kind: str, tmp_path: Path) -> None:
    assert run(LOSS, BOXLOSS_CACHE=unusable(kind, tmp_path / "place")) == "0.5"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.delenv("BOXLOSS_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *names, **how: "~/.cache/boxloss")
    with pytest.raises(OSError, match="no home folder"):
        cache.folder()
    assert cache.read("name") is None
    cache.write("name", b"content")
    assert not Path("~").exists()


def test_the_platform_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    monkeypatch.delenv("BOXLOSS_CACHE", raising=False)
    assert cache.folder() == Path(platformdirs.user_cache_dir("boxloss", appauthor=False))
    monkeypatch.setenv("BOXLOSS_CACHE", "")  # an empty one is none
    assert cache.folder() == Path(platformdirs.user_cache_dir("boxloss", appauthor=False))
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path))
    assert cache.folder() == tmp_path


# Many at once


def test_eight_processes_start_at_once(folder: Path) -> None:
    code = LOSS + "; print(bl.iou_loss.value_and_gradient([[0, 0, 2, 2]], [[0, 0, 4, 2]]))"
    processes = [start(code) for _ in range(8)]
    assert {printed(process) for process in processes} == {"0.5\n(np.float64(0.5), array([[ 0.0625,  0.0625, -0.25  , -0.0625]]))"}
    assert all(cache.read(file.name) is not None for file in folder.iterdir())
    assert all(len(file.name) == 64 for file in folder.iterdir()), "a temporary file was left"


# Names


@pytest.fixture
def one() -> Program:
    return program(bodies(bl.catalogue()["iou"], {}, number="float32", format="xyxy"), tame=True)


def test_a_name_depends_on_all_that_the_code_depends_on(one: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        one,
        replace(one, text=one.text + "\n"),
        replace(one, number="float64"),
        replace(one, constants=(*one.constants, ("extra", "float32", 1.0))),
        replace(one, constants=(*one.constants, ("extra", "float32", 2.0))),
        replace(one, memory=(*one.memory, ("extra", "float32", 1))),
    ]
    keys = [program.key for program in others]
    with monkeypatch.context() as patch:
        patch.setattr(load, "processor", lambda: "another processor")
        keys.append(replace(one).key)
    for package in ("numba", "llvmlite"):
        with monkeypatch.context() as patch:
            patch.setattr("boxloss.kernels.cpu.program.version", lambda name, package=package: "0" if name == package else "1")
            keys.append(replace(one).key)
    with monkeypatch.context() as patch:
        patch.setattr("boxloss.kernels.cpu.program._own_text", lambda: "other words")
        keys.append(replace(one).key)
    assert len(set(keys)) == len(keys)
    assert replace(one).key == one.key
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_parts_of_a_name_do_not_run_together() -> None:
    assert cache.key("ab", "c") != cache.key("a", "bc")


def test_constants_that_differ_in_a_bit_have_names_that_differ(one: Program) -> None:
    def named(value: Any) -> str:
        return replace(one, constants=(("x", "float64", value),)).key

    values = [0.0, -0.0, 0.1, np.nextafter(0.1, 1).item(), float("nan"), float("inf")]
    assert len({named(value) for value in values}) == len(values)
