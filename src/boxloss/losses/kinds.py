"""Results that are indices rather than functions of the boxes are worked out on NumPy's arrays, and given back as the kind that came in."""

import sys
from typing import Any

import numpy as np

from boxloss.ops import Array, is_jax, is_torch


def as_numpy(x: Array) -> "np.ndarray[Any, Any]":
    """The numbers of `x`, in the same memory where that can be."""
    if is_torch(x):
        return x.detach().cpu().numpy()  # type: ignore[no-any-return]
    return np.asarray(x.get() if hasattr(x, "get") else x)  # CuPy's arrays have to be asked


def like(x: Array, numbers: "np.ndarray[Any, Any]") -> Array:
    """`numbers` as the kind of array that `x` is, where `x` is."""
    if is_torch(x):
        return sys.modules["torch"].from_numpy(np.ascontiguousarray(numbers)).to(x.device)
    if is_jax(x):
        return sys.modules["jax"].numpy.asarray(numbers)
    if type(x).__module__.split(".")[0] == "cupy":
        return sys.modules["cupy"].asarray(numbers)
    return np.ascontiguousarray(numbers)
