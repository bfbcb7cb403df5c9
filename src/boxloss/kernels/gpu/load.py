"""From a kernel's text to the kernel: Triton reads a function's text from its file, so the text is written to one, among the cached kernels."""

import atexit
import contextlib
import functools
import importlib.util
import os
import shutil
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from boxloss.kernels import cache

_LOCK = threading.RLock()
# A process is not forked while a thread of it loads a kernel, whose lock the child would find locked for ever.
os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


def interpreting() -> bool:
    """Whether Triton is told to run kernels on the CPU, in Python: slow, and good for tests. Asked whenever a kernel is made, as Triton does."""
    return os.environ.get("TRITON_INTERPRET", "").lower() in ("1", "true", "yes", "on", "y")


def load(text: str, name: str = "kernel") -> Any:
    """The function `name` of a file with this text, compiled by Triton when it is first run (which keeps its machine code on disk itself)."""
    with _LOCK:
        return getattr(_module(text, interpreting()), name)


@functools.lru_cache(maxsize=1024)
def _module(text: str, interpreted: bool) -> ModuleType:
    place = _written(text)
    # Compiled and interpreted functions may live side by side, in modules of their own.
    spec = importlib.util.spec_from_file_location(f"{place.stem}{'_interpreted' if interpreted else ''}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _written(text: str) -> Path:
    """A file with this text. Its name is the text's digest, and it appears whole or not at all, so any number of processes may start at once."""
    name = f"triton_{cache.key(text)}.py"
    for folder in (cache.folder, _folder_of_this_process):
        with contextlib.suppress(OSError, ImportError):  # ImportError: without platformdirs nobody knows where the cache is
            place = folder()
            place.mkdir(parents=True, exist_ok=True)
            if not _holds(place / name, text):
                _write(place / name, text)
            return place / name
    raise OSError("boxloss: a kernel's text can be written neither to the cache nor to a temporary folder: set BOXLOSS_CACHE to a folder that can be written")


def _holds(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() == text.encode()
    except OSError:
        return False


def _write(file: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@functools.cache
def _folder_of_this_process() -> Path:
    """For where the cache cannot be written."""
    folder = tempfile.mkdtemp(prefix="boxloss_")
    atexit.register(_remove, folder, os.getpid())
    return Path(folder)


def _remove(folder: str, process: int) -> None:
    """A forked process takes over its parent's folder, and what is to be done at the end, but the parent still reads there."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
