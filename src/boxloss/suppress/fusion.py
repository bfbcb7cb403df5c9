"""Weighted box fusion: what several detectors say, averaged where they agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import InvalidBoxError, ParameterError, ShapeError, UnknownNameError
from boxloss.formulas import find
from boxloss.kernels import switch
from boxloss.losses.inputs import check_number, pair
from boxloss.losses.kinds import like
from boxloss.ops import Array, as_array
from boxloss.suppress.averaging import Fused
from boxloss.suppress.inputs import Detections, Rows, detections, refuse_number
from boxloss.suppress.overlaps import check_weights, classes

Floats = npt.NDArray[np.float64]


def weighted_box_fusion(
    boxes: Sequence[Array],
    scores: Sequence[Array],
    labels: Sequence[Array] | None = None,
    *,
    weights: Sequence[float] | None = None,
    threshold: float = 0.55,
    min_score: float = 0.0,
    score: str = "avg",
) -> Fused:
    """Weighted box fusion: the detections of several models as one list, best first. What agrees is averaged, and what few models see loses score.

    From the highest weighted score down (equal ones in the order given, model after model), a box joins the cluster of its class whose running mean it overlaps
    most (of equal ones the oldest), if that IoU is greater than `threshold`; else it begins a cluster. The mean of a cluster of boxes b with scores s:

        w = s * weight of its model;   box = sum of w b / sum of w
        score = sum of w / n * min(n, models) / sum of weights                                              "avg", with n boxes in the cluster
              = sum of w / sum of weights                                                                   "sum": may exceed 1
              = max of w / max of weights                                                                   "max"
              = sum of w / sum of the boxes' weights * weights of the models in the cluster / sum of weights    "box_and_model_avg"
              = sum of w / (sum of the boxes' weights + sum of the weights of the models not in the cluster)    "absent_model_aware_avg"

    `boxes`: a list with an array (N_m, 4) xyxy for each model, in any one unit; a model that found nothing has an empty one. `scores`, `labels`: likewise,
    (N_m,); all one class, 0, where no labels are given. `weights`: a number >= 0 for each model, 1 where not given. Boxes with a score below `min_score` are
    left out. NumPy or torch in, boxes (K, 4), scores (K,) and labels (K,) of the same kind out, worked out in float64 and given back in the type that came.

    Raises ShapeError, DTypeError, UnknownNameError; InvalidBoxError for a box that is not finite or inverted; ParameterError for scores that are NaN, infinite
    or negative and parameters outside their range.

    >>> one, other = [[0, 0, 10, 10]], [[0, 0, 10, 8], [50, 50, 60, 60]]
    >>> fused = weighted_box_fusion([one, other], [[0.75], [0.25, 0.5]])
    >>> fused.boxes.tolist(), fused.scores.tolist()  # both see the first: (0.75 + 0.25) / 2; one of two sees the second: 0.5 / 2
    ([[0.0, 0.0, 10.0, 9.5], [50.0, 50.0, 60.0, 60.0]], [0.5, 0.25])

    Reference: Solovyev, Wang and Gabruseva, "Weighted boxes fusion: Ensembling boxes from different object detection models", Image and Vision Computing 2021,
    arXiv:1910.13302. Equal to ensemble-boxes 1.0.9 within rounding (its `conf_type`; "sum" is its `allows_overflow`), but for these: it takes equal scores in
    no stated order, averages in float32, clips boxes to [0, 1], swaps inverted corners and leaves out boxes without area. Here no unit is assumed, a line or a
    point joins only its equal, and inverted boxes are refused.
    """
    if score not in SCORES:
        raise UnknownNameError("score of weighted_box_fusion", score, SCORES)
    bar = check_number("weighted_box_fusion", "threshold", threshold, 0, 1)
    least = check_number("weighted_box_fusion", "min_score", min_score, 0)
    models = _models(boxes, scores, labels)
    by_model = _weights(weights, len(models))
    if not models:
        return Fused(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))
    together = _together(models, by_model, least)
    cluster, means = _clusters(together, bar)
    found = SCORES[score](_sums(together, cluster, len(means), by_model))
    # Clusters are numbered as they begin, and so equal scores stand in the order of their first boxes
    order = np.argsort(-found, kind="stable")
    label = np.zeros(len(means), np.int64)
    label[cluster] = together.labels
    box_type, score_type = (np.result_type(*(getattr(model, of).dtype for model in models)) for of in ("boxes", "scores"))
    given = models[0].given
    return Fused(like(given, means[order].astype(box_type)), like(given, found[order].astype(score_type)), like(given, label[order]))


class _Together:
    """All models' boxes in one order, the best weighted score first."""

    def __init__(self, boxes: Floats, scores: Floats, weights: Floats, models: Rows, labels: Rows):
        order = np.argsort(-(scores * weights), kind="stable")
        self.boxes, self.weights, self.models, self.labels = boxes[order], weights[order], models[order], labels[order]
        self.weighted = (scores * weights)[order]


@dataclass(frozen=True)
class _Sums:
    """What scores are made of, an entry a cluster: the number of its boxes, the sum and the largest of their weighted scores, the sum of their weights, and
    that of the models it has boxes of. And the weight of each model."""

    n: Rows
    weighted: Floats
    best: Floats
    weights: Floats
    present: Floats
    by_model: Floats


def _sums(x: _Together, cluster: Rows, n: int, by_model: Floats) -> _Sums:
    def total(numbers: Floats, of: Rows = cluster) -> Floats:
        return np.bincount(of, numbers, n).astype(np.float64)

    best = np.zeros(n)
    np.maximum.at(best, cluster, x.weighted)
    pairs = np.unique(cluster * len(by_model) + x.models)  # each model once in each cluster
    present = total(by_model[pairs % len(by_model)], pairs // len(by_model))
    return _Sums(np.bincount(cluster, minlength=n), total(x.weighted), best, total(x.weights), present, by_model)


SCORES: dict[str, Callable[[_Sums], Floats]] = {
    "avg": lambda x: x.weighted / x.n * np.minimum(x.n, len(x.by_model)) / x.by_model.sum(),
    "sum": lambda x: x.weighted / x.by_model.sum(),
    "max": lambda x: x.best / x.by_model.max(),
    "box_and_model_avg": lambda x: _ratio(x.weighted, x.weights) * x.present / x.by_model.sum(),
    "absent_model_aware_avg": lambda x: _ratio(x.weighted, x.weights + (x.by_model.sum() - x.present)),
}
"""The score of each cluster, by name."""


def _ratio(above: Floats, below: Floats) -> Floats:
    """0 where all models of a cluster weigh nothing."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _models(boxes: Sequence[Array], scores: Sequence[Array], labels: Sequence[Array] | None) -> list[Detections]:
    """Each model's detections, checked."""
    for name, given in (("boxes", boxes), ("scores", scores), ("labels", labels)):
        refuse_number("weighted_box_fusion", name, given, "a list")
        if given is not None and not isinstance(given, (list, tuple)):
            shape = f" of shape {tuple(given.shape)}" if hasattr(given, "shape") else ""
            expected = f"a list with an array for each model: for one model try [{name}]"
            raise ShapeError(f"weighted_box_fusion: {name} is a {type(given).__name__}{shape}, expected {expected}")
    if len(boxes) != len(scores) or (labels is not None and len(labels) != len(boxes)):
        counts = ", ".join(str(len(x)) for x in (boxes, scores, labels) if x is not None)
        raise ShapeError(f"weighted_box_fusion: boxes, scores and labels are lists of {counts}, expected one array of each for every model")
    found = []
    for m, (of_boxes, of_scores) in enumerate(zip(boxes, scores, strict=True)):
        call = f"weighted_box_fusion: model {m}"
        array = as_array(of_boxes, "boxes")
        one = detections(call, array.reshape(0, 4) if tuple(array.shape) == (0,) else array, of_scores, None if labels is None else labels[m])
        check_weights(call, one)
        bad = ~((one.boxes[:, 0] <= one.boxes[:, 2]) & (one.boxes[:, 1] <= one.boxes[:, 3]))
        if bad.any():
            i = int(np.argmax(bad))
            hint = "expected finite corners with x1 <= x2 and y1 <= y2: is it xywh? Then try boxloss.boxes.convert"
            raise InvalidBoxError(f"{call}: boxes[{i}] is {as_array(array[i], 'box').tolist()}, {hint}")
        found.append(one)
    return found


def _weights(weights: Sequence[float] | None, n: int) -> Floats:
    if weights is None:
        return np.ones(n)
    if np.ndim(weights) != 1:
        raise ParameterError(f"weighted_box_fusion: weights is {weights}, expected a number for each model")
    if len(weights) != n:
        raise ShapeError(f"weighted_box_fusion: there are {len(weights)} weights, expected {n}, one a model")
    found = np.array([check_number("weighted_box_fusion", f"weights[{m}]", weight, 0) for m, weight in enumerate(weights)], np.float64)
    if n and not found.any():
        raise ParameterError("weighted_box_fusion: all weights are 0, expected one above 0 at least")
    return found


def _together(models: list[Detections], weights: Floats, min_score: float) -> _Together:
    numbers = np.repeat(np.arange(len(models)), [len(model.scores) for model in models])
    boxes = np.concatenate([model.boxes for model in models]).astype(np.float64)
    scores = np.concatenate([model.scores.astype(np.float64) for model in models])
    labels = np.concatenate([model.labels for model in models])
    kept = scores >= min_score
    return _Together(boxes[kept], scores[kept], weights[numbers[kept]], numbers[kept], labels[kept])


def _clusters(x: _Together, threshold: float) -> tuple[Rows, Floats]:
    """The cluster of each box, numbered by their first boxes, and the clusters' means."""
    cluster, means, n = np.empty(len(x.boxes), np.int64), [np.empty((0, 4))], 0
    for rows in classes(x.labels):
        of_class, some = _one_class(x.boxes[rows], x.weighted[rows], threshold)
        cluster[rows] = of_class + n
        means.append(some)
        n += len(some)
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    return place[number], np.concatenate(means)[order]


@switch.or_plain
def _one_class(boxes: Floats, weights: Floats, threshold: float) -> tuple[Rows, Floats]:
    if not switch.cpu_kernels():
        return _one_by_one(boxes, weights, threshold)
    from boxloss.kernels.cpu.fusing import clusters

    return clusters(find("iou"))(boxes, weights, threshold)


def _one_by_one(boxes: Floats, weights: Floats, threshold: float) -> tuple[Rows, Floats]:
    """The definition, which the kernel is held to."""
    measure: Callable[..., Any] = find("iou").measure
    cluster, means, totals, n = np.empty(len(boxes), np.int64), np.empty_like(boxes), np.zeros(len(boxes)), 0
    for i, (box, weight) in enumerate(zip(boxes, weights, strict=True)):
        met = np.flatnonzero((means[:n, :2] <= box[2:]).all(1) & (means[:n, 2:] >= box[:2]).all(1))
        with np.errstate(all="ignore"):
            values = measure(pair(means[met], box, "xyxy")) if len(met) else np.zeros(1)
        joins = np.max(values) > threshold
        c = int(met[np.argmax(values)]) if joins else n
        if not joins:
            n, means[c] = n + 1, box
        cluster[i] = c
        totals[c] += weight
        if joins and totals[c] > 0:
            # By its share of the way, so that the mean of copies is their box to the bit; rounding must not turn a slim box around
            means[c] += weight / totals[c] * (box - means[c])
            means[c, 2:] = np.maximum(means[c, 2:], means[c, :2])
    return cluster, means[:n]
