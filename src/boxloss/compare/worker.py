"""A worker: a process that runs trials one after another, on one thread, and dies with the run that started it.

It is started as `python -m boxloss.compare.worker DESCRIPTOR PARENT`, and not by `multiprocessing`, whose spawned children import the caller's script
again: a comparison must also work from a script without `if __name__ == "__main__"`, and from a notebook.
"""

import contextlib
import ctypes
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxloss.compare import files
from boxloss.compare.events import Event, Failed, Key, Prepare, Ready, Train, Weigh, Weighed
from boxloss.errors import BoxLossError

if TYPE_CHECKING:
    from boxloss.compare.workshop import Workshop

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent dies. Elsewhere than on Linux, only the end of the pipe tells (see `listen`)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def listen(connection: "Connection[Event, Any]", orders: "queue.SimpleQueue[Any]") -> None:
    """Passes orders on to the main thread, which may be deep in a training; when the pipe ends, the run is over or dead, and so are we.

    Nothing is put in order first: every file that a worker writes is whole at every instant.
    """
    while True:
        try:
            orders.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)


class Worker:
    """Carries out orders, and reports errors instead of dying of them."""

    def __init__(self, connection: "Connection[Event, Any]") -> None:
        self.connection = connection
        self.workshop: Workshop | None = None
        self.out = Path()

    def emit(self, event: Event) -> None:
        with contextlib.suppress(OSError):  # the run is gone: `listen` notices too
            self.connection.send(event)

    def obey(self, order: Any) -> None:
        key = order.key if isinstance(order, Train) else None
        try:
            if isinstance(order, Prepare):
                self.prepare(order)
            elif self.workshop is not None and isinstance(order, Weigh):
                self.emit(Weighed(self.workshop.weigh(order.losses)))
            elif self.workshop is not None and isinstance(order, Train):
                self.emit(self.workshop.train(order.key, order.weight, self.emit))
        except Exception as error:
            self.emit(self.failure(key, error))

    def prepare(self, order: Prepare) -> None:
        self.out = order.out
        from boxloss.compare.workshop import Workshop  # torch and Lightning: seconds, after the run has heard of us

        self.workshop = Workshop(order.plan, order.dataset, order.out, order.record)
        self.emit(Ready())

    def failure(self, key: Key | None, error: Exception) -> Failed:
        """Writes the traceback where the trial's files are, and makes the one line for the user."""
        from boxloss.compare.trial import folder_of

        log = folder_of(self.out, *key) / "error.log" if key else self.out / "error.log"
        name = "" if isinstance(error, BoxLossError) else f"{type(error).__name__}: "
        lines = str(error).strip().splitlines() or ["(no message)"]
        with contextlib.suppress(BoxLossError):  # a full disk: the one line is all there is
            files.write_bytes(log, "".join(traceback.format_exception(error)).encode())
        return Failed(key, name + lines[0], log)


def main(descriptor: int, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the run decides
    die_with(parent)
    faulthandler.enable()
    connection: Connection[Event, Any] = Connection(descriptor)
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(connection, orders), daemon=True).start()
    worker = Worker(connection)
    while True:
        worker.obey(orders.get())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
