"""The boxes that are measured on: sizes, shapes and overlaps as a detector meets them. The same seed, the same boxes."""

from typing import Any

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[Any]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def objects(n: int, width: float = 640, height: float = 480, seed: int = 0) -> Boxes:
    """(n, 4) float32: objects in a picture, about as large as COCO's: a median side of 60 px, from a few to some hundreds, of any aspect."""
    random = rng(seed)
    side, aspect = 60 * np.exp(random.normal(0, 1, n)), np.exp(random.normal(0, 0.5, n))
    half_w, half_h = np.clip(side * np.sqrt(aspect), 4, width) / 2, np.clip(side / np.sqrt(aspect), 4, height) / 2
    x, y = random.uniform(0, width, n), random.uniform(0, height, n)
    return np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1).astype(np.float32)


def matched(n: int, dtype: Any = np.float32, seed: int = 0) -> tuple[Boxes, Boxes]:
    """Predictions and their targets, (n, 4) each: most overlap well, some hardly and a few not at all, as during training."""
    random, target = rng(seed + 1), objects(n, seed=seed).astype(np.float64)
    size = target[:, 2:] - target[:, :2]
    centre = target[:, :2] + size / 2 + random.normal(0, 0.25, (n, 2)) * size
    half = size / 2 * np.exp(random.normal(0, 0.3, (n, 2)))
    return np.concatenate([centre - half, centre + half], axis=-1).astype(dtype), target.astype(dtype)


def anchors(n: int, width: int = 2688, height: int = 2016) -> Boxes:
    """(n, 4) float32: the first n of RetinaNet's anchors, nine a cell on strides of 8 to 128, in a picture as an aeroplane takes it: 1.01 million.

    Reference: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, section 4.
    """
    scales, ratios = np.array([1, 2 ** (1 / 3), 2 ** (2 / 3)]), np.array([0.5, 1, 2])
    levels = []
    for stride in (8, 16, 32, 64, 128):
        y, x = np.meshgrid(np.arange(0, height, stride), np.arange(0, width, stride), indexing="ij")
        centre = (np.stack([x, y], axis=-1) + 0.5 * stride).reshape(-1, 1, 2)
        half_w = (4 * stride * scales[:, None] / np.sqrt(ratios)).ravel() / 2
        half_h = (4 * stride * scales[:, None] * np.sqrt(ratios)).ravel() / 2
        half = np.stack([half_w, half_h], axis=-1)
        levels.append(np.concatenate([centre - half, centre + half], axis=-1).reshape(-1, 4))
    found = np.concatenate(levels).astype(np.float32)
    if len(found) < n:
        raise ValueError(f"{n} anchors asked for, a picture of {width} x {height} has {len(found)}")
    return found[:n]


def uniform(n: int, seed: int = 0) -> Boxes:
    """(n, 4) float32: corners anywhere in a square of 1,000 px, so that every box overlaps many."""
    corners = rng(seed).uniform(0, 1000, (n, 2, 2)).astype(np.float32)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=-1)


def clutter(n: int, seed: int = 0) -> tuple[Boxes, Boxes]:
    """(n, 4) and (n,) float32: boxes of 10 to 60 px and their scores, anywhere in a picture that grows with their number, so that a quarter of them are
    dropped at an IoU of 0.5."""
    random = rng(seed)
    centre, side = random.uniform(0, 10 * np.sqrt(n), (n, 2)), random.uniform(10, 60, (n, 2))
    return np.concatenate([centre - side / 2, centre + side / 2], axis=-1).astype(np.float32), random.random(n).astype(np.float32)


def raw_detections(n: int, n_objects: int = 100, seed: int = 0) -> tuple[Boxes, Boxes]:
    """(n, 4) and (n,) float32: what a detector says before suppression, n boxes around so many objects of a picture, the nearer the surer."""
    random = rng(seed)
    target = objects(n_objects, 1920, 1080, seed).astype(np.float64)[random.integers(0, n_objects, n)]
    size, off = target[:, 2:] - target[:, :2], np.abs(random.standard_normal((n, 1)))
    centre = (target[:, :2] + target[:, 2:]) / 2 + 0.12 * off * random.standard_normal((n, 2)) * size
    half = size / 2 * np.exp(0.12 * off * random.standard_normal((n, 2)))
    scores = 1 / (1 + np.exp(2 * off[:, 0] + 0.5 * random.standard_normal(n)))
    return np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32), scores.astype(np.float32)
