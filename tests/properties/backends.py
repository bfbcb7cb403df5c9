"""The array libraries that every property is tried on: how to hand arrays in, get numbers out, and ask for a gradient."""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


class NoGradientError(AssertionError):
    """Values that do not hang together with the boxes that they were computed from."""


class NumPy:
    name = "numpy"
    has_gradient = False
    kernels = True  # or the plain formula, operation by operation?
    flushes = False  # are numbers below the smallest normal one taken for 0?
    rows_at_once: int | None = None  # pad batches to this many rows
    dtypes = ("float32", "float64", "float16", "int8", "uint8", "int16", "int32", "int64")

    def array(self, numbers: Array, dtype: str) -> Any:
        return np.asarray(numbers).astype(dtype)

    def numbers(self, array: Any) -> Array:
        return np.asarray(array)


class Torch(NumPy):
    name = "torch"
    has_gradient = True
    dtypes = (*NumPy.dtypes, "bfloat16")

    def array(self, numbers: Array, dtype: str) -> Any:
        import torch

        return torch.from_numpy(np.array(numbers)).to(getattr(torch, dtype))

    def numbers(self, array: Any) -> Array:
        array = array.detach()
        return (array.float() if "bfloat" in str(array.dtype) else array).numpy()

    def gradients(self, function: Callable[..., Any], a: Any, b: Any, upstream: Array) -> tuple[Array, Array]:
        a, b = a.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()
        values = function(a, b)
        if not values.requires_grad:
            raise NoGradientError("the values carry no gradient")
        values.backward(self.array(upstream, str(values.dtype).removeprefix("torch.")))
        return tuple(np.zeros(tuple(x.shape)) if x.grad is None else self.numbers(x.grad) for x in (a, b))  # type: ignore[return-value]


class PlainNumPy(NumPy):
    name = "numpy-plain"
    kernels = False


class PlainTorch(Torch):
    name = "torch-plain"
    kernels = False


class Jax(NumPy):
    name = "jax"
    has_gradient = True
    flushes = True  # XLA's CPU code runs with subnormal numbers switched off
    rows_at_once = 2400  # every operation is compiled anew for every shape: let most checks have the same one
    dtypes = Torch.dtypes

    def array(self, numbers: Array, dtype: str) -> Any:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        return jnp.asarray(numbers).astype(dtype)

    def gradients(self, function: Callable[..., Any], a: Any, b: Any, upstream: Array) -> tuple[Array, Array]:
        import jax

        values, back = jax.vjp(function, a, b)
        grad_a, grad_b = back(self.array(upstream, values.dtype))
        return np.asarray(grad_a), np.asarray(grad_b)


def installed() -> list[NumPy]:
    backends = (NumPy(), PlainNumPy(), Torch(), PlainTorch(), Jax())
    return [backend for backend in backends if importlib.util.find_spec(backend.name.removesuffix("-plain"))]
