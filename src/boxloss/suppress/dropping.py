"""Kinds of suppression that drop boxes and leave the others as they are: fast, cluster and adaptive."""

from typing import Any

import numpy as np

from boxloss.errors import ParameterError, ShapeError
from boxloss.formulas import Formula
from boxloss.losses.kinds import as_numpy
from boxloss.ops import Array, as_array
from boxloss.suppress.inputs import Measure, detections, refuse_number
from boxloss.suppress.overlaps import overlaps, staying


def fast_nms(boxes: Array, scores: Array, labels: Array | None = None, *, threshold: float = 0.5, measure: str | Formula = "iou", **parameters: Any) -> Array:
    """Fast NMS: the rows that stay, best score first. A box is dropped if its similarity with *any* better one, dropped or not, is greater than `threshold`.

        stays(j) = max over i better than j of similarity(i, j) <= threshold

    What is dropped still drops: never more stays than with greedy suppression, and in a crowd less. `boxes`: (N, 4) xyxy in any unit, `scores`: (N,),
    `labels`: (N,) integers, all one class where not given. Equal scores rank in the order given. `measure`: a name of the catalogue, or a formula, with its
    `parameters`. NumPy or torch in, rows (K,) int64 of the same kind out.
    Raises ShapeError, DTypeError, UnknownNameError, and ParameterError for a NaN among the scores or a threshold outside the measure's range.

    >>> row = [[0, 0, 10, 10], [0, 4, 10, 14], [0, 8, 10, 18]]  # each overlaps the next with an IoU of 3/7; the last does so with the first by 1/9
    >>> fast_nms(row, [0.9, 0.8, 0.7], threshold=0.4).tolist()
    [0]
    >>> cluster_nms(row, [0.9, 0.8, 0.7], threshold=0.4).tolist()
    [0, 2]

    Reference: Bolya et al., "YOLACT: Real-time Instance Segmentation", ICCV 2019, arXiv:1904.02689. There only the best 200 boxes of a class are
    looked at; here all are.
    """
    asked = Measure("fast_nms", measure, parameters, fast_nms)
    bar = asked.threshold(threshold)
    found = detections("fast_nms", boxes, scores, labels)
    stay = np.ones(len(found.boxes), bool)
    stay[overlaps(found, bar, asked).worse] = False
    return found.back(found.order[stay])


def cluster_nms(
    boxes: Array, scores: Array, labels: Array | None = None, *, threshold: float = 0.5, measure: str | Formula = "iou", **parameters: Any
) -> Array:
    """Cluster-NMS: the rows that stay, best score first. Exactly what greedy suppression lets stay, found by whole-array rounds rather than box by box.

        b_0 = 1;   b_t+1(j) = max over i better than j of b_t(i) similarity(i, j) <= threshold;   until b_t+1 = b_t

    Fast NMS is the first round. Arguments, ties and errors as in `fast_nms`; `cluster_spm_nms` and `cluster_weighted_nms` are its variants.

    >>> cluster_nms([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]], [0.6, 0.9, 0.5], threshold=0.7).tolist()
    [1, 2]

    Reference: Zheng et al., "Enhancing Geometric Factors in Model Learning and Inference for Object Detection and Instance Segmentation", IEEE Transactions
    on Cybernetics 2021, arXiv:2005.03572.
    """
    asked = Measure("cluster_nms", measure, parameters, cluster_nms)
    bar = asked.threshold(threshold)
    found = detections("cluster_nms", boxes, scores, labels)
    return found.back(found.order[staying(overlaps(found, bar, asked))])


def adaptive_nms(
    boxes: Array,
    scores: Array,
    densities: Array,
    labels: Array | None = None,
    *,
    threshold: float = 0.5,
    measure: str | Formula = "iou",
    **parameters: Any,
) -> Array:
    """Adaptive NMS: the rows that stay, best score first. Greedy suppression whose threshold rises where a box stands in a crowd.

    A box is dropped if its similarity with a better one i that stays is greater than max(threshold, densities[i]).

    `densities`: (N,), in [0, 1], what a network predicts for each box: how much the object overlaps others, the largest IoU of its true box with another one.
    All 0 is greedy suppression. The other arguments, ties and errors as in `fast_nms`; ParameterError for a density outside [0, 1].

    >>> two, scores = [[0, 0, 10, 10], [4, 0, 14, 10]], [0.9, 0.8]  # IoU 3/7
    >>> adaptive_nms(two, scores, [0.0, 0.0], threshold=0.4).tolist(), adaptive_nms(two, scores, [0.5, 0.0], threshold=0.4).tolist()
    ([0], [0, 1])

    Reference: Liu, Huang and Wang, "Adaptive NMS: Refining Pedestrian Detection in a Crowd", CVPR 2019, arXiv:1904.03629.
    """
    asked = Measure("adaptive_nms", measure, parameters, adaptive_nms)
    bar = asked.threshold(threshold)
    refuse_number("adaptive_nms", "densities", densities, "numbers, (N,)")
    found = detections("adaptive_nms", boxes, scores, labels)
    crowded = as_numpy(as_array(densities, "densities"))
    if crowded.shape != found.scores.shape:
        raise ShapeError(f"adaptive_nms: densities has shape {crowded.shape}, expected {found.scores.shape}, one a box")
    wrong = ~((crowded >= 0) & (crowded <= 1))
    if wrong.any():
        raise ParameterError(f"adaptive_nms: densities[{int(np.argmax(wrong))}] is {crowded[wrong][0]:g}, expected a number in [0, 1]")
    pairs = overlaps(found, bar, asked)
    rank_density = crowded[found.order].astype(found.boxes.dtype)
    return found.back(found.order[staying(pairs.where(pairs.values > rank_density[pairs.better]))])
