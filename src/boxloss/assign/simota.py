"""SimOTA: each object takes the predictions that cost it least, as many as its best overlaps add up to."""

from typing import Any

import numpy as np

from boxloss.assign.cells import central_pairs
from boxloss.assign.inputs import Floats, Inputs, Integers, Measure, at_least_one, best_of, check_weights, read, similarity
from boxloss.assign.ranking import Ranking, strongest
from boxloss.assign.types import Assignment

SMALLEST_LOG = -100.0
"""As in PyTorch's binary cross-entropy: no certainty costs more than any number of uncertainties, and costs are finite."""


def simota(
    priors: Any, objects: Any, predictions: Any = None, *, radius: float = 1.5, k: int = 10, overlap_weight: float = 3.0, measure: Measure = "iou"
) -> Assignment:
    """For each object the candidates are the priors whose points lie within `radius` of their strides of its centre, in x and in y. A candidate costs the
    binary cross-entropy of its class scores, summed over the classes, minus `overlap_weight` times the logarithm of the overlap of its *prediction* with
    the object. The object takes the n cheapest, n being the sum of its `k` greatest overlaps with any object's candidates, rounded down, at least 1.

    A prior that several objects take learns from the one that it costs least, and of equal ones from the first; of equally cheap candidates the first
    are taken. So an object with candidates may be left with none. No logarithm is below -100, and an overlap below 0 counts as 0.
    `measure`: what overlap is, any similarity of the catalogue, chosen apart from the loss.

    `priors`: `Priors` with strides; `objects`: `Objects` with labels; `predictions`: `Predictions` with scores (YOLOX's are the square root of class
    probability times objectness). `overlap` of the answer is that of the prediction. Memory grows with P x classes + N.
    Raises ShapeError, DTypeError, and ParameterError for what is missing, for scores outside [0, 1], and labels that have none.

    >>> import boxloss as bl
    >>> points, box = np.array([[0.0, 0, 8, 8], [8, 0, 16, 8]]), np.array([[0.0, 0, 16, 8]])
    >>> said = bl.assign.Predictions(np.array([[0.0, 0, 16, 8], [8, 0, 16, 8]]), np.array([[0.5], [0.5]]))
    >>> simota(bl.assign.Priors(points, np.array([8, 8])), box, said).index.tolist()
    [0, -1]

    Reference: Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430, section 2.1; Ge et al., "OTA", CVPR 2021, arXiv:2103.14259, section 3.3.
    The authors' code lets an object that has fewer than n candidates take other objects' at a cost of 10^6 more; here, as in the paper, it does with fewer.
    """
    asked = read("simota", priors, objects, predictions, needs=("priors", "objects", "predictions"))
    at_least_one("simota", k=k)
    check_weights("simota", overlap_weight=overlap_weight)
    said, class_cost, cheapest = asked.needed("predictions"), ClassCost(asked), Ranking(len(asked.objects), k)
    for of, prior in central_pairs(asked, radius):
        overlap = similarity(measure, said.take(prior, 0), asked.objects.take(of, 0))
        cheapest.offer(of, prior, overlap_weight * _log(overlap) - class_cost(prior, of))
    n_taken = _how_many(measure, asked.objects, said.take(np.flatnonzero(class_cost.candidates), 0), k)
    of, place = np.nonzero((cheapest.items >= 0) & (np.arange(k) < n_taken[:, None]))
    index = strongest(len(said), cheapest.items[of, place], of, cheapest.values[of, place])
    return asked.assignment(index, measure, said)


def _how_many(measure: Measure, objects: Floats, said: Floats, k: int) -> Integers:
    """What the k greatest overlaps of each object add up to."""
    values, _ = best_of(measure, objects, said, k)
    total = np.maximum(values, 0).sum(axis=1, dtype=np.float64)
    taken: Integers = np.maximum(total, 1).astype(np.int64)
    return taken


class ClassCost:
    """The binary cross-entropy of class scores with an object's class: that with no class at all, and what the object's own changes."""

    def __init__(self, asked: Inputs):
        self._scores, self._labels = asked.class_scores()
        self._of_none = np.zeros(len(self._scores))
        self.candidates = np.zeros(len(self._scores), dtype=bool)
        """The priors that were asked for."""

    def __call__(self, prior: Integers, of: Integers) -> Floats:
        new = np.zeros(len(self.candidates), dtype=bool)
        new[prior] = True
        new &= ~self.candidates
        self.candidates |= new
        uncertain = self._scores.take(np.flatnonzero(new), 0)
        np.subtract(1, uncertain, out=uncertain)
        self._of_none[new] = -_log(uncertain).sum(axis=1, dtype=np.float64)
        score = self._scores[prior, self._labels[of]]
        cost: Floats = self._of_none[prior] + (_log(1 - score) - _log(score))
        return cost


def _log(x: Floats) -> Floats:
    found: Floats = np.maximum(x, 0)  # and then in place: new memory for each step takes longer than the step
    with np.errstate(divide="ignore"):
        np.log(found, out=found)
    return np.maximum(found, SMALLEST_LOG, out=found)
