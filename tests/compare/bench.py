"""A workshop in this process: what a worker has, without the worker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from boxloss.compare.events import Event
from boxloss.compare.plan import describe, make_plan
from boxloss.compare.workshop import Workshop
from boxloss.datasets import Dataset
from compare.tiny import tiny


def workshop(out: Path, dataset: Dataset | None = None, **options: Any) -> Workshop:
    dataset = dataset or tiny()
    plan = make_plan(dataset, **{"data": "tiny", "losses": "iou,l1,giou", "seeds": 2, "epochs": 3, "batch_size": 8, "eval_every": 2, **options})
    return Workshop(plan, dataset, out, describe(plan, dataset, "command"))


class Killed(BaseException):
    """Like kill -9, nothing catches it on its way out."""


def kill_when(condition: Callable[[Event], bool]) -> Callable[[Event], None]:
    """An ear for events that ends the trial at the first one that fits."""

    def hear(event: Event) -> None:
        if condition(event):
            raise Killed

    return hear


def deaf(_: Event) -> None:
    """Hears nothing."""
