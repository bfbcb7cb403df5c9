"""Unified-IoU: the published schedules, the boxes that it means, and its life in a training."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

import boxloss as bl
from boxloss.errors import ParameterError
from boxloss.kernels.switch import plain
from boxloss.losses.unified import SCHEDULES, STEPS
from close import close

# Sides that stay whole when they are halved about their middles.
A = torch.tensor([[0.0, 0, 8, 4], [4, 4, 12, 20], [0, 0, 4, 4], [0, 0, 4, 4]], dtype=torch.float64)
B = torch.tensor([[4.0, 0, 12, 4], [4, 4, 12, 12], [0, 0, 4, 4], [12, 12, 16, 20]], dtype=torch.float64)


def resized(boxes, ratio):
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    return torch.cat([centre - ratio * half, centre + ratio * half], 1)


PUBLISHED = {
    "linear": lambda epoch: 2 - 0.005 * epoch,
    "cosine": lambda epoch: 0.75 * math.cos(math.pi * epoch / 300) + 1.25,
    "fraction": lambda epoch: 200 / (epoch + 100),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_published_schedules_at_300_epochs(schedule):
    close([SCHEDULES[schedule](epoch / 300) for epoch in range(301)], [PUBLISHED[schedule](epoch) for epoch in range(301)], "float64")
    loss = bl.nn.UnifiedIoULoss(schedule=schedule)
    for epoch in range(301):
        loss.set_epoch(epoch)
        assert 2 * STEPS * abs(loss.ratio.item() - PUBLISHED[schedule](epoch)) <= 1.000001
        assert (loss.ratio.item() * STEPS).is_integer()
    for epochs in (1, 7, 1000):
        loss = bl.nn.UnifiedIoULoss(epochs, schedule)
        assert loss.ratio == 2
        for epoch in (epochs, epochs + 5):
            loss.set_epoch(epoch)
            assert loss.ratio == 0.5


@pytest.mark.parametrize("name", ["ciou", "giou", "iou"])
@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("without_kernels", [False, True])
def test_it_is_the_loss_of_scaled_boxes(name, epoch, without_kernels):
    loss = bl.nn.UnifiedIoULoss(2, name=name, reduction="none")
    loss.set_epoch(epoch)
    a, b = A.clone().requires_grad_(), B.clone().requires_grad_()

    def found():
        value = loss(a, b)
        return value, torch.autograd.grad(value.sum(), (a, b))

    def wanted():
        value = bl.loss(name)(resized(a, loss.ratio), resized(b, loss.ratio), reduction="none")
        return value, torch.autograd.grad(value.sum(), (a, b))

    if without_kernels:
        with plain():
            value, gradients = found()
    else:
        value, gradients = found()
    want, slopes = wanted()
    close(value, want.tolist(), "float64")
    for got, slope in zip(gradients, slopes, strict=True):
        close(got, slope.tolist(), "float64", "gradient", scale=torch.ones_like(slope).tolist())
    assert value[2] == 0


def test_near_a_match_digits_are_kept():
    """Where boxes that are scaled by hand, in float32, have lost theirs."""
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 1000, (2, 200, 2))
    b = torch.from_numpy(np.concatenate([corner, corner + size], 1)).float()
    a = b + torch.from_numpy(rng.normal(0, 1e-3, b.shape)).float()
    loss = bl.nn.UnifiedIoULoss(4, reduction="none")
    loss.set_epoch(1)
    # In float64 there are digits to lose.
    close(loss(a, b), bl.ciou_loss(resized(a.double(), loss.ratio), resized(b.double(), loss.ratio), reduction="none").tolist(), "float32")


def test_it_is_saved_copied_and_sent():
    loss = bl.nn.UnifiedIoULoss(10, "cosine", weight_by=bl.by_size(20, 20))
    loss.set_epoch(4)
    other = bl.nn.UnifiedIoULoss(10, "cosine", weight_by=bl.by_size(20, 20))
    other.load_state_dict(loss.state_dict())
    assert list(loss.state_dict()) == ["epoch"]
    value = loss(A, B)
    for same in (other, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert same(A, B) == value
        same.set_epoch(5)
        assert same(A, B) != value == loss(A, B)
    assert repr(loss) == "UnifiedIoULoss(epochs=10, schedule='cosine', name='ciou', reduction='mean', format='xyxy', weight_by=(by_size(20, 20),))"


def test_one_graph_under_compile_for_all_ratios():
    torch._dynamo.reset()
    loss = bl.nn.UnifiedIoULoss(20, weight_by=bl.by_size(20, 20))
    a, b = A.clone().requires_grad_(), B
    counter = CompileCounterWithBackend("aot_eager")
    run = torch.compile(loss, fullgraph=True, backend=counter)
    for epoch in range(21):
        loss.set_epoch(epoch)
        got = run(a, b)
        if epoch % 10 == 0:
            want = loss.forward(a, b)
            close(got, want.item(), "float64")
            (gradient,), (slope,) = torch.autograd.grad(got, a), torch.autograd.grad(want, a)
            close(gradient, slope.tolist(), "float64", "gradient", scale=torch.ones_like(slope).tolist())
    assert counter.frame_count == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bl.nn.UnifiedIoULoss(0), "UnifiedIoULoss: epochs is 0, expected a whole number >= 1"),
        (lambda: bl.nn.UnifiedIoULoss(schedule="step"), "UnifiedIoULoss: schedule is 'step', expected one of linear, cosine, fraction"),
        (lambda: bl.nn.UnifiedIoULoss().set_epoch(-1), "UnifiedIoULoss: epoch is -1, expected a whole number >= 0"),
        (lambda: bl.nn.UnifiedIoULoss(name="l1"), "UnifiedIoULoss: name is 'l1', expected a loss that is 1 - IoU plus other terms, such as 'ciou'"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ParameterError) as refusal:
        call()
    assert str(refusal.value) == message
