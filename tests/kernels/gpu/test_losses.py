"""The losses as users call them, through the kernels for GPUs, interpreted: PyTorch's CPU tensors are sent the way of those on a GPU."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.boxes import convert
from boxloss.kernels import switch
from boxloss.kernels.gpu import best, elementwise, matrix
from boxloss.losses import fused_torch
from close import close
from kernels.gpu.through_triton import TritonInterpreter
from properties.checks import GRADIENT_CHECKS, TYPE_CHECKS, VALUE_CHECKS
from properties.subjects import catalogue
from strategies import hazard

pytestmark = pytest.mark.usefixtures("interpreter", "launched")


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels launched: no test here is to pass by another way than theirs."""
    launches: list[str] = []
    for module in (best, elementwise, matrix):
        plain_run = module.run

        def run(kernel: Any, *arguments: Any, _run: Callable[..., None] = plain_run, **constants: Any) -> None:
            launches.append(kernel.__name__)
            _run(kernel, *arguments, **constants)

        monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(fused_torch.Way, "run", fused_torch.Way._on_gpu)
    monkeypatch.setattr(switch, "cpu_kernels", switch.gpu_kernels)
    return launches


def boxes(n: int = 40, dtype: torch.dtype = torch.float64, kind: str = "coco") -> tuple[torch.Tensor, torch.Tensor]:
    a, b = hazard(kind, n, str(dtype).removeprefix("torch."))
    return torch.from_numpy(a).requires_grad_(), torch.from_numpy(b).requires_grad_()


def both_ways(call: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Value and gradients by the kernels, and by the formula on tensors; what comes from above is not 1."""
    found = []
    for by_formula in (False, True):
        given = [x.detach().requires_grad_() for x in tensors]
        if by_formula:
            with switch.plain():
                value = call(*given)
        else:
            value = call(*given)
        above = torch.linspace(-2, 3, value.numel(), dtype=value.dtype).reshape(value.shape) if value.dim() else torch.tensor(-3.0)
        value.backward(above.to(value.dtype))
        grads = [x.grad for x in given]
        assert all(grad is not None for grad in grads)
        found.append([value.detach(), *grads])
    return found[0], found[1]  # type: ignore[return-value]


def agree(call: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> None:
    (value, *grads), (want, *wanted) = both_ways(call, *tensors)
    assert value.shape == want.shape
    assert value.dtype == want.dtype
    close(value, want, roundoffs="sum")
    for grad, right in zip(grads, wanted, strict=True):
        assert grad.shape == right.shape
        assert grad.dtype == right.dtype
        close(grad, right, roundoffs="gradient", scale=[float(right.abs().max())] * right.numel())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions(reduction: str, weighted: bool, launched: list[str]) -> None:
    a, b = boxes()
    weight = torch.linspace(0, 2, 40, dtype=torch.float64) if weighted else None
    agree(lambda pred, target: bl.ciou_loss(pred, target, reduction=reduction, weight=weight), a, b)
    assert launched[0] == "kernel"


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_formats(format: str) -> None:
    a, b = (torch.from_numpy(np.asarray(convert(x.detach().numpy(), "xyxy", format, points=np.zeros(2)))) for x in boxes())
    agree(lambda pred, target: bl.giou_loss(pred, target, format=format), a, b)


def test_shapes_that_broadcast() -> None:
    a, b = boxes(24)
    agree(lambda pred, target: bl.ciou_loss(pred, target, reduction="none"), a.reshape(2, 3, 4, 4), b[:4])
    agree(lambda pred, target: bl.ciou_loss(pred, target), a, b[:1])
    agree(lambda pred, target: bl.ciou_loss(pred, target, reduction="none"), a[0], b[0])


def test_weights_that_are_all_0() -> None:
    a, b = boxes()
    loss = bl.ciou_loss(a, b, weight=torch.zeros(40, dtype=torch.float64))
    loss.backward()
    assert loss == 0
    assert a.grad is not None
    assert (a.grad == 0).all()


def test_the_target_alone() -> None:
    a, b = boxes()
    agree(lambda target: bl.giou_loss(a.detach(), target), b)
    agree(lambda pred: bl.giou_loss(pred, b.detach()), a)


def test_without_a_gradient(launched: list[str]) -> None:
    a, b = boxes()
    with torch.no_grad():
        got = bl.ciou_loss(a, b, reduction="none")
    assert not got.requires_grad
    assert launched == ["kernel"]
    np.testing.assert_array_equal(got.numpy(), bl.ciou_loss(a.detach().numpy(), b.detach().numpy(), reduction="none"))


def test_the_gradient_asked_for_twice() -> None:
    a, b = boxes(5)
    loss = bl.giou_loss(a, b, reduction="sum")
    loss.backward(retain_graph=True)
    assert a.grad is not None
    once = a.grad.clone()
    loss.backward()
    assert torch.equal(a.grad, 2 * once)


def test_a_second_derivative_is_the_formulas() -> None:
    a, b = boxes(3)
    (slope,) = torch.autograd.grad(bl.giou_loss(a, b, reduction="sum"), a, create_graph=True)
    (curve,) = torch.autograd.grad(slope.pow(2).sum(), a)
    with switch.plain():
        (slope,) = torch.autograd.grad(bl.giou_loss(a, b, reduction="sum"), a, create_graph=True)
        (want,) = torch.autograd.grad(slope.pow(2).sum(), a)
    close(curve, want, roundoffs="gradient", scale=[float(want.abs().max())] * 12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types(dtype: torch.dtype) -> None:
    """Computed in float32, from which the gradient is rounded once."""
    a, b = (x.detach().float().to(dtype) for x in boxes(kind="integers"))
    (value, grad, _), (want, wanted, _) = both_ways(lambda pred, target: bl.ciou_loss(pred, target, reduction="none"), a, b)
    assert value.dtype == torch.float32
    assert grad.dtype == dtype
    close(value, want)
    close(grad, wanted.double(), roundoffs="gradient", scale=[float(wanted.abs().max())] * 160)


def test_no_boxes() -> None:
    none = torch.zeros((0, 4), requires_grad=True)
    for reduction in ("mean", "sum"):
        loss = bl.ciou_loss(none, torch.zeros((0, 4)), reduction=reduction)
        assert loss == 0
        loss.backward()
        assert none.grad is not None
        assert none.grad.shape == (0, 4)
    assert bl.ciou_loss(none, none, reduction="none").shape == (0,)


def test_a_module() -> None:
    a, b = boxes()
    agree(lambda pred, target: bl.nn.CIoULoss(reduction="sum")(pred, target), a, b)


CHECKS = VALUE_CHECKS | GRADIENT_CHECKS | TYPE_CHECKS


def cases() -> list[Any]:
    params = []
    subjects = [subject for subject in catalogue() if subject.name == "giou"]  # test_contract.py asks the kernels of others
    for name in CHECKS:
        dtypes = ("float16", "int32", "int64") if name in TYPE_CHECKS else ("float32", "float64")
        for subject in subjects:
            for dtype in dtypes:
                marks = [] if dtype in ("float32", "float16") and name not in ("batch", "pairwise") else [pytest.mark.slow]
                params.append(pytest.param(name, replace(subject), dtype, marks=marks, id=f"{name}-{subject}-{dtype}"))
    return params


@pytest.mark.usefixtures("wide_blocks")
@pytest.mark.parametrize(("name", "subject", "dtype"), cases())
def test_contract(name: str, subject: Any, dtype: str) -> None:
    """What every way to compute a loss is held to."""
    CHECKS[name](subject, TritonInterpreter(), dtype)
