"""Pairs of boxes that a loss is measured on: always the same, for every loss."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pairs = tuple[Floats, Floats]
"""Predictions and targets, two arrays (n, 4) of boxes `xyxy`."""

SIDES = (0.1, 3.2)
REACH = 2.0  # centres lie within [-REACH, REACH], as in the published table's script
UNIT = np.array([0.0, 0.0, 1.0, 1.0])


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([20261126, seed])


def boxes(rng: np.random.Generator, n: int) -> Floats:
    """Boxes with sides in `SIDES` and centres within `REACH`."""
    centre, half = rng.uniform(-REACH, REACH, (n, 2)), rng.uniform(*SIDES, (n, 2)) / 2
    return np.hstack([centre - half, centre + half])


def random_pairs(n: int, seed: int = 0) -> Pairs:
    rng = generator(seed)
    return boxes(rng, n), boxes(rng, n)


def kinds(n: int, seed: int = 1) -> dict[str, Pairs]:
    """`n` pairs of each kind: apart, the one inside the other (half of them the prediction), and overlapping with edges of both inside the other."""
    a, b = random_pairs(16 * n, seed)
    apart = (_overlaps(a, b) <= 0).any(axis=1)
    inside = ((a[:, :2] > b[:, :2]) & (a[:, 2:] < b[:, 2:])).all(axis=1) | ((b[:, :2] > a[:, :2]) & (b[:, 2:] < a[:, 2:])).all(axis=1)
    across = ~apart & ~inside
    rng = generator(seed + 100)
    outer = boxes(rng, n)
    cuts = np.sort(rng.uniform(0.02, 0.98, (n, 2, 2)), axis=1)
    side = outer[:, 2:] - outer[:, :2]
    inner = np.hstack([outer[:, :2] + cuts[:, 0] * side, outer[:, :2] + cuts[:, 1] * side])
    first = (np.arange(n) % 2 == 0)[:, None]
    return {
        "apart": (a[apart][:n], b[apart][:n]),
        "nested": (np.where(first, inner, outer), np.where(first, outer, inner)),
        "overlapping": (a[across][:n], b[across][:n]),
    }


def _overlaps(a: Floats, b: Floats) -> Floats:
    return np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])


def extremes() -> Pairs:
    """Slim boxes across each other, boxes far apart, and small ones in the corner of a large one: where losses are largest."""
    pairs = [
        ((0, 0, 1, 1e6), (1e9, 1e9, 1e9 + 1e6, 1e9 + 1)),
        ((0, 0, 1e-3, 1), (1e6, 1e6, 1e6 + 1, 1e6 + 1e-3)),
        ((0, 0, 1, 1), (1e9, 1e9, 1e9 + 1, 1e9 + 1)),
        ((0, 0, 1, 1), (0, 0, 1e15, 1)),
        ((0, 0, 0, 0), (0, 0, 4, 4)),
        ((0, 0, 0, 0), (1, 1, 1, 1)),
        ((0, 0, 0, 8), (0, 0, 8, 0)),
        ((0, 0, 1, 1), (2, 0, 3, 1)),
    ]
    a, b = (np.array([pair[side] for pair in pairs], float) for side in (0, 1))
    return np.vstack([a, b]), np.vstack([b, a])


def hazards(dtype: str = "float64") -> dict[str, Pairs]:
    """Pairs that formulas stumble over, by name; every number is one of `dtype`."""
    rng = generator(2)
    n = 60
    a, b = boxes(rng, n), boxes(rng, n)
    whole_a, whole_b = (np.hstack([corner, corner + rng.integers(1, 6, (n, 2))]).astype(float) for corner in rng.integers(0, 8, (2, n, 2)))
    flat = whole_a.copy()
    flat[:, 2] = flat[:, 0]
    points = flat.copy()
    points[:, 3] = points[:, 1]
    step = float(np.finfo(dtype).smallest_subnormal)
    touching = whole_b + np.tile((whole_a[:, 2:] - whole_b[:, :2]) * np.array([1, 0]), 2)
    found = {
        "usual boxes": (a, b),
        "whole coordinates": (whole_a, whole_b),
        "one box twice": (a, a),
        "nearly one box": (a, a + rng.uniform(-1e-6, 1e-6, a.shape)),
        "touching boxes": (whole_a, touching),
        "a line and a box": (flat, whole_b),
        "two lines": (flat, np.roll(flat, 1, axis=0)),
        "a point and a box": (points, whole_b),
        "a box and a point": (whole_b, points),
        "two points": (points, np.roll(points, 1, axis=0)),
        "one point twice": (points, points),
        "boxes of 1e-12": (a * 1e-12, b * 1e-12),
        "boxes of 1e18": (a * 1e18, b * 1e18),
        "boxes of 1e25": (a * 1e25, b * 1e25),
        "subnormal coordinates": (whole_a * step, whole_b * step),
        "boxes far from the origin": (whole_a + 2.0**20, whole_b + 2.0**20),
        "inverted predictions": (whole_a[:, [2, 1, 0, 3]], whole_b),
        "inverted targets": (whole_a, whole_b[:, [0, 3, 2, 1]]),
    }
    return {name: (first.astype(dtype), second.astype(dtype)) for name, (first, second) in found.items()}
