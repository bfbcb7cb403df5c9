"""Kernels called on arrays and tensors of any size, stride and type: the same bits, and nothing written elsewhere."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.kernels import switch
from boxloss.kernels.cpu.elementwise import BLOCK, CHUNK
from boxloss.kernels.cpu.run import Elementwise
from boxloss.kernels.switch import plain
from close import close
from strategies import hazard

Array = np.ndarray
FLOATS = ("float32", "float64")
LOSS = bl.loss("giou")

SIZES = (0, 1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK + 3, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + BLOCK, 2 * CHUNK, 2 * CHUNK + 1)


@pytest.fixture(autouse=True)
def with_kernels() -> None:
    assert switch.cpu_kernels()


def boxes(n: int, dtype: str = "float32") -> tuple[Array, Array]:
    a, b = hazard("coco", min(max(n, 1), 1009), dtype, seed=3)
    return np.resize(a, (n, 4)), np.resize(b, (n, 4))


def address(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


# Sizes


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_rows_bits_do_not_depend_on_the_number_of_rows(dtype: str) -> None:
    a, b = boxes(max(SIZES), dtype)
    value, (grad_a, grad_b) = LOSS.value_and_gradient(a, b, wrt="both", reduction="none")
    for n in SIZES:
        some, (some_a, some_b) = LOSS.value_and_gradient(a[:n], b[:n], wrt="both", reduction="none")
        assert np.array_equal(some, value[:n])
        assert np.array_equal(some_a, grad_a[:n])
        assert np.array_equal(some_b, grad_b[:n])
        assert np.array_equal(LOSS(a[:n], b[:n], reduction="none"), value[:n])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("wild", [False, True])
def test_nothing_is_written_beyond(dtype: str, wild: bool) -> None:
    """The memory around each result keeps what it holds."""
    kernel = Elementwise(bl.catalogue()["giou"], {}, number=dtype, format="xyxy", wrt="ab")
    guard, kept = 2 * BLOCK, -12345.0
    for n in SIZES:
        a, b = boxes(n, dtype)
        if wild and n:
            a[n // 2] *= np.asarray(2.0**-40, dtype)
        losses = np.full(n + 2 * guard, kept, dtype)
        gradients = [np.full((n + 2 * guard, 4), kept, dtype) for _ in range(2)]
        total = np.full(1 + 2 * guard, kept, dtype)
        inside = slice(guard, guard + n)
        kernel(
            n, address(a), 4, 1, address(b), 4, 1, count=float(max(n, 1)), losses=address(losses[inside]),
            grad_a=address(gradients[0][inside]), grad_b=address(gradients[1][inside]), total=address(total[guard:]),
        )  # fmt: skip
        for x, end in ((losses, n), *((g, n) for g in gradients), (total, 1)):
            assert (x[:guard] == kept).all()
            assert (x[guard + end :] == kept).all()
            assert (x[guard : guard + end] != kept).all()
        assert np.array_equal(losses[inside], LOSS(a, b, reduction="none"))
        assert total[guard] == LOSS(a, b)


@pytest.mark.parametrize("dtype", FLOATS)
def test_nothing_is_read_beyond(dtype: str) -> None:
    """What lies behind the last row is not looked at: not even a NaN there matters."""
    for n in SIZES[1:]:
        a, b = (np.concatenate([x, np.full((3 * BLOCK, 4), np.nan, dtype)]) for x in boxes(n, dtype))
        weight = np.concatenate([np.ones(n, dtype), np.full(3 * BLOCK, np.nan, dtype)])
        for given in (None, weight[:n]):
            value, gradient = LOSS.value_and_gradient(a[:n], b[:n], weight=given)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


# Strides


def columns_first(x: Array) -> Array:
    return np.asfortranarray(x)


def field_of_records(x: Array) -> Array:
    """Rows that lie an odd number of bytes apart."""
    records = np.zeros(len(x), [("label", "u1"), ("box", x.dtype, 4)])
    records["box"] = x
    return records["box"]


def read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "columns first": columns_first,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "columns backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "every third row": lambda x: np.repeat(x, 3, 0)[::3],
    "four columns of seven": lambda x: np.hstack([x[:, :1] * 0 - 1, x, x[:, :2] * 0 - 2])[:, 1:5],
    "every second column": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "fields of packed records": field_of_records,
    "the other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "read only": read_only,
    "not aligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape) if len(x) else x,
    "a memory view": lambda x: np.asarray(memoryview(x.copy())),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_arrays(layout: str, dtype: str) -> None:
    for n in (1, BLOCK, 200):
        a, b = boxes(n, dtype)
        weight = np.resize(np.asarray([0.5, 2, 1, 0], dtype), n)
        laid = LAYOUTS[layout]
        value, gradients = LOSS.value_and_gradient(a, b, wrt="both", reduction="none", weight=weight)
        weights = laid(np.repeat(weight[:, None], 4, 1))[:, 2]
        for x, y, w in ((laid(a), laid(b), weight), (laid(a), b, weights), (a, laid(b), weight)):
            got, slopes = LOSS.value_and_gradient(x, y, wrt="both", reduction="none", weight=w)
            assert np.array_equal(got, value)
            assert all(np.array_equal(s, g) for s, g in zip(slopes, gradients, strict=True))
            assert np.array_equal(LOSS(x, y, reduction="none", weight=w), value)


TENSORS: dict[str, Callable[[Any], Any]] = {
    "columns first": lambda x: x.T.contiguous().T,
    "every third row": lambda x: x.repeat_interleave(3, 0)[::3],
    "four columns of seven": lambda x: torch.cat([-x[:, :1], x, x[:, :2]], 1)[:, 1:5],
    "every second column": lambda x: x.repeat_interleave(2, 1)[:, ::2],
    "further on in memory": lambda x: torch.cat([x[:1], x])[1:],
    "a negative view": lambda x: torch._neg_view(-x),  # type: ignore[attr-defined]
    "a parameter": lambda x: torch.nn.Parameter(x.clone()),
    "unbatched in three": lambda x: x.reshape(1, -1, 4)[0],
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", TENSORS)
def test_layouts_of_tensors(layout: str, dtype: str) -> None:
    for n in (1, BLOCK, 200):
        a, b = (torch.from_numpy(x) for x in boxes(n, dtype))
        weight = torch.from_numpy(np.resize(np.asarray([0.5, 2, 1, 0], dtype), n))
        upstream = torch.linspace(-1, 2, n, dtype=a.dtype)
        laid = TENSORS[layout]

        def found(x: Any, y: Any, w: Any) -> list[Any]:
            x, y = (z if z.requires_grad else z.requires_grad_() for z in (x, y))
            value = LOSS(x, y, reduction="none", weight=w)
            return [value, *torch.autograd.grad(value, (x, y), upstream)]  # noqa: B023

        wanted = found(a.clone(), b.clone(), weight)
        weights = laid(weight[:, None].repeat(1, 4)).detach()[:, 2]
        for x, y, w in ((laid(a), laid(b), weight), (laid(a), b.clone(), weights), (a.clone(), laid(b), weight)):
            assert all(torch.equal(got, want) for got, want in zip(found(x, y, w), wanted, strict=True))


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (0,), (3, 0), (2, 1, 4)])
def test_shapes(shape: tuple[int, ...]) -> None:
    n = math.prod(shape)
    a, b = (x.reshape(*shape, 4) for x in boxes(n))
    x, y = torch.from_numpy(a.copy()).requires_grad_(), torch.from_numpy(b.copy())
    for reduction in ("none", "sum", "mean"):
        value, gradient = LOSS.value_and_gradient(a, b, reduction=reduction)
        tensor = LOSS(x, y, reduction=reduction)
        (slopes,) = torch.autograd.grad(tensor, x, torch.ones_like(tensor))
        with plain():
            want = LOSS(a, b, reduction=reduction)
        assert np.shape(value) == tuple(tensor.shape) == np.shape(want)
        assert type(value) is type(want)
        assert value.dtype == want.dtype == "float32"
        assert gradient.shape == tuple(slopes.shape) == a.shape
        assert np.array_equal(tensor.detach().numpy(), value)
        assert np.array_equal(slopes.numpy(), gradient)
        if reduction == "none":
            assert np.array_equal(value, want)


# Broadcasting

BROADCASTS = [((7, 4), (4,)), ((4,), (7, 4)), ((1, 4), (7, 4)), ((7, 4), (1, 4)), ((3, 1, 4), (1, 5, 4)), ((2, 5, 4), (5, 4)), ((0, 4), (1, 4))]


@pytest.mark.parametrize(("one", "other"), BROADCASTS)
def test_boxes_that_broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    a, b = (np.round(boxes(math.prod(s) // 4)[k]).reshape(s) for k, s in enumerate((one, other)))
    shape = np.broadcast_shapes(one, other)
    whole_a, whole_b = (np.ascontiguousarray(np.broadcast_to(x, shape)) for x in (a, b))
    value, gradients = LOSS.value_and_gradient(whole_a, whole_b, wrt="both", reduction="none")
    got, slopes = LOSS.value_and_gradient(a, b, wrt="both", reduction="none")
    assert np.array_equal(got, value)
    scale = max((float(np.abs(g).max()) for g in gradients if g.size), default=0.0)
    x, y = (torch.from_numpy(z.copy()).requires_grad_() for z in (a, b))
    tensor = LOSS(x, y, reduction="none")
    assert np.array_equal(tensor.detach().numpy(), value)
    tensors = torch.autograd.grad(tensor, (x, y), torch.ones_like(tensor))
    for gradient, slope, t, box in zip(gradients, slopes, tensors, (a, b), strict=True):
        want = gradient.astype("float64")
        want = want.sum(axis=tuple(range(want.ndim - box.ndim)))
        want = want.sum(axis=tuple(k for k, n in enumerate(box.shape) if n != want.shape[k]), keepdims=True)
        assert slope.shape == tuple(t.shape) == box.shape
        close(slope, want, "float32", "sum", scale=np.full(want.shape, scale))
        close(t, want, "float32", "sum", scale=np.full(want.shape, scale))


# Weights and reductions


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 70, CHUNK, 2 * CHUNK + 70])
def test_weights_and_reductions(n: int, dtype: str) -> None:
    a, b = boxes(n, dtype)
    values, gradients = LOSS.value_and_gradient(a, b, reduction="none")
    number = np.dtype(dtype).type
    some = np.unique(np.linspace(0, n - 1, 30).astype(int))
    weights: dict[str, Any] = {"none": None, "one number": 2.5, "all 0": np.zeros(n, dtype), "a list": [2.0] * n}
    weights["a number a pair"] = np.resize(np.asarray([0.5, 3, 0, 1.1], dtype), n)
    for name, weight in weights.items():
        factors = np.broadcast_to(np.asarray(1 if weight is None else weight, dtype), (n,))
        total, count = math.fsum((values * factors).tolist()), math.fsum(factors.tolist())
        for reduction, want in (("none", values * factors), ("sum", total), ("mean", total / count if count else 0.0)):
            value, gradient = LOSS.value_and_gradient(a, b, reduction=reduction, weight=weight)
            if reduction == "none":
                assert np.array_equal(value, want)
            else:
                close(value, want, dtype, "sum", where=[f"{reduction}, weights: {name}"])
            share = number(1 / count if count else 0.0) if reduction == "mean" else number(1)
            close(gradient[some], (gradients * (factors * share)[:, None])[some], dtype)
            assert np.array_equal(value, LOSS(a, b, reduction=reduction, weight=weight))
            x = torch.from_numpy(a.copy()).requires_grad_()
            given = torch.from_numpy(weight) if isinstance(weight, np.ndarray) else weight
            tensor = LOSS(x, torch.from_numpy(b), reduction=reduction, weight=given)
            (slopes,) = torch.autograd.grad(tensor, x, torch.ones_like(tensor))
            # PyTorch and NumPy add up the weights in different orders.
            close(tensor if reduction != "none" else tensor[some], value if reduction != "none" else value[some], dtype)
            close(slopes[some], gradient[some], dtype)
            if weight is None:
                assert np.array_equal(tensor.detach().numpy(), value)
                assert np.array_equal(slopes.numpy(), gradient)


def test_what_comes_from_above_multiplies() -> None:
    a, b = (torch.from_numpy(x) for x in boxes(300))
    for reduction in ("none", "sum", "mean"):
        x, y = a.clone().requires_grad_(), b.clone().requires_grad_()
        value = LOSS(x, y, reduction=reduction)
        ones = torch.autograd.grad(value, (x, y), torch.ones_like(value), retain_graph=True)
        upstream = torch.linspace(-2, 3, value.numel()).reshape(value.shape)
        for _ in range(2):  # the second time the kernel runs anew
            slopes = torch.autograd.grad(value, (x, y), upstream, retain_graph=True)
            for got, one in zip(slopes, ones, strict=True):
                assert torch.equal(got, one * (upstream[:, None] if upstream.dim() else upstream))


def test_gradients_accumulate() -> None:
    x, y = (torch.from_numpy(z) for z in boxes(100))
    x.requires_grad_()
    LOSS(x, y).backward()
    once = x.grad.clone()  # type: ignore[union-attr]
    LOSS(x, y).backward()
    assert torch.equal(x.grad, 2 * once)  # type: ignore[arg-type]
    x.grad = None
    (LOSS(x, y) + LOSS(x, y)).backward()
    assert torch.equal(x.grad, 2 * once)  # type: ignore[arg-type]


def test_who_needs_no_gradient_gets_none() -> None:
    a, b = (torch.from_numpy(z) for z in boxes(10))
    assert not LOSS(a, b).requires_grad
    with torch.no_grad():
        assert not LOSS(a.clone().requires_grad_(), b).requires_grad
    with torch.inference_mode():
        assert torch.equal(LOSS(a * 1, b * 1), LOSS(a, b))
    y = b.clone().requires_grad_()
    LOSS(a, y).backward()
    assert y.grad is not None
    assert a.grad is None


def test_a_gradient_is_that_of_the_boxes_as_they_were() -> None:
    x, y = (torch.from_numpy(z.copy()) for z in boxes(10))
    x.requires_grad_()
    (want,) = torch.autograd.grad(LOSS(x, y), x)
    value = LOSS(x, y)
    y += 1
    assert torch.equal(torch.autograd.grad(value, x, retain_graph=True)[0], want)
    with pytest.raises(RuntimeError, match=r"in.?place"):  # it would have to be computed anew
        torch.autograd.grad(value, x)


def test_a_gradient_along_the_weights() -> None:
    a, b = (torch.from_numpy(z) for z in boxes(10, "float64"))
    weight = torch.linspace(0.5, 2, 10, dtype=a.dtype).requires_grad_()
    (slopes,) = torch.autograd.grad(LOSS(a, b, reduction="sum", weight=weight), weight)
    assert torch.equal(slopes, LOSS(a, b, reduction="none"))


# Types


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "int16", "int32", "int64", "uint16", "uint32", "bool"])
def test_narrow_and_whole_numbers(dtype: str) -> None:
    rng = np.random.default_rng(0)
    low, size = rng.integers(0, 60, (2, 200, 2)), rng.integers(1, 60, (2, 200, 2))
    a, b = (np.hstack([x, x + s]).astype(dtype) for x, s in zip(low, size, strict=True))
    value, gradient = LOSS.value_and_gradient(a, b, reduction="none")
    with plain():
        want = LOSS(a, b, reduction="none")
    assert value.dtype == gradient.dtype == want.dtype
    assert np.array_equal(value, want)
    assert np.array_equal(LOSS(a, b, reduction="none"), want)
    wide = a.astype(want.dtype), b.astype(want.dtype)
    assert np.array_equal(LOSS(*wide, reduction="none"), want)
    assert np.array_equal(LOSS.value_and_gradient(*wide, reduction="none")[1], gradient)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_tensors(dtype: str) -> None:
    a, b = (torch.from_numpy(np.round(z)).to(getattr(torch, dtype)) for z in boxes(200))
    x, y = a.clone().requires_grad_(), b.clone().requires_grad_()
    value = LOSS(x, y, reduction="none")
    assert value.dtype is torch.float32
    wide = a.float().requires_grad_(), b.float().requires_grad_()
    want = LOSS(*wide, reduction="none")
    assert torch.equal(value, want)
    for got, full in zip(torch.autograd.grad(value.sum(), (x, y)), torch.autograd.grad(want.sum(), wide), strict=True):
        assert got.dtype is a.dtype
        assert torch.equal(got, full.to(a.dtype))


def test_types_that_mix() -> None:
    a, b = boxes(20)
    for x, y in ((a, b.astype("float64")), (a.astype("float16"), b), (a.astype("int64"), b)):
        with plain():
            want = LOSS(x, y, reduction="none")
        got = LOSS(x, y, reduction="none")
        assert got.dtype == want.dtype
        assert np.array_equal(got, want)


def test_long_doubles_and_subclasses_take_the_plain_way() -> None:
    a, b = boxes(20, "float64")
    for kind in (np.longdouble, np.float64):
        x, y = (z.astype(kind).view(type("Mine", (np.ndarray,), {})) for z in (a, b))
        assert np.array_equal(np.asarray(LOSS(x, y, reduction="none")).astype(float), LOSS(a, b, reduction="none"))


# Weights of 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_weight_of_0_takes_an_infinite_slope_away(dtype: str) -> None:
    """Boxes of a size near the type's smallest number: a slope is infinite, whatever computes it."""
    unit = {"float32": 1e-40, "float64": 1e-318}[dtype]
    a, b = (np.array([x], "float64") * unit for x in ([1.156489, 0.6185405, 1.156519, 1.085344], [1.156514, 0.4223323, 1.156539, 0.8448424]))
    a, b = a.astype(dtype), b.astype(dtype)
    assert not np.isfinite(bl.giou_loss.value_and_gradient(a, b)[1]).all()
    for weight in (0.0, np.zeros(1, dtype)):
        _, got = bl.giou_loss.value_and_gradient(a, b, weight=weight, reduction="sum")
        assert (got == 0).all()
        with bl.plain():
            assert (bl.giou_loss.value_and_gradient(a, b, weight=weight, reduction="sum")[1] == 0).all()
    x = torch.from_numpy(a).requires_grad_()
    bl.giou_loss(x, torch.from_numpy(b), weight=torch.zeros(1, dtype=x.dtype)).backward()
    assert (x.grad == 0).all()


def test_a_mean_under_weights_of_0_is_0_whatever_the_losses() -> None:
    a, b = boxes(5)
    a[2, 1] = np.nan
    for weight in (0.0, np.zeros(5, a.dtype)):
        value, gradient = LOSS.value_and_gradient(a, b, weight=weight)
        assert value == LOSS(a, b, weight=weight) == LOSS(torch.from_numpy(a), torch.from_numpy(b), weight=torch.zeros(5)).item() == 0
        with bl.plain():
            assert LOSS(a, b, weight=weight) == 0
        assert (gradient[[0, 1, 3, 4]] == 0).all()


# Boxes on the edge to inverted ones


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("flat", [[8, 3, 8, 3], [8, 3, 9, 3], [8, 3, 8, 9]])
@pytest.mark.parametrize("wrt", ["pred", "target", "both"])
def test_points_and_lines_among_boxes(dtype: str, flat: list[float], wrt: str) -> None:
    """The cost of inversion has half of its slope there, along the box itself."""
    a, b = np.array([[7, 4, 10, 12]] * 70, dtype), np.array([[7, 5, 11, 12]] * 70, dtype)
    for x, y in ((3, 60), (64, 3)):
        left, right = a.copy(), b.copy()
        left[x], right[y] = flat, flat
        _, got = LOSS.value_and_gradient(left, right, wrt=wrt, reduction="sum")
        with bl.plain():
            _, want = LOSS.value_and_gradient(left, right, wrt=wrt, reduction="sum")
        assert np.array_equal(got, want)
