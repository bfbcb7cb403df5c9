"""Which way of computing keeps the contract's accuracy: `python benchmarks/precision.py` prints the tables of docs/decisions/precision.md.

Three ways, on the tests' hazard classes, judged by the tests' exact oracle:

- `ours`: coordinates subtracted once, a power of two as unit, sums of non-negative parts, in the boxes' own type
- `textbook`: min, max, areas and a union by subtraction, in the boxes' own type
- `float64`: the textbook form on float64, the result rounded to the boxes' type
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

import boxloss as bl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from oracle import exact
from strategies import HAZARDS, hazard

Way = Callable[[Any, Any], Any]


def textbook_giou(a: Any, b: Any) -> Any:
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    overlap = np.clip(high - low, 0, None).prod(-1)
    area_a, area_b = (a[..., 2:] - a[..., :2]).prod(-1), (b[..., 2:] - b[..., :2]).prod(-1)
    union = area_a + area_b - overlap
    hull = (np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).prod(-1)
    return 1 - (overlap / union - (hull - union) / hull)


def in_float64(a: Any, b: Any) -> Any:
    return textbook_giou(a.astype(np.float64), b.astype(np.float64)).astype(a.dtype)


def ours(a: Any, b: Any) -> Any:
    with bl.plain():  # operation by operation, as the two others: the kernels have the same bits, sooner
        return bl.giou_loss(a, b, reduction="none")


def worst(way: Way, name: str, dtype: Any, n: int) -> float:
    """The largest error over `n` pairs, in roundoffs of the type; infinite for NaN, infinity, and anything but 0 where 0 is right."""
    a, b = hazard(name, n, dtype, 7)
    with np.errstate(all="ignore"):
        got = way(a, b)
    roundoff, most = 2.0 ** -(np.finfo(dtype).nmant + 1), 0.0
    for i in range(n):
        want = exact.value("giou", a[i].tolist(), b[i].tolist())
        want = mpmath.mpf(want.numerator) / want.denominator
        if not np.isfinite(got[i]):
            return float("inf")
        gap = abs(mpmath.mpf(float(got[i])) - want)
        most = max(most, 0.0 if gap == 0 else float("inf") if want == 0 else float(gap / want) / roundoff)
    return most


def seconds(way: Way, dtype: Any, n: int = 200_000) -> float:
    a, b = hazard(HAZARDS[0], n, dtype, 7)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        with np.errstate(all="ignore"):
            way(a, b)
        times.append(time.perf_counter() - start)
    return min(times)


def main(n: int = 1000) -> None:
    ways: dict[str, Way] = {"ours": ours, "textbook": textbook_giou, "float64": in_float64}
    for dtype in (np.float32, np.float64):
        print(f"\nGIoU loss, {np.dtype(dtype).name}: worst error in roundoffs over {n} pairs a class\n")
        print("| class | " + " | ".join(ways) + " |\n|---|" + "---|" * len(ways))
        for name in HAZARDS:
            print(f"| {name} | " + " | ".join(f"{worst(way, name, dtype, n):.3g}" for way in ways.values()) + " |")
        base = seconds(textbook_giou, dtype)
        print("| time, as a multiple of textbook | " + " | ".join(f"{seconds(way, dtype) / base:.2f}" for way in ways.values()) + " |")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
