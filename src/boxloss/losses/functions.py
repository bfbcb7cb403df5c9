"""A formula as functions: the loss of matched boxes, the similarity, and the similarity of every box with every box."""

from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.errors import ShapeError
from boxloss.formulas import Formula, find
from boxloss.losses.inputs import pair, prepare
from boxloss.losses.reduce import reduce
from boxloss.ops import Array


class Loss:
    """A loss with its parameters fixed: `loss(pred, target, reduction="mean", weight=None, format="xyxy")`.

    `pred`, `target`: boxes of shape (..., 4) that broadcast, of one library, in one `format` (see `boxloss.boxes`).
    `reduction`: "mean" (default), "sum", or "none" for one value a pair. `weight`: broadcasts to the values; a mean with weights is the weighted mean.
    float16, bfloat16 and small integers are computed in float32, float64 and large integers in float64.
    """

    def __init__(self, formula: Formula, **parameters: Any):
        formula.check_parameters(parameters)
        self.formula, self.parameters = formula, parameters
        self.__name__ = f"{formula.name}_loss"
        self.__doc__ = f"{formula.doc}\n\nReference: {formula.paper}\n\n{type(self).__doc__}"

    def __call__(self, pred: Any, target: Any, *, reduction: str = "mean", weight: Any = None, format: str = "xyxy", **parameters: Any) -> Array:
        self.formula.check_parameters(parameters)
        a, b = prepare(self.__name__, ("pred", "target"), pred, target, format)
        p = pair(self.__name__, ("pred", "target"), a, b, format)
        return _quietly(a, lambda: reduce(self.__name__, self.formula(p, **self.parameters | parameters), reduction, weight))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"boxloss.{self.__name__}({given})" if given else f"boxloss.{self.__name__}"


class Similarity:
    """A similarity, 1 - loss, of boxes `a` and `b` of shape (..., 4) that broadcast: `measure(a, b, format="xyxy")`, one value a pair."""

    def __init__(self, formula: Formula):
        self.formula = formula
        self.__name__ = formula.name
        self.__doc__ = f"1 - {formula.name}_loss, whose page follows.\n\n{formula.doc}\n\nReference: {formula.paper}"

    def __call__(self, a: Any, b: Any, *, format: str = "xyxy", **parameters: Any) -> Array:
        self.formula.check_parameters(parameters)
        a, b = prepare(self.__name__, ("a", "b"), a, b, format)
        p = pair(self.__name__, ("a", "b"), a, b, format)
        return _quietly(a, lambda: self.formula.measure(p, **parameters))

    def __repr__(self) -> str:
        return f"boxloss.{self.__name__}"


def loss(name: str | Formula, **parameters: Any) -> Loss:
    """The loss of that name, or of a formula of your own, as a function of `pred` and `target`. See `Loss` for how to call it.

    Raises `UnknownNameError` for a name or a parameter that does not exist.

    >>> import boxloss as bl
    >>> float(bl.loss("smooth_l1", beta=0.5)([[0, 0, 2, 2]], [[0, 0, 2, 3]]))
    0.75
    """
    return Loss(find(name), **parameters)


def pairwise(name: str | Formula, a: Any, b: Any, *, format: str = "xyxy", **parameters: Any) -> Array:
    """The similarity of every box of `a`, shape (..., N, 4), with every box of `b`, (..., M, 4): shape (..., N, M).

    `name`: a name of the catalogue for its similarity, with `_loss` at its end for the loss. Equal to the element-wise functions to the bit.

    >>> import boxloss as bl
    >>> bl.pairwise("iou", [[0, 0, 2, 2], [0, 0, 4, 4]], [[0, 0, 2, 4]]).tolist()
    [[0.5], [0.5]]
    """
    as_loss = isinstance(name, str) and name.endswith("_loss")
    formula = find(name.removesuffix("_loss") if isinstance(name, str) else name)
    formula.check_parameters(parameters)
    call = f"pairwise({formula.name!r})"
    a, b = prepare(call, ("a", "b"), a, b, format)
    for label, boxes in (("a", a), ("b", b)):
        if boxes.ndim < 2:
            raise ShapeError(f"{call}: {label} has shape {tuple(boxes.shape)}, expected (..., N, 4): for a single box try {label}[None]")
    p = pair(call, ("a", "b"), a[..., :, None, :], b[..., None, :, :], format)
    function: Callable[..., Array] = formula if as_loss else formula.measure
    return _quietly(a, lambda: function(p, **parameters))


def _quietly(like: Array, work: Callable[[], Array]) -> Array:
    """NumPy warns of what is meant: the branch that `where` does not take, and sizes far below one another."""
    if isinstance(like, np.ndarray):
        with np.errstate(all="ignore"):
            return work()
    return work()
