"""The experiment, case after case: all cores, little memory, and the same bits whatever the number of threads and however the cases are cut up."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.boxes import convert
from boxloss.formulas import Formula, find
from boxloss.kernels import switch
from boxloss.kernels.cpu.bodies import has_tame
from boxloss.kernels.cpu.descent import BLOCK, Descent, Update, by_graph
from boxloss.kernels.threads import run_parts
from boxloss.losses import Similarity
from boxloss.simulate import gradients, protocol
from boxloss.simulate.protocol import Boxes, Protocol

_iou = Similarity(find("iou"))

SHARD = 4096
"""Cases that are moved and summed by themselves."""


@dataclass(frozen=True)
class Loss:
    """What moves the boxes: a formula with its parameters, and whether by its exact gradient, or as released, with which faults."""

    formula: Formula
    parameters: dict[str, Any]
    faults: tuple[str, ...] | None = None

    def update(self, plan: Protocol, dtype: str) -> Update:
        if self.faults is not None:
            full, tame = gradients.as_released(self.formula.name, self.faults, dtype=dtype), None
        else:
            full, tame = (
                gradients.exact(self.formula, self.parameters, dtype=dtype, format=plan.parameters, tame=tame) if not tame or has_tame(self.formula) else None
                for tame in (False, True)
            )
        assert full is not None
        return Update(full, tame, plan.parameters, plan.optimiser, plan.factor)


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
    sums: Boxes
    """(steps + 1,): the sum of the errors before the first step and after each."""


class Simulation:
    """One loss under one protocol: a function from a range of cases to a `Shard`, which depends on nothing else."""

    def __init__(self, moved_by: Loss, plan: Protocol, dtype: str = "float64"):
        self.plan, self.dtype = plan, dtype
        self._update = moved_by.update(plan, dtype)
        self._loop = Descent(self._update)
        self._centres = plan.centres()
        rates, steps = plan.step_sizes(), np.arange(1, plan.steps + 1)
        self._rates = np.ascontiguousarray(np.stack([rates, 1 - 0.9**steps, 1 - 0.999**steps], 1), dtype)

    def load(self) -> None:
        """Compiles what is needed, before there are threads that would wait for it."""
        self(0, 1)

    def __call__(self, first: int, last: int) -> Shard:
        anchors, targets = self.plan.cases(first, last, self._centres)
        start = sum(np.abs(anchors - targets).T)
        moved, _, sums = self.move(anchors, targets)
        errors = sum(np.abs(moved - targets).T)
        ious = _iou(moved, targets, format="cxcywh")
        return Shard(first, moved, errors, ious, np.array([start.sum(), *sums]))

    def move(self, anchors: Boxes, targets: Boxes, path: bool = False) -> tuple[Boxes, Boxes | None, Boxes]:
        """Where the boxes end, (n, 4); where they are after each step, (steps, n, 4); the errors' sum after each step, (steps,). Boxes are cxcywh."""
        asked = [convert(boxes, "cxcywh", self.plan.parameters) for boxes in (anchors, targets)]
        cases = np.ascontiguousarray(np.concatenate(asked, 1).T, self.dtype)
        sums = np.zeros((self.plan.steps, BLOCK))
        way = np.empty((self.plan.steps, 4, len(anchors)), self.dtype) if path else None
        self._go(cases, sums, way)
        ended = convert(cases[:4].T.astype(np.float64), self.plan.parameters, "cxcywh")
        return ended, None if way is None else convert(way.transpose(0, 2, 1), self.plan.parameters, "cxcywh"), sums.sum(1)

    @switch.or_plain
    def _go(self, cases: Boxes, sums: Boxes, way: Boxes | None) -> None:
        if switch.cpu_kernels():
            self._loop(cases, self._rates, sums, way)
        else:
            by_graph(self._update, cases, self._rates, sums, way)


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
        return self.errors.reshape(self.plan.n_centres, -1).sum(1)


def simulate(
    name: str | Formula, plan: str | Protocol = "quick", *, faults: Collection[str] | None = None, dtype: str = "float64",
    tell: Callable[[int], object] | None = None, **parameters: Any,
) -> Result:  # fmt: skip
    """The whole experiment with one loss, on all cores. `tell` hears how many cases are done."""
    moved_by = Loss(find(name), parameters, None if faults is None else tuple(faults))
    plan = protocol.find(plan)
    simulation = Simulation(moved_by, plan, dtype)
    simulation.load()
    n = plan.n_cases
    shards: list[Shard | None] = [None] * math.ceil(n / SHARD)

    def part(k: int) -> None:
        shards[k] = shard = simulation(k * SHARD, min((k + 1) * SHARD, n))
        if tell is not None:
            tell(len(shard.ious))

    run_parts(part, len(shards))
    return joined(plan, [shard for shard in shards if shard is not None])


def joined(plan: Protocol, shards: list[Shard]) -> Result:
    """The result that the shards make, in whatever order they come."""
    shards = sorted(shards, key=lambda shard: shard.first)
    sums = np.array([math.fsum(step) for step in zip(*(shard.sums for shard in shards), strict=True)])
    boxes, errors, ious = (np.concatenate([getattr(shard, name) for shard in shards]) for name in ("boxes", "errors", "ious"))
    return Result(plan, sums, boxes, errors, ious)
