"""Value and gradient on NumPy arrays, one thread: what a box costs once a call's overhead is spread over many."""

from typing import Any

import numpy as np

import boxloss as bl
from benchmarks import boxes
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest
from boxloss.kernels import switch

LOSSES = ("iou", "giou", "diou", "ciou")


def call(name: str, dtype: Any, x: tuple[boxes.Boxes, boxes.Boxes], points: bool = False) -> Call:
    """Value and gradient of the mean. `points`: one target in 1,000 has no size, which is the kernels' slower way."""
    pred, target = (side.astype(dtype) for side in x)
    if points:
        target[::1000, 2:] = target[::1000, :2]
    loss = bl.loss(name)
    got, _ = loss.value_and_gradient(pred, target)
    with switch.plain():
        want = loss(pred, target)
    if not np.isclose(got, want, rtol=1e-5, atol=0):
        raise ArithmeticError(f"{got} from the kernel, {want} from the formula")
    return lambda: loss.value_and_gradient(pred, target)


def copy(dtype: Any, x: tuple[boxes.Boxes, boxes.Boxes]) -> Call:
    pred, target = (side.astype(dtype) for side in x)
    grad = np.empty_like(pred)
    return lambda: np.add(pred, target, out=grad)


def contenders() -> tuple[Contender, ...]:
    """Every loss in both types; the default arguments hold the loop's names fast."""
    found = [
        Contender(f"{name}, {dtype}", lambda x, name=name, dtype=dtype: call(name, dtype, x))  # type: ignore[misc]
        for dtype in ("float32", "float64")
        for name in LOSSES
    ]
    found.append(Contender("ciou, float32, some points", lambda x: call("ciou", "float32", x, points=True)))
    found += [Contender(f"copy, {dtype}", lambda x, dtype=dtype: copy(dtype, x)) for dtype in ("float32", "float64")]  # type: ignore[misc]
    return tuple(found)


WORK = Contest(
    name="kernel",
    title="Value and gradient per box",
    story="`bl.iou_loss.value_and_gradient(pred, target)` on NumPy arrays, one thread. A point among the boxes sends its chunk of 4,096 the slower way, "
    "which is right for every box; one target in 1,000 without size does that to all chunks. The copy reads two arrays of boxes and writes one.",
    cases=(Case("100,000", 100_000),),
    quick_cases=(Case("2,000", 2000),),
    inputs=lambda case: boxes.matched(case.n),
    contenders=contenders(),
    n_threads=1,
    per_box=True,
)
