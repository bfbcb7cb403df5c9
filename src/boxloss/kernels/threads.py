"""A plain pool of threads for the kernels, which let go of the interpreter's lock.

No threading layer of a compiler's: those break in a process that was forked, as data loaders' workers are. A forked process begins with a pool of its own.
"""

import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from boxloss.errors import ParameterError

_chosen: int | None = None
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()


def set_num_threads(n: int) -> None:
    """Lets kernels on CPUs use up to `n` threads. It changes no result, to the bit.

    Without it they use as many as PyTorch does where that is imported, else `OMP_NUM_THREADS`, else as many as the process has cores.
    """
    global _chosen
    if not (isinstance(n, int) and n >= 1):
        raise ParameterError(f"set_num_threads: n is {n!r}, expected a whole number >= 1")
    _chosen = n


def get_num_threads() -> int:
    """How many threads kernels on CPUs may use."""
    if _chosen is not None:
        return _chosen
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        return int(torch.get_num_threads())
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_parts(work: Callable[[int], None], n_parts: int) -> None:
    """`work(k)` for each k below `n_parts`, in any order, on up to `get_num_threads()` threads, this one among them."""
    n_threads = min(get_num_threads(), n_parts)
    if n_threads <= 1:
        for k in range(n_parts):
            work(k)
        return
    parts = itertools.count()

    def take() -> None:
        while (k := next(parts)) < n_parts:
            work(k)

    helpers: list[Future[None]] = []
    with contextlib.suppress(RuntimeError):  # while the interpreter shuts down there are no new threads: this one does it all
        helpers = [_submit(take) for _ in range(n_threads - 1)]
    try:
        take()
    finally:
        for helper in helpers:
            helper.result()


def _submit(work: Callable[[], None]) -> "Future[None]":
    global _pool
    with _lock:
        if _pool is None or _pool._max_workers < get_num_threads() - 1:
            _pool = ThreadPoolExecutor(max(get_num_threads() - 1, 1), thread_name_prefix="boxloss")
        return _pool.submit(work)


def _forget_pool() -> None:
    """In a forked process the pool's threads do not exist, and its lock may be held by one of them."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
