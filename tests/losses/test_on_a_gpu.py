"""The losses that remember, weigh, or compare more than two boxes, on a GPU: CPU's values, and no wait for the device. Skipped where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

import boxloss as bl
from close import close

pytestmark = [pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: torch.cuda.is_available() is false")]

CORNER, SIZE = torch.rand(2, 300, 2, generator=torch.Generator().manual_seed(0))
TARGET = torch.cat([CORNER, CORNER + SIZE], 1)
PRED = TARGET + 0.1 * torch.randn(300, 4, generator=torch.Generator().manual_seed(1))
LABELS, WEIGHT = torch.arange(300) % 3, torch.rand(300, generator=torch.Generator().manual_seed(2))
LOGITS, SIDES = torch.randn(300, 4, 9, generator=torch.Generator().manual_seed(3)), TARGET * 4


@contextmanager
def no_wait() -> Iterator[None]:
    """Within it PyTorch refuses what waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


RULES = bl.by_class([1.0, 2.0, 0.5]), bl.by_size(2, 2)
BOXES = PRED, TARGET, WEIGHT, LABELS
LOSSES = {
    "v2": (lambda: bl.nn.WiseIoUv2Loss(momentum=0.5, weight_by=RULES), BOXES),
    "v3": (lambda: bl.nn.WiseIoUv3Loss(momentum=0.5, weight_by=RULES), BOXES),
    "v3, each": (lambda: bl.nn.WiseIoUv3Loss(momentum=0.5, reduction="none"), BOXES[:2]),
    "unified": (lambda: bl.nn.UnifiedIoULoss(weight_by=RULES), BOXES),
    "weights": (lambda: bl.nn.CIoULoss(weight_by=RULES), BOXES),
    "variance": (lambda: bl.nn.KLLoss(), (PRED, TARGET, PRED - 1, WEIGHT)),
    "distribution": (lambda: bl.nn.DistributionFocalLoss(), (LOGITS, SIDES, WEIGHT[:, None])),
}


def value_and_gradient(loss, first, *others):
    first = first.detach().requires_grad_()
    value = loss(first, *others)
    (gradient,) = torch.autograd.grad(value, first, torch.ones_like(value))
    return value, gradient


@pytest.mark.parametrize("name", LOSSES)
def test_the_values_of_a_cpu_without_a_wait(name):
    make, arguments = LOSSES[name]
    on_cpu, on_gpu = make(), make().cuda()
    there = [x.cuda() for x in arguments]
    for _ in range(2):
        value_and_gradient(make().cuda(), *there)  # kernels are compiled, and tables sent
        value_and_gradient(on_gpu, *there)
        value_and_gradient(on_cpu, *arguments)
    with no_wait():
        value, gradient = value_and_gradient(on_gpu, *there)
    want, slopes = value_and_gradient(on_cpu, *arguments)
    close(value.cpu(), want.tolist(), "float32", "sum")
    close(gradient.cpu(), slopes.tolist(), "float32", "gradient", scale=torch.full_like(slopes, float(slopes.abs().max())).tolist())
    for buffer, other in zip(on_gpu.buffers(), on_cpu.buffers(), strict=True):
        close(buffer.cpu(), other.item(), "float32")


def test_what_cannot_be_looked_at_shows():
    boxes = PRED[:3].cuda(), TARGET[:3].cuda()
    loss = bl.loss("giou", weight_by=bl.by_class([1.0, 2.0, 0.5]))
    assert loss(*boxes, labels=torch.tensor([1, -1, 3]).cuda(), reduction="none").isnan().tolist() == [False, True, True]
    assert bl.distribution_focal(LOGITS[:3, 0].cuda(), torch.tensor([-0.5, 8.0, 8.5]).cuda(), reduction="none").isnan().tolist() == [True, False, True]


def test_a_graph_of_calls_is_played_again():
    """The mean moves when a captured step is replayed, as nothing of it has been looked at."""
    module, a, b = bl.nn.WiseIoUv3Loss(momentum=0.5).cuda(), PRED.cuda(), TARGET.cuda()
    with torch.no_grad():
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            module(a, b)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            value = module(a, b)
        module.mean.value.fill_(1.0)
        graph.replay()
    alone = bl.nn.WiseIoUv3Loss(momentum=0.5)
    close(value.cpu(), alone(PRED, TARGET).item(), "float32", "sum")
    close(module.mean.value.cpu(), alone.mean.value.item(), "float32")
