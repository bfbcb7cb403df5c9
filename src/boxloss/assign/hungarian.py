"""Hungarian: one prediction for each object, such that the whole costs least."""

from typing import Any

import numpy as np

from boxloss.assign.inputs import Floats, Measure, check_weights, read
from boxloss.assign.types import BACKGROUND, Assignment
from boxloss.errors import InvalidBoxError, MissingExtraError, ParameterError
from boxloss.losses import pairwise
from boxloss.losses.inputs import check_number
from boxloss.losses.kinds import as_numpy
from boxloss.ops import as_array


def hungarian(
    priors: Any, objects: Any, predictions: Any = None, *,
    class_weight: float = 1.0, l1_weight: float = 5.0, overlap_weight: float = 2.0, measure: Measure = "giou",
) -> Assignment:  # fmt: skip
    """One prediction for each object (for as many as there are predictions), one object at most for each prediction, with the least sum of costs: minus
    `class_weight` times the score of the object's class, plus `l1_weight` times the sum of the differences of centre and size in shares of the picture,
    minus `overlap_weight` times the overlap.

    Where several assignments cost least SciPy takes one of them. `measure`: what overlap is, any similarity of the catalogue, chosen apart from the loss.

    `priors` are not looked at and may be None: DETR has none. `objects`: `Objects` with labels and size, the picture's, in the boxes' unit; `predictions`:
    `Predictions` with scores, a softmax's. A weight of 0 needs neither of what it weighs. `overlap` of the answer is that of the prediction.
    The matrix of all costs, P x N, is what this rule is about, and so memory grows with it. Raises ShapeError, DTypeError, ParameterError for what is
    missing, InvalidBoxError for predictions or objects that are not finite, and MissingExtraError without SciPy.

    >>> import boxloss as bl
    >>> said = bl.assign.Predictions(np.array([[0.0, 0, 0.5, 0.5], [0, 0, 0.5, 0.25]]), np.array([[0.5], [0.5]]))
    >>> hungarian(None, bl.assign.Objects([[0.0, 0, 0.5, 0.375]], size=(1, 1)), said).index.tolist()
    [0, -1]

    Reference: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, section 3.1 and appendix A.2.
    """
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise MissingExtraError("scipy", "compare", "the Hungarian assigner") from None
    asked = read("hungarian", None, objects, predictions, needs=("objects", "predictions"))
    check_weights("hungarian", class_weight=class_weight, l1_weight=l1_weight, overlap_weight=overlap_weight)
    said = asked.needed("predictions")
    _refuse_what_is_not_finite(predictions=said, objects=asked.objects)
    cost = -overlap_weight * pairwise(measure, said, asked.objects) if overlap_weight else np.zeros((len(said), len(asked.objects)))
    if class_weight:
        scores, labels = asked.class_scores()
        _refuse_what_is_not_finite(scores=scores)
        cost -= class_weight * scores[:, labels]
    if l1_weight:
        size = as_numpy(as_array(asked.needed("size"), "size"))
        if size.shape != (2,):
            raise ParameterError(f"hungarian: size has shape {size.shape}, expected two numbers, the picture's width and height")
        width, height = (check_number("hungarian", f"size[{i}]", side, 0, above_low=True) for i, side in enumerate(size.tolist()))
        unit = np.array([width, height, width, height], said.dtype)
        cost += l1_weight * pairwise("l1_cxcywh_loss", said / unit, asked.objects / unit)
    index = np.full(len(said), BACKGROUND)
    rows, columns = linear_sum_assignment(cost)
    index[rows] = columns
    return asked.assignment(index, measure, said)


def _refuse_what_is_not_finite(**arrays: Floats) -> None:
    """A cost that is NaN has no place in a sum that is to be least."""
    for name, rows in arrays.items():
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            raise InvalidBoxError(f"hungarian: {name}[{bad[0]}] is {rows[bad[0]].tolist()}, expected finite numbers: a training may have diverged")
