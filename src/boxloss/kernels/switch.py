"""Whether kernels are used at all: where they cannot be, or a user would rather not, the plain formula runs on the arrays."""

import functools
import importlib.util
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from boxloss.errors import BoxLossError

P = ParamSpec("P")
T = TypeVar("T")

_plain: ContextVar[bool] = ContextVar("boxloss_plain", default=os.environ.get("BOXLOSS_KERNELS", "on").lower() in ("off", "0", "no", "false"))
_broken: frozenset[str] = frozenset()
_lock = threading.Lock()


class KernelError(BoxLossError):
    """A kernel cannot be compiled here, for a "CPU" or a "GPU", or its machine code cannot be loaded: `or_plain` has the answer."""

    def __init__(self, why: str, device: str = "CPU"):
        super().__init__(why)
        self.device = device


@contextmanager
def plain() -> Iterator[None]:
    """Within it every loss is the plain formula on arrays: slower, and what kernels are held to. `BOXLOSS_KERNELS=off` does the same for a whole process.

    >>> import boxloss as bl
    >>> with bl.plain():
    ...     print(bl.iou([[0, 0, 2, 2]], [[0, 0, 2, 1]]))
    [0.5]
    """
    before = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(before)


def cpu_kernels() -> bool:
    """Whether formulas may be compiled for the CPU."""
    return not _plain.get() and "CPU" not in _broken and _has_numba()


def gpu_kernels() -> bool:
    return not _plain.get() and "GPU" not in _broken


def or_plain(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, which asks `cpu_kernels()` how to go about it. Where a kernel cannot be compiled it is done once more, without: a release of Numba may have
    what this one cannot work with, and a training run must not end because of that."""

    @functools.wraps(work)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        except KernelError as error:
            give_up(error)
        return work(*args, **kwargs)

    return done


def give_up(why: KernelError) -> None:
    """From now on the plain formula."""
    global _broken
    with _lock:
        if why.device in _broken:
            return
        _broken |= {why.device}
    warnings.warn(f"boxloss: {why}. From now on the plain formulas are used, which are slower", RuntimeWarning, stacklevel=4)


@functools.cache
def _has_numba() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "llvmlite", "platformdirs"))
