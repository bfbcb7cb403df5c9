"""From what a caller passes to a `Pair`: shapes, kinds of array, types and formats are checked here, before any work."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.boxes import check_format, check_shape, corners
from boxloss.errors import DTypeError, ParameterError
from boxloss.ops import Array, as_array, astype, check_same_kind, is_complex, like_kind, working_dtype
from boxloss.pair import Pair


def prepare(call: str, names: tuple[str, str], a: Any, b: Any, format: str) -> tuple[Array, Array]:
    """Both arrays in the type that they are computed in. Raises `ShapeError`, `DTypeError` or `FormatError`."""
    last = 2 * check_format(format, call)
    a, b = as_array(a, names[0]), as_array(b, names[1])
    check_same_kind(call, names, a, b)
    a, b = like_kind(a, b), like_kind(b, a)
    for name, boxes in zip(names, (a, b), strict=True):
        check_shape(boxes, name, call, last)
        if is_complex(boxes):
            raise DTypeError(f"{call}: {name} holds {boxes.dtype}, expected real numbers")
    dtype = working_dtype(a, b)
    return astype(a, dtype), astype(b, dtype)


def pair(a: Array, b: Array, format: str) -> Pair:
    """The `Pair` of two prepared arrays that broadcast."""
    return Pair(columns(a, format), columns(b, format))


def columns(boxes: Array, format: str) -> tuple[Array, ...]:
    """The coordinates of the boxes' ends, lower ones and then upper ones, each of shape (...)."""
    # In `ltrb` both boxes are measured from one point, and it does not matter where it lies: from 0 nothing is rounded.
    return corners(tuple(boxes[..., i] for i in range(boxes.shape[-1])), format)


def quietly(like: Array, work: Callable[[], Array]) -> Array:
    """NumPy warns of what is meant: the branch that `where` does not take, and sizes far below one another."""
    if isinstance(like, np.ndarray):
        with np.errstate(all="ignore"):
            return work()
    return work()


def check_number(call: str, name: str, value: Any, low: float, high: float = math.inf, *, above_low: bool = False) -> float:
    """`value` as a float. Raises `ParameterError` unless it is a number in [low, high], or (low, high] with `above_low`."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (above_low and value == low) or value == math.inf:
        least = f"> {low:g}" if above_low else f">= {low:g}" if low > -math.inf else ""
        expected = f"a number in [{low:g}, {high:g}]" if high < math.inf and low > -math.inf else f"a number {least or f'<= {high:g}'}"
        raise ParameterError(f"{call}: {name} is {value!r}, expected {expected}")
    return float(value)
