"""From a detector's outputs to detections in pixels of the original pictures."""

import numpy as np
import torch
from torch import nn

from boxloss.detectors.loader import Resized, scale_of
from boxloss.evaluate.suppressed import KINDS, THRESHOLD

Detections = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (n, 4) float32 xyxy, scores (n,) float32, labels (n,) int64; best score first."""


def predict(
    detector: nn.Module,
    data: Resized,
    *,
    batch_size: int = 32,
    min_score: float = 0.03,
    nms: str = "greedy",
    threshold: float = THRESHOLD,
    n_candidates: int = 200,
    n_kept: int = 100,
) -> dict[str, Detections]:
    """What `detector` sees in each picture, by name; boxes in pixels of the original picture and inside it.

    Of each picture's scores the best `n_candidates` above `min_score` go through suppression within their class, of the kind `nms` at `threshold` (see
    `boxloss.evaluate.suppressed`), and the best `n_kept` stay.
    """
    training = detector.training
    detector.eval()
    found: dict[str, Detections] = {}
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            outputs = detector(data.images[start : start + batch_size])
            for picture, logits, boxes in zip(data.pictures[start : start + batch_size], outputs.logits, outputs.boxes, strict=True):
                scale = (1 / scale_of(picture, data.size)).astype(np.float32)
                limits = np.array([picture.width, picture.height] * 2, dtype=np.float32)
                rows, labels, scores = _candidates(torch.sigmoid(logits), min_score, n_candidates)
                pixels = np.clip(boxes.numpy()[rows] * scale, 0, limits)
                pixels, scores, labels = (part[:n_kept] for part in KINDS[nms](pixels, scores, labels, threshold))
                found[picture.name] = (pixels.astype(np.float32), scores.astype(np.float32), labels)
    detector.train(training)
    return found


def _candidates(scores: torch.Tensor, min_score: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, labels and scores of the best `n` of the scores (P, C) that are above `min_score`; equal ones in the order of their points."""
    flat = scores.numpy().ravel()
    above = np.flatnonzero(flat > min_score)
    best = above[np.argsort(-flat[above], kind="stable")[:n]]
    rows, labels = np.divmod(best, scores.shape[1])
    return rows, labels, flat[best]
