"""From a text to a kernel by way of a file: whole or not at all, for any number of processes, threads and forks, wherever it can be written."""

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from boxloss.kernels import cache
from boxloss.kernels.gpu import load as module
from boxloss.kernels.gpu.load import interpreting, load

TEXT = '''\
import triton
import triton.language as tl


@triton.jit
def kernel(x, n):
    """{what}"""
    place = tl.arange(0, 8)
    tl.store(x + place, place * 2, mask=place < n)
'''


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where the folder of this process would be made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    module._folder_of_this_process.cache_clear()
    yield place
    module._folder_of_this_process.cache_clear()


def text(what: str) -> str:
    """A text of its own for every test: kernels are kept in memory."""
    return TEXT.format(what=what)


def runs(kernel: object) -> bool:
    x = torch.zeros(8, dtype=torch.int64)
    kernel[(1,)](x, 5)  # type: ignore[index]
    return x.tolist() == [0, 2, 4, 6, 8, 0, 0, 0]


def in_a_child(work: Callable[[], object]) -> int:
    """The exit status of a forked process that does `work` and ends as a program does, with what is to be done at its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    for _ in range(200):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


@pytest.mark.usefixtures("interpreter")
def test_a_file_of_the_text(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Its name is the text's digest, nothing else is left in the folder, and a second time it is read and not written."""
    monkeypatch.setenv("BOXLOSS_CACHE", str(folder))
    wanted = text("a file")
    assert runs(load(wanted))
    (file,) = folder.glob("*.py")
    assert file.name == f"triton_{cache.key(wanted)}.py"
    assert file.read_text(encoding="utf-8") == wanted
    assert {path.name for path in folder.iterdir()} <= {file.name, "__pycache__"}
    before = file.stat()
    assert module._written(wanted) == file
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("damage", [b"", b"import", "µ".encode("latin-1")])
def test_a_damaged_file_is_written_anew(damage: bytes) -> None:
    wanted = text("damaged")
    file = module._written(wanted)
    file.write_bytes(damage)
    assert module._written(wanted) == file
    assert file.read_text(encoding="utf-8") == wanted


def test_many_processes_at_once(folder: Path) -> None:
    """All of them write one file, again and again: whoever reads it finds it whole, and no half of a file is left behind."""
    wanted = text("many processes" * 2000)
    folder.mkdir()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for _ in range(30):
                    module._write(folder / "file", wanted)
                    assert (folder / "file").read_text(encoding="utf-8") == wanted
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert [path.name for path in folder.iterdir()] == ["file"]


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize("why", ["no folder", "read-only", "no platformdirs"])
def test_a_cache_that_cannot_be_written(why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_folder: Path) -> None:
    """A folder that goes with the process stands in."""
    wanted = text(why)
    if why == "no folder":
        (tmp_path / "a file").touch()
        monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path / "a file" / "cache"))
    elif why == "read-only":
        monkeypatch.setattr(module, "_write", refusing(tmp_path / "cache", module._write))
        monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path / "cache"))
    else:
        monkeypatch.setattr(cache, "folder", raising(ModuleNotFoundError("No module named 'platformdirs'")))
    assert runs(load(wanted))
    (file,) = own_folder.glob("boxloss_*/*.py")
    assert file.read_text(encoding="utf-8") == wanted


def refusing(place: Path, write: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
    """What writing is like in a read-only folder; permissions do not stop the superuser, as whom tests may run."""

    def refuse(file: Path, wanted: str) -> None:
        if file.is_relative_to(place):
            raise PermissionError(13, "Permission denied", str(file))
        write(file, wanted)

    return refuse


def raising(error: Exception) -> Callable[..., Path]:
    def fail(*_: object) -> Path:
        raise error

    return fail


def test_a_read_only_cache_that_has_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image of a container that was built with a warm cache."""
    wanted = text("in the image")
    file = module._written(wanted)
    monkeypatch.setattr(module, "_write", raising(PermissionError()))
    assert module._written(wanted) == file


def test_nowhere_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_write", raising(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="set BOXLOSS_CACHE to a folder that can be written"):
        load(text("nowhere"))


@pytest.mark.usefixtures("own_folder")
def test_a_forked_process_leaves_its_parents_folder() -> None:
    """It inherits what is to be done at its parent's end, and once removed the files that its parent was about to read."""
    folder = module._folder_of_this_process()
    (folder / "kernel.py").touch()
    parent = os.getpid()
    assert in_a_child(lambda: module._remove(str(folder), parent)) == 0
    assert (folder / "kernel.py").exists()
    module._remove(str(folder), parent)
    assert not folder.exists()


@pytest.mark.parametrize("lock", ["boxloss.kernels.gpu.load", "boxloss.kernels.gpu.launch"])
def test_a_fork_while_a_thread_loads(lock: str) -> None:
    held = importlib.import_module(lock)._LOCK
    locked, ended = threading.Event(), threading.Event()

    def busy() -> None:
        with held:
            locked.set()
            ended.wait(0.3)

    thread = threading.Thread(target=busy)
    thread.start()
    locked.wait()
    assert in_a_child(held.acquire) == 0
    ended.set()
    thread.join()


@pytest.mark.usefixtures("interpreter")
def test_threads_get_one_kernel() -> None:
    wanted = text("threads")
    with ThreadPoolExecutor(8) as pool:
        kernels = list(pool.map(load, [wanted] * 32))
    assert len(set(map(id, kernels))) == 1


def test_interpreted_and_compiled_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = text("side by side")
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    assert not interpreting()
    compiled = load(wanted)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert interpreting()
    assert runs(load(wanted))
    assert type(load(wanted)) is not type(compiled)
    monkeypatch.delenv("TRITON_INTERPRET")
    assert load(wanted) is compiled
