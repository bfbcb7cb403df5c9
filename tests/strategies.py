"""Pairs of boxes to try losses on: the contract's eleven hazard classes, shapes that formulas stumble over, and Hypothesis strategies.

`hazard(name, n, dtype, seed)` gives `(a, b)`, two (n, 4) arrays of `xyxy` boxes, x2 >= x1 and y2 >= y1, that hold exactly `dtype`'s numbers.
Sides are drawn apart (squares would make CIoU look like DIoU), and every class but those of `SHAPES` has overlapping pairs as well as disjoint ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray
Draw = Callable[[np.random.Generator, int, Any], tuple[Array, Array]]

# How far the second box lies from the first, in sides: the pairs of a class take these in turn
SHIFTS = np.array([0.05, 0.3, 0.8, 2.5])


def near_pairs(rng: np.random.Generator, n: int, sides: tuple[float, float], origin: tuple[float, float]) -> tuple[Array, Array]:
    """Boxes with log-uniform sides, and others of similar sides, shifted a little or far."""
    size_a = np.exp(rng.uniform(*np.log(sides), (n, 2)))
    size_b = size_a * np.exp(rng.uniform(-0.7, 0.7, (n, 2)))
    corner_a = rng.uniform(*origin, (n, 2))
    shift = np.resize(SHIFTS, n)[:, None] * rng.uniform(-1, 1, (n, 2)) * (size_a + size_b)
    corner_b = corner_a + (size_a - size_b) / 2 + shift
    return np.hstack([corner_a, corner_a + size_a]), np.hstack([corner_b, corner_b + size_b])


def coco(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    return near_pairs(rng, n, (4, 400), (0, 640))


def near_equal(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, _ = near_pairs(rng, n, (4, 400), (0, 640))
    a[::5, 2] = a[::5, 0] + 1e-3  # so slim that a thousandth of a pixel can part them
    corners = a + 1e-3 * rng.uniform(-1, 1, (n, 4))
    corners[::5, [0, 2]] = a[::5, [0, 2]] + rng.uniform(0.5e-3, 2e-3, (len(a[::5]), 1))
    return a, corners


def far(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    return near_pairs(rng, n, (2, 400), (2.0**20, 2.0**20 + 640))


def unit_small(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    return near_pairs(rng, n, (3e-5, 3e-4), (0, 1))


def subnormal(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, b = near_pairs(rng, n, (4, 2.0**18), (0, 2.0**18))
    step = float(np.finfo(dtype).smallest_subnormal)
    return np.round(a) * step, np.round(b) * step


def scaled(scale: float) -> Draw:
    def draw(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
        return near_pairs(rng, n, (0.1 * scale, 3 * scale), (0, 2 * scale))

    return draw


def integers(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    corner_a, corner_b = rng.integers(0, 12, (2, n, 2))
    size_a, size_b = rng.integers(1, 9, (2, n, 2))
    return np.hstack([corner_a, corner_a + size_a]), np.hstack([corner_b, corner_b + size_b])


def flattened(rng: np.random.Generator, n: int, axes: list[list[int]]) -> tuple[Array, Array]:
    """Pairs on a coarse grid whose first, second or both boxes are made flat along the axes named; some are equal."""
    a, b = integers(rng, n, None)
    for box, turns in ((a, (0, 2)), (b, (1, 2))):
        for row in range(n):
            if row % 3 in turns:
                for axis in axes[row // 3 % len(axes)]:
                    box[row, axis + 2] = box[row, axis]
    b[8::9] = a[8::9]
    unit = 2.0 ** np.resize([0, -30, 20, 60], n) * rng.uniform(0.5, 1, n)  # at every scale: a flat box has none of its own
    return a * unit[:, None], b * unit[:, None]


def points(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    return flattened(rng, n, [[0, 1]])


def lines(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    return flattened(rng, n, [[0], [1]])


def nested(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, _ = near_pairs(rng, n, (20, 300), (0, 640))
    cuts = np.sort(rng.uniform(0, 1, (n, 2, 2)), axis=1)
    size = np.tile(a[:, 2:] - a[:, :2], 2)
    inner = np.tile(a[:, :2], 2) + np.hstack([cuts[:, 0], cuts[:, 1]]) * size
    return (a, inner) if rng.random() < 0.5 else (inner, a)


def touching(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, b = integers(rng, n, dtype)
    axis = np.arange(n) % 2
    rows = np.arange(n)
    shift = a[rows, axis + 2] - b[rows, axis]
    b[rows, axis] += shift
    b[rows, axis + 2] += shift
    return a, b


def disjoint(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, b = near_pairs(rng, n, (4, 400), (0, 640))
    gap = np.exp(rng.uniform(-5, 7, n))
    b[:, [0, 2]] += (a[:, 2] - b[:, 0] + gap)[:, None]
    return a, b


def identical(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, _ = near_pairs(rng, n, (4, 400), (0, 640))
    return a, a.copy()


def slim(rng: np.random.Generator, n: int, dtype: Any) -> tuple[Array, Array]:
    a, b = near_pairs(rng, n, (4, 400), (0, 640))
    for box, axis in ((a, np.arange(n) % 2), (b, np.arange(n) // 2 % 2)):
        rows = np.arange(n)
        box[rows, axis + 2] = box[rows, axis] + rng.uniform(0.01, 1, n)
    return a, b


HAZARD_DRAWS: dict[str, Draw] = {
    "coco": coco,
    "near equal": near_equal,
    "far from the origin": far,
    "unit coordinates, sides of 1e-4": unit_small,
    "1e-12": scaled(1e-12),
    "subnormal": subnormal,
    "1e18": scaled(1e18),
    "1e25": scaled(1e25),
    "integers": integers,
    "points": points,
    "lines": lines,
}
SHAPE_DRAWS: dict[str, Draw] = {"nested": nested, "touching": touching, "disjoint": disjoint, "identical": identical, "slim": slim}

HAZARDS = tuple(HAZARD_DRAWS)
SHAPES = tuple(SHAPE_DRAWS)
CLASSES = HAZARDS + SHAPES


def hazard(name: str, n: int, dtype: Any = "float64", seed: int = 0) -> tuple[Array, Array]:
    """`n` pairs of the class `name`, one of `CLASSES`: two (n, 4) arrays of dtype."""
    draws = HAZARD_DRAWS | SHAPE_DRAWS
    rng = np.random.default_rng([seed, list(draws).index(name)])
    a, b = draws[name](rng, n, dtype)
    return in_order(a.astype(dtype)), in_order(b.astype(dtype))


def in_order(boxes: Array) -> Array:
    """Rounding to a type keeps x1 <= x2, but drawing may not: repair it."""
    return np.hstack([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])])


def inverted(n: int, dtype: Any = "float64", seed: int = 0) -> tuple[Array, Array]:
    """Pairs whose first, second or both boxes have left > right, top > bottom, or both."""
    a, b = hazard("coco", n, dtype, seed)
    orders = ([2, 1, 0, 3], [0, 3, 2, 1], [2, 3, 0, 1])
    for row in range(n):
        if row % 3 != 1:
            a[row] = a[row, orders[row // 3 % 3]]
        if row % 3 != 0:
            b[row] = b[row, orders[row // 9 % 3]]
    return a, b


def numbers(dtype: Any) -> st.SearchStrategy[float]:
    """Coordinates: small integers (for ties), pixels, shares of a picture, far ones. None that is nearer to 0 than 2^-20 without being 0."""
    far_off = 2.0**20
    steps = st.integers(0, int(far_off)).map(lambda i: i / far_off)
    return st.one_of(st.integers(-4, 12).map(float), steps, steps.map(lambda x: 1024 * x), st.floats(1.0, far_off, width=np.finfo(dtype).bits))


def boxes(dtype: Any = "float64") -> st.SearchStrategy[Array]:
    """One box, a (4,) array; lines and points among them."""

    def build(corners: list[float]) -> Array:
        return in_order(np.array([corners], dtype))[0]

    return st.lists(numbers(dtype), min_size=4, max_size=4).map(build)


@st.composite
def pairs(draw: st.DrawFn, dtype: Any = "float64") -> tuple[Array, Array]:
    """Two boxes at any scale: apart, sharing some coordinates, a step of rounding away from each other, or equal."""
    a, b = draw(boxes(dtype)), draw(boxes(dtype))
    shared = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    kind = draw(st.sampled_from(["apart", "shared", "next", "equal"]))
    if kind == "shared":
        b = np.where(shared, a, b)
    elif kind == "next":
        b = np.where(shared, a, a + np.spacing(np.maximum(np.abs(a), np.asarray(1, dtype))))
    elif kind == "equal":
        b = a.copy()
    scale = np.asarray(2.0 ** draw(st.integers(-60, 60)), dtype)
    return a * scale, in_order(b[None])[0] * scale
