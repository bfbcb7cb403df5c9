"""The loss of a prediction with its variance: the normal distribution's, its tails, and where it is least."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError, ShapeError
from close import close

RNG = np.random.default_rng(2)
PRED = np.concatenate([RNG.normal(0, 1, (12, 4)), RNG.normal(0, 30, (4, 4)), np.eye(4)])
TARGET = np.concatenate([RNG.normal(0, 1, (16, 4)), np.zeros((4, 4))])
LOG_VARIANCE = RNG.normal(0, 3, (20, 4))


def coordinate(p, t, a):
    d, a = abs(Fraction(float(p)) - Fraction(float(t))), mpmath.mpf(float(a))
    d = mpmath.mpf(d.numerator) / d.denominator
    return mpmath.exp(-a) * (d * d / 2 if d <= 1 else d - mpmath.mpf(1) / 2), a / 2


def exact(*row):
    """The sum, and the sum of its terms' sizes."""
    with mpmath.workdps(60):
        terms = [term for numbers in zip(*row, strict=True) for term in coordinate(*numbers)]
        return mpmath.fsum(terms), mpmath.fsum(map(abs, terms))


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(kind, dtype):
    arrays = [x.astype(dtype) for x in (PRED, TARGET, LOG_VARIANCE)]
    wanted = [exact(*row) for row in zip(*arrays, strict=True)]
    if kind == "torch":
        arrays = [torch.from_numpy(x) for x in arrays]
    if kind == "jax":
        jax = pytest.importorskip("jax")
        if dtype == "float64" and not jax.config.jax_enable_x64:
            pytest.skip("JAX has no float64 here")
        arrays = [jax.numpy.asarray(x) for x in arrays]
    loss = bl.kl_loss(*arrays, reduction="none")
    assert type(loss) is type(arrays[0])
    close(np.asarray(loss), [want for want, _ in wanted], dtype, scale=[size for _, size in wanted])


def test_it_is_the_divergence_of_normal_distributions():
    """Of N(pred, s^2) from the target: -ln of the density there is d^2 / (2 s^2) + ln s + ln(2 pi) / 2."""
    d, variance = 0.75, 2.0
    density = math.exp(-(d**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    close(bl.kl_loss([[d]], [[0.0]], [[math.log(variance)]]), -math.log(density) - math.log(2 * math.pi) / 2, "float64")


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients(compiled):
    pred, target, a = (torch.from_numpy(x).requires_grad_() for x in (PRED, TARGET, LOG_VARIANCE))
    loss = bl.kl_loss
    if compiled:
        torch._dynamo.reset()
        loss = torch.compile(lambda *x, reduction: bl.kl_loss(*x, reduction=reduction), fullgraph=True, backend="aot_eager")
    found = torch.autograd.grad(loss(pred, target, a, reduction="sum"), (pred, target, a), torch.tensor(2.0, dtype=torch.float64))
    d = (pred - target).detach()
    along = 2 * (-a).exp() * d.clamp(-1, 1)
    smooth = torch.where(d.abs() <= 1, d * d / 2, d.abs() - 0.5)
    wanted = along, -along, 1 - 2 * (-a).exp() * smooth
    for got, want in zip(found, wanted, strict=True):
        close(got, want.tolist(), "float64", "gradient", scale=(1 + want.abs()).tolist())


def test_where_it_is_least():
    """A coordinate that is d off says so best with the variance d^2; in the tails with 2 |d| - 1."""
    for d, best in ((0.25, 0.0625), (1.0, 1.0), (3.0, 5.0)):
        a = torch.tensor([[math.log(best)]], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(bl.kl_loss(torch.tensor([[d]], dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64), a), a)
        close(slope, [0.0], "float64", scale=[1.0])


def test_types_shapes_and_far_ends():
    pred, target, a = (torch.from_numpy(x) for x in (PRED, TARGET, LOG_VARIANCE))
    assert bl.kl_loss(pred.half(), target.half(), a.half()).dtype == torch.float32
    assert bl.kl_loss(pred, target, a[:, :1], reduction="none").shape == (20,)
    assert bl.kl_loss(pred[:0], target[:0], a[:0]) == 0
    weight = torch.rand(20, dtype=torch.float64)
    module = bl.nn.KLLoss(reduction="sum")
    assert module(pred, target, a, weight) == bl.kl_loss(pred, target, a, reduction="sum", weight=weight)
    assert repr(module) == "KLLoss(reduction='sum')"
    for dtype in (torch.float32, torch.float64):
        same, far = torch.zeros(1, 4, dtype=dtype), torch.full((1, 4), 1e25, dtype=dtype, requires_grad=True)
        for sure in (-1e4, 1e4):
            assert bl.kl_loss(same, same, torch.full_like(same, sure)) == 2 * sure
        (gradient,) = torch.autograd.grad(bl.kl_loss(far, same, same), far)
        assert gradient.tolist() == [[1, 1, 1, 1]]
    pred[3, 1] = math.nan
    assert bl.kl_loss(pred, target, a, reduction="none").isnan().nonzero().tolist() == [[3]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bl.kl_loss(PRED, TARGET[:3], LOG_VARIANCE), ShapeError, "kl_loss: pred has shape (20, 4) and target (3, 4), which do not broadcast"),
        (lambda: bl.kl_loss(PRED, TARGET, np.float64(1)), ShapeError, "kl_loss: log_variance is one number, expected an array (..., n)"),
        (lambda: bl.kl_loss(PRED, TARGET, LOG_VARIANCE, reduction="avg"), ParameterError, "kl_loss: reduction is 'avg', expected one of mean, sum, none"),
        (lambda: bl.nn.KLLoss(reduction="avg"), ParameterError, "KLLoss: reduction is 'avg', expected one of mean, sum, none"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message
