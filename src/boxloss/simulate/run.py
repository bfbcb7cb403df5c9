"""The experiment, case after case: all cores, little memory, and the same bits whatever the number of threads and however the cases are cut up."""

import hashlib
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.boxes import convert
from boxloss.formulas import Formula, find
from boxloss.kernels import switch
from boxloss.kernels.cpu.descent import BLOCK, SETTINGS, Descent, Update, by_graph
from boxloss.kernels.threads import run_parts
from boxloss.losses import Similarity
from boxloss.simulate import protocol
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import Boxes, Protocol
from boxloss.simulate.tally import Tally

_iou = Similarity(find("iou"))

TILE = 4096
"""Cases that are moved together, and whose errors are summed as floats. Tiles' sums are added exactly. So this number is part of what a sum's last bit is,
and nothing else is: not the number of threads, nor the size of a shard."""
SHARD = 64 * TILE
"""Cases that are kept in memory together, stored in one file, and handed to one worker: some 15 MB, and about a second of a core."""

Tell = Callable[[int], object]
"""Hears how many more cases are done."""


@dataclass(frozen=True)
class Shard:
    """Some cases after the last step."""

    first: int
    boxes: Boxes
    """(n, 4), cxcywh."""
    errors: Boxes
    """(n,): |x - x'| + |y - y'| + |w - w'| + |h - h'|."""
    ious: Boxes
    """(n,)"""
    tally: Tally


class Simulation:
    """One loss under one protocol: a function of cases, which depends on nothing else. It is pickled without its formula, as the operations of a step."""

    def __init__(self, update: Update, plan: Protocol):
        self.plan, self.update = plan, update
        self._loop = Descent(update)
        steps = np.arange(1, plan.steps + 1)
        biases = [1 - SETTINGS[name] ** steps for name in ("first_decay", "second_decay")]
        self._rates = np.ascontiguousarray(np.stack([plan.step_sizes(), *biases], 1), update.full.dtype)

    @staticmethod
    def of(moved_by: Loss, plan: Protocol, dtype: str = "float64") -> "Simulation":
        return Simulation(moved_by.update(plan, dtype), plan)

    def __reduce__(self) -> tuple[Any, ...]:
        return Simulation, (self.update, self.plan)

    @property
    def digest(self) -> str:
        """Of the text of a step: a formula that is changed has another one."""
        program = self.update.program()
        return hashlib.sha256(f"{program.number} {program.constants} {program.text}".encode()).hexdigest()

    def load(self) -> None:
        """Compiles what is needed, before there are threads that would wait for it."""
        self.shard(0, 1)

    def shard(self, first: int, last: int, tell: Tell = lambda n: None) -> Shard:
        """Moves cases `first` to `last`, on all threads; `first` is a multiple of TILE."""
        n = last - first
        boxes, errors, ious = np.empty((n, 4)), np.empty(n), np.empty(n)
        tallies: list[Tally | None] = [None] * math.ceil(n / TILE)

        def tile(k: int) -> None:
            rows = slice(k * TILE, min((k + 1) * TILE, n))
            anchors, targets = self.plan.cases(first + rows.start, first + rows.stop)
            boxes[rows], _, sums = self.move(anchors, targets)
            errors[rows] = _error(boxes[rows], targets)
            ious[rows] = _iou(boxes[rows], targets, format="cxcywh")
            tallies[k] = Tally.of(np.array([_error(anchors, targets).sum(), *sums]), ious[rows])
            tell(rows.stop - rows.start)

        run_parts(tile, len(tallies))
        return Shard(first, boxes, errors, ious, Tally.joined(tally for tally in tallies if tally is not None))

    def move(self, anchors: Boxes, targets: Boxes, path: bool = False) -> tuple[Boxes, Boxes | None, Boxes]:
        """Where the boxes end, (n, 4); where they are after each step, (steps, n, 4); the errors' sum after each step, (steps,). Boxes are cxcywh."""
        asked = [convert(boxes, "cxcywh", self.plan.parameters) for boxes in (anchors, targets)]
        cases = np.ascontiguousarray(np.concatenate(asked, 1).T, self.update.full.dtype)
        sums = np.zeros((self.plan.steps, BLOCK))
        way = np.empty((self.plan.steps, 4, len(anchors)), cases.dtype) if path else None
        self._go(cases, sums, way)
        ended = convert(cases[:4].T.astype(np.float64), self.plan.parameters, "cxcywh")
        return ended, None if way is None else convert(way.transpose(0, 2, 1), self.plan.parameters, "cxcywh"), sums.sum(1)

    @switch.or_plain
    def _go(self, cases: Boxes, sums: Boxes, way: Boxes | None) -> None:
        if switch.cpu_kernels():
            self._loop(cases, self._rates, sums, way)
        else:
            by_graph(self.update, cases, self._rates, sums, way)


def _error(boxes: Boxes, targets: Boxes) -> Boxes:
    x, y, w, h = np.abs(boxes - targets).T
    found: Boxes = x + y + w + h
    return found


@dataclass(frozen=True)
class Result:
    """What came of one loss."""

    plan: Protocol
    sums: Boxes
    """(steps + 1,): the sum of all cases' errors before the first step, and after each."""
    boxes: Boxes
    errors: Boxes
    ious: Boxes

    def surface(self) -> Boxes:
        """For each centre the sum of its cases' final errors, (n_centres,)."""
        found: Boxes = self.errors.reshape(self.plan.n_centres, -1).sum(1)
        return found


def simulate(
    name: str | Formula, plan: str | Protocol = "quick", *, faults: Collection[str] | None = None, dtype: str = "float64",
    tell: Tell = lambda n: None, **parameters: Any,
) -> Result:  # fmt: skip
    """The whole experiment with one loss, on all cores and in memory. `boxloss.simulate.stream` does it for any number of cases."""
    return moved(Loss(find(name), parameters, None if faults is None else tuple(faults)), protocol.find(plan), dtype, tell)


def moved(by: Loss, plan: Protocol, dtype: str = "float64", tell: Tell = lambda n: None) -> Result:
    """What `simulate` gives, of a loss that is at hand."""
    simulation = Simulation.of(by, plan, dtype)
    simulation.load()
    shard = simulation.shard(0, plan.n_cases, tell)
    return Result(plan, shard.tally.curve(), shard.boxes, shard.errors, shard.ious)
