"""Random calls of losses: number types, shapes, strides, broadcasting, weights, reductions, formats and gradients, on arrays and tensors."""

import functools
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import boxloss as bl
from boxloss.kernels.cpu.elementwise import BLOCK, CHUNK
from boxloss.kernels.switch import plain
from close import close
from strategies import hazard, inverted

Array = np.ndarray
POOL = CHUNK + 2 * BLOCK
WIDE = {"float64": "float64", "int64": "float64", "int32": "float64"}  # what is computed in float64; all else is in float32
NUMBERS = ("float32",) * 6 + ("float64",) * 4 + ("float16", "int8", "uint8", "int16", "int32", "int64")
ANY_KINDS = ("coco", "near equal", "integers", "touching", "identical", "slim", "far from the origin", "inverted", "ill")
STEEP = ("subnormal", "mixed")  # whose slopes are beyond the largest number
UNIT_FREE_KINDS = (*ANY_KINDS, "points", "lines", "subnormal", "1e-12", "1e18", "1e25", "mixed")
ROWS = (1, 2, 3, 5, 8, 17, BLOCK - 1, BLOCK, BLOCK + 1, 100)


@functools.cache
def pool(kind: str, dtype: str) -> tuple[Array, Array]:
    """Many pairs to take from. Narrow types get small whole numbers."""
    if dtype not in ("float32", "float64"):
        a, b = hazard("integers", POOL, "float64", 5)
        return a.astype(dtype), b.astype(dtype)
    if kind == "inverted":
        return inverted(POOL, dtype)
    if kind == "mixed":
        parts = [hazard(name, POOL, dtype, 6) for name in ("coco", "subnormal", "1e25", "points")]
        return tuple(np.choose(np.arange(POOL)[:, None] % 4, [part[k] for part in parts]) for k in range(2))  # type: ignore[return-value]
    a, b = hazard("coco" if kind == "ill" else kind, POOL, dtype, 5)
    if kind == "ill":
        a[::7, 1], b[3::11, 2] = np.nan, np.nan
    return a, b


@functools.cache
def laid(kind: str, dtype: str, layout: str) -> tuple[Array, Array]:
    """The pool in memory of another layout."""
    if layout == "columns":
        return tuple(np.asfortranarray(x) for x in pool(kind, dtype))  # type: ignore[return-value]
    if layout == "wide":
        return tuple(np.repeat(x, 2, 1)[:, ::2] for x in pool(kind, dtype))  # type: ignore[return-value]
    if layout == "apart":
        return tuple(np.repeat(x, 3, 0)[::3] for x in pool(kind, dtype))  # type: ignore[return-value]
    if layout == "backwards":
        return tuple(x[::-1].copy()[::-1] for x in pool(kind, dtype))  # type: ignore[return-value]
    return pool(kind, dtype)


@dataclass
class Call:
    """One call, drawn at random."""

    loss: Any
    kind: str
    dtype: str
    layout: str
    a: Array
    b: Array
    shape: tuple[int, ...]
    weight: Any
    reduction: str
    format: str
    wrt: str

    @property
    def how(self) -> dict[str, Any]:
        return {"reduction": self.reduction, "weight": self.weight, "format": self.format}

    def __str__(self) -> str:
        return (
            f"{self.loss.formula.name} of {self.kind} {self.dtype} boxes {self.a.shape} and {self.b.shape}, layout {self.layout}, "
            f"reduction={self.reduction}, weight={self.weight!r}, format={self.format}, wrt={self.wrt}:\n{self.a!r}\n{self.b!r}"
        )


class Calls:
    """Draws calls of some losses and makes them."""

    def __init__(self, seed: int, names: tuple[str, ...], *, formats: tuple[str, ...] = ("xyxy",)):
        self.rng, self.formats = random.Random(seed), formats
        self.losses = [bl.loss(name) for name in names]

    def drawn(self, tensors: bool) -> Call:
        rng = self.rng
        loss = rng.choice(self.losses)
        dtype = rng.choice(NUMBERS)
        kind = rng.choice(UNIT_FREE_KINDS if loss.formula.scale_free else ANY_KINDS)
        layout = rng.choice(("plain", "plain", "columns", "wide", "apart") if tensors else ("plain", "plain", "columns", "wide", "apart", "backwards"))
        a, b = laid(kind, dtype, layout)
        n = rng.choice(ROWS) if rng.random() < 0.995 else CHUNK + rng.randrange(2 * BLOCK)
        start, other = rng.randrange(POOL - n + 1), rng.randrange(POOL - 4)
        form = rng.randrange(5 if kind in STEEP else 10)
        shape: tuple[int, ...] = (n,)
        if form < 5:
            a, b = a[start : start + n], b[start : start + n]
        elif form == 5:
            a, b, shape = a[other], b[other], ()
        elif form == 6:
            a, b = (a[start : start + n], b[other]) if n % 2 else (a[other : other + 1], b[start : start + n])
        elif form == 7:
            a, b, shape = a[other : other + 3, None], b[other : other + 4], (3, 4)
        elif form == 8:
            a, b, shape = a[other : other + 4].reshape(2, 2, 4), b[other : other + 4].reshape(2, 2, 4), (2, 2)
        else:
            a, b, shape = a[:0], b[:0] if n % 2 else b[:1], (0,)
        weight = None
        form = rng.randrange(8)
        if form == 0:
            weight = rng.choice((0.5, 1, 2.0, 0.0))
        elif form == 1:
            weight = WEIGHTS[start : start + math.prod(shape)].reshape(shape)
        elif form == 2 and shape:
            weight = WEIGHTS[2 * other % 99 :: 2][: shape[-1]]
        elif form == 3 and shape:
            weight = WEIGHTS[:1].astype("float64")
        reduction = rng.choice(("mean", "sum", "none"))
        return Call(loss, kind, dtype, layout, a, b, shape, weight, reduction, rng.choice(self.formats), rng.choice(("", "pred", "target", "both")))

    def run(self, n: int, *, tensors: bool, share: float) -> None:
        """`n` calls; a `share` of them is held to the plain formula."""
        for k in range(n):
            call = self.drawn(tensors)
            try:
                of_tensors(call, self.rng.random() < share) if tensors else of_arrays(call, self.rng.random() < share)
            except Exception as error:
                raise AssertionError(f"call {k}, {'on tensors' if tensors else 'on arrays'}: {type(error).__name__}: {error}\n{call}") from error


WEIGHTS = np.resize(np.linspace(0.25, 3, 97), 3 * POOL).astype("float32")
NAMES = {"pred": ("a",), "target": ("b",), "both": ("a", "b"), "": ()}


def of_arrays(call: Call, compared: bool) -> None:
    gradients: tuple[Array, ...] = ()
    if call.wrt:
        value, found = call.loss.value_and_gradient(call.a, call.b, wrt=call.wrt, **call.how)
        gradients = found if call.wrt == "both" else (found,)
    else:
        value = call.loss(call.a, call.b, **call.how)
    wide = WIDE.get(call.dtype, "float32")
    assert value.dtype == wide
    for gradient, name in zip(gradients, NAMES[call.wrt], strict=True):
        assert gradient.dtype == wide
        assert gradient.shape == getattr(call, name).shape
    judge(call, value, gradients)
    if compared:
        with plain():
            held_to(call, value, call.loss(call.a, call.b, **call.how))
            if call.wrt and call.kind not in ("ill", *STEEP):
                _, wanted = call.loss.value_and_gradient(call.a, call.b, wrt=call.wrt, **call.how)
                for got, want in zip(gradients, wanted if call.wrt == "both" else (wanted,), strict=True):
                    close(got, want, wide, "sum", scale=np.full(want.shape, float(np.abs(want).max(initial=0))))


def of_tensors(call: Call, compared: bool) -> None:
    x, y = torch.from_numpy(call.a), torch.from_numpy(call.b)
    if x.is_floating_point():
        x, y = (z.detach().requires_grad_(name in NAMES[call.wrt]) for name, z in (("a", x), ("b", y)))
    how = call.how
    if isinstance(call.weight, np.ndarray):
        how["weight"] = torch.from_numpy(call.weight)
    value = call.loss(x, y, **how)
    assert str(value.dtype) == "torch." + WIDE.get(call.dtype, "float32")
    gradients = []
    if value.requires_grad:
        value.backward(value.detach() * 0 + 1 if value.dim() else None)
        for z in (x, y):
            if z.requires_grad:
                assert z.grad is not None
                assert z.grad.shape == z.shape
                assert z.grad.dtype is z.dtype
                gradients.append(z.grad.numpy())
    judge(call, value.detach().numpy(), tuple(gradients))
    if compared:
        with plain():
            held_to(call, value.detach().numpy(), call.loss(x.detach(), y.detach(), **how).numpy())


def judge(call: Call, value: Array, gradients: tuple[Array, ...]) -> None:
    assert value.shape == (call.shape if call.reduction == "none" else ())
    if call.kind != "ill" or call.dtype not in ("float32", "float64"):
        assert np.isfinite(value).all(), f"the value is {value}"
        for gradient in gradients:
            assert call.kind in STEEP or np.isfinite(gradient).all(), f"a gradient is {gradient}"


def held_to(call: Call, got: Array, want: Array) -> None:
    if call.reduction == "none":
        assert np.array_equal(got, want, equal_nan=True), f"{got}, not {want}"
    elif np.isnan(want):
        assert np.isnan(got)
    else:
        close(got, want, str(want.dtype), "sum")
