"""A side as a distribution over bins: against exact arithmetic, its gradient's closed form, and what is refused."""

import mpmath
import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import DTypeError, ParameterError, ShapeError
from close import close

RNG = np.random.default_rng(1)
# Near a match, with ties, spread far, and ordinary.
LOGITS = np.concatenate([RNG.normal(0, 1, (8, 5)), RNG.normal(0, 30, (8, 5)), np.zeros((4, 5)), np.eye(5)[[0, 4, 2, 2]] * 40])
TARGETS = np.concatenate([RNG.uniform(0, 4, 16), [0, 4, 1.5, 3], [0, 4, 2, 1e-6]])


def exact(logits, target):
    with mpmath.workdps(60):
        z, y = [mpmath.mpf(float(x)) for x in logits], mpmath.mpf(float(target))
        total = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in z))
        i = min(int(mpmath.floor(y)), len(z) - 2)
        return (i + 1 - y) * (total - z[i]) + (y - i) * (total - z[i + 1])


def length(logits):
    with mpmath.workdps(60):
        parts = [mpmath.exp(mpmath.mpf(float(x))) for x in logits]
        return mpmath.fsum(k * part for k, part in enumerate(parts)) / mpmath.fsum(parts)


def of_kind(kind, dtype, *some):
    if kind == "numpy":
        return [x.astype(dtype) for x in some]
    if kind == "torch":
        return [torch.from_numpy(x.astype(dtype)) for x in some]
    jax = pytest.importorskip("jax")
    if dtype == "float64" and not jax.config.jax_enable_x64:
        pytest.skip("JAX has no float64 here")
    return [jax.numpy.asarray(x.astype(dtype)) for x in some]


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(kind, dtype):
    logits, target = of_kind(kind, dtype, LOGITS, TARGETS)
    numbers = list(zip(LOGITS.astype(dtype), TARGETS.astype(dtype), strict=True))
    loss = bl.distribution_focal(logits, target, reduction="none")
    assert type(loss) is type(logits)
    close(np.asarray(loss), [exact(*case) for case in numbers], dtype, where=numbers)
    close(np.asarray(bl.decode_distribution(logits)), [length(z) for z, _ in numbers], dtype, where=numbers)


def test_with_a_pencil():
    assert bl.distribution_focal([[0.0, 0, 0]], [0.25]) == np.log1p(2.0)  # every bin has 1/3
    assert bl.distribution_focal([[0.0, 900]], [1.0]) == 0
    # 900 for each of the parts of the target that are on the wrong side
    assert bl.distribution_focal([[900.0, 0, 0], [0, 0, 900]], [1.0, 0.5], reduction="none").tolist() == [900, 900]
    assert bl.distribution_focal([[900.0, 0], [0, 900.0]], [0.25, 0.25], reduction="none").tolist() == [225, 675]
    assert bl.decode_distribution([[0.0, 0.0, -900.0], [-900, -900, 0]]).tolist() == [0.5, 2.0]


def closed_form(logits, target):
    i = target.floor().clamp(max=logits.shape[-1] - 2)
    weights = torch.nn.functional.one_hot(i.long(), logits.shape[-1]) * (i + 1 - target)[..., None]
    return logits.softmax(-1) - weights - torch.nn.functional.one_hot(i.long() + 1, logits.shape[-1]) * (target - i)[..., None]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_gradient_is_the_softmax_less_the_two_weights(reduction, compiled):
    logits, target = torch.from_numpy(LOGITS).requires_grad_(), torch.from_numpy(TARGETS)
    weight = torch.from_numpy(RNG.uniform(0, 2, len(LOGITS)))

    def loss(x, y, w):
        return bl.distribution_focal(x, y, reduction=reduction, weight=w)

    if compiled:
        torch._dynamo.reset()
        loss = torch.compile(loss, fullgraph=True, backend="aot_eager")
    value = loss(logits, target, weight)
    (gradient,) = torch.autograd.grad(value, logits, torch.full_like(value, 3))
    want = 3 * closed_form(logits.detach(), target) * weight[:, None] / (weight.sum() if reduction == "mean" else 1)
    close(gradient, want.tolist(), "float64", "gradient", scale=torch.ones_like(want).tolist())


def test_gradients_of_the_target_and_of_the_length():
    logits, target = torch.from_numpy(LOGITS).requires_grad_(), torch.from_numpy(TARGETS).requires_grad_()
    (gradient,) = torch.autograd.grad(bl.distribution_focal(logits, target, reduction="sum"), target)
    i = target.detach().floor().clamp(max=3).long()
    rows = torch.arange(len(LOGITS))
    close(gradient, (logits[rows, i] - logits[rows, i + 1]).tolist(), "float64", "gradient", scale=torch.full_like(gradient, 40).tolist())
    lengths = bl.decode_distribution(logits)
    (gradient,) = torch.autograd.grad(lengths.sum(), logits)
    want = logits.softmax(-1) * (torch.arange(5) - lengths[:, None])
    close(gradient, want.tolist(), "float64", "gradient", scale=torch.full_like(want, 4).tolist())


def test_jax_has_the_gradient_too():
    jax = pytest.importorskip("jax")
    logits, target = np.float32(LOGITS), np.float32(TARGETS)
    gradient = jax.jit(jax.grad(lambda x: bl.distribution_focal(x, target, reduction="sum")))(jax.numpy.asarray(logits))
    want = closed_form(torch.from_numpy(logits).double(), torch.from_numpy(target).double())
    close(np.asarray(gradient), want.tolist(), "float32", "gradient", scale=np.ones_like(want))


def test_types():
    logits, target = torch.from_numpy(LOGITS), torch.from_numpy(TARGETS)
    half = bl.distribution_focal(logits.half(), target.half(), reduction="none")
    assert half.dtype == bl.decode_distribution(logits.bfloat16()).dtype == torch.float32
    close(half, [exact(*case) for case in zip(logits.half().tolist(), target.half().tolist(), strict=True)], "float32")
    assert bl.distribution_focal(logits.float(), target.long()).dtype == torch.float32
    assert bl.distribution_focal(logits.float(), target).dtype == torch.float64


def test_nan_stays_in_its_row_and_what_is_not_looked_at_shows():
    logits, target = torch.from_numpy(LOGITS[:4]).clone(), torch.from_numpy(TARGETS[:4]).clone()
    logits[1, 2], target[2] = np.nan, np.nan
    for value in (bl.distribution_focal(logits, target, reduction="none"), bl.distribution_focal(logits.numpy(), target.numpy(), reduction="none")):
        assert np.isnan(np.asarray(value)).tolist() == [False, True, True, False]
    outside = torch.tensor([-0.5, 4.0, 4.5, float("inf")], dtype=torch.float64)
    each = torch.vmap(lambda x, y: bl.distribution_focal(x, y, reduction="none"))(torch.from_numpy(LOGITS[:4]), outside)
    assert each.isnan().tolist() == [True, False, True, True]


def test_shapes_and_the_module():
    logits, target = torch.rand(6, 4, 9), torch.rand(6, 4) * 8
    assert bl.distribution_focal(logits, target, reduction="none").shape == bl.decode_distribution(logits).shape == (6, 4)
    weight = torch.rand(6, 1)
    module = bl.nn.DistributionFocalLoss(reduction="sum")
    assert module(logits, target, weight) == bl.distribution_focal(logits, target, reduction="sum", weight=weight)
    assert repr(module) == "DistributionFocalLoss(reduction='sum')"
    assert bl.distribution_focal(logits[:0], target[:0]) == 0
    # One target for all
    assert bl.distribution_focal(logits, target[0, 0], reduction="none")[1, 2] == bl.distribution_focal(logits[1, 2], target[0, 0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bl.distribution_focal(np.zeros((2, 5)), [1.0, 4.5]),
            ParameterError,
            "distribution_focal: target holds 4.5, expected lengths in bins from 0 to 4: divide pixels by the stride, take more bins, or cut off with "
            "target.clamp(0, 4)",
        ),
        (lambda: bl.distribution_focal(torch.zeros(2, 5), torch.tensor([-1.0, 0])), ParameterError, None),
        (
            lambda: bl.distribution_focal(torch.zeros(7, 68), torch.zeros(7, 4)),
            ShapeError,
            "distribution_focal: logits have shape (7, 68) and target (7, 4), expected (..., n_bins) and one that broadcasts to (...). "
            "Sides in one row? try logits.reshape(-1, 4, 17)",
        ),
        (lambda: bl.distribution_focal(torch.zeros(7, 5), torch.zeros(6)), ShapeError, None),
        (
            lambda: bl.decode_distribution(np.zeros((7, 1))),
            ShapeError,
            "decode_distribution: logits have shape (7, 1), expected (..., n_bins) with 2 bins or more",
        ),
        (lambda: bl.distribution_focal(torch.zeros(7, 5), np.zeros(7)), DTypeError, None),
        (
            lambda: bl.distribution_focal(np.zeros((7, 5), complex), np.zeros(7)),
            DTypeError,
            "distribution_focal: logits hold complex128, expected real numbers",
        ),
        (
            lambda: bl.distribution_focal(np.zeros((7, 5)), np.zeros(7), reduction="avg"),
            ParameterError,
            "distribution_focal: reduction is 'avg', expected one of mean, sum, none",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert message is None or str(refusal.value) == message
