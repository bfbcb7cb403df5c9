"""Wise-IoU's versions with a running mean: their factors, what the mean remembers, and processes that share it."""

import copy
import io
import math
import pickle

import pytest
import torch

import boxloss as bl
from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.kernels.switch import plain
from boxloss.losses.wise import RunningMean, wise_momentum
from close import as_printed, close

A = torch.tensor([[0.0, 0, 2, 2], [1, 1, 3, 5], [0, 0, 4, 4], [0, 0, 1, 1]], dtype=torch.float64)
B = torch.tensor([[1.0, 0, 3, 2], [1, 1, 3, 3], [0, 0, 4, 4], [5, 5, 6, 6]], dtype=torch.float64)
DISTANCES = [2 / 3, 1 / 2, 0.0, 1.0]  # with a pencil
MEAN = sum(DISTANCES) / 4
V1 = bl.loss("iou", wise=True)(A, B, reduction="none").tolist()
KINDS = [bl.nn.WiseIoUv2Loss, bl.nn.WiseIoUv3Loss]


def factors(kind, mean):
    if kind is bl.nn.WiseIoUv2Loss:
        return [math.sqrt(d / mean) for d in DISTANCES]
    return [d / mean / (3 * 1.9 ** (d / mean - 3)) for d in DISTANCES]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("without_kernels", [False, True])
def test_values(kind, without_kernels):
    # The mean is kept in float32.
    want = [f * v for f, v in zip(factors(kind, MEAN), V1, strict=True)]
    weight = torch.tensor([1.0, 0.0, 2.0, 3.0], dtype=torch.float64)
    mean = (2 / 3 + 0 + 1) / 3  # over those that have a weight
    weighted = [w * f * v for w, f, v in zip(weight.tolist(), factors(kind, mean), V1, strict=True)]

    def values(reduction, weight=None):
        return kind(momentum=1.0, reduction=reduction)(A, B, weight)

    def check():
        close(values("none"), want, "float32")
        close(values("sum"), sum(want), "float32")
        close(values("mean"), sum(want) / 4, "float32")
        close(values("none", weight), weighted, "float32")
        close(values("mean", weight), sum(weighted) / 6, "float32")
        assert values("mean", torch.zeros(4)) == 0

    if without_kernels:
        with plain():
            check()
    else:
        check()


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_version_1s_times_the_factor(kind):
    a, b = A.clone().requires_grad_(), B.clone().requires_grad_()
    module = kind(momentum=1.0, reduction="none")
    upstream = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    found = torch.autograd.grad(module(a, b), (a, b), upstream)
    by = torch.tensor(factors(kind, MEAN), dtype=torch.float64)
    wanted = torch.autograd.grad(bl.loss("iou", wise=True)(a, b, reduction="none"), (a, b), upstream * by)
    for got, want in zip(found, wanted, strict=True):
        close(got, want.tolist(), "float32", "gradient", scale=torch.ones_like(want).tolist())


def test_version_3s_factor():
    module = bl.nn.WiseIoUv3Loss()
    beta = torch.linspace(0, 10, 100_001, dtype=torch.float64)
    gain = module.factor(beta)
    # The peak of 1.9 and 3: at 1 / ln 1.9 = 1.558, where r = 1.9^3 / (3 e ln 1.9) = 1.31.
    as_printed(beta[gain.argmax()], "1.558")
    as_printed(gain.max(), "1.31")
    close(module.factor(torch.tensor([3.0])), [1.0], "float32")
    assert gain[0] == 0
    assert module.factor(torch.tensor([torch.finfo(torch.float32).max])) == 0


def test_the_released_constants():
    module = bl.nn.WiseIoUv3Loss.released(reduction="sum")
    assert (module.settings, module.mean.momentum, module.reduction) == ({"alpha": 1.7, "delta": 2.7}, 1e-2, "sum")
    assert bl.nn.WiseIoUv2Loss.released().mean.momentum == 1e-2
    # 890 batches, 34 epochs: what is left of the start then is 5 %.
    assert bl.nn.WiseIoUv3Loss().mean.momentum == wise_momentum(890, 34)
    as_printed((1 - wise_momentum(890, 34)) ** (890 * 34), ".0500000")


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_moves_in_training_alone(kind):
    module = kind(momentum=0.25)
    module(A, B)
    close(module.mean.value, 0.75 + 0.25 * MEAN, "float32")
    module(A, B)
    close(module.mean.value, 0.75**2 + (1 - 0.75**2) * MEAN, "float32")
    module.eval()
    before = module.mean.value.item()
    assert module(A, B) == module(A, B)
    assert module.mean.value == before
    module.train()
    assert module(A[:0], B[:0]) == 0
    assert module.mean.value == before  # nothing came


def test_what_does_not_count():
    a = A.clone()
    a[1, 2] = math.nan
    module = bl.nn.WiseIoUv3Loss(momentum=1.0, reduction="none")
    assert module(a, B).isnan().tolist() == [False, True, False, False]
    close(module.mean.value, (2 / 3 + 0 + 1) / 3, "float32")
    module(a[1:2], B[1:2])
    close(module.mean.value, (2 / 3 + 0 + 1) / 3, "float32")


def test_a_mean_of_0_leaves_nothing_infinite():
    for kind in KINDS:
        module = kind(momentum=1.0, reduction="none")
        assert module(B, B).tolist() == [0, 0, 0, 0]
        assert module.eval()(A, B).isfinite().all()
        module.mean.value.fill_(1e-45)
        for dtype in (torch.float32, torch.float64):
            assert module(A.to(dtype), B.to(dtype)).isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_copied_and_sent(kind):
    module = kind(momentum=0.5)
    module(A, B)
    saved = io.BytesIO()
    torch.save(module.state_dict(), saved)
    assert list(module.state_dict()) == ["mean.value"]
    saved.seek(0)
    loaded = kind(momentum=0.5)
    loaded.load_state_dict(torch.load(saved))
    after = module(A, B)
    assert loaded(A, B) == after
    copied, sent = copy.deepcopy(module), pickle.loads(pickle.dumps(module))
    assert copied(A, B) == sent(A, B) == module(A, B)
    copied(B, B)
    assert copied.mean.value != module.mean.value


def test_a_half_model_keeps_its_mean_and_a_half_box_is_taken():
    module = bl.nn.WiseIoUv3Loss()
    for _ in range(3):
        module(A, B)
    before = module.mean.value.item()
    torch.nn.Sequential(module).half()
    assert module.mean.value.dtype == torch.float32
    module(A.half(), B.half())
    assert module.mean.value != before
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = module.eval()(A.bfloat16(), B)
    assert value.dtype == torch.float64
    close(value, module(A, B).item(), "float64")


@pytest.mark.parametrize("kind", KINDS)
def test_one_graph_under_compile(kind):
    torch._dynamo.reset()
    a, b = A.float().requires_grad_(), B.float()
    eager, compiled = kind(momentum=0.5), kind(momentum=0.5)
    run = torch.compile(compiled, fullgraph=True, backend="aot_eager")
    for _ in range(3):
        want, got = eager(a, b), run(a, b)
        close(got, want.item(), "float32")
        (gradient,), (wanted,) = torch.autograd.grad(got, a), torch.autograd.grad(want, a)
        close(gradient, wanted.tolist(), "float32", "gradient", scale=torch.ones_like(wanted).tolist())
        close(compiled.mean.value, eager.mean.value.item(), "float32")


def test_rules_formats_and_what_it_says():
    labels = torch.tensor([0, 1, 0, 1])
    module = bl.nn.WiseIoUv3Loss(weight_by=bl.by_class([1.0, 3.0]), format="cxcywh")
    by_hand = bl.nn.WiseIoUv3Loss(format="cxcywh")
    assert module(A, B, labels=labels) == by_hand(A, B, torch.tensor([1.0, 3, 1, 3]))
    assert "WiseIoUv3Loss(\n  alpha=1.9, delta=3.0, reduction='mean', format='cxcywh', weight_by=(by_class([1.0, 3.0]),)" in repr(module)
    weight = torch.ones(4, dtype=torch.float64, requires_grad=True)
    by_hand(A, B, weight).backward()
    assert weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bl.nn.WiseIoUv2Loss(gamma=-1), ParameterError, "WiseIoUv2Loss: gamma is -1, expected a finite number > 0"),
        (lambda: bl.nn.WiseIoUv3Loss(alpha=1), ParameterError, "WiseIoUv3Loss: alpha is 1, expected a finite number > 1"),
        (lambda: bl.nn.WiseIoUv3Loss(momentum=0), ParameterError, "WiseIoUv3Loss: momentum is 0, expected a number > 0 and <= 1"),
        (lambda: bl.nn.WiseIoUv3Loss(reduction="avg"), ParameterError, "WiseIoUv3Loss: reduction is 'avg', expected one of mean, sum, none"),
        (lambda: bl.nn.WiseIoUv3Loss()(A, B, torch.ones(3)), ShapeError, "WiseIoUv3Loss: weight has shape (3,), expected one that broadcasts to (4,)"),
        (lambda: bl.nn.WiseIoUv3Loss()(A, B, labels=torch.zeros(4)), ParameterError, None),
        (lambda: bl.nn.WiseIoUv3Loss()(A, B.to("meta")), DTypeError, None),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert message is None or str(refusal.value) == message


def one_of_two(rank, file, results, compiled):
    """A process of two: with 3 pairs or with 1, then with 4 or none, then with none at all."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    module = bl.nn.WiseIoUv3Loss(momentum=0.5, reduction="none")
    run = torch.compile(module, fullgraph=True, backend="aot_eager") if compiled else module
    means, values = [], []
    for parts in ((slice(0, 3), slice(3, 4)), (slice(0, 4), slice(0, 0)), (slice(0, 0), slice(0, 0))):
        part = parts[rank]
        values.append(run(A[part], B[part]).tolist())
        means.append(module.mean.value.item())
    results.put((rank, means, values))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch has no torch.distributed here")
@pytest.mark.parametrize("compiled", [False, True])
def test_processes_share_one_mean(tmp_path, compiled):
    context = torch.multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    torch.multiprocessing.spawn(one_of_two, (str(tmp_path / "met"), results, compiled), nprocs=2)
    (_, means, first), (_, others, second) = sorted(results.get() for _ in range(2))
    alone = bl.nn.WiseIoUv3Loss(momentum=0.5, reduction="none")
    want = [alone(A, B).tolist(), alone(A, B).tolist()]
    assert means == others
    close(means[:2], [0.5 + 0.5 * MEAN, 0.25 + 0.75 * MEAN], "float32")
    assert means[2] == means[1]
    close(first[0] + second[0], want[0], "float32")
    close(first[1], want[1], "float32")
    assert second[1] == []


def test_a_running_mean_waits_for_no_device():
    """On a device without numbers, whatever looks at one fails."""
    mean = RunningMean(0.5).to("meta")
    distances = torch.empty(4, device="meta")
    mean.update(distances, distances == distances)
