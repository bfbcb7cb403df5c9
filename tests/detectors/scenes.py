"""Pictures so simple that a detector learns them in seconds: one bright rectangle each, on grey."""

import numpy as np

from boxloss.datasets.types import Picture


def rectangle(i: int, seed: int = 0, size: tuple[int, int] = (64, 48)) -> Picture:
    rng = np.random.Generator(np.random.PCG64([seed, i]))
    width, height = size
    w, h = int(rng.integers(12, 30)), int(rng.integers(12, 30))
    x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
    label = int(rng.integers(2))
    pixels = np.full((height, width, 3), 90, dtype=np.uint8)
    pixels[y : y + h, x : x + w] = (250, 80, 20) if label else (20, 80, 250)
    box = np.array([[x, y, x + w, y + h]], dtype=np.float64)
    return Picture(f"p{i:03d}", width, height, box, np.array([label]), np.array([False]), array=pixels)


def rectangles(n: int, seed: int = 0) -> list[Picture]:
    return [rectangle(i, seed) for i in range(n)]
