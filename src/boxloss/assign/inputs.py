"""From what a caller passes to NumPy's arrays of one number type, and back: shapes and kinds are checked here, before any work."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.assign.types import IGNORED, Assignment, Objects, Predictions, Priors
from boxloss.boxes import check_shape
from boxloss.errors import DTypeError, ParameterError, ShapeError
from boxloss.formulas import Formula, find
from boxloss.losses import Similarity, nearest
from boxloss.losses.inputs import check_number
from boxloss.losses.kinds import as_numpy, like
from boxloss.ops import Array, as_array, astype, check_same_kind, is_complex, working_dtype

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Measure = str | Formula

WANTS = {
    "priors": "boxloss.assign.Priors(boxes, strides), or boxes (P, 4)",
    "objects": "boxloss.assign.Objects(boxes, labels), or boxes (N, 4)",
    "strides": "boxloss.assign.Priors(boxes, strides), or boxloss.assign.from_points(*boxloss.anchors.points(...))",
    "predictions": "boxloss.assign.Predictions(boxes, scores)",
    "scores": "boxloss.assign.Predictions(boxes, scores), with the probability of each class, (P, C)",
    "size": "boxloss.assign.Objects(boxes, labels, size=(width, height)); boxes in shares of the picture have size=(1, 1)",
}


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a rule is asked: boxes of one number type, float32 or float64."""

    call: str
    given: Array
    """Whose kind of array the answer is."""
    priors: Floats
    strides: Floats | None
    objects: Floats
    labels: Integers | None
    ignored: Floats
    size: tuple[float, float] | None
    predictions: Floats | None
    scores: Floats | None

    @property
    def centres(self) -> Floats:
        return centres(self.priors)

    def needed(self, field: str) -> Any:
        """What the rule cannot do without."""
        value = getattr(self, field)
        if value is None:
            raise missing(self.call, field)
        return value

    def class_scores(self) -> tuple[Floats, Integers]:
        """Each prediction's probabilities, (P, C), and each object's class."""
        scores, labels = self.needed("scores"), self.labels
        n_classes = scores.shape[1]
        if labels is None:
            if n_classes != 1:
                raise ParameterError(f"{self.call}: {n_classes} classes have scores, but the objects have no labels: try boxloss.assign.Objects(boxes, labels)")
            labels = np.zeros(len(self.objects), np.int64)
        if ((labels < 0) | (labels >= n_classes)).any():
            raise ParameterError(f"{self.call}: labels run from {labels.min()} to {labels.max()}, expected 0 to {n_classes - 1}, one column of the scores each")
        if not _all_shares(scores) and (scores.min() < 0 or scores.max() > 1):
            raise ParameterError(f"{self.call}: scores run from {scores.min():g} to {scores.max():g}, expected [0, 1]: try a sigmoid, or a softmax, first")
        return scores, labels

    def assignment(self, index: Integers, measure: Measure, boxes: Floats) -> Assignment:
        """The answer. `boxes`: (P, 4), what the measure is of, the priors or the predictions."""
        mask = index >= 0
        if len(self.ignored):
            index = np.where(~mask & within(centres(boxes), self.ignored), IGNORED, index)
        overlap = np.zeros(len(index), np.float32)
        overlap[mask] = similarity(measure, boxes.take(np.flatnonzero(mask), 0), self.objects.take(index[mask], 0))
        return Assignment(*(like(self.given, x) for x in (index, overlap, mask)))


def missing(call: str, field: str) -> ParameterError:
    return ParameterError(f"{call}: no {field} {'was' if field == 'size' else 'were'} given, expected {WANTS[field]}")


def read(call: str, priors: Any, objects: Any, predictions: Any = None, *, needs: tuple[str, ...] = ("priors", "objects")) -> Inputs:
    """Raises `ShapeError`, `DTypeError` and `ParameterError`. Boxes alone will do where there is nothing to say beside them."""
    for name, x in (("priors", priors), ("objects", objects), ("predictions", predictions)):
        if x is None and name in needs:
            raise missing(call, name)
        if isinstance(x, (tuple, list)) and not isinstance(x, (Priors, Objects, Predictions)) and x and np.ndim(x[0]) > 1:
            hint = "; boxloss.assign.from_points(*points) makes priors of points" if name == "priors" else ""
            raise ParameterError(f"{call}: {name} is a {type(x).__name__} of arrays, expected {WANTS[name]}{hint}")
    priors = Priors(priors) if not isinstance(priors, (Priors, type(None))) else priors
    objects = objects if isinstance(objects, Objects) else Objects(objects)
    predictions = Predictions(predictions) if not isinstance(predictions, (Predictions, type(None))) else predictions
    boxes = {"objects": objects.boxes, "ignored": objects.ignored}
    boxes = {"priors": getattr(priors, "boxes", None), "predictions": getattr(predictions, "boxes", None)} | boxes
    boxes = {name: _boxes(call, name, x) for name, x in boxes.items() if x is not None}
    first, given = next(iter(boxes.items()))
    for name, x in boxes.items():
        check_same_kind(call, (first, name), given, x)
    numbers = _numbers(list(boxes.values()))
    found = dict(zip(boxes, numbers, strict=True))
    n_priors, n_objects = len(given), len(objects.boxes)
    if "predictions" in found:
        _check_length(call, "predictions.boxes", found["predictions"], n_priors, first)
    dtype = numbers[0].dtype
    return Inputs(
        call=call,
        given=given,
        priors=found.get("priors", np.zeros((0, 4), dtype)),
        strides=_strides(call, getattr(priors, "strides", None), n_priors, dtype),
        objects=found["objects"],
        labels=_labels(call, objects.labels, n_objects),
        ignored=found.get("ignored", np.zeros((0, 4), dtype)),
        size=objects.size,
        predictions=found.get("predictions"),
        scores=_scores(call, getattr(predictions, "scores", None), n_priors),
    )


def _boxes(call: str, name: str, x: Any) -> Array:
    x = as_array(x, name)
    if name == "priors" and x.ndim == 2 and x.shape[1] == 2:
        raise ShapeError(f"{call}: priors has shape {tuple(x.shape)}, expected (P, 4): boxloss.assign.from_points(xy, strides) makes priors of points")
    check_shape(x, name, call, 4)
    if x.ndim != 2:
        raise ShapeError(f"{call}: {name} has shape {tuple(x.shape)}, expected (N, 4)")
    if is_complex(x):
        raise DTypeError(f"{call}: {name} holds {x.dtype}, expected real numbers")
    return x


def _numbers(arrays: list[Array]) -> list[Floats]:
    dtype = working_dtype(*arrays)
    return [np.ascontiguousarray(as_numpy(astype(x, dtype))) for x in arrays]


def _column(call: str, name: str, x: Array, n: int) -> npt.NDArray[Any]:
    found = as_numpy(x)
    if found.shape != (n,):
        raise ShapeError(f"{call}: {name} has shape {found.shape}, expected ({n},), one for each box")
    return found


def _strides(call: str, x: Any, n: int, dtype: npt.DTypeLike) -> Floats | None:
    if x is None:
        return None
    x = as_array(x, "strides")
    strides: Floats = _column(call, "priors.strides", astype(x, working_dtype(x)), n).astype(dtype)
    if not (strides > 0).all():
        raise ParameterError(f"{call}: strides are at least {strides.min()}, expected numbers > 0")
    return strides


def _labels(call: str, x: Any, n: int) -> Integers | None:
    if x is None:
        return None
    labels = _column(call, "objects.labels", as_array(x, "labels"), n)
    if labels.dtype.kind not in "iu" and n:
        raise DTypeError(f"{call}: labels are {labels.dtype}, expected integers")
    return labels.astype(np.int64)


def _scores(call: str, x: Any, n: int) -> Floats | None:
    if x is None:
        return None
    (scores,) = _numbers([as_array(x, "scores")])
    if scores.ndim != 2:
        raise ShapeError(f"{call}: predictions.scores has shape {scores.shape}, expected (P, C): for a single class try scores[:, None]")
    _check_length(call, "predictions.scores", scores, n, "boxes")
    return scores


def _all_shares(scores: Floats) -> bool:
    """Whether all are surely in [0, 1], in one pass: as whole numbers without a sign the bits of 0 to 1 stand below those of all other numbers."""
    bits = np.dtype(f"u{scores.itemsize}")
    return scores.size == 0 or bool(scores.view(bits).max() <= np.ones(1, scores.dtype).view(bits)[0])


def _check_length(call: str, name: str, x: Floats, n: int, of: str) -> None:
    if len(x) != n:
        raise ShapeError(f"{call}: {name} has shape {x.shape}, but there are {n} {of}, expected one row for each")


def similarity(measure: Measure, a: Floats, b: Floats) -> Floats:
    """Box i with box i."""
    found: Floats = Similarity(find(measure))(a, b)
    return found


def best_of(measure: Measure, a: Floats, b: Floats, k: int) -> tuple[Floats, Integers]:
    """For each box of `a` its `k` best of `b`: values and indices, (N, k)."""
    values, indices = nearest(measure, a, b, k=k)
    return values.reshape(len(a), k), indices.reshape(len(a), k)  # type: ignore[union-attr]


def centres(boxes: Floats) -> Floats:
    # Halved before they are added: the largest numbers do not overflow, and nothing else changes.
    left, top, right, bottom = (boxes * 0.5).T  # whole columns: NumPy is slow along an axis of two
    return np.stack([left + right, top + bottom], axis=1)


def inside(xy: Floats, boxes: Floats, point: Integers, of: Integers) -> Flags:
    """Of pairs of a point, whose places are `xy`, (P, 2), and a box, whether the point lies strictly inside."""
    x, y = (column.take(point) for column in np.ascontiguousarray(xy.T))
    left, top, right, bottom = (column.take(of) for column in np.ascontiguousarray(boxes.T))
    found: Flags = (left < x) & (x < right) & (top < y) & (y < bottom)
    return found


def within(xy: Floats, regions: Floats) -> Flags:
    """Which of the points (P, 2) lie in any of the regions (M, 4) xyxy, their sides included."""
    inside = np.zeros(len(xy), dtype=bool)
    for left, top, right, bottom in regions:  # regions are few; a matrix of all points and regions may not fit
        inside |= (left <= xy[:, 0]) & (xy[:, 0] <= right) & (top <= xy[:, 1]) & (xy[:, 1] <= bottom)
    return inside


def check_overlap(call: str, name: str, value: float, measure: Measure) -> None:
    """Raises `ParameterError` for what the measure can never be."""
    check_number(call, name, value, 1 - find(measure).interval[1], 1)


def check_weights(call: str, **weights: float) -> None:
    """Raises `ParameterError` for what is no finite number, or below 0."""
    for name, value in weights.items():
        check_number(call, name, value, 0)


def at_least_one(call: str, **counts: int) -> None:
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ParameterError(f"{call}: {name} is {value!r}, expected a whole number >= 1")
