"""CIoU loss, forward and backward: what a training step pays."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

import boxloss as bl
from benchmarks import boxes, peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest, Seen
from boxloss.kernels import switch

SIZES = tuple(10**k for k in range(8))


class Inputs(NamedTuple):
    pred: Tensor
    target: Tensor


def clean_ciou(pred: Tensor, target: Tensor, eps: float = 1e-7) -> Tensor:
    """The paper's equations 10 to 12, as a careful user writes them down: no loop, nothing computed twice, alpha held constant."""
    left_p, top_p, right_p, bottom_p = pred.unbind(-1)
    left_t, top_t, right_t, bottom_t = target.unbind(-1)
    w_p, h_p, w_t, h_t = right_p - left_p, bottom_p - top_p, right_t - left_t, bottom_t - top_t
    overlap_w = (torch.minimum(right_p, right_t) - torch.maximum(left_p, left_t)).clamp(min=0)
    overlap_h = (torch.minimum(bottom_p, bottom_t) - torch.maximum(top_p, top_t)).clamp(min=0)
    overlap = overlap_w * overlap_h
    iou = overlap / (w_p * h_p + w_t * h_t - overlap + eps)
    hull_w, hull_h = torch.maximum(right_p, right_t) - torch.minimum(left_p, left_t), torch.maximum(bottom_p, bottom_t) - torch.minimum(top_p, top_t)
    offset2 = ((left_p + right_p - left_t - right_t) ** 2 + (top_p + bottom_p - top_t - bottom_t) ** 2) / 4
    v = 4 / math.pi**2 * (torch.atan(w_t / (h_t + eps)) - torch.atan(w_p / (h_p + eps))) ** 2
    alpha = (v / (1 - iou + v + eps)).detach()
    return (1 - iou + offset2 / (hull_w**2 + hull_h**2 + eps) + alpha * v).mean()


def inputs(case: Case) -> Inputs:
    pred, target = boxes.matched(case.n)
    return Inputs(torch.from_numpy(pred).requires_grad_(), torch.from_numpy(target))


def step(loss: Callable[[Tensor, Tensor], Tensor], x: Inputs) -> Call:
    pred, target = x

    def forward_backward() -> Tensor:
        pred.grad = None
        value = loss(pred, target)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    return forward_backward


def see(value: Tensor, x: Inputs) -> Seen:
    """The mean, and the gradient of the sum."""
    assert x.pred.grad is not None
    return value.item(), (x.pred.grad * len(x.pred)).numpy()


def plain(pred: Tensor, target: Tensor) -> Tensor:
    with switch.plain():
        return bl.ciou_loss(pred, target)


def torchvision_step(x: Inputs) -> Call:
    return step(functools.partial(peers.torchvision().ops.complete_box_iou_loss, reduction="mean"), x)


def compiled_step(x: Inputs) -> Call:
    torch._dynamo.reset()
    return step(torch.compile(clean_ciou, fullgraph=True, dynamic=False), x)  # one size, which is the best case for a compiler


def copy(x: Inputs) -> Call:
    """Reads two arrays of boxes and writes one: no loss and gradient can do with fewer bytes."""
    pred, target, grad = x.pred.detach(), x.target, torch.empty_like(x.target)
    return lambda: torch.add(pred, target, out=grad)


def copy_to_new_memory(x: Inputs) -> Call:
    pred, target = x.pred.detach(), x.target
    return lambda: torch.add(pred, target)


def forget(x: Any) -> None:
    x.pred.grad = None


WORK = Contest(
    name="ciou",
    title="CIoU loss, forward and backward",
    story="The mean CIoU loss of N predictions and its gradient, float32, `loss(pred, target).backward()`. The clean formula is the paper's, in 15 lines "
    "of PyTorch, compiled for each size by itself. `p.sum().backward()` is the least that PyTorch takes for any loss; "
    "the copy reads two arrays of boxes and writes one.",
    cases=tuple(Case(f"{n:,}", n) for n in SIZES),
    quick_cases=(Case("10", 10), Case("1,000", 1000)),
    inputs=inputs,
    contenders=(
        Contender("boxloss", lambda x: step(bl.ciou_loss, x), see),
        Contender("torchvision", torchvision_step, see, needs=("torchvision",)),
        Contender("clean formula", lambda x: step(clean_ciou, x), see),
        Contender("clean formula, torch.compile", compiled_step, see, slow_to_start=True),
        Contender("boxloss, plain", lambda x: step(plain, x), see, until=1_000_000),
        Contender("p.sum().backward()", lambda x: step(lambda pred, target: pred.sum(), x)),
        Contender("copy", copy),
        Contender("copy, new memory", copy_to_new_memory),
    ),
    memory_from=100_000,
    relative=2e-3,
    absolute=2e-4,
    forget=forget,
)
