"""A data set so small that a trial takes a second, and what a run's folder says of its figures."""

import json
from pathlib import Path

import numpy as np

from boxloss.datasets import Dataset, Picture

SIZE = 64


def picture(name: str, rng: np.random.Generator, n_boxes: int = 2) -> Picture:
    """Red and green rectangles on dark noise."""
    pixels = rng.integers(0, 60, (SIZE, SIZE, 3), dtype=np.uint8)
    boxes = np.zeros((n_boxes, 4))
    labels = rng.integers(2, size=n_boxes)
    for k in range(n_boxes):
        width, height = rng.integers(10, 30, 2)
        x, y = rng.integers(0, SIZE - width), rng.integers(0, SIZE - height)
        pixels[y : y + height, x : x + width] = [(220, 40, 40), (40, 220, 40)][labels[k]]
        boxes[k] = x, y, x + width, y + height
    return Picture(name, SIZE, SIZE, boxes, labels, np.zeros(n_boxes, bool), None, pixels)


def tiny(splits: dict[str, int] | None = None, seed: int = 0) -> Dataset:
    """`splits`: how many pictures each has."""
    rng = np.random.default_rng(seed)
    made = {split: tuple(picture(f"{split}{i:03d}", rng) for i in range(n)) for split, n in (splits or {"train": 16, "test": 8}).items()}
    return Dataset("tiny", "embedded", ("red", "green"), made)


def figures(out: Path) -> dict[str, str]:
    """Everything that a run computed, as text, by file: equal to the digit means equal here. Without what tells of time, which no two runs share."""
    found = {}
    for path in sorted(out.rglob("*.json")):
        record = json.loads(path.read_bytes())
        for key in ("cpu_seconds", "setup_cpu_seconds", "sha256", "command"):
            record.pop(key, None)
        found[str(path.relative_to(out))] = json.dumps(record, sort_keys=True)
    return found
