"""What workers tell the run, and what the run tells workers: small records that travel through a pipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxloss.compare.plan import Plan
from boxloss.datasets import Dataset

Key = tuple[str, int]  # a trial: (loss, seed)

# ---- from a worker to the run


@dataclass(frozen=True)
class Ready:
    """The worker has imported everything and prepared the pictures."""


@dataclass(frozen=True)
class Weighed:
    """The losses' mean gradient norms were measured, from which their weights follow."""

    gradients: dict[str, float]


@dataclass(frozen=True)
class Began:
    """A trial begins, or goes on after `epochs` finished ones."""

    key: Key
    epochs: int


@dataclass(frozen=True)
class Stepped:
    """Training goes on: `epochs` are done, the last one in part. `loss` is the last batch's."""

    key: Key
    epochs: float
    loss: float


@dataclass(frozen=True)
class Epoch:
    """An epoch ended and is on the disk. `ap` is None where it was not evaluated."""

    key: Key
    epochs: int
    loss: float
    ap: float | None


@dataclass(frozen=True)
class Finished:
    """A trial ended and is on the disk."""

    key: Key
    ap: float
    cpu_seconds: float


@dataclass(frozen=True)
class Failed:
    """A trial, or with key None the preparation, ended in an error: `message` is one line, `log` holds the whole story."""

    key: Key | None
    message: str
    log: Path


Event = Ready | Weighed | Began | Stepped | Epoch | Finished | Failed

# ---- from the run to a worker


@dataclass(frozen=True)
class Prepare:
    """The first thing a worker is told. `record` is what plan.json holds."""

    plan: Plan
    dataset: Dataset
    out: Path
    record: dict[str, Any]


@dataclass(frozen=True)
class Weigh:
    """Measure these losses' mean gradient norms."""

    losses: tuple[str, ...]


@dataclass(frozen=True)
class Train:
    """Run one trial, from its last checkpoint on."""

    key: Key
    weight: float


Order = Prepare | Weigh | Train
