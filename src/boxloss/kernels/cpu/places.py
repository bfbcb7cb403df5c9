"""Where NumPy's arrays lie, as the kernels are told it: addresses, and steps in numbers."""

from typing import Any

import numpy as np

Array = Any
Rows = tuple[int, int, int]
"""Where rows of four numbers lie: the address, and the steps from row to row and from column to column, in numbers."""


def place(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


def in_steps(x: Array) -> Array:
    """`x`, or a copy of it where its numbers lie a broken number of numbers apart, as in packed records."""
    return x if x.flags.aligned and not any(step % x.itemsize for step in x.strides) else np.ascontiguousarray(x)


def rows(boxes: Array) -> tuple[Array, Rows]:
    """Boxes of shape (n, 4), with where they lie; the first keeps the memory alive."""
    boxes = in_steps(boxes)
    return boxes, (place(boxes), boxes.strides[0] // boxes.itemsize, boxes.strides[1] // boxes.itemsize)
