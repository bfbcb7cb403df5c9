"""All losses through one protocol, at several rates and with Adam: who ends nearest, and how much of that order is the rate's doing."""

import csv
import io
import math
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any

from boxloss.formulas import catalogue
from boxloss.kernels.threads import set_num_threads
from boxloss.simulate.loss import chosen
from boxloss.simulate.progress import shown
from boxloss.simulate.protocol import PRESETS, Protocol
from boxloss.simulate.run import Simulation

PLAN = PRESETS["diou-paper"].with_(name="zoo", n_centres=30)
RATES = (0.05, 0.1, 0.2, 0.5, 1.0)
ADAM_RATE = 0.05
"""Wise-IoU's authors move boxes of an area of 1/32 with a rate of .01: the same for boxes of area 1 is sqrt(32) times as much, .057."""

IN_THIS_UNIT = {"mpdiou": "image_width=20:image_height=20", "nwd": "constant=1", "dotd": "size=1"}
"""Parameters that are lengths: the catalogue's are pixels of a picture, and boxes here have an area of 1, within 6 of each other."""
VARIANTS = ("inner_ciou:ratio=1.25", "shape_iou:scale=0")
"""Losses whose papers recommend more than one value of a parameter."""


@dataclass(frozen=True)
class Row:
    """What came of one loss in one way. `rank` is by the mean error, 1 for the least, among all losses that went that way."""

    loss: str
    optimiser: str
    rate: float
    cases: int
    mean_error: float
    mean_iou: float
    share_iou_above_075: float
    mean_error_of_all_steps: float
    rank: int = 0

    @property
    def way(self) -> str:
        return f"{self.rate:g}" if self.optimiser == "descent" else self.optimiser.capitalize()


COLUMNS = tuple(field.name for field in fields(Row))


def names() -> list[str]:
    """All losses there are, as `chosen` reads them."""
    return [*(f"{name}:{IN_THIS_UNIT[name]}" if name in IN_THIS_UNIT else name for name in catalogue()), *VARIANTS]


def ways(plan: Protocol) -> list[Protocol]:
    """How each loss goes: by plain descent at each rate, and by Adam."""
    return [*(plan.at_rate(rate) for rate in RATES), plan.with_(optimiser="adam").at_rate(ADAM_RATE)]


def zoo(losses: Sequence[str] | None = None, plan: Protocol = PLAN, tell: Callable[[str], object] = lambda loss: None) -> list[Row]:
    """A row for each loss and way. Losses run side by side, a process a core, for most of the time goes into compiling. `tell` hears of each that is done."""
    asked = names() if losses is None else list(losses)
    n_workers = min(len(asked), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    found: list[Row] = []
    with ProcessPoolExecutor(n_workers, multiprocessing.get_context("spawn"), set_num_threads, (1,)) as workers:
        for loss, rows in zip(asked, workers.map(partial(_rows, plan=plan), asked), strict=True):
            found += rows
            tell(loss)
    return ranked(found)


def _rows(loss: str, plan: Protocol) -> list[Row]:
    (moved_by,) = chosen(loss)
    found = []
    for way in ways(plan):
        simulation = Simulation.of(moved_by, way)
        tally = simulation.shard(0, way.n_cases).tally
        errors = tally.final_error / tally.n, tally.mean_iou, tally.high_share, tally.all_errors / tally.n / way.steps
        found.append(Row(loss, way.optimiser, way.rates[0][1], tally.n, *errors))
    return found


def ranked(rows: Iterable[Row]) -> list[Row]:
    """The rows with their ranks. An error that is no number comes last."""
    every = list(rows)
    places: dict[Row, int] = {}
    for way in {row.way for row in every}:
        of_way = sorted((row for row in every if row.way == way), key=lambda row: (math.isnan(row.mean_error), row.mean_error))
        places |= {row: place for place, row in enumerate(of_way, 1)}
    return [replace(row, rank=places[row]) for row in every]


def shown_zoo(n_centres: int, seed: int, quiet: bool) -> list[Row]:
    """The zoo of all losses, with progress on standard error."""
    with shown(len(names()), sys.stderr, quiet, "loss") as told:
        return zoo(plan=PLAN.with_(n_centres=n_centres, seed=seed), tell=lambda loss: told(loss, 1))


def by_loss(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Each loss with its rows, the one with the best mean IoU at its best rate of descent first."""
    of = {row.loss: [other for other in rows if other.loss == row.loss] for row in rows}
    return sorted(of.items(), key=lambda item: -_known(best(item[1]).mean_iou))


def best(rows: Sequence[Row]) -> Row:
    """That of plain descent with the best mean IoU."""
    return max((row for row in rows if row.optimiser == "descent"), key=lambda row: _known(row.mean_iou))


def _known(iou: float) -> float:
    """NaN has no place in an order: boxes that are nowhere overlap nothing."""
    return 0.0 if math.isnan(iou) else iou


def table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of the table: error and IoU of each way, and the best."""
    animals = by_loss(rows)
    header = ("loss", *(row.way if row.way == "Adam" else f"rate {row.way}" for row in animals[0][1]), "best rate")
    return header, [(loss, *(f"{_short(row.mean_error)} ({row.mean_iou:.3f})" for row in its), f"{best(its).rate:g}") for loss, its in animals]


def _short(error: float) -> str:
    return f"{error:.4f}" if error < 10 else f"{error:.3g}"


def as_dicts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def as_csv(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(as_dicts(rows))
    return out.getvalue()
