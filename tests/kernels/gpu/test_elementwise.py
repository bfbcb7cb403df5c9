"""The element-wise kernels: the bits of the array path, whatever the memory, the length of the batch and the factors."""

import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.boxes import convert
from boxloss.errors import DTypeError, FormatError, ParameterError, ShapeError
from boxloss.kernels import gpu
from boxloss.pair import Pair
from close import close
from each import CLASSIC, each_way
from kernels.gpu.through_triton import matrix_of, on_arrays
from kernels.graphs import slopes
from strategies import CLASSES, hazard

pytestmark = pytest.mark.usefixtures("interpreter")

CIOU, GIOU, SMOOTH = (bl.catalogue()[name] for name in ("ciou", "giou", "smooth_l1"))
SIZES = (1, 2, 31, 32, 33, 1023, 1025)  # 256 are a program's
DTYPES = ("float32", "float64")


def same_bits(got: Any, want: np.ndarray) -> None:
    got = got.numpy() if isinstance(got, torch.Tensor) else got
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def pairs(n: int, dtype: str = "float32", kind: str = "coco", seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.from_numpy(x) for x in hazard(kind, n, dtype, seed))  # type: ignore[return-value]


@pytest.mark.usefixtures("wide_blocks")
@pytest.mark.parametrize(("name", "parameters", "dtype"), each_way())
def test_the_bits_of_numpy_and_of_the_graph(name: str, parameters: dict[str, Any], dtype: str) -> None:
    """Boxes of every class, integers with ties among them: so what the contract shows of NumPy and of the compiled loops, on many more boxes, holds.

    It is the text for all pairs; test_tame.py has the one for tame pairs.
    """
    formula = bl.catalogue()[name]
    a, b = (np.concatenate(x) for x in zip(*(hazard(kind, 16, dtype) for kind in CLASSES), strict=True))
    boxes = torch.from_numpy(a), torch.from_numpy(b)
    if name in CLASSIC:
        similarity, _, _ = gpu.value_and_gradient(formula, parameters, *boxes, similarity=True)
        same_bits(similarity, on_arrays(formula, parameters, a, b, similarity=True))
    value, grad_a, grad_b = gpu.value_and_gradient(formula, parameters, *boxes, wrt="ab")
    same_bits(value, on_arrays(formula, parameters, a, b))
    for got, want in zip((grad_a, grad_b), slopes(name, parameters, a, b, "ab"), strict=True):
        same_bits(got, want)


@bl.formula(title="All the words", paper="a test's", bounds="[0, inf)", symmetric=True, scale_free=True)
def words(p: Any) -> Any:
    """Every operation there is, and the loop's own names."""
    row = p.iou * 2.0
    kernel = bl.ops.exp(-row) + bl.ops.sqrt(p.jaccard) + row
    known = bl.ops.sin(kernel) + bl.ops.cos(row * 3.0) + kernel
    nan = bl.ops.log(known + 3.0) + known
    divide = bl.ops.absolute(nan - 1.0) + bl.ops.atan2(nan, row)
    tl = bl.ops.where(p.x.gap > p.y.gap, divide, bl.ops.log1p(row)) + divide
    return tl + nan + -(row + kernel) + kernel * row + float("1e-300") * tl


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_word_and_its_gradient(dtype: str) -> None:
    a, b = hazard("coco", 60, dtype)
    value, grad_a, _ = gpu.value_and_gradient(words, {}, torch.from_numpy(a), torch.from_numpy(b), wrt="a")
    same_bits(value, on_arrays(words, {}, a, b))
    pred = torch.from_numpy(a).requires_grad_()
    words(Pair(tuple(pred.unbind(-1)), tuple(torch.from_numpy(b).unbind(-1)))).sum().backward()
    assert pred.grad is not None
    close(grad_a, pred.grad.double(), dtype, "gradient", scale=[float(pred.grad[row].abs().max()) for row in range(60) for _ in range(4)])


@functools.cache
def whole_batch() -> Any:
    """Values and gradients of all of the pairs."""
    return gpu.value_and_gradient(GIOU, {}, *pairs(1025), wrt="ab")


@pytest.mark.parametrize("reduction", ["none", "sum"])
@pytest.mark.parametrize("n", SIZES)
def test_tails(n: int, reduction: str) -> None:
    """Any number of pairs: the same bits for each, and their sum."""
    a, b = pairs(1025)
    whole, whole_a, whole_b = whole_batch()
    value, grad_a, grad_b = gpu.value_and_gradient(GIOU, {}, a[:n], b[:n], wrt="ab", reduction=reduction)
    assert torch.equal(grad_a, whole_a[:n])
    assert torch.equal(grad_b, whole_b[:n])
    if reduction == "none":
        assert torch.equal(value, whole[:n])
    else:
        assert value.shape == ()
        close(value, math.fsum(whole[:n].tolist()), "float32", 1)  # rounded once, from float64


def test_a_sum_has_one_order() -> None:
    a, b = pairs(1025)
    sums = {float(gpu.value_and_gradient(CIOU, {}, *where, reduction="sum")[0]) for where in ((a, b), (a, b), (a.t().contiguous().t(), b))}
    assert len(sums) == 1


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_mean_is_rounded_once(in_memory: bool) -> None:
    """The sum may be too large for float32 where the mean is not."""
    a = torch.zeros((300, 4))
    b = torch.full((300, 4), 4e18)
    scale = torch.tensor(-1 / 300, dtype=torch.float64) if in_memory else -1 / 300
    values = gpu.value_and_gradient(bl.catalogue()["l2"], {}, a, b)[0]
    got, slopes, _ = gpu.value_and_gradient(bl.catalogue()["l2"], {}, a, b, wrt="a", scale=scale, reduction="mean")
    assert values.double().sum() > torch.finfo(torch.float32).max
    close(got, -float(values[0]), "float32", 1)
    assert torch.equal(slopes, gpu.value_and_gradient(bl.catalogue()["l2"], {}, a, b, wrt="a", scale=scale)[1])  # type: ignore[arg-type]
    none = torch.zeros((0, 4))
    assert gpu.value_and_gradient(GIOU, {}, none, none, scale=scale, reduction="mean")[0] == 0


def test_many_partial_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """More blocks than are added side by side."""
    monkeypatch.setattr("boxloss.kernels.gpu.elementwise.LANES", 2)
    a, b = pairs(1300)
    values = gpu.value_and_gradient(SMOOTH, {}, a, b)[0]
    close(gpu.value_and_gradient(SMOOTH, {}, a, b, reduction="sum")[0], math.fsum(values.tolist()), "float32", 1)


def strided(n: int) -> Iterator[tuple[str, Callable[[torch.Tensor], torch.Tensor]]]:
    """Ways for the same numbers to lie in memory; what is between them is NaN."""

    def amid_nan(x: torch.Tensor, shape: tuple[int, ...], where: tuple[slice, ...]) -> torch.Tensor:
        memory = torch.full(shape, math.nan, dtype=x.dtype, device=x.device)
        memory[where] = x
        return memory[where]

    yield "in the middle of NaN", lambda x: amid_nan(x, (n + 2, 4), (slice(1, -1),))
    yield "off by one number", lambda x: torch.cat([x.new_full((1,), math.nan), x.flatten(), x.new_full((5,), math.nan)])[1:-5].view(n, 4)
    yield "with a score behind", lambda x: amid_nan(x, (n, 5), (slice(None), slice(0, 4)))
    yield "every second column", lambda x: amid_nan(x, (n, 8), (slice(None), slice(0, 8, 2)))
    yield "every third row", lambda x: amid_nan(x, (3 * n, 4), (slice(1, None, 3),))
    yield "column by column", lambda x: x.t().contiguous().t()


@pytest.mark.parametrize("wrt", ["a", "b", "ab"])
def test_strides_and_slices(wrt: str) -> None:
    a, b = pairs(37)
    want = gpu.value_and_gradient(GIOU, {}, a, b, wrt=wrt)
    for what, lay in strided(37):
        for a_laid, b_laid in ((lay(a), b), (a, lay(b)), (lay(a), lay(b))):
            got = gpu.value_and_gradient(GIOU, {}, a_laid, b_laid, wrt=wrt)
            assert all(x is y is None or torch.equal(x, y) for x, y in zip(got, want, strict=True)), what
            assert gpu.pairwise(GIOU, {}, a_laid[:5], b_laid[:6]).equal(gpu.pairwise(GIOU, {}, a[:5], b[:6])), what


def test_places_beyond_int32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows 2^30 numbers apart, as in a view of something large: the third lies 2^31 numbers on. What is between was never written, and takes no memory."""
    memory = np.memmap(tmp_path / "sparse", np.float32, "w+", shape=(2**31 + 2**12,))
    # The interpreter copies all of a tensor's memory back after a call, onto itself where it is a CPU's
    monkeypatch.setattr("triton.runtime.interpreter.GridExecutor._restore_args_dev", lambda *_: None, raising=False)
    far = torch.from_numpy(memory).as_strided((3, 4), (2**30, 1))
    a, b = pairs(3)
    far.copy_(a)
    assert torch.equal(gpu.value_and_gradient(GIOU, {}, far, b, wrt="a")[1], gpu.value_and_gradient(GIOU, {}, a, b, wrt="a")[1])  # type: ignore[arg-type]
    assert torch.equal(gpu.pairwise(GIOU, {}, b, far), gpu.pairwise(GIOU, {}, b, a))
    assert torch.equal(gpu.nearest(GIOU, {}, far, b)[1], gpu.nearest(GIOU, {}, a, b)[1])
    assert torch.equal(gpu.nearest(GIOU, {}, b, far)[1], gpu.nearest(GIOU, {}, b, a)[1])


def test_one_target_for_all() -> None:
    a, b = pairs(37)
    got = gpu.value_and_gradient(CIOU, {}, a, b[3].expand(37, 4), wrt="ab")
    want = gpu.value_and_gradient(CIOU, {}, a, b[3].repeat(37, 1), wrt="ab")
    assert all(torch.equal(x, y) for x, y in zip(got, want, strict=True))


GUARD = 12345.0


def test_nothing_is_written_beside_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs lie between numbers that must stay: in the middle of a larger tensor."""
    guarded, plain_empty = [], torch.empty

    def empty(*shape: Any, dtype: Any, device: Any) -> torch.Tensor:
        shape = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
        n = math.prod(shape)
        memory = plain_empty(n + 64, dtype=dtype, device=device).fill_(int(GUARD))
        guarded.append((memory, n))
        return memory[32 : 32 + n].view(shape)

    monkeypatch.setattr(torch, "empty", empty)
    a, b = pairs(33)
    for reduction in ("none", "sum"):
        gpu.value_and_gradient(GIOU, {}, a, b, wrt="ab", reduction=reduction)
    gpu.pairwise(GIOU, {}, a, b[:5])
    gpu.nearest_both(GIOU, {}, a[:9], b[:5])
    gpu.nearest(GIOU, {}, a[:9], b[:5], k=2)
    monkeypatch.undo()
    assert len(guarded) >= 4 + 3 + 1 + 4 + 4
    for memory, n in guarded:
        assert (memory[:32] == GUARD).all()
        assert (memory[32 + n :] == GUARD).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_weight_and_scale(reduction: str, dtype: str) -> None:
    """Values times the weight, gradients times weight and scale, and the scale is not rounded to float32."""
    a, b = pairs(70, dtype)
    value, slopes, _ = gpu.value_and_gradient(SMOOTH, {"beta": 2.0}, a, b, wrt="a")
    weight = torch.linspace(0, 2, 140, dtype=a.dtype)[::2]
    one_third = 1 / 3
    scales = [one_third, torch.tensor(one_third, dtype=torch.float64), torch.tensor(one_third, dtype=a.dtype)]
    for scale in scales:
        got, grad, none = gpu.value_and_gradient(SMOOTH, {"beta": 2.0}, a, b, wrt="a", weight=weight, scale=scale, reduction=reduction)
        factor = torch.tensor(one_third, dtype=a.dtype) * weight
        assert torch.equal(grad, slopes * factor[:, None])
        assert none is None
        weighted = value * weight
        if reduction == "none":
            assert torch.equal(got, weighted)
        else:
            close(got, math.fsum(weighted.tolist()), dtype, "sum")
    everywhere = gpu.value_and_gradient(SMOOTH, {"beta": 2.0}, a, b, weight=torch.tensor(0.5, dtype=a.dtype))[0]
    assert torch.equal(everywhere, value * 0.5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factor", [1.0, -1.0, 1 / 3, 0.0, math.inf, math.nan])
def test_multiplying_in_place(factor: float, dtype: str) -> None:
    for n in (0, 1, 700):
        around = torch.full((n + 2, 4), math.nan, dtype=getattr(torch, dtype))
        x = around[1:-1]
        x.copy_(pairs(n, dtype)[0])
        by = torch.tensor([9.0, factor], dtype=x.dtype)[1]
        want = x * by
        gpu.multiply(x, by)
        np.testing.assert_array_equal(x.numpy(), want.numpy())
        assert around[0].isnan().all()
        assert around[-1].isnan().all()
    by = torch._neg_view(torch.tensor(3.0))
    x = torch.ones((1, 4))
    gpu.multiply(x, by)
    assert x.tolist() == [[-3.0] * 4]
    with pytest.raises(ShapeError, match=r"strides \(1, 4\), expected \(4, 1\)"):
        gpu.multiply(torch.ones((4, 4)).t(), by)


@pytest.mark.parametrize("scale", [-0.0, 1e-300, -1e300, math.inf, 5e-324])
def test_scales_at_the_ends_of_the_range(scale: float) -> None:
    a, b = pairs(5, "float64")
    slopes = gpu.value_and_gradient(SMOOTH, {}, a, b, wrt="b")[2]
    assert slopes is not None
    np.testing.assert_array_equal(gpu.value_and_gradient(SMOOTH, {}, a, b, wrt="b", scale=scale)[2], slopes * scale)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_in_its_row(dtype: str) -> None:
    """A NaN in any coordinate: value and all slopes of the row, and of no other row."""
    a, b = pairs(40, dtype)
    clean = gpu.value_and_gradient(CIOU, {}, a, b, wrt="ab", weight=torch.zeros(40, dtype=a.dtype))
    for row in range(8):
        (a, b)[row // 4][5 * row, row % 4] = math.nan
    got = gpu.value_and_gradient(CIOU, {}, a, b, wrt="ab", weight=torch.zeros(40, dtype=a.dtype))
    ill = torch.arange(40) % 5 == 0
    for x, before in zip(got, clean, strict=True):
        assert x is not None
        assert x[ill].isnan().all()
        assert torch.equal(x[~ill], before[~ill])


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_formats(format: str) -> None:
    a, b = (np.asarray(convert(x, "xyxy", format, points=np.zeros(2))) for x in hazard("integers", 60))
    tensors = torch.from_numpy(a), torch.from_numpy(b)
    same_bits(gpu.value_and_gradient(GIOU, {}, *tensors, format=format)[0], on_arrays(GIOU, {}, a, b, format=format))
    plain = gpu.value_and_gradient(GIOU, {}, *map(torch.from_numpy, hazard("integers", 60)), wrt="a")[1]
    slopes = gpu.value_and_gradient(GIOU, {}, *tensors, format=format, wrt="a")[1]
    along_x = {"xywh": [1.0, 0, 0, 0], "cxcywh": [1.0, 0, 0, 0], "ltrb": [-1.0, 0, 1, 0]}[format]  # the chain rule, for a box that is moved
    close(slopes @ torch.tensor(along_x).double(), plain @ torch.tensor([1.0, 0, 1, 0]).double(), "float64", "gradient", scale=[1.0] * 60)


def test_no_boxes() -> None:
    none = torch.zeros((0, 4))
    value, grad_a, grad_b = gpu.value_and_gradient(GIOU, {}, none, none, wrt="ab")
    assert (value.shape, grad_a.shape, grad_b.shape) == ((0,), (0, 4), (0, 4))
    total = gpu.value_and_gradient(GIOU, {}, none, none, wrt="", reduction="sum")
    assert total[0].shape == ()
    assert (total[0], *total[1:]) == (0, None, None)


@pytest.mark.parametrize(
    ("n", "m", "dtype"), [*((*size, "float32") for size in [(1, 1), (2, 31), (31, 2), (33, 65), (1, 1025), (1023, 1)]), (33, 65, "float64")]
)
def test_pairwise(n: int, m: int, dtype: str) -> None:
    a, b = pairs(n, dtype)[0], pairs(m, dtype, seed=1)[1]
    same_bits(gpu.pairwise(CIOU, {}, a, b), matrix_of(CIOU, a.numpy(), b.numpy()))
    same_bits(gpu.pairwise(CIOU, {}, a, b, similarity=False), on_arrays(CIOU, {}, a.numpy()[:, None], b.numpy()[None]))


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_pairwise_of_nothing(n: int, m: int) -> None:
    assert gpu.pairwise(CIOU, {}, torch.zeros((n, 4)), torch.zeros((m, 4))).shape == (n, m)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: gpu.value_and_gradient(GIOU, {}, x, x[:2]), ShapeError, r"expected the same: try b.expand_as\(a\)"),
        (lambda x: gpu.value_and_gradient(GIOU, {}, x[0], x[0]), ShapeError, r"a has shape \(4,\), expected \(n, 4\)"),
        (lambda x: gpu.pairwise(GIOU, {}, x, x[:, :3]), ShapeError, r"b has shape \(3, 3\)"),
        (lambda x: gpu.pairwise(GIOU, {}, x, x.double()), DTypeError, "expected the same"),
        (lambda x: gpu.nearest(GIOU, {}, x.half(), x.half()), DTypeError, "a holds torch.float16, expected float32 or float64"),
        (lambda x: gpu.nearest(GIOU, {}, x, x, k=0), ParameterError, "k is 0"),
        (lambda x: gpu.nearest_both(GIOU, {}, x, x, format="xyxx"), FormatError, "xyxx"),
        (lambda x: gpu.value_and_gradient(GIOU, {}, x, x, wrt="ba"), ParameterError, "wrt 'ba'"),
        (lambda x: gpu.value_and_gradient(GIOU, {}, x, x, reduction="max"), ParameterError, "reduction is 'max'"),
        (lambda x: gpu.value_and_gradient(GIOU, {}, x, x, weight=x), ShapeError, r"weight has shape \(3, 4\), expected \(3,\)"),
    ],
)
def test_errors(call: Callable[[torch.Tensor], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(torch.zeros((3, 4)))
