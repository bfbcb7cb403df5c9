"""Segments and volumes to try losses on, of the same classes as `strategies`' rectangles."""

from typing import Any

import numpy as np

from strategies import hazard

ENDS = {1: "xx", 2: "xyxy", 3: "xyzxyz"}


def solids(name: str, n_axes: int, n: int, dtype: Any = "float64", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`n` pairs of boxes of the class `name`, one of `strategies.CLASSES`, in one or three dimensions: lower ends, then upper ends."""
    drawn = zip(hazard(name, n, dtype, seed), hazard(name, n, dtype, seed + 1000), strict=True)
    a, b = (np.hstack([first[:, :2], second[:, :1], first[:, 2:], second[:, 2:3]]) for first, second in drawn)
    kept = [0, 3] if n_axes == 1 else [0, 1, 2, 3, 4, 5]
    return a[:, kept], b[:, kept]
