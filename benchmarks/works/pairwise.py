"""The IoU of every box with every box."""

from typing import Any

import numpy as np
import torch

import boxloss as bl
from benchmarks import boxes, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

Inputs = tuple[boxes.Boxes, boxes.Boxes]


def some(matrix: Any, x: Inputs) -> Seen:
    """Entries from all over: every 97th row's every 89th, and the corners."""
    return (np.asarray(matrix[::97, ::89]), np.asarray(matrix[-1, -1]))


def on_torch(function: Any, x: Inputs) -> Call:
    a, b = (torch.from_numpy(side) for side in x)
    return lambda: function(a, b)


def powerboxes(name: str, x: Inputs) -> Call:
    import powerboxes

    function, (a, b) = getattr(powerboxes, name), x
    return lambda: function(a, b)


def from_distance(matrix: Any, x: Inputs) -> Seen:
    return tuple(1 - part for part in some(matrix, x))


def refill(x: Inputs) -> Call:
    matrix = np.empty((len(x[0]), len(x[1])), np.float32)
    return lambda: matrix.fill(0.5)


def case(n: int) -> Case:
    return Case(f"{n:,} x {n:,}", n)


WORK = Contest(
    name="pairwise",
    title="Pairwise IoU",
    story='`bl.pairwise("iou", a, b)`, float32. powerboxes gives 1 - IoU, always in float64: a matrix of twice the bytes. '
    "Filling: a new matrix of one constant, `np.full` and `torch.full`, and one that is there already.",
    cases=(case(100), case(1000), case(10_000)),
    quick_cases=(case(100),),
    inputs=lambda case: (boxes.objects(case.n, seed=1), boxes.objects(case.n, seed=2)),
    contenders=(
        Contender("boxloss, NumPy", lambda x: lambda: bl.pairwise("iou", *x), some),
        Contender("boxloss, PyTorch", lambda x: on_torch(lambda a, b: bl.pairwise("iou", a, b), x), some),
        Contender("torchvision", lambda x: on_torch(peers.torchvision().ops.box_iou, x), some, needs=("torchvision",)),
        Contender("powerboxes", lambda x: powerboxes("iou_distance", x), from_distance, needs=("powerboxes",)),
        Contender("powerboxes, parallel", lambda x: powerboxes("parallel_iou_distance", x), from_distance, needs=("powerboxes",)),
        Contender("fill, NumPy", lambda x: lambda: np.full((len(x[0]), len(x[1])), 0.5, np.float32)),
        Contender("fill, PyTorch", lambda x: lambda: torch.full((len(x[0]), len(x[1])), 0.5)),
        Contender("fill, memory at hand", refill),
    ),
    memory_from=1000,
)
