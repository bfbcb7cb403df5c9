"""What is measured of the simulation: runs of the whole protocol and of a tenth of it, and cosines of the two updates."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from boxloss.calculus.evaluate import evaluate
from boxloss.formulas import find
from boxloss.kernels.switch import plain
from boxloss.losses import Similarity
from boxloss.simulate import simulate
from boxloss.simulate.gradients import FAULTS, as_released, exact
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import PRESETS, Protocol
from boxloss.simulate.run import Simulation
from boxloss.simulate.tally import HIGH_IOU

Numbers = npt.NDArray[np.float64]
Faults = tuple[str, ...]

PAPER = PRESETS["diou-paper"]
TENTH = PAPER.with_(n_centres=500)
"""For what has many runs."""
SEEDS = (0, 1, 2)
ALL: Faults = tuple(FAULTS)
FAULTS_OF: dict[str, Faults] = {
    "iou": ("doubled sizes",),
    "giou": ("doubled sizes", "unclamped overlap"),
    "diou": ("doubled sizes", "diagonal's sign", "cross-axis", "shrinking hull"),
    "ciou": ("doubled sizes", "diagonal's sign", "cross-axis", "shrinking hull", "angle's scale"),
}
"""Those that the loss's update has."""
IOUS = ("giou", "diou", "ciou")
RATES = (0.05, 0.1, 0.2, 0.5)
N_PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class Run:
    """One loss under one protocol."""

    sums: Numbers
    """(steps + 1,): the sum of all cases' errors before the first step, and after each."""
    surface: Numbers
    """(n_centres,): the sum of the final errors of a centre's cases, in centre and size, whatever was moved."""
    n_cases: int
    mean_iou: float
    high_share: float
    """The share of the cases with a final IoU above 0.75."""

    @property
    def mean_error(self) -> float:
        """Of a case, at the end."""
        return float(self.surface.sum()) / self.n_cases

    @property
    def deviation(self) -> float:
        """The standard deviation of the final sum from one draw of the centres to another, as these centres have it."""
        return float(self.surface.std() * np.sqrt(len(self.surface)))


@cache
def run(name: str, plan: Protocol = PAPER, faults: Faults | None = None) -> Run:
    """By the exact gradient, or as released with these faults."""
    found = simulate(name, plan, faults=faults)
    return Run(found.sums, found.surface(), plan.n_cases, float(found.ious.mean()), float((found.ious > HIGH_IOU).mean()))


def seeds(name: str, plan: Protocol = PAPER, faults: Faults | None = None) -> list[Run]:
    return [run(name, plan.with_(seed=seed), faults) for seed in SEEDS]


def subsets(faults: Faults) -> Iterator[Faults]:
    """None first, all last."""
    return itertools.chain.from_iterable(itertools.combinations(faults, n) for n in range(len(faults) + 1))


# ---- the ridge

NEAR, FAR = 10.0, 2.5
"""Degrees from an axis or a diagonal; and how far from the target, of the disc's radius of 3."""


def along(plan: Protocol, surface: Numbers) -> tuple[float, float]:
    """The mean of the surface near the axes, and near the diagonals."""
    x, y = (plan.centres() - plan.centre).T
    degrees = np.degrees(np.arctan2(y, x)) % 90
    far = np.hypot(x, y) > FAR
    near_axis, near_diagonal = (degrees < NEAR) | (degrees > 90 - NEAR), abs(degrees - 45) < NEAR
    return float(surface[far & near_axis].mean()), float(surface[far & near_diagonal].mean())


# ---- the direction


@dataclass(frozen=True, eq=False)
class Cosines:
    """Of the released update and the exact gradient, of pairs of boxes where neither is 0."""

    apart: Numbers
    overlapping: Numbers
    share_apart: float
    """Of all pairs."""


@cache
def cosines(name: str, on_the_way: bool) -> Cosines:
    """Of `N_PAIRS` cases where they start, or after a step drawn at random of those at the first rate of the released update."""
    chance = np.random.default_rng(0)
    cases = np.sort(chance.choice(PAPER.n_cases, N_PAIRS, replace=False))
    boxes, targets = (each[cases] for each in PAPER.cases(0, PAPER.n_cases))
    if on_the_way:
        plan = PAPER.with_(steps=160, rates=((1.0, PAPER.rates[0][1]),))
        with plain():
            _, path, _ = Simulation.of(Loss(find(name), {}, ALL), plan).move(boxes, targets, path=True)
        assert path is not None
        boxes = path[chance.integers(0, plan.steps, N_PAIRS), np.arange(N_PAIRS)]
        upright = (boxes[:, 2:] > 0).all(1)  # what a box with crossed edges should do is a matter of taste
        boxes, targets = boxes[upright], targets[upright]
    ours, theirs = (
        np.stack(evaluate(traced, [*boxes.T, *targets.T])[1:], 1)
        for traced in (exact(find(name), {}, dtype="float64", format="cxcywh", tame=False), as_released(name, dtype="float64"))
    )
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    moved, apart = lengths > 0, overlaps(boxes, targets) == 0
    found = np.divide((ours * theirs).sum(1), lengths, out=np.zeros(len(boxes)), where=moved)
    return Cosines(found[moved & apart], found[moved & ~apart], float(apart.mean()))


def overlaps(boxes: Numbers, targets: Numbers) -> Numbers:
    with plain():
        return np.asarray(Similarity(find("iou"))(boxes, targets, format="cxcywh"))


def start_overlaps(seed: int) -> Numbers:
    """The IoU of every case as it starts."""
    plan = PAPER.with_(seed=seed)
    return overlaps(*plan.cases(0, plan.n_cases))
