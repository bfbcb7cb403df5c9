"""PyTorch's own gradcheck, in float64, with what a formula holds held: an opinion of the gradient that the oracle has no part in."""

from typing import Any

import pytest

import boxloss as bl
from close import ROUNDOFF, ROUNDOFFS
from each import each_loss
from held import frozen
from oracle import exact
from strategies import hazard

torch = pytest.importorskip("torch")
faults = pytest.importorskip("meta.faults")

TOLERANCE = float(ROUNDOFFS["finite differences"] * ROUNDOFF["float64"])
STEP = float(ROUNDOFFS["step of differences"] * ROUNDOFF["float64"])


def aspect(a: Any, b: Any) -> Any:
    """v of CIoU, in its text-book form."""
    angles = [torch.atan((box[..., 2] - box[..., 0]) / (box[..., 3] - box[..., 1])) for box in (a, b)]
    return 4 / torch.pi**2 * (angles[0] - angles[1]) ** 2


class HeldAlpha(torch.autograd.Function):
    """CIoU with alpha as it was at the start, and the library's gradient for it: what gradcheck needs to see when alpha is held."""

    @staticmethod
    def forward(ctx: Any, pred: Any, target: Any, alpha: Any, loss: Any) -> Any:
        ctx.save_for_backward(pred, target)
        ctx.loss = loss
        return bl.diou_loss(pred, target, reduction="none") + alpha * aspect(pred, target)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        with torch.enable_grad():
            boxes = [box.detach().requires_grad_() for box in ctx.saved_tensors]
            values = ctx.loss(*boxes, reduction="none")
        return *torch.autograd.grad(values, boxes, upstream), None, None


def boxes(kind: str) -> list[Any]:
    # Not of the unit's size: the slimmest sides must be many steps wide, or a power's third derivative is what the differences see.
    return [torch.tensor(box / 25, requires_grad=True) for box in hazard(kind, 8, "float64", seed=3)]


def passes(values: Any, pred: Any, target: Any) -> bool:
    return torch.autograd.gradcheck(values, (pred, target), eps=STEP, atol=TOLERANCE, rtol=TOLERANCE, raise_exception=False)


def with_alpha_held(loss: Any, pred: Any, target: Any) -> Any:
    part = loss(pred, target, reduction="none") - bl.diou_loss(pred, target, reduction="none")
    alpha = (part / aspect(pred, target)).detach()
    return lambda p, t: HeldAlpha.apply(p, t, alpha, loss)


@pytest.mark.parametrize("kind", ["coco", pytest.param("slim", marks=pytest.mark.slow), pytest.param("disjoint", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", each_loss())
def test_gradcheck(name: str, kind: str) -> None:
    loss, (pred, target) = bl.loss(name), boxes(kind)

    def values(pred: Any, target: Any) -> Any:
        return loss(pred, target, reduction="none")

    if bl.catalogue()[name].held:
        with frozen(values, pred, target) as held_values:
            assert passes(held_values, pred, target) == (name not in exact.NOT_DERIVATIVES)
    else:
        assert passes(values, pred, target)


def test_gradcheck_notices_an_alpha_that_is_not_held() -> None:
    pred, target = boxes("coco")
    assert passes(with_alpha_held(faults.subject("ciou").loss, pred, target), pred, target)
    assert not passes(with_alpha_held(faults.subject("ciou", faults.AlphaNotHeld()).loss, pred, target), pred, target)


def test_gradcheck_notices_half_a_gradient() -> None:
    loss = faults.subject("giou", faults.GradientTimes(0.5)).loss
    assert not passes(lambda p, t: loss(p, t, reduction="none"), *boxes("coco"))
