"""Kinds of suppression that move the boxes that stay: each becomes the mean of what it stands for."""

from typing import Any, NamedTuple

import numpy as np

from boxloss.formulas import Formula
from boxloss.losses.inputs import check_number
from boxloss.ops import Array
from boxloss.suppress.inputs import Detections, Measure, detections
from boxloss.suppress.overlaps import Floats, Overlaps, check_weights, overlaps, staying


class Fused(NamedTuple):
    """Boxes (K, 4), scores (K,) and labels (K,), best score first: boxes that are not among those that came in."""

    boxes: Array
    scores: Array
    labels: Array


def weighted_nms(
    boxes: Array, scores: Array, labels: Array | None = None, *, threshold: float = 0.5, measure: str | Formula = "iou", **parameters: Any
) -> Fused:
    """Weighted NMS: the boxes that greedy suppression lets stay, each replaced by the mean of its cluster weighted by score times similarity.

        box_i = sum over j in cluster_i of w_ij box_j / sum of w_ij,   w_ij = score_j similarity(i, j)

    The cluster of i is i itself, with a similarity of 1, and the boxes that it drops: a dropped box belongs to the better one, of those that stay, that it is
    most similar to (of equal ones to the best). Scores stay. `boxes`: (N, 4) xyxy in any unit, `scores`: (N,), at least 0, `labels`: (N,) integers, all one
    class, 0, where not given. Equal scores rank in the order given. Boxes (K, 4), scores (K,) and labels (K,) of the kind that came in, best first; means are
    worked out in float64. `measure`: a name of the catalogue, or a formula, with its `parameters`; `threshold` in [0, 1], so that no weight is negative.
    Raises ShapeError, DTypeError, UnknownNameError, and ParameterError for scores that are NaN, infinite or negative or a threshold outside [0, 1].

    >>> weighted_nms([[0, 0, 10, 10], [0, 0, 10, 8]], [0.5, 0.5]).boxes.round(3).tolist()  # 10 weighs 1, 8 weighs 0.8
    [[0.0, 0.0, 10.0, 9.111]]

    Reference: Zhou et al., "CAD: Scale Invariant Framework for Real-Time Object Detection", ICCV Workshops 2017. Equal within rounding to
    ensemble-boxes 1.0.9's `non_maximum_weighted` where no two scores are.
    """
    bar = check_number("weighted_nms", "threshold", threshold, 0, 1)
    asked = Measure("weighted_nms", measure, parameters, weighted_nms)
    found = detections("weighted_nms", boxes, scores, labels)
    check_weights("weighted_nms", found)
    pairs = overlaps(found, bar, asked)
    stay = staying(pairs)
    pairs = pairs.where(stay[pairs.better])
    # Of each worse one the most similar: sorted, it comes first
    order = np.lexsort((pairs.better, -pairs.values, pairs.worse))
    first = np.ones(len(order), bool)
    first[1:] = pairs.worse[order][1:] != pairs.worse[order][:-1]
    chosen = np.zeros(len(order), bool)
    chosen[order[first]] = True
    return _means(found, stay, pairs.where(chosen))


def cluster_weighted_nms(
    boxes: Array,
    scores: Array,
    labels: Array | None = None,
    *,
    threshold: float = 0.5,
    similar: float = 0.8,
    measure: str | Formula = "iou",
    **parameters: Any,
) -> Fused:
    """Weighted cluster-NMS: the boxes that greedy suppression lets stay, each the mean of itself and all worse ones that are much like it.

        box_i = sum of w_ij box_j / sum of w_ij,   w_ij = score_j similarity(i, j),   over j = i (similarity 1) and each j worse than i above `similar`

    Unlike `weighted_nms`, whose other arguments and results it has, it takes only near copies into the mean, and one box may count in several means.

    >>> some = [[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 6]]
    >>> cluster_weighted_nms(some, [0.5, 0.5, 0.5]).boxes.round(3).tolist()  # 10 weighs 1, 9 weighs 0.9; the IoU with 6 is 0.6
    [[0.0, 0.0, 10.0, 9.526]]

    Reference: Zheng et al., "Enhancing Geometric Factors in Model Learning and Inference for Object Detection and Instance Segmentation", IEEE Transactions
    on Cybernetics 2021, arXiv:2005.03572; 0.8 is from their code.
    """
    bar = check_number("cluster_weighted_nms", "threshold", threshold, 0, 1)
    least = check_number("cluster_weighted_nms", "similar", similar, 0, 1)
    asked = Measure("cluster_weighted_nms", measure, parameters, cluster_weighted_nms)
    found = detections("cluster_weighted_nms", boxes, scores, labels)
    check_weights("cluster_weighted_nms", found)
    pairs = overlaps(found, min(bar, least), asked)
    number = pairs.values.dtype.type
    stay = staying(pairs.where(pairs.values > number(bar)))
    return _means(found, stay, pairs.where(stay[pairs.better] & (pairs.values > number(least))))


def _means(found: Detections, stay: np.ndarray, pairs: Overlaps) -> Fused:
    """The boxes that stay, each the mean of itself and the worse ones that it has a pair with. One without a pair stays to the bit."""
    boxes, scores = found.boxes[found.order].astype(np.float64), found.scores[found.order].astype(np.float64)
    weights = scores[pairs.worse] * pairs.values
    # As offsets from the box itself, so that nothing is lost far from the origin, and copies of one box stay that box
    offsets = boxes[pairs.worse] - boxes[pairs.better]
    total, moved = scores.copy(), np.zeros_like(boxes)
    np.add.at(total, pairs.better, weights)
    np.add.at(moved, pairs.better, weights[:, None] * offsets)
    shift: Floats = np.divide(moved, total[:, None], out=np.zeros_like(moved), where=total[:, None] > 0)
    rows = found.order[stay]
    return Fused(found.back((boxes + shift)[stay].astype(found.boxes.dtype)), found.back(found.scores[rows]), found.back(found.labels[rows]))
