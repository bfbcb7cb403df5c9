"""The best object for each anchor and the best anchor for each object: what an assigner asks first."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

import boxloss as bl
from benchmarks import boxes, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen

Inputs = tuple[boxes.Boxes, boxes.Boxes]
N_OBJECTS = 2000
PAIR_BYTES = 36
"""What torchvision's box_iou holds at its peak for a pair: two corners, their difference before and after its clamp (8 bytes each), and an area."""


def inputs(case: Case) -> Inputs:
    n_objects = min(N_OBJECTS, max(case.n // 100, 10))
    if case.name.endswith("grid"):
        return boxes.anchors(case.n), boxes.objects(n_objects, 2688, 2016)
    return boxes.uniform(case.n, seed=3), boxes.uniform(n_objects, seed=4)


def ours(x: Any) -> Call:
    return lambda: bl.nearest("iou", *x, both=True)  # type: ignore[attr-defined]


def ours_on_torch(x: Inputs) -> Call:
    return ours(tuple(torch.from_numpy(side) for side in x))


def in_chunks(x: Inputs, chunk_bytes: int) -> Call:
    """torchvision's matrix, some rows at a time, and what is best so far for each object."""
    box_iou, (a, b) = peers.torchvision().ops.box_iou, (torch.from_numpy(side) for side in x)
    n_rows = max(1, chunk_bytes // (PAIR_BYTES * len(b)))

    def best() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        values, indices = torch.empty(len(a)), torch.empty(len(a), dtype=torch.int64)
        best_values, best_indices = torch.full((len(b),), -1.0), torch.zeros(len(b), dtype=torch.int64)
        for start in range(0, len(a), n_rows):
            matrix = box_iou(a[start : start + n_rows], b)
            torch.max(matrix, dim=1, out=(values[start : start + n_rows], indices[start : start + n_rows]))
            found, where = matrix.max(dim=0)
            better = found > best_values
            best_values = torch.where(better, found, best_values)
            best_indices = torch.where(better, where + start, best_indices)
        return (values, indices), (best_values, best_indices)

    return best


def see(result: Any, x: Inputs) -> Seen:
    """The best values. Where two are equally good, either index will do; that an index has its value is looked at apart."""
    (values, indices), (values_b, indices_b) = result
    a, b = x
    some = slice(None, None, max(1, len(a) // 1000))
    own, own_b = bl.iou(a[some], b[np.asarray(indices)[some]]), bl.iou(a[np.asarray(indices_b)], b)
    if not (np.allclose(own, values[some], rtol=1e-4, atol=1e-5) and np.allclose(own_b, values_b, rtol=1e-4, atol=1e-5)):
        raise ArithmeticError("an index does not have the value that is said to be its own")
    return np.asarray(values), np.asarray(values_b)


def no_nearest() -> str:
    return "" if hasattr(bl, "nearest") else "this boxloss has no `nearest`"


CHUNKS = {"torchvision in chunks of 100 MB": 90_000_000, "torchvision in chunks of 2 MB": 2_000_000}

WORK = Contest(
    name="nearest",
    title="Nearest, both ways",
    story=f'`bl.nearest("iou", anchors, objects, both=True)` for N anchors and {N_OBJECTS:,} objects, float32: the best object for each anchor '
    "and the best anchor for each object. The grid is RetinaNet's anchors on strides of 8 to 128 in "
    "a picture of 2,688 x 2,016 with objects of COCO's sizes; uniform: corners anywhere. "
    "torchvision: `box_iou` and `max` along both sides, so many anchors at a time that the temporaries stay below 100 MB (or within a core's cache).",
    cases=(Case("1,000,000 on a grid", 1_000_000), Case("1,000,000 uniform", 1_000_000)),
    quick_cases=(Case("2,000 on a grid", 2000), Case("2,000 uniform", 2000)),
    inputs=inputs,
    contenders=(
        Contender("boxloss, NumPy", ours, see, hinders=no_nearest),
        Contender("boxloss, PyTorch", ours_on_torch, see, hinders=no_nearest),
        *(
            Contender(name, lambda x, size=size: in_chunks(x, size), see, needs=("torchvision",))  # type: ignore[misc]
            for name, size in CHUNKS.items()
        ),
    ),
    memory_from=1_000_000,
)
