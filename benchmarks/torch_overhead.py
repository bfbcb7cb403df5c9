"""What the ways into PyTorch cost by themselves: `python benchmarks/torch_overhead.py` prints the table of docs/decisions/torch.md.

Each way makes a value and a gradient of the right shapes and computes nothing. Forward and backward, one thread, in turn.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import boxloss as bl
from benchmarks import boxes
from benchmarks.clock import Budget, race

NUMBER = torch.empty(())


def nothing(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """In place of a kernel: a number and a gradient, not written to."""
    return torch.empty_like(NUMBER), torch.empty_like(pred)


def scaled(grad: Tensor, upstream: Tensor) -> Tensor:
    return grad if upstream.item() == 1.0 else grad * upstream


class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pred: Tensor, target: Tensor) -> Tensor:
        value, ctx.grad = nothing(pred, target)
        ctx.save_for_backward(pred, target)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        grad, ctx.grad = ctx.grad, None
        return scaled(grad, upstream), None


# An operator must return the gradient too, since nothing but inputs and outputs reaches its backward.
def setup(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(output[1])
    ctx.set_materialize_grads(False)


def backward(ctx: Any, upstream: Tensor, _: Tensor | None) -> tuple[Tensor | None, ...]:
    return scaled(ctx.saved_tensors[0], upstream), None


@torch.library.custom_op("boxloss_overhead::custom", mutates_args=())
def custom(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    return nothing(pred, target)


custom.register_autograd(backward, setup_context=setup)

LIBRARY = torch.library.Library("boxloss_overhead", "FRAGMENT")
LIBRARY.define("library(Tensor pred, Tensor target) -> (Tensor, Tensor)")
LIBRARY.impl("library", nothing, "CPU")
torch.library.register_autograd("boxloss_overhead::library", backward, setup_context=setup, lib=LIBRARY)


def ways() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    below = super(torch.autograd.Function, Function).apply  # what `apply` calls once it has seen that no transform of torch.func is at work
    return {
        "`p.sum().backward()`, the floor": lambda pred, target: pred.sum(),
        "`autograd.Function`": Function.apply,
        "`autograd.Function`, without its look for transforms": below,
        "`torch.library.custom_op`": lambda pred, target: custom(pred, target)[0],
        "`torch.library.Library.define` and `impl`": lambda pred, target: torch.ops.boxloss_overhead.library(pred, target)[0],
        "`bl.ciou_loss`, computing": bl.ciou_loss,
    }


def step(loss: Callable[[Tensor, Tensor], Tensor], pred: Tensor, target: Tensor) -> Callable[[], None]:
    def forward_backward() -> None:
        pred.grad = None
        loss(pred, target).backward()

    return forward_backward


def main(seconds: float = 3.0, sizes: tuple[int, ...] = (10, 1000)) -> None:
    torch.set_num_threads(1)
    columns = []
    for n in sizes:
        pred, target = (torch.from_numpy(x) for x in boxes.matched(n))
        pred.requires_grad_()
        steps = {name: step(loss, pred, target) for name, loss in ways().items()}
        for first_call in steps.values():
            first_call()
        columns.append(race(steps, Budget(seconds)))
    print("| microseconds a call, forward and backward | " + " | ".join(f"N = {n:,}" for n in sizes) + " |\n|---|" + "---:|" * len(sizes))
    for name in ways():
        cells = (f"{column[name].median_s * 1e6:.1f} ({column[name].low_s * 1e6:.1f} to {column[name].high_s * 1e6:.1f})" for column in columns)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
