"""What a call of the CIoU loss is made of, and how near its kernel is to what the processor can do: `python benchmarks/limits.py` prints the tables of
docs/decisions/kernels.md. One thread, float32, the gradient along the predictions."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import boxloss as bl
from benchmarks import boxes
from benchmarks.clock import Budget, Call, race
from benchmarks.torch_overhead import ways
from boxloss.calculus.graph import reachable
from boxloss.kernels.cpu.bodies import bodies
from boxloss.kernels.cpu.compile import assembly
from boxloss.kernels.cpu.elementwise import program
from boxloss.kernels.cpu.run import elementwise

CIOU = bl.catalogue()["ciou"]
LANES = 16


def kernel(n: int) -> Call:
    """The kernel alone, on memory that is there."""
    a, b = boxes.matched(n)
    grad, total = np.empty_like(a), np.empty(1, a.dtype)
    loop = elementwise(CIOU, (), "float32", "xyxy", "a", False)
    at_a, at_b, at_grad, at_total = (x.ctypes.data for x in (a, b, grad, total))

    def call() -> object:
        loop(n, at_a, 4, 1, at_b, 4, 1, scale=1 / n, count=float(n), grad_a=at_grad, total=at_total)
        return a, b, grad, total  # which have to live as long as this

    return call


def steps(n: int) -> dict[str, Call]:
    pred, target = (torch.from_numpy(x) for x in boxes.matched(n))
    pred.requires_grad_()

    def step(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Call:
        def forward_backward() -> None:
            pred.grad = None
            loss(pred, target).backward()  # type: ignore[no-untyped-call]

        return forward_backward

    found = ways()
    return {
        "`p.sum().backward()`": step(found["`p.sum().backward()`, the floor"]),
        "an `autograd.Function` that computes nothing": step(found["`autograd.Function`, without its look for transforms"]),
        "the kernel alone": kernel(n),
        "`bl.ciou_loss`": step(bl.ciou_loss),
    }


def instructions() -> tuple[int, int, int]:
    """Operations of the formula and its gradient for a tame pair; instructions of the loop over the columns, for 16 boxes; and how many of them
    are arithmetic."""
    texts = bodies(CIOU, {}, number="float32", format="xyxy", wrt="a")
    assert texts.traced_tame is not None
    made = program(texts, tame=True)
    text = assembly(made.text, made.number, {name: (kind, value) for name, kind, value in made.constants}, {name: (kind, n) for name, kind, n in made.memory})
    blocks = re.split(r"^\.LBB\w+:.*$", text, flags=re.MULTILINE)
    longest = [line.split()[0] for line in max(blocks, key=lambda block: block.count("vmulps")).splitlines() if line.startswith("\t") and line[1] != "."]
    moves = sum(name.startswith(("vmov", "kmov", "mov", "vbroadcast")) for name in longest)
    return sum(bool(x.args) for x in reachable(texts.traced_tame.outputs)), len(longest), len(longest) - moves


def main(seconds: float = 3.0) -> None:
    torch.set_num_threads(1)
    bl.set_num_threads(1)
    sizes = (10, 1000)
    columns = [race(steps(n), Budget(seconds)) for n in sizes]
    print("| microseconds | " + " | ".join(f"N = {n:,}" for n in sizes) + " |\n|---|" + "---:|" * len(sizes))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{column[name].median_s * 1e6:.1f}" for column in columns) + " |")
    n = 100_000
    a, b = boxes.matched(n)
    out = np.empty_like(a)
    found = race({"kernel": kernel(n), "copy": lambda: np.add(a, b, out=out)}, Budget(seconds))
    in_kernel, in_copy = (found[name].median_s / n * 1e9 for name in ("kernel", "copy"))
    operations, every, arithmetic = instructions()
    print(f"\nN = {n:,}: the kernel takes {in_kernel:.2f} ns a box; reading two arrays and writing one takes {in_copy:.2f}.")
    print(f"The formula and its gradient have {operations} operations; the loop has {every} instructions for {LANES} boxes, {arithmetic} of them arithmetic.")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
