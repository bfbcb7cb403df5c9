"""Kinds of suppression that lower scores, of all boxes at once: matrix, and cluster with its score penalty."""

from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.errors import UnknownNameError
from boxloss.formulas import Formula
from boxloss.losses.inputs import check_number, pair, quietly
from boxloss.ops import Array, ratio
from boxloss.suppress.inputs import Detections, Measure, detections
from boxloss.suppress.overlaps import Floats, Overlaps, check_idle, check_weights, overlaps, staying


def matrix_nms(
    boxes: Array,
    scores: Array,
    labels: Array | None = None,
    *,
    decay: str = "gaussian",
    sigma: float | None = None,
    min_score: float = 0.05,
    measure: str | Formula = "iou",
    **parameters: Any,
) -> tuple[Array, Array]:
    """Matrix NMS: the rows in the order of their new scores, best first, and these scores.

        score_j *= min over i better than j of f(o_ij) / f(most_i),   most_i = max over k better than i of o_ki
        f(o) = exp(-o^2 / sigma) with decay="gaussian", sigma 0.5 where not given;   1 - o with "linear", which has no sigma

    o: the similarity, 0 where it is negative. most_i stands for how likely i itself is suppressed: a box that overlaps a better one much lowers others little,
    and one that equals a better one (f = 0, linear) not at all. What falls below `min_score` is dropped; 0 drops nothing.

    `boxes`: (N, 4) xyxy in any unit, `scores`: (N,), at least 0, `labels`: (N,) integers, all one class where not given. Equal scores rank in the order
    given. Two arrays (K,) of the kind that came in: rows, int64, and scores in the type of `scores`, float32 at least, worked out in float64.
    `measure`: a name of the catalogue, or a formula, with its `parameters`.
    Raises ShapeError, DTypeError, UnknownNameError, and ParameterError for scores that are NaN, infinite or negative and parameters outside their range.

    >>> rows, scores = matrix_nms([[0, 0, 10, 10], [0, 0, 10, 5], [20, 0, 30, 10]], [0.9, 0.8, 0.7], decay="linear")
    >>> rows.tolist(), scores.tolist()
    ([0, 2, 1], [0.9, 0.7, 0.4])

    Reference: Wang et al., "SOLOv2: Dynamic and Fast Instance Segmentation", NeurIPS 2020, arXiv:2003.10152. Their code has exp(-sigma o^2) with
    a sigma of 2, which is 0.5 here, as in soft-NMS, and keeps scores from 0.05 up. Made for masks, whose overlap there is the masks' IoU.
    """
    check_number("matrix_nms", "min_score", min_score, 0)
    width = check_number("matrix_nms", "sigma", 0.5 if sigma is None else sigma, 0, above_low=True)
    decays: dict[str, Callable[[Floats], Floats]] = {"gaussian": lambda o: np.exp(-(o**2) / width), "linear": lambda o: 1 - o}
    if decay not in decays:
        raise UnknownNameError("decay of matrix_nms", decay, decays)
    check_idle("matrix_nms", decay, "sigma", sigma, "gaussian")
    asked = Measure("matrix_nms", measure, parameters, matrix_nms)
    found = detections("matrix_nms", boxes, scores, labels)
    check_weights("matrix_nms", found)
    pairs = overlaps(found, 0.0, asked)
    values, most = pairs.values.astype(np.float64), np.zeros(pairs.n)
    np.maximum.at(most, pairs.worse, values)
    # Those that do not overlap are not among the pairs: their 1 / f(most) is at least 1, and the best of a class, whose most is 0, has a factor of at most 1
    above, below = decays[decay](values), decays[decay](most)[pairs.better]
    factors = np.ones(pairs.n)
    np.minimum.at(factors, pairs.worse, np.divide(above, below, out=np.ones_like(above), where=below > 0))
    return _lowered(found, factors, min_score)


def cluster_spm_nms(
    boxes: Array,
    scores: Array,
    labels: Array | None = None,
    *,
    threshold: float = 0.5,
    sigma: float = 0.2,
    beta: float | None = None,
    min_score: float = 0.01,
    measure: str | Formula = "iou",
    **parameters: Any,
) -> tuple[Array, Array]:
    """Cluster-NMS with a score penalty: the rows in the order of their new scores, best first, and these scores.

        score_j *= product over i better than j, that stay, of exp(-o_ij^2 / sigma)
        score_j *= product over i better than j, that stay, of min(1, exp(-o_ij^2 / sigma) + d_ij^beta)     with `beta`

    Those that stay are those of `cluster_nms` at `threshold`; o is the similarity where it is above 0, other pairs count for nothing; d the squared distance
    of the centres over the squared diagonal of the hull: with `beta`, 0.6 in the paper, centres that are apart save a box's score. What is dropped by greedy
    suppression loses score here, and goes for good only below `min_score`; 0 drops nothing. The rest as in `matrix_nms`.

    >>> rows, scores = cluster_spm_nms([[0, 0, 10, 10], [0, 0, 10, 5], [20, 0, 30, 10]], [0.9, 0.8, 0.7])
    >>> rows.tolist(), scores.round(4).tolist()  # 0.8 exp(-0.25 / 0.2)
    ([0, 2, 1], [0.9, 0.7, 0.2292])

    Reference: Zheng et al., "Enhancing Geometric Factors in Model Learning and Inference for Object Detection and Instance Segmentation", IEEE Transactions
    on Cybernetics 2021, arXiv:2005.03572; sigma and the least score are those of their code.
    """
    bar = check_number("cluster_spm_nms", "threshold", threshold, 0, 1)
    check_number("cluster_spm_nms", "sigma", sigma, 0, above_low=True)
    check_number("cluster_spm_nms", "min_score", min_score, 0)
    if beta is not None:
        check_number("cluster_spm_nms", "beta", beta, 0, above_low=True)
    asked = Measure("cluster_spm_nms", measure, parameters, cluster_spm_nms)
    found = detections("cluster_spm_nms", boxes, scores, labels)
    check_weights("cluster_spm_nms", found)
    pairs = overlaps(found, 0.0, asked)
    stay = staying(pairs.where(pairs.values > pairs.values.dtype.type(bar)))
    pairs = pairs.where(stay[pairs.better])
    penalties = np.exp(-(pairs.values.astype(np.float64) ** 2) / sigma)
    if beta is not None:
        penalties = np.minimum(penalties + _distances(found, pairs) ** beta, 1)
    factors = np.ones(pairs.n)
    np.multiply.at(factors, pairs.worse, penalties)
    return _lowered(found, factors, min_score)


def _distances(found: Detections, pairs: Overlaps) -> Floats:
    """The centres' squared distance over the hull's squared diagonal."""
    boxes = found.boxes[found.order]
    both = pair(boxes[pairs.better], boxes[pairs.worse], "xyxy")
    distances: Floats = quietly(boxes, lambda: ratio(both.offset2, both.hull_diagonal2)).astype(np.float64)
    return distances


def _lowered(found: Detections, factors: Floats, min_score: float) -> tuple[Array, Array]:
    """What is left of the scores, best first, equal ones in the order given."""
    scores = np.empty_like(found.scores)
    scores[found.order] = found.scores[found.order] * factors
    rows = np.argsort(-scores, kind="stable")
    rows = rows[scores[rows] >= scores.dtype.type(min_score)]
    return found.back(rows), found.back(scores[rows])
