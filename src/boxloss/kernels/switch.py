"""Whether kernels are used at all: where they cannot be, or a user would rather not, the plain formula runs on the arrays."""

import functools
import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_plain: ContextVar[bool] = ContextVar("boxloss_plain", default=os.environ.get("BOXLOSS_KERNELS", "on").lower() in ("off", "0", "no", "false"))
_broken = False


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
    return not _plain.get() and not _broken and _has_numba()


def gpu_kernels() -> bool:
    return not _plain.get()


def give_up(why: BaseException) -> None:
    """From now on the plain formula: a release of Numba may have what this one cannot work with, and a training run must not end because of that."""
    global _broken
    _broken = True
    warnings.warn(f"boxloss: kernels cannot be compiled here and the plain formulas are used, which are slower: {type(why).__name__}: {why}", RuntimeWarning, 3)


@functools.cache
def _has_numba() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "llvmlite", "platformdirs"))
