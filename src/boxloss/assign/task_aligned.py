"""Task-aligned: a prior is as good for an object as its prediction is in class and place together."""

from typing import Any

import numpy as np

from boxloss.assign.cells import levels
from boxloss.assign.inputs import Floats, Inputs, Integers, Measure, at_least_one, check_weights, inside, read, similarity
from boxloss.assign.ranking import Ranking, strongest
from boxloss.assign.types import Assignment
from boxloss.errors import ParameterError
from boxloss.losses.kinds import as_numpy, like
from boxloss.ops import Array


def task_aligned(
    priors: Any, objects: Any, predictions: Any = None, *, k: int = 13, alpha: float = 1.0, beta: float = 6.0, measure: Measure = "iou"
) -> Assignment:
    """For each object, of the priors whose points lie strictly inside it, the `k` with the greatest alignment t = s^`alpha` u^`beta` learn from it: s is the
    score of the object's class, u the overlap of the prediction with the object.

    Of equally aligned priors the first are taken, and none with t = 0. A prior that several objects take learns from the one that its prediction overlaps
    most, and of equal ones from the first. An object may be left with none.
    `measure`: u, any similarity of the catalogue, chosen apart from the loss; what is below 0 counts as 0. The paper has IoU, Ultralytics CIoU.

    The score that a positive prior is to predict is `aligned_scores`. `priors`: `Priors` or (P, 4); with strides they are looked through level by level,
    which changes nothing but the time. `objects`: `Objects` with labels; `predictions`: `Predictions` with scores. `overlap` of the answer is u.
    Memory grows with P + N, beside the scores. Raises ShapeError, DTypeError, and ParameterError for what is missing, for scores outside [0, 1], and labels
    that have none.

    >>> import boxloss as bl
    >>> points, box = np.array([[0.0, 0, 8, 8], [8, 0, 16, 8]]), np.array([[0.0, 0, 16, 8]])
    >>> said = bl.assign.Predictions(np.array([[0.0, 0, 16, 8], [8, 0, 16, 8]]), np.array([[0.5], [0.5]]))
    >>> task_aligned(points, box, said, k=1).index.tolist()
    [0, -1]

    Reference: Feng et al., "TOOD: Task-aligned One-stage Object Detection", ICCV 2021, arXiv:2108.07755, section 3.2.
    """
    asked = read("task_aligned", priors, objects, predictions, needs=("priors", "objects", "predictions"))
    at_least_one("task_aligned", k=k)
    alignment, points = _Alignment(asked, alpha, beta, measure), asked.centres
    best = Ranking(len(asked.objects), k)
    for level in levels(points, asked.strides):
        for of, prior in level.pairs(asked.objects[:, :2], asked.objects[:, 2:]):
            within = inside(points, asked.objects, prior, of)
            of, prior = of[within], prior[within]
            aligned, _ = alignment(prior, of)
            best.offer(of, prior, np.where(aligned > 0, aligned, -np.inf))
    of, place = np.nonzero(best.items >= 0)
    chosen = best.items[of, place]
    index = strongest(len(points), chosen, of, alignment(chosen, of)[1])
    return asked.assignment(index, measure, alignment.said)


def aligned_scores(assignment: Assignment, objects: Any, predictions: Any, *, alpha: float = 1.0, beta: float = 6.0, measure: Measure = "iou") -> Array:
    """The score that each prior is to predict for its object's class, (P,) float32: t, stretched so that the greatest t among an object's priors becomes the
    greatest u among them; 0 for priors that have no object.

    Arguments as for `task_aligned`, whose assignment this goes on with.

    >>> import boxloss as bl
    >>> box, said = np.array([[0.0, 0, 16, 8]]), bl.assign.Predictions(np.array([[0.0, 0, 16, 8], [8, 0, 16, 8]]), np.array([[0.5], [0.5]]))
    >>> found = task_aligned(np.array([[0.0, 0, 8, 8], [8, 0, 16, 8]]), box, said)
    >>> aligned_scores(found, box, said).tolist()
    [1.0, 0.015625]

    Reference: as `task_aligned`, section 3.2.2, equation 3 with the normalised t.
    """
    if not isinstance(assignment, Assignment):
        raise ParameterError(f"aligned_scores: assignment is a {type(assignment).__name__}, expected what task_aligned gave")
    asked = read("aligned_scores", None, objects, predictions, needs=("objects", "predictions"))
    index = as_numpy(assignment.index)
    prior = np.flatnonzero(index >= 0)
    of = index[prior]
    aligned, overlap = _Alignment(asked, alpha, beta, measure)(prior, of)
    greatest_aligned, greatest_overlap = np.zeros((2, len(asked.objects)))
    np.maximum.at(greatest_aligned, of, aligned)
    np.maximum.at(greatest_overlap, of, overlap)
    wanted = np.zeros(len(index), np.float32)
    wanted[prior] = aligned / np.where(greatest_aligned > 0, greatest_aligned, 1.0)[of] * greatest_overlap[of]
    return like(assignment.index, wanted)


class _Alignment:
    """t and u of pairs of a prior and an object."""

    def __init__(self, asked: Inputs, alpha: float, beta: float, measure: Measure):
        check_weights(asked.call, alpha=alpha, beta=beta)
        self.said: Floats = asked.needed("predictions")
        self._scores, self._labels = asked.class_scores()
        self._objects, self._alpha, self._beta, self._measure = asked.objects, alpha, beta, measure

    def __call__(self, prior: Integers, of: Integers) -> tuple[Floats, Floats]:
        overlap = np.maximum(similarity(self._measure, self.said.take(prior, 0), self._objects.take(of, 0)), 0)
        # In float64, where u^6 is not 0 before u is.
        score = self._scores[prior, self._labels.take(of)].astype(np.float64)
        return score**self._alpha * overlap.astype(np.float64) ** self._beta, overlap
