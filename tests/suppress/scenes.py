"""Detections to suppress: real ones, and drawn ones of every kind that pruning could stumble over."""

import json

import numpy as np
from hypothesis import strategies as st

from shared_data import shared
from strategies import CLASSES, hazard, inverted

DETECTORS = ("centernet", "yolov3_tiny")
THRESHOLDS = (0.0, 1e-6, 0.05, 0.3, 0.5, 0.6, 0.9, 1.0)


def detections(detector: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What a real detector says of each of 50 photos: boxes (n, 4) float32 xyxy, scores (n,), labels (n,)."""
    pictures: dict[int, list] = {}
    for one in json.loads(shared("data", "detections", f"{detector}.json").read_text()):
        pictures.setdefault(one["image_id"], []).append(one)
    found = []
    for some in pictures.values():
        boxes = np.array([one["bbox"] for one in some], np.float32)
        boxes[:, 2:] += boxes[:, :2]
        found.append((boxes, np.array([one["score"] for one in some], np.float32), np.array([one["category_id"] for one in some])))
    return found


def clutter(n: int, seed: int = 0, dtype="float32") -> np.ndarray:
    """Sparse clutter: objects of many sizes and shapes, and for every third one another hardly off it."""
    rng = np.random.default_rng(seed)
    centre, side = rng.uniform(0, 30 * np.sqrt(n), (n, 2)), np.exp(rng.uniform(np.log(4), np.log(80), (n, 1)) + rng.normal(0, 0.4, (n, 2)))
    twins = rng.integers(0, n, n // 3)
    centre[: n // 3], side[: n // 3] = centre[twins] + rng.normal(0, 0.1, (n // 3, 2)) * side[twins], side[twins]
    return np.hstack([centre - side / 2, centre + side / 2]).astype(dtype)


def _of_class(name: str, n: int, seed: int, dtype: str) -> np.ndarray:
    return np.vstack(hazard(name, n, dtype, seed))


def _giant(n: int, seed: int, dtype: str) -> np.ndarray:
    boxes = clutter(n, seed, dtype)
    boxes[seed % n] = boxes[:, :2].min(), boxes[:, :2].min(), boxes[:, 2:].max(), boxes[:, 2:].max()
    return boxes


def _one(n: int, seed: int, dtype: str) -> np.ndarray:
    return np.repeat(clutter(1, seed, dtype), n, axis=0)


def _mixed(n: int, seed: int, dtype: str) -> np.ndarray:
    parts = [hazard(name, max(n // 8, 3), dtype, seed)[k] for name in CLASSES for k in (0, 1)]
    return np.vstack([*parts, *inverted(max(n // 8, 3), dtype, seed)])


def _not_finite(n: int, seed: int, dtype: str) -> np.ndarray:
    boxes = clutter(n, seed, dtype)
    boxes[::7, 2], boxes[1::7, 0], boxes[2::7] = np.nan, -np.inf, (0, 0, np.inf, np.inf)
    return boxes


def _largest(n: int, seed: int, dtype: str) -> np.ndarray:
    return clutter(n, seed, "float64").astype(dtype) * (np.finfo(dtype).max / 10**4).astype(dtype)


SCENES = {name: lambda n, seed, dtype, name=name: _of_class(name, n, seed, dtype) for name in CLASSES} | {
    "clutter": lambda n, seed, dtype: clutter(n, seed, dtype),
    "one giant box over everything": _giant,
    "one box many times": _one,
    "all kinds at once": _mixed,
    "inverted": lambda n, seed, dtype: np.vstack(inverted(n, dtype, seed)),
    "not finite": _not_finite,
    "as large as the type": _largest,
}


@st.composite
def scenes(draw):
    """Boxes, scores with ties, labels."""
    seed, n = draw(st.integers(0, 2**16)), draw(st.sampled_from([1, 2, 5, 20, 60]))
    boxes = SCENES[draw(st.sampled_from(sorted(SCENES)))](n, seed, draw(st.sampled_from(["float32", "float64"])))
    rng = np.random.default_rng(seed)
    scores = rng.choice(np.array([0.0, 0.05, 0.3, 0.31, 0.8]), len(boxes)) if draw(st.booleans()) else rng.random(len(boxes))
    return boxes, scores.astype(draw(st.sampled_from(["float32", "float64"]))), rng.integers(0, draw(st.sampled_from([1, 3])), len(boxes))
