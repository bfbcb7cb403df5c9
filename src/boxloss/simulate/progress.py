"""Showing a simulation at work: a bar on a terminal, a line now and then elsewhere."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from boxloss.words import plural

OFTEN = 10.0  # seconds between two lines where there is no terminal

Told = Callable[[str, int], object]
"""Hears of which loss how many more are done."""


@contextlib.contextmanager
def shown(n: int, stream: TextIO, quiet: bool = False, thing: str = "case") -> Iterator[Told]:
    """What shows `n` things being done. Several threads may call it."""
    console = Console(file=stream, highlight=False)
    if quiet:
        yield lambda what, done: None
    elif console.is_terminal and not console.is_dumb_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=n)
            yield lambda what, done: progress.update(task, advance=done, description=what)
    else:
        yield Lines(n, stream, thing)


class Lines:
    """A line every ten seconds: for files, pipes and CI logs."""

    def __init__(self, n: int, stream: TextIO, thing: str):
        self.n, self.stream, self.thing = n, stream, thing
        self.done, self.last, self._lock = 0, time.monotonic(), threading.Lock()

    def __call__(self, what: str, n: int) -> None:
        with self._lock:
            self.done += n
            if time.monotonic() - self.last >= OFTEN:
                self.last = time.monotonic()
                print(f"{what}: {self.done:,} of {plural(self.n, self.thing)}, {self.done / self.n:.0%}", file=self.stream, flush=True)
