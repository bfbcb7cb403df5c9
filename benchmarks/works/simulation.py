"""The DIoU paper's simulation: 1,715,000 cases, 200 steps, the exact gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import numpy_descent, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS, Protocol
from boxloss.simulate.run import SHARD, Simulation
from boxloss.simulate.store import spans
from boxloss.simulate.tally import Tally

PAPER = PRESETS["diou-paper"]
LOSSES = ("iou", "giou", "diou", "ciou")
SAMPLE = 20 * PAPER.cases_per_centre
AT_ONCE = 343 * 64
"""Cases in a chunk of autograd: some hundreds of MB would be slower."""


def inputs(case: Case) -> Protocol:
    return PAPER.with_(n_centres=case.n // PAPER.cases_per_centre)


def ours(name: str) -> Callable[[Protocol], Call]:
    def prepare(plan: Protocol) -> Call:
        simulation = Simulation.of(*chosen(name), plan)
        simulation.load()
        return lambda: Tally.joined(simulation.shard(first, last).tally for first, last in spans(plan, SHARD)).curve()

    return prepare


def plain_numpy(name: str) -> Callable[[Protocol], Call]:
    return lambda plan: lambda: numpy_descent.run(name, *plan.cases(0, plan.n_cases), plan.step_sizes())


def torchvision(name: str) -> Callable[[Protocol], Call]:
    def prepare(plan: Protocol) -> Call:
        import torch

        ops = peers.torchvision().ops
        loss = {"giou": ops.generalized_box_iou_loss, "diou": ops.distance_box_iou_loss, "ciou": ops.complete_box_iou_loss}[name]

        def moved(anchors: Any, targets: Any, sums: Any) -> None:
            x, aim = torch.from_numpy(anchors).requires_grad_(), torch.from_numpy(targets)
            corners = ops.box_convert(aim, "cxcywh", "xyxy")
            sums[0] += float((x.detach() - aim).abs().sum())
            for step, rate in enumerate(plan.step_sizes(), 1):
                now = ops.box_convert(x, "cxcywh", "xyxy")
                (slopes,) = torch.autograd.grad(loss(now, corners, reduction="sum"), x)
                with torch.no_grad():
                    x -= rate * (2 - _iou(now, corners))[:, None] * slopes
                    sums[step] += float((x - aim).abs().sum())

        def call() -> Any:
            sums = np.zeros(plan.steps + 1)
            for first in range(0, plan.n_cases, AT_ONCE):
                moved(*plan.cases(first, min(first + AT_ONCE, plan.n_cases)), sums)
            return sums

        return call

    return prepare


def _iou(a: Any, b: Any) -> Any:
    """Of matched boxes, which torchvision has only as a part of its losses."""
    overlap = (a[:, 2:].minimum(b[:, 2:]) - a[:, :2].maximum(b[:, :2])).clamp(min=0).prod(1)
    return overlap / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - overlap)


def see(name: str) -> Callable[[Any, Any], Seen] | None:
    """The errors of all steps; compared where the loss is that of the first of the contenders. Single cases that sit on a kink end elsewhere."""
    return (lambda curve, plan: (curve.sum(),)) if name == "giou" else None


WORK = Contest(
    name="simulation",
    title="The DIoU paper's simulation",
    story="The preset `diou-paper` by exact gradients, float64: N cases of 200 steps, each a value and a gradient; 1,715,000 cases are the whole of it. "
    f"*NumPy*: the four losses' slopes by hand, {numpy_descent.CHUNK:,} cases at a time, one thread, as such scripts are. *torchvision*: its losses and "
    f"autograd, {AT_ONCE:,} cases at a time, on the smaller number; a case takes as long among more. GIoU's errors of all steps are compared, to a thousandth.",
    cases=(Case(f"{SAMPLE:,}", SAMPLE), Case("1,715,000", PAPER.n_cases)),
    quick_cases=(Case("343", 343),),
    inputs=inputs,
    contenders=(
        *(Contender(f"boxloss, {name}", ours(name), see(name)) for name in ("giou", "iou", "diou", "ciou")),
        *(Contender(f"NumPy, {name}", plain_numpy(name), see(name), until=None if name == "giou" else SAMPLE) for name in LOSSES),
        *(Contender(f"torchvision, {name}", torchvision(name), see(name), needs=("torchvision",), until=SAMPLE) for name in ("giou", "diou", "ciou")),
    ),
    memory_from=PAPER.n_cases,
    per_box=True,
    relative=1e-3,
)
