"""Showing a run: a live table on a terminal, a line now and then elsewhere, or nothing."""

import sys
import time
from collections.abc import Iterable
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from boxloss.compare.events import Began, Event, Failed, Finished
from boxloss.compare.tally import DONE, FAILED, RUNNING, WAITING, Row, Tally, as_ap, in_words
from boxloss.words import plural

OFTEN = 10.0  # seconds between two lines where there is no terminal
FRAME = 4.0  # pictures a second of the live table; each costs time that trials could use


class Display(Protocol):
    """What the engine needs of a display. `event` comes for each piece of news, `tick` a few times a second."""

    def start(self, tally: Tally) -> None: ...
    def event(self, event: Event) -> None: ...
    def tick(self) -> None: ...
    def stop(self) -> None: ...


def display_for(quiet: bool, stream: TextIO | None = None) -> Display:
    """The right display for a stream (default: standard error, so that output can be piped)."""
    stream = stream or sys.stderr
    if quiet:
        return Quiet()
    console = Console(file=stream, highlight=False)
    return LiveTable(console) if console.is_terminal and not console.is_dumb_terminal else Lines(stream)


class Quiet:
    """Shows nothing."""

    def start(self, tally: Tally) -> None: ...
    def event(self, event: Event) -> None: ...
    def tick(self) -> None: ...
    def stop(self) -> None: ...


class Lines:
    """One line for each trial that ends, and one every ten seconds: for files, pipes and CI logs."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.tally: Tally | None = None
        self.last = 0.0

    def say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)
        self.last = time.monotonic()

    def start(self, tally: Tally) -> None:
        self.tally = tally
        done = tally.count(DONE)
        self.say(f"{plural(len(tally.rows), 'trial')} of {plural(tally.n_epochs, 'epoch', 'epochs')}" + (f", {done} of them already finished" if done else ""))

    def event(self, event: Event) -> None:
        if self.tally is None:
            return
        self.tally.note(event)
        match event:
            case Began(_, epochs) if epochs:
                self.say(f"{self.tally.rows[event.key].name}: going on after epoch {epochs}")
            case Finished(_, ap, cpu_seconds):
                n_done = self.tally.count(DONE)
                parts = (f"AP {as_ap(ap)} in {in_words(cpu_seconds)}", f"{n_done} of {plural(len(self.tally.rows), 'trial')} done", self.tally.left)
                self.say(f"{self.tally.rows[event.key].name}: {', '.join(filter(None, parts))}")
            case Failed(key, message, log) if key is not None:
                self.say(f"{self.tally.rows[key].name}: failed: {message} (see {log})")
            case _:
                pass

    def tick(self) -> None:
        if self.tally is None or time.monotonic() - self.last < OFTEN:
            return
        running = [f"{row.name} at {row.epochs:.1f} of {self.tally.n_epochs}" for row in self.tally.rows.values() if row.state == RUNNING]
        self.say(", ".join(filter(None, [f"{self.tally.share:.0%}", "; ".join(running) or self.tally.stage, self.tally.left])))

    def stop(self) -> None: ...


class LiveTable:
    """A live table: a row a trial, with a bar, the loss, AP so far; above it the whole run and the time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tally: Tally | None = None
        self.live = Live(console=console, auto_refresh=False, transient=False)
        self.drawn = 0.0

    def start(self, tally: Tally) -> None:
        self.tally = tally
        self.live.start()
        self._draw()

    def event(self, event: Event) -> None:
        if self.tally is not None:
            self.tally.note(event)

    def tick(self) -> None:
        if time.monotonic() - self.drawn > 1 / FRAME:
            self._draw()

    def stop(self) -> None:
        if self.tally is not None:
            self._draw()
            self.live.stop()

    def _draw(self) -> None:
        assert self.tally is not None
        self.live.update(render(self.tally, self.console.height), refresh=True)
        self.drawn = time.monotonic()


def render(tally: Tally, height: int) -> Group:
    """The table as it stands, in at most `height` lines."""
    head = Table.grid(padding=(0, 1))
    failed = f", {tally.count(FAILED)} failed" if tally.count(FAILED) else ""
    counts = f"{tally.count(DONE)} of {plural(len(tally.rows), 'trial')} done{failed}"
    left = tally.left if tally.count(WAITING) + tally.count(RUNNING) else f"in {in_words(time.monotonic() - tally.started)}"
    head.add_row(ProgressBar(total=1.0, completed=tally.share, width=30), f"{tally.share:.0%}", counts, left or tally.stage)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in (("loss", "left"), ("seed", "right"), ("", "left"), ("epoch", "right"), ("train loss", "right"), ("AP", "right"), ("", "left")):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # Rich's literal type, our plain strings
    shown = visible(tally.rows.values(), max(3, height - 5))
    for row in shown:
        table.add_row(*_cells(row, tally.n_epochs))
    n_hidden = len(tally.rows) - len(shown)
    return Group(head, table, Text(f"and {n_hidden} more", style="dim") if n_hidden else Text(""))


def _cells(row: Row, n_epochs: int) -> tuple[str | Text | ProgressBar, ...]:
    bar = ProgressBar(total=n_epochs, completed=row.epochs, width=16)
    loss = "" if row.loss is None else f"{row.loss:.3f}"
    note = {DONE: Text("done", "green"), FAILED: Text(row.message, "red"), RUNNING: Text(""), WAITING: Text("waiting", "dim")}[row.state]
    return Text(row.key[0]), str(row.key[1]), bar, f"{int(row.epochs)}/{n_epochs}", loss, as_ap(row.ap), note


def visible(rows: Iterable[Row], n_lines: int) -> list[Row]:
    """Those rows that matter most, in their order: running ones, failures, what comes next, then the latest that are done."""
    everything = list(rows)
    urgency = {RUNNING: 0, FAILED: 1, WAITING: 2, DONE: 3}

    def order(position: int) -> tuple[int, int]:
        state = everything[position].state
        return urgency[state], -position if state == DONE else position

    return [everything[position] for position in sorted(sorted(range(len(everything)), key=order)[:n_lines])]
