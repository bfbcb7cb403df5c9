"""What every kind of suppression is given: checked, and in the types that it is computed in."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.losses.kinds import as_numpy, like
from boxloss.ops import Array, as_array, astype, check_same_kind, is_complex, working_dtype

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Detections:
    """Boxes (N, 4) of float32 or float64 without gaps, scores (N,) of float32 or float64, labels (N,) int64, all 0 where there are none.

    A box with a coordinate that is not finite has NaN for all four: it overlaps nothing.
    """

    boxes: npt.NDArray[Any]
    scores: npt.NDArray[Any]
    labels: Rows
    given: Array
    """The boxes as they came, for results of their kind."""

    @functools.cached_property
    def order(self) -> Rows:
        """The rows, best score first, equal scores in the order given."""
        return np.argsort(-self.scores, kind="stable")

    def back(self, numbers: npt.NDArray[Any]) -> Array:
        """`numbers` as the kind of array that came."""
        return like(self.given, numbers)


def detections(call: str, boxes: Any, scores: Any, labels: Any = None) -> Detections:
    """Raises `ShapeError`, `DTypeError`, and `ParameterError` where a score is NaN."""
    boxes, scores = as_array(boxes, "boxes"), as_array(scores, "scores")
    check_same_kind(call, ("boxes", "scores"), boxes, scores)
    labels = None if labels is None else as_array(labels, "labels")
    if boxes.ndim != 2 or boxes.shape[1] != 4 or tuple(scores.shape) != (len(boxes),) or (labels is not None and tuple(labels.shape) != (len(boxes),)):
        shapes = ", ".join(str(tuple(x.shape)) for x in (boxes, scores, labels) if x is not None)
        raise ShapeError(f"{call}: boxes, scores and labels have shapes {shapes}, expected (N, 4), (N,), (N,)")
    for name, x in (("boxes", boxes), ("scores", scores)):
        if is_complex(x):
            raise DTypeError(f"{call}: {name} holds {x.dtype}, expected real numbers")
    numbers = np.ascontiguousarray(as_numpy(astype(boxes, working_dtype(boxes))))
    of_scores = as_numpy(astype(scores, working_dtype(scores)))
    if np.isnan(of_scores).any():
        i = int(np.argmax(np.isnan(of_scores)))
        raise ParameterError(f"{call}: scores[{i}] is NaN, which has no place in an order: often a sign of a network that diverged")
    if not np.isfinite(numbers).all():
        numbers = np.where(np.isfinite(numbers).all(1, keepdims=True), numbers, numbers.dtype.type(np.nan))
    return Detections(numbers, of_scores, _classes(call, labels, len(numbers)), boxes)


def _classes(call: str, labels: Array | None, n: int) -> Rows:
    if labels is None:
        return np.zeros(n, np.int64)
    numbers = as_numpy(labels)
    if numbers.dtype.kind not in "iub":
        raise DTypeError(f"{call}: labels holds {labels.dtype}, expected integers")
    return np.ascontiguousarray(numbers, np.int64)
