"""Soft suppression: what overlaps a better box is not dropped, but loses score."""

import functools
from typing import Any

import numpy as np

from boxloss import ops
from boxloss.calculus.derivative import without_holds
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.graph import Graph
from boxloss.calculus.trace import Traced
from boxloss.errors import UnknownNameError
from boxloss.formulas import Formula
from boxloss.kernels import switch
from boxloss.losses.inputs import check_number
from boxloss.ops import Array, number_of
from boxloss.suppress.inputs import Detections, Measure, Rows, detections
from boxloss.suppress.overlaps import check_idle, check_weights

DECAYS = ("gaussian", "linear")


def soft_nms(
    boxes: Array,
    scores: Array,
    labels: Array | None = None,
    *,
    decay: str = "gaussian",
    sigma: float | None = None,
    threshold: float | None = None,
    min_score: float = 0.001,
    measure: str | Formula = "iou",
    **parameters: Any,
) -> tuple[Array, Array]:
    """Soft-NMS: the rows in the order of their new scores, best first, and these scores.

    Always the highest score that is left is taken next (of equal ones the row given first), and the scores of the boxes of its class that are left fall:
    times exp(-o^2 / sigma) with `decay="gaussian"`, times 1 - o where o > threshold with "linear". o: the similarity to the box taken, where that is above 0.
    `sigma`, 0.5 where not given, is for the one decay, and `threshold`, 0.3, for the other. What falls below `min_score` is dropped; 0 drops nothing.

    `boxes`: (N, 4) xyxy in any unit, `scores`: (N,), at least 0, `labels`: (N,) integers, all one class where not given. Two arrays (K,), K <= N: rows
    (int64), and scores in the type of `scores`, float32 at least; worked out in float64. `measure`: a name of the catalogue or a formula, with its parameters.
    A box that is not finite, or inverted, overlaps nothing. Torch tensors on a GPU are worked on by the CPU: each step waits for the last.
    Raises ShapeError, DTypeError, UnknownNameError, and ParameterError where a score is NaN, infinite or negative, or a parameter is outside its range or the
    other decay's.

    >>> rows, scores = soft_nms([[0, 0, 10, 10], [0, 0, 10, 5], [20, 0, 30, 10]], [0.9, 0.8, 0.7], decay="linear")
    >>> rows.tolist(), scores.tolist()
    ([0, 2, 1], [0.9, 0.7, 0.4])

    Reference: Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code", ICCV 2017, arXiv:1704.04503, eqs. 3 and 4 (the code's threshold of
    0.3, sigma of 0.5 and least score of 0.001). Their code counts pixels (+ 1) for sides; here an IoU is an IoU.
    """
    found, asked = detections("soft_nms", boxes, scores, labels), Measure("soft_nms", measure, parameters, soft_nms)
    if decay not in DECAYS:
        raise UnknownNameError("decay of soft_nms", decay, DECAYS)
    check_idle("soft_nms", decay, "sigma", sigma, "gaussian")
    check_idle("soft_nms", decay, "threshold", threshold, "linear")
    width, bar = 0.5 if sigma is None else sigma, 0.3 if threshold is None else threshold
    strengths = {"gaussian": check_number("soft_nms", "sigma", width, 0, above_low=True), "linear": check_number("soft_nms", "threshold", bar, 0, 1)}
    least = check_number("soft_nms", "min_score", min_score, 0)
    check_weights("soft_nms", found)
    rows, lowered = _soft(found, asked, decay, strengths[decay], least)
    return found.back(rows), found.back(lowered.astype(found.scores.dtype))


@switch.or_plain
def _soft(found: Detections, measure: Measure, decay: str, strength: float, min_score: float) -> tuple[Rows, np.ndarray]:
    if not switch.cpu_kernels():
        return _one_by_one(found, measure, decay, strength, min_score)
    loops = _kernel(*measure.key, number_of(found.boxes), decay)
    nearby = (strength if decay == "linear" else 0.0) if measure.below_iou(found) else None
    rows, scores = loops(found.boxes, found.labels, found.scores.astype(np.float64), found.order, min_score, strength, nearby=nearby)
    return rows, scores


@functools.lru_cache(maxsize=256)
def _kernel(formula: Formula, parameters: tuple[tuple[str, Any], ...], number: str, decay: str) -> Any:
    from boxloss.kernels.cpu.soft import Soft

    return Soft(formula, parameters, number, _decay(decay, number))


def _one_by_one(found: Detections, measure: Measure, decay: str, strength: float, min_score: float) -> tuple[Rows, np.ndarray]:
    """The definition, which the kernels are held to."""
    scores, left = found.scores.astype(np.float64), np.arange(len(found.boxes))
    rows: list[int] = []
    factors = _decay(decay, number_of(found.boxes))
    while len(left):
        at = int(np.argmax(scores[left]))
        best = int(left[at])
        if scores[best] < min_score:
            break
        rows.append(best)
        left = np.delete(left, at)
        met = left[found.labels[left] == found.labels[best]]
        (factor,) = evaluate(factors, [measure.of(found.boxes[best], found.boxes[met]), strength])
        scores[met] *= factor
    return np.array(rows, np.int64), scores[rows]


@functools.cache
def _decay(name: str, number: str) -> Traced:
    """What a similarity does to a score, with a sigma or a threshold: the factor, as a graph, of which NumPy and the kernels give the same bits."""
    graph = Graph(number)
    measured, strength = graph.input("measured"), graph.input("strength")
    if name == "gaussian":
        factor = graph.where(measured > 0.0, ops.exp(-(measured * measured) / strength), 1.0)
    else:
        factor = graph.where(measured > strength, 1.0 - measured, 1.0)
    return Traced(name, (measured, strength), without_holds([factor])[0], ())
