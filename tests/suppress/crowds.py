"""Detections that kinds of suppression are tried on: drawn on a coarse grid, where ties abound, and those of two real detectors."""

import json
from typing import NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from shared_data import shared

unhurried = settings(deadline=None, max_examples=60)
"""The first example may wait for a kernel to be compiled."""


class Crowd(NamedTuple):
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


@st.composite
def crowds(draw, most=14, dtype=np.float64):
    """Boxes on a coarse grid (many equal, nested and touching; points and lines among them), scores with ties, labels."""
    n = draw(st.integers(0, most))
    whole = st.tuples(st.integers(0, 6), st.integers(0, 6))
    corner, sides = (np.array(draw(st.lists(whole, min_size=n, max_size=n))).reshape(-1, 2) for _ in range(2))
    scores = np.array(draw(st.lists(st.sampled_from([0.0, 0.125, 0.3, 0.5, 0.9, 1.0]), min_size=n, max_size=n)), dtype)
    labels = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int64)
    scale = draw(st.sampled_from([1.0, 0.1, 37.0]))
    return Crowd((np.hstack([corner, corner + sides]) * scale).astype(dtype), scores, labels)


thresholds = st.sampled_from([0.0, 0.25, 0.5, 0.6, 0.8, 1.0])


def real(detector: str) -> list[Crowd]:
    """What a real detector says about each of 50 pictures: "centernet" or "yolov3_tiny"."""
    records: dict[int, list[dict]] = {}
    for one in json.loads(shared("data", "detections", f"{detector}.json").read_text()):
        records.setdefault(one["image_id"], []).append(one)
    return [_crowd(records[image]) for image in sorted(records)]


def _crowd(records: list[dict]) -> Crowd:
    xywh = np.array([one["bbox"] for one in records])
    boxes = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
    return Crowd(boxes, np.array([one["score"] for one in records]), np.array([one["category_id"] for one in records]))
