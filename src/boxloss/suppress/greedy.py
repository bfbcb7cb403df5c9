"""Suppression: of detections that overlap too much, the best stays."""

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError, ShapeError
from boxloss.losses import pairwise


def nms(
    boxes: npt.NDArray[np.floating],
    scores: npt.NDArray[np.floating],
    labels: npt.NDArray[np.integer] | None = None,
    *,
    threshold: float = 0.5,
) -> npt.NDArray[np.int64]:
    """The rows that stay, best score first: greedy non-maximum suppression, within each class where `labels` are given.

    From the best score down (equal scores in the order given), a box is dropped if its IoU with one that stays is greater than `threshold`: an IoU equal to the
    threshold stays, 0 lets no two boxes overlap, 1 drops nothing.

    `boxes`: (N, 4) xyxy, `scores`: (N,), `labels`: (N,) integers. Raises ShapeError, and ParameterError for a threshold outside [0, 1].

    >>> nms(np.array([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]]), np.array([0.6, 0.9, 0.5]), threshold=0.7).tolist()
    [1, 2]
    """
    boxes, scores = np.asarray(boxes), np.asarray(scores)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1] or (labels is not None and np.shape(labels) != scores.shape):
        shapes = f"{boxes.shape}, {scores.shape}" + ("" if labels is None else f", {np.shape(labels)}")
        raise ShapeError(f"nms: boxes, scores and labels have shapes {shapes}, expected (N, 4), (N,), (N,)")
    if not 0 <= threshold <= 1:
        raise ParameterError(f"nms: threshold is {threshold}, expected a number in [0, 1]")
    order = np.argsort(-scores, kind="stable")
    if labels is None:
        return order[_stay(boxes[order], threshold)]
    of_class = np.asarray(labels)[order]
    stay = np.zeros(len(order), dtype=bool)
    for label in np.unique(of_class):
        rows = of_class == label
        stay[rows] = _stay(boxes[order[rows]], threshold)
    return order[stay]


def _stay(boxes: npt.NDArray[np.floating], threshold: float) -> npt.NDArray[np.bool_]:
    """Which boxes stay, best first."""
    stay = np.ones(len(boxes), dtype=bool)
    if len(boxes) < 2:
        return stay
    suppresses = pairwise("iou", boxes, boxes) > threshold
    for i in range(len(boxes)):
        if stay[i]:
            stay[i + 1 :] &= ~suppresses[i, i + 1 :]
    return stay
