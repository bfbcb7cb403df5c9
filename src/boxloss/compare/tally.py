"""How far each trial of a run is, and how long the rest will take: what every display shows."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxloss.compare.events import Began, Epoch, Event, Failed, Finished, Key, Stepped

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass
class Row:
    """One trial, as far as the run knows."""

    key: Key
    state: str = WAITING
    epochs: float = 0.0
    loss: float | None = None
    ap: float | None = None
    cpu_seconds: float | None = None
    message: str = ""
    log: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.key[0]} seed {self.key[1]}"


@dataclass
class Tally:
    """All trials of a run in their order. `note` takes every event in."""

    n_epochs: int
    rows: dict[Key, Row]
    stage: str = "starting"
    started: float = field(default_factory=time.monotonic)
    first_epoch: float | None = None  # when the first trial began: starting up says nothing about the pace
    n_trained: float = 0.0  # epochs trained in this session, which is what its pace is reckoned from

    def add_finished(self, results: Mapping[Key, dict[str, Any]]) -> None:
        """Enters trials that were finished in earlier sessions."""
        for key, result in results.items():
            self.rows[key] = Row(key, DONE, self.n_epochs, result["epochs"][-1]["train_loss"], result["metrics"]["ap"], result["cpu_seconds"])

    def note(self, event: Event) -> None:
        key = getattr(event, "key", None)
        if key is None:
            return
        row = self.rows[key]
        row.state = RUNNING
        match event:
            case Began(_, epochs):
                row.epochs = epochs
                self.stage = "training"
                self.first_epoch = self.first_epoch or time.monotonic()
            case Stepped(_, epochs, loss) | Epoch(_, epochs, loss):
                self.n_trained += max(0.0, epochs - row.epochs)
                row.epochs, row.loss = epochs, loss
                if isinstance(event, Epoch) and event.ap is not None:
                    row.ap = event.ap
            case Finished(_, ap, cpu_seconds):
                row.state, row.epochs, row.ap, row.cpu_seconds = DONE, self.n_epochs, ap, cpu_seconds
            case Failed(_, message, log):
                row.state, row.message, row.log = FAILED, message, log
            case _:
                pass

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows.values())

    @property
    def share(self) -> float:
        """Share of the run's epochs that are done, 0 to 1."""
        return sum(row.epochs for row in self.rows.values()) / (self.n_epochs * len(self.rows))

    @property
    def seconds_left(self) -> float | None:
        """From this session's pace; None until half an epoch is trained, for then there is none."""
        if self.first_epoch is None or self.n_trained < 0.5:
            return None
        left = sum(self.n_epochs - row.epochs for row in self.rows.values() if row.state in (WAITING, RUNNING))
        return left * (time.monotonic() - self.first_epoch) / self.n_trained

    @property
    def left(self) -> str:
        seconds = self.seconds_left
        if seconds is None:
            return ""
        return f"about {in_words(seconds)} left" if seconds >= 1 else "nearly done"


def in_words(seconds: float) -> str:
    """A span of time, short: `45 s`, `12 min`, `3 h 05 min`.

    >>> in_words(3700)
    '1 h 02 min'
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def as_ap(ap: float | None) -> str:
    """AP in three digits without the leading zero, as tables print it; a dash where there is none."""
    if ap is None or ap != ap:
        return "-"
    return f"{ap:.3f}".removeprefix("0")
