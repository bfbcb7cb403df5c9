"""The local engine: trials side by side in worker processes, each on one thread.

Figures never depend on how many workers there are, nor on which runs what: a trial is a pure function of the plan, the data, its loss, its weight and
its seed.
"""

import contextlib
import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from boxloss.compare.events import Event, Failed, Finished, Key, Prepare, Ready, Train, Weigh, Weighed
from boxloss.errors import CompareError

LIVES = 2  # how often a trial may take its worker down (out of memory, killed by hand) before it counts as failed
LOG = "workers.log"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Hand:
    """The run's end of one worker."""

    def __init__(self, prepare: Prepare, lock: int, log: int) -> None:
        self.connection: Connection[Any, Event]
        self.connection, theirs = Pipe()
        environment = {**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", "boxloss.compare.worker", str(theirs.fileno()), str(os.getpid())]
        self.process = subprocess.Popen(
            command, env=environment, pass_fds=(theirs.fileno(), lock), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )  # the lock's descriptor: nobody else writes in the folder while this worker lives
        theirs.close()  # only the worker holds it now, so that its death ends the pipe
        self.ready = False
        self.task: Train | Weigh | None = None
        self.give(prepare)

    def give(self, order: Prepare | Weigh | Train) -> None:
        self.task = None if isinstance(order, Prepare) else order
        with contextlib.suppress(OSError):  # a dead worker shows as the end of its pipe
            self.connection.send(order)

    def kill(self) -> None:
        self.process.kill()  # harmless: every file a worker writes is whole at every instant
        self.process.wait()
        self.connection.close()


class Engine:
    """Runs trials in at most `jobs` workers. Use as a context manager: leaving it, in whatever way, ends the workers."""

    def __init__(self, prepare: Prepare, jobs: int, lock: int, show: Callable[[Event], None], tick: Callable[[], None]) -> None:
        self.prepare, self.jobs, self.lock, self.show, self.tick = prepare, jobs, lock, show, tick
        self.log_path = prepare.out / LOG
        self.log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self.hands: list[Hand] = []
        self.deaths: Counter[Key] = Counter()
        self.failed: list[Failed] = []
        self.waiting: deque[Train] = deque()
        self.gradients: dict[str, float] = {}

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        for hand in self.hands:
            hand.kill()
        os.close(self.log)
        if self.log_path.exists() and not self.log_path.stat().st_size:
            self.log_path.unlink()

    def weigh(self, losses: Sequence[str]) -> dict[str, float]:
        """Measures the losses' mean gradient norms, in one worker; the others get ready meanwhile.

        Raises:
            CompareError: a loss cannot be weighed.
        """
        self.gradients = {}
        self._hire(self.jobs)
        self.hands[0].give(Weigh(tuple(losses)))
        while not self.gradients:
            self._listen()
        return self.gradients

    def run(self, trials: Sequence[tuple[Key, float]]) -> list[Failed]:
        """Runs the trials, given as (key, weight); gives those that failed. One failure does not stop the others."""
        self.waiting.extend(Train(key, weight) for key, weight in trials)
        self._hire(min(self.jobs, len(self.waiting)))
        while self.waiting or any(hand.task for hand in self.hands):
            for hand in self.hands:
                if hand.ready and hand.task is None and self.waiting:
                    hand.give(self.waiting.popleft())
            self._listen()
        return self.failed

    def _hire(self, n_workers: int) -> None:
        while len(self.hands) < n_workers:
            self.hands.append(Hand(self.prepare, self.lock, self.log))

    def _listen(self) -> None:
        """Waits a moment for news, and deals with it."""
        by_connection = {hand.connection: hand for hand in self.hands}
        for connection in wait(list(by_connection), timeout=0.2):
            hand = by_connection[connection]  # type: ignore[index]  # wait's type is wider than what it was given
            try:
                event: Event = hand.connection.recv()
            except (EOFError, OSError):
                self._bury(hand)
                continue
            self._note(hand, event)
        self.tick()

    def _note(self, hand: Hand, event: Event) -> None:
        match event:
            case Ready():
                hand.ready = True
            case Weighed(gradients):
                self.gradients, hand.task = gradients, None
            case Finished():
                hand.task = None
            case Failed(None, message, log):
                raise CompareError(f"{message} (the whole story is in {log})")
            case Failed():
                self.failed.append(event)
                hand.task = None
        self.show(event)

    def _bury(self, hand: Hand) -> None:
        """A worker died: its trial goes on in another one from its last checkpoint, unless it has done so before."""
        self.hands.remove(hand)
        hand.kill()
        cause = _cause(hand.process.returncode)
        if not hand.ready or isinstance(hand.task, Weigh):
            raise CompareError(f"a worker process {cause} before it could train; what it said is in {self.log_path}")
        if hand.task is not None:
            key = hand.task.key
            self.deaths[key] += 1
            if self.deaths[key] < LIVES:
                self.waiting.appendleft(hand.task)
            else:
                failure = Failed(key, f"its worker process {cause}, {LIVES} times", self.log_path)
                self.failed.append(failure)
                self.show(failure)
        self._hire(min(self.jobs, len(self.waiting) + len(self.hands)))


def _cause(code: int) -> str:
    """What an exit status says, in words."""
    if code == -9:
        return "was killed (by hand, or because memory ran out)"
    return f"died of signal {-code}" if code < 0 else f"ended with exit code {code}"
