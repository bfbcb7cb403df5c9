"""A plain pool of threads for the kernels, which let go of the interpreter's lock.

No threading layer of a compiler's: those break in a process that was forked, as data loaders' workers are. A forked process begins with a pool of its own.
"""

import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

from boxloss.errors import ParameterError

Helper = tuple["Future[None]", Callable[[], None]]

_chosen: int | None = None


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
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_parts(work: Callable[[int], None], n_parts: int) -> None:
    """`work(k)` for each k below `n_parts`, in any order, on up to `get_num_threads()` threads, this one among them. All have ended when it returns or
    raises: they write into memory that the caller then lets go of."""
    n_threads = min(get_num_threads(), n_parts)
    if n_threads <= 1:
        for k in range(n_parts):
            work(k)
        return
    parts = itertools.count()

    def take() -> None:
        while (k := next(parts)) < n_parts:
            work(k)

    helpers = [_pool.submit(take, n_threads - 1) for _ in range(n_threads - 1)]
    try:
        take()
    finally:
        _end(helpers)


def _end(helpers: "list[Future[None]]") -> None:
    """Waits for those that have begun, and raises what they raised. Ctrl-C has to wait, too."""
    errors: list[BaseException] = []
    for helper in helpers:
        while not helper.cancel():
            try:
                error = helper.exception()
            except KeyboardInterrupt as interrupt:
                errors.append(interrupt)
                continue
            errors += [] if error is None else [error]
            break
    if errors:
        raise errors[-1]


class _Pool:
    """Threads that wait for work, and die with the process."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Helper] = SimpleQueue()
        self._lock, self._n_threads = threading.Lock(), 0

    def submit(self, work: Callable[[], None], n_threads: int) -> "Future[None]":
        """`work` on one of `n_threads` threads, if one comes to it before the future is cancelled."""
        future: Future[None] = Future()
        self._queue.put((future, work))
        with self._lock, contextlib.suppress(RuntimeError):  # there may be no new threads: when too many run, or while the interpreter shuts down
            if self._n_threads < n_threads:
                threading.Thread(target=self._serve, name=f"boxloss-{self._n_threads}", daemon=True).start()
                self._n_threads += 1
        return future

    def _serve(self) -> None:
        while True:
            future, work = self._queue.get()
            if future.set_running_or_notify_cancel():
                try:
                    work()
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(None)
            del future, work  # a thread that waits holds on to nothing


_pool = _Pool()


def _renew_pool() -> None:
    """In a forked process the pool's threads do not exist, and its lock may be held by one of them."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_pool)
