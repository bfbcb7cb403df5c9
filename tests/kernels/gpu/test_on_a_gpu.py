"""On a GPU itself: what the interpreter and the compiler alone cannot tell. Skipped where there is none.

pytest tests/kernels/gpu/test_on_a_gpu.py -m "slow or not slow"
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import DTypeError, ParameterError
from boxloss.kernels import gpu, switch
from boxloss.kernels.gpu import launch
from boxloss.kernels.gpu.load import load
from boxloss.kernels.gpu.program import _words
from close import close
from kernels.gpu.test_best import best, same
from kernels.gpu.test_elementwise import strided, words
from kernels.gpu.through_triton import by_triton, matrix_of, on_arrays
from properties.backends import Torch
from properties.check_batches import NARROW
from properties.check_gradients import term_size
from properties.checks import GRADIENT_CHECKS, TYPE_CHECKS, VALUE_CHECKS
from properties.samples import Sample
from properties.subjects import Subject, catalogue
from strategies import CLASSES, hazard

DEVICE = "cuda"
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: torch.cuda.is_available() is false")

CIOU, GIOU = bl.catalogue()["ciou"], bl.catalogue()["giou"]
DTYPES = ("float32", "float64")


class OnAGpu(Torch):
    name = "cuda"

    def array(self, numbers: np.ndarray, dtype: str) -> Any:
        return super().array(numbers, dtype).to(DEVICE)

    def numbers(self, array: Any) -> np.ndarray:
        return super().numbers(array.cpu())


def boxes(n: int, dtype: str = "float32", kind: str = "coco", seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = (torch.from_numpy(x).to(DEVICE) for x in hazard(kind, n, dtype, seed))
    return a, b


def gradients(loss: Callable[..., torch.Tensor], a: torch.Tensor, b: torch.Tensor, **how: Any) -> tuple[torch.Tensor, ...]:
    """Value and both gradients."""
    pred, target = a.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()
    value = loss(pred, target, **how)
    (value.sum() * -3.0).backward()
    assert pred.grad is not None
    assert target.grad is not None
    return value.detach(), pred.grad, target.grad


# ---- right numbers


def cases() -> list[Any]:
    checks = VALUE_CHECKS | GRADIENT_CHECKS
    params = []
    for subjects, way in ((catalogue(), "losses"), ([by_triton(subject) for subject in catalogue()], "kernels")):
        asked = [(name, dtype, subject) for name, dtype, subject in product(checks, DTYPES, subjects)]
        asked += [(name, dtype, subject) for name, dtype, subject in product(TYPE_CHECKS, NARROW, subjects)]
        for name, dtype, subject in asked:
            by_default = subject.name == "ciou" or (name in ("value", "gradient", "finite") and dtype == "float32")
            marks = [] if by_default else [pytest.mark.slow]
            params.append(pytest.param((checks | TYPE_CHECKS)[name], subject, dtype, marks=marks, id=f"{way}-{name}-{dtype}-{subject}"))
    return params


@pytest.mark.parametrize(("check", "subject", "dtype"), cases())
def test_contract(check: Callable[..., None], subject: Subject, dtype: str) -> None:
    """The losses as users call them, and the kernels themselves: pairwise ones among them."""
    check(subject, OnAGpu(), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("formula", [*bl.catalogue().values(), words], ids=lambda formula: formula.name)
def test_the_bits_of_numpy(formula: Any, dtype: str) -> None:
    """Which are the interpreter's bits too: all that is tested there holds here."""
    kinds = ("coco", "integers") if formula is words else CLASSES
    a, b = (np.concatenate(x) for x in zip(*(hazard(kind, 300, dtype) for kind in kinds), strict=True))
    got = gpu.value_and_gradient(formula, {}, torch.from_numpy(a).to(DEVICE), torch.from_numpy(b).to(DEVICE))[0]
    np.testing.assert_array_equal(got.cpu().numpy(), on_arrays(formula, {}, a, b))


@pytest.mark.parametrize("name", ["ciou", "giou", "smooth_l1"])
@pytest.mark.parametrize("kind", ["coco", "integers", "near equal"])
def test_the_array_path_in_float64(name: str, kind: str) -> None:
    a, b = boxes(3000, kind=kind)
    loss = bl.loss(name)
    value, *grads = gradients(loss, a, b, reduction="none")
    want, *wanted = gradients(plainly(loss), a.cpu().double(), b.cpu().double(), reduction="none")
    sample = Sample(a.cpu().numpy(), b.cpu().numpy(), [kind] * 3000)
    close(value.cpu(), want, "float32")
    for grad, right in zip(grads, wanted, strict=True):
        scales = [max(float(right[row].abs().max()), 3 * term_size(sample, row) * loss.formula.scale_free) for row in range(3000) for _ in range(4)]
        close(grad.cpu(), right, "float32", "gradient", scale=scales)


@pytest.mark.parametrize("name", ["ciou", "giou", "iou"])
def test_the_short_text_and_the_whole_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bits, value and slopes: among common pairs, where nearly all are tame, every hundredth is made one that is not."""
    formula = bl.catalogue()[name]
    a, b = boxes(100_000)
    b[::200] = a[::200]
    a[100::200] = a[100::200, [2, 3, 0, 1]]

    def results() -> list[torch.Tensor | None]:
        pair_by_pair = gpu.value_and_gradient(formula, {}, a, b, wrt="ab")
        best_both = gpu.nearest_both(formula, {}, a[:3000], b[:2000])
        return [*pair_by_pair, gpu.pairwise(formula, {}, a[:3000], b[:2000]), *best_both[0], *best_both[1]]

    got = results()
    monkeypatch.setattr(launch, "short", lambda *_, **__: None)
    launch._kernel_of.cache_clear()
    try:
        want = results()
    finally:
        launch._kernel_of.cache_clear()
    for x, y in zip(got, want, strict=True):
        assert x is not None
        assert y is not None
        assert torch.equal(x, y)


def test_quotients() -> None:
    """The division of tame pairs beside IEEE 754's: any numbers in its range, and every dividend for the divisors whose last digit decides."""
    text = '''"""Quotients."""\n\nimport triton\nimport triton.language as tl\n\n\n''' + "\n\n\n".join(_words()[name] for name in ("reciprocal", "quotient"))
    text += """


@triton.jit
def divided(x, y, result, n, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    known = place < n
    tl.store(result + place, quotient(tl.load(x + place, mask=known, other=1.0), tl.load(y + place, mask=known, other=1.0)), mask=known)
"""
    divided = load(text, "divided")
    digits = torch.arange(2**23, 2**24, device=DEVICE, dtype=torch.int32).float() * 2.0**-23
    random = [torch.rand(2**24, device=DEVICE) + 1 for _ in range(2)]
    powers = [torch.randint(low, 45, (2**24,), device=DEVICE).float().exp2() for low in (-80, -45)]
    cases = [(random[0] * powers[0], random[1] * powers[1]), (random[0], digits[torch.randint(0, 2**23, (2**24,), device=DEVICE)])]
    cases += [(digits * sign, torch.full_like(digits, 2 - k * 2.0**-23)) for k in (1, 3, 5, 7) for sign in (1, -1)]
    cases += [(torch.ones_like(digits), digits), (torch.zeros_like(digits), digits), (-torch.zeros_like(digits), digits)]
    for x, y in cases:
        found = torch.empty_like(x)
        divided[(-(-len(x) // 1024),)](x, y, found, len(x), BLOCK=1024)
        assert torch.equal(found.cpu().view(torch.int32), torch.from_numpy(x.cpu().numpy() / y.cpu().numpy()).view(torch.int32))


def plainly(loss: Any) -> Callable[..., torch.Tensor]:
    def call(*boxes: torch.Tensor, **how: Any) -> torch.Tensor:
        with switch.plain():
            result: torch.Tensor = loss(*boxes, **how)
        return result

    return call


def test_strides_and_slices() -> None:
    a, b = boxes(1037)
    want = gpu.value_and_gradient(GIOU, {}, a, b, wrt="ab", reduction="sum")
    for what, lay in strided(1037):
        got = gpu.value_and_gradient(GIOU, {}, lay(a), lay(b), wrt="ab", reduction="sum")
        assert all(x is y is None or torch.equal(x, y) for x, y in zip(got, want, strict=True)), what
        assert gpu.pairwise(GIOU, {}, lay(a), b[:70]).equal(gpu.pairwise(GIOU, {}, a, b[:70])), what


@pytest.mark.parametrize(("n", "m"), [(1, 1), (33, 9), (1, 6500), (7000, 1), (1700, 2600)])
@pytest.mark.parametrize("kind", ["coco", "integers"])
def test_nearest(kind: str, n: int, m: int) -> None:
    """Ties, NaN, and several programs for each row and column."""
    a, b = boxes(n, kind=kind)[0], boxes(m, kind=kind, seed=1)[1]
    if n > 10 and m > 10:
        a[3, 2] = b[0, 0] = b[7, 3] = math.nan
    matrix = matrix_of(GIOU, a.cpu().numpy(), b.cpu().numpy())
    of_a, of_b = gpu.nearest_both(GIOU, {}, a, b)
    same((of_a[0].cpu(), of_a[1].cpu()), best(matrix))
    same((of_b[0].cpu(), of_b[1].cpu()), best(matrix.T))
    values, indices = gpu.nearest(GIOU, {}, a, b, k=3)
    same((values.cpu(), indices.cpu()), best(matrix, 3))


@pytest.mark.parametrize("factor", [1.0, -1 / 3, math.nan])
def test_multiplying_in_place(factor: float) -> None:
    x = boxes(10_001)[0]
    by = torch.tensor(factor, device=DEVICE)
    want = x * by
    gpu.multiply(x, by)
    np.testing.assert_array_equal(x.cpu().numpy(), want.cpu().numpy())


def test_the_same_bits_again() -> None:
    a, b = boxes(1_000_003)
    for reduction in ("none", "sum"):
        first = gpu.value_and_gradient(CIOU, {}, a, b, wrt="ab", reduction=reduction)
        for _ in range(10):
            again = gpu.value_and_gradient(CIOU, {}, a, b, wrt="ab", reduction=reduction)
            assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))  # type: ignore[arg-type]
    both = gpu.nearest_both(CIOU, {}, a[:5000], b[:3000])
    for _ in range(10):
        again_both = gpu.nearest_both(CIOU, {}, a[:5000], b[:3000])
        assert all(torch.equal(x, y) for one, other in zip(both, again_both, strict=True) for x, y in zip(one, other, strict=True))


def test_one_device_a_call() -> None:
    a, b = boxes(3)
    with pytest.raises(DTypeError, match="on cpu, expected the same"):
        gpu.pairwise(GIOU, {}, a, b.cpu())
    with pytest.raises(DTypeError, match="expected one device"):
        gpu.value_and_gradient(GIOU, {}, a, b, weight=torch.ones(3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("measure", ["iou", "giou"])
def test_greedy_suppression(measure: str, dtype: str) -> None:
    """In chunks, with ties, by class, and of boxes of every kind: what the CPU gives."""
    for found in (np.vstack(hazard("integers", 10_000, dtype)), np.vstack([np.vstack(hazard(kind, 200, dtype)) for kind in CLASSES])):
        rng = np.random.default_rng(0)
        scores, labels = rng.integers(0, 1000, len(found)) / np.float32(1000), rng.integers(0, 3, len(found))
        for classes in (None, labels):
            on_gpu = [None if x is None else torch.from_numpy(x).to(DEVICE) for x in (found, scores, classes)]
            got = bl.nms(*on_gpu, threshold=0.3, measure=measure)
            assert got.is_cuda
            assert got.tolist() == bl.nms(found, scores, classes, threshold=0.3, measure=measure).tolist()
    with pytest.raises(ParameterError, match=r"scores\[2\] is NaN"):
        bl.nms(torch.zeros((3, 4), device=DEVICE), torch.tensor([0.5, 0.25, torch.nan], device=DEVICE))


# ---- nothing waits


@contextmanager
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_nothing_waits_for_the_gpu() -> None:
    a, b = boxes(5000)
    weight = torch.rand(5000, device=DEVICE)

    def work() -> None:
        for reduction, w in product(("mean", "sum", "none"), (None, weight)):
            gradients(bl.ciou_loss, a, b, reduction=reduction, weight=w)
        gpu.pairwise(CIOU, {}, a, b[:100])
        gpu.nearest(CIOU, {}, a, b[:100], k=3)
        gpu.nearest_both(CIOU, {}, a, b[:100])
        gpu.multiply(a.clone(), weight[0])
        gpu.greedy(GIOU, {}, a, torch.zeros(5000, dtype=torch.int64, device=DEVICE), 0.5)

    work()  # what is compiled and loaded, is
    with waiting_is_an_error():
        work()
        with pytest.raises(RuntimeError, match="synchroniz"):
            a.sum().item()  # the check can fail


def test_graphs() -> None:
    """Forward and backward, recorded once and played on other boxes."""
    a, b = boxes(5000)
    others, _ = boxes(5000, seed=1)
    weight = torch.rand(5000, device=DEVICE)
    pred = a.clone().requires_grad_()

    def step() -> tuple[Any, ...]:
        pred.grad = None
        loss: torch.Tensor = bl.ciou_loss(pred, b, weight=weight)
        loss.backward()
        return loss.detach(), gpu.pairwise(CIOU, {}, pred, b[:50]), gpu.nearest(CIOU, {}, pred, b[:50], k=2)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    pred.grad = None
    with torch.cuda.graph(graph):
        loss, matrix, found = step()
    recorded = pred.grad
    with torch.no_grad():
        pred.copy_(others)
    graph.replay()
    torch.cuda.synchronize()
    want, grad, _ = gradients(bl.ciou_loss, others, b, weight=weight)
    close(loss.cpu(), want.cpu().double(), "float32", "sum")
    assert recorded is not None
    close(recorded.cpu() * -3, grad.cpu().double(), "float32", "sum", scale=[float(grad.abs().max())] * grad.numel())
    assert torch.equal(matrix, gpu.pairwise(CIOU, {}, others, b[:50]))
    assert all(torch.equal(x, y) for x, y in zip(found, gpu.nearest(CIOU, {}, others, b[:50], k=2), strict=True))


def test_streams() -> None:
    """Work is queued behind what the current stream has to do first, and streams do not disturb one another."""
    pairs = [boxes(20_000, seed=seed) for seed in range(4)]
    wants = [gradients(bl.ciou_loss, *pair, reduction="none") for pair in pairs]
    found = []
    torch.cuda.synchronize()
    for a, b in pairs:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            late = torch.full_like(a, math.nan)
            torch.cuda._sleep(20_000_000)  # some ten milliseconds: whoever does not wait for it reads NaN
            late.copy_(a)
            found.append(gradients(bl.ciou_loss, late, b, reduction="none"))
    torch.cuda.synchronize()
    for got, want in zip(found, wants, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(got, want, strict=True))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU")
def test_another_than_the_current_gpu() -> None:
    a, b = boxes(1000)
    want = gradients(bl.ciou_loss, a, b)
    got = gradients(bl.ciou_loss, a.to("cuda:1"), b.to("cuda:1"))
    assert all(x.device.index == 1 and torch.equal(x.cpu(), y.cpu()) for x, y in zip(got, want, strict=True))
    assert torch.cuda.current_device() == 0


# ---- much


def memory_or_skip(gigabytes: float) -> None:
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    if free < gigabytes * 2**30:
        pytest.skip(f"{free / 2**30:.0f} GiB free, {gigabytes:.0f} needed")


def test_nearest_takes_no_matrix() -> None:
    a, b = boxes(200_000)[0], boxes(20_000, seed=1)[1]
    gpu.nearest_both(GIOU, {}, a[:10], b[:10])
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    gpu.nearest_both(GIOU, {}, a, b)
    assert torch.cuda.max_memory_allocated() - before < 100 * 2**20  # the matrix has 16 GB


@pytest.mark.slow
def test_more_than_2_to_the_31_numbers() -> None:
    memory_or_skip(30)
    n = 2**29 + 1001
    a = torch.rand((n, 4), device=DEVICE)
    a[:, 2:] += a[:, :2]
    b = a[5].expand(n, 4)
    value, grad, _ = gpu.value_and_gradient(GIOU, {}, a, b, wrt="a")
    end = slice(n - 2000, n)
    want = gpu.value_and_gradient(GIOU, {}, a[end].clone(), b[end].clone(), wrt="a")
    assert grad is not None
    assert torch.equal(value[end], want[0])
    assert torch.equal(grad[end], want[1])  # type: ignore[arg-type]
    total = gpu.value_and_gradient(GIOU, {}, a, b, reduction="sum")[0]
    close(total.cpu(), value.sum(dtype=torch.float64).cpu(), "float32", "sum")
    del value, grad
    of_one, of_all = gpu.nearest_both(GIOU, {}, a[n - 3 : n - 2].clone(), a)
    assert of_one[1].item() == n - 3
    assert of_all[1].unique().tolist() == [0]


@pytest.mark.slow
def test_a_matrix_of_more_than_2_to_the_31_numbers() -> None:
    memory_or_skip(12)
    a, b = boxes(2**16 + 5)[0], boxes(2**15 + 3, seed=1)[1]
    matrix = gpu.pairwise(GIOU, {}, a, b)
    assert torch.equal(matrix[-7:], gpu.pairwise(GIOU, {}, a[-7:].clone(), b))
    assert torch.equal(matrix[:, -3:], gpu.pairwise(GIOU, {}, a, b[-3:].clone()))
