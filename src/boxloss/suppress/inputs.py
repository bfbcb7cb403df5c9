"""What every kind of suppression is given: checked, and in the types that it is computed in."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.calculus.bounds import below_iou
from boxloss.errors import DTypeError, ParameterError, ShapeError, UnknownNameError
from boxloss.formulas import Formula, find
from boxloss.formulas.modify import MODIFIERS
from boxloss.losses.inputs import check_number, pair, quietly
from boxloss.losses.kinds import as_numpy, like
from boxloss.ops import Array, as_array, astype, check_same_kind, is_complex, number_of, working_dtype

Rows = npt.NDArray[np.int64]
FAR = 2.0**500
"""Beyond that products leave float64."""


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
        return best_first(self.scores)

    @functools.cached_property
    def classes(self) -> list[Rows]:
        """The rows of each class, best first."""
        of_class = self.labels[self.order]
        if not len(of_class) or (of_class[0] == of_class).all():
            return [self.order] if len(of_class) else []
        by_class = np.argsort(of_class, kind="stable")
        return np.split(self.order[by_class], np.flatnonzero(np.diff(of_class[by_class])) + 1)

    def back(self, numbers: npt.NDArray[Any]) -> Array:
        """`numbers` as the kind of array that came."""
        return like(self.given, numbers)


def checked(call: str, boxes: Any, scores: Any, labels: Any = None) -> tuple[Array, Array, Array | None]:
    """Boxes and scores in the types that they are computed in, wherever they lie. Raises `ShapeError` or `DTypeError`."""
    boxes, scores = as_array(boxes, "boxes"), as_array(scores, "scores")
    check_same_kind(call, ("boxes", "scores"), boxes, scores)
    refuse_number(call, "labels", labels, "integers, (N,)")
    labels = None if labels is None else as_array(labels, "labels")
    if boxes.ndim != 2 or boxes.shape[1] != 4 or tuple(scores.shape) != (len(boxes),) or (labels is not None and tuple(labels.shape) != (len(boxes),)):
        shapes = ", ".join(str(tuple(x.shape)) for x in (boxes, scores, labels) if x is not None)
        raise ShapeError(f"{call}: boxes, scores and labels have shapes {shapes}, expected (N, 4), (N,), (N,)")
    for name, x in (("boxes", boxes), ("scores", scores)):
        if is_complex(x):
            raise DTypeError(f"{call}: {name} holds {x.dtype}, expected real numbers")
    if labels is not None and not str(labels.dtype).removeprefix("torch.").startswith(("int", "uint", "bool")):
        raise DTypeError(f"{call}: labels holds {labels.dtype}, expected integers")
    return astype(boxes, working_dtype(boxes)), astype(scores, working_dtype(scores)), labels


def refuse_number(call: str, name: str, value: Any, expected: str) -> None:
    """Raises `DTypeError` for a number where there should be an array: most often a threshold without its name, which lands on the third argument."""
    if isinstance(value, (int, float, np.number)):
        raise DTypeError(f"{call}: {name} is {value}, expected {expected}: a threshold is given by its name, threshold={value}")


def nan_among(call: str, row: int) -> ParameterError:
    return ParameterError(f"{call}: scores[{row}] is NaN, which has no place in an order: often a sign of a network that diverged")


def detections(call: str, boxes: Any, scores: Any, labels: Any = None) -> Detections:
    """In NumPy's arrays. Raises what `checked` does, and `ParameterError` where a score is NaN."""
    boxes, scores, labels = checked(call, boxes, scores, labels)
    numbers, of_scores = np.ascontiguousarray(as_numpy(boxes)), as_numpy(scores)
    if np.isnan(of_scores).any():
        raise nan_among(call, int(np.argmax(np.isnan(of_scores))))
    with np.errstate(all="ignore"):
        total = numbers.sum(dtype=np.float64)
    if not np.isfinite(total):  # where a coordinate is not, or all of them are very large
        numbers = np.where(np.isfinite(numbers).all(1, keepdims=True), numbers, numbers.dtype.type(np.nan))
    classes = np.zeros(len(numbers), np.int64) if labels is None else np.ascontiguousarray(as_numpy(labels), np.int64)
    return Detections(numbers, of_scores, classes, boxes)


def best_first(scores: npt.NDArray[Any]) -> Rows:
    """The order from the highest score down, equal ones in the order given."""
    if scores.dtype != np.float32 or len(scores) >= 2**32:
        return np.argsort(-scores, kind="stable")
    # Score and row as one integer, which is the quickest sort that NumPy has. 0 is added so that -0 is 0.
    bits = (scores + np.float32(0)).view(np.uint32)
    falling = np.where(bits >> np.uint32(31), bits, ~bits & np.uint32(0x7FFFFFFF))
    packed = np.sort((falling.astype(np.uint64) << np.uint64(32)) | np.arange(len(scores), dtype=np.uint64))
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)


@functools.cache
def options_of(function: Callable[..., Any]) -> dict[str, bool]:
    """What a kind's function takes by name beside the detections and its measure's parameters, and whether it can do without."""
    asked = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return {p.name: p.default is not p.empty for p in asked if p.name not in ("boxes", "scores", "labels")}


class Measure:
    """A catalogue's similarity, or a formula's, with its parameters: how alike two boxes are."""

    def __init__(self, call: str, name: str | Formula, parameters: dict[str, Any], function: Callable[..., Any]):
        """`parameters`: what was given to `function` beside its own options. Raises `UnknownNameError` and `ParameterError`."""
        self.call, self.formula, self.parameters = call, find(name), parameters
        for given in parameters:
            if given not in self.formula.parameters and given not in MODIFIERS:
                raise UnknownNameError(f"option of {call}", given, {*options_of(function), *self.formula.parameters, *MODIFIERS})
        self.formula.check_parameters(parameters)

    def threshold(self, given: float) -> float:
        """Raises `ParameterError` for what is no number, or outside the measure's range."""
        low = -np.inf if self.parameters else 1 - self.formula.interval[1]
        return check_number(self.call, "threshold", given, low, 1)

    @property
    def key(self) -> tuple[Formula, tuple[tuple[str, Any], ...]]:
        return self.formula, tuple(sorted(self.parameters.items()))

    def of(self, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The plain formula of boxes that broadcast."""
        return quietly(a, lambda: self.formula.measure(pair(a, b, "xyxy"), **self.parameters))  # type: ignore[no-any-return]

    def below_iou(self, found: Detections) -> bool:
        """Whether it is never above the IoU, so that who is far apart, or of another size, need not be looked at."""
        if found.boxes.dtype == np.float64 and np.nanmax(np.abs(found.boxes), initial=0.0) > FAR:
            return False
        return _below_iou(*self.key, number_of(found.boxes))


@functools.lru_cache(maxsize=256)
def _below_iou(formula: Formula, parameters: tuple[tuple[str, Any], ...], number: str) -> bool:
    return below_iou(formula, dict(parameters), number)
