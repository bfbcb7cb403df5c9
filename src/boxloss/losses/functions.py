"""A formula as functions: the loss of matched boxes, and the similarity. Every box with every box is in `boxloss.losses.pairs`."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.boxes import DIMENSIONS, check_broadcast, check_format
from boxloss.errors import ParameterError
from boxloss.formulas import Formula, find
from boxloss.kernels import switch
from boxloss.losses import weighting
from boxloss.losses.inputs import pair, prepare, quietly
from boxloss.losses.reduce import check_reduction, checked_weight, reduce
from boxloss.ops import Array, is_torch

_PACKAGE = vars(sys.modules["boxloss.losses"])  # which holds a module once it is whole; `sys.modules` holds those that another thread is importing, too
EVERY_WITH_EVERY = ". For every box against every box, use boxloss.pairwise"


class _Called:
    """What a loss and a similarity have in common: a formula, its parameters, and the choice between its kernels and the plain formula."""

    similarity = False

    def __init__(self, formula: Formula, name: str, parameters: dict[str, Any]):
        formula.check_parameters(parameters)
        self.formula, self.parameters, self.__name__ = formula, parameters, name
        self._items = tuple(sorted(parameters.items()))
        self._ways: dict[tuple[str, str], Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """To copy, or to send to another process: without the ways to kernels, which are addresses in this one."""
        return self.__dict__ | {"_ways": {}}

    @switch.or_plain
    def _run(self, names: tuple[str, str], a: Any, b: Any, format: str, reduction: str, weight: Any) -> Array:
        if is_torch(a) and not sys.modules["torch"].compiler.is_compiling():
            fused_torch = _PACKAGE.get("fused_torch") or importlib.import_module("boxloss.losses.fused_torch")
            a, b = prepare(self.__name__, names, a, b, format)
            if DIMENSIONS[format] == 2 and fused_torch.takes(a, b):
                self._check_broadcast(names, a, b)
                way = self._way(format, reduction)
                if weight is not None:
                    weight = checked_weight(self.__name__, a[..., 0] if a.shape == b.shape else a[..., 0] + b[..., 0], weight)
                # The gradient along a weight is the plain formula's.
                if weight is None or (type(weight) is type(a.detach()) and not weight.requires_grad):
                    return fused_torch.fused(way, a, b, weight)
            return self._plain(a, b, format, reduction, weight, names)
        a, b = prepare(self.__name__, names, a, b, format)
        if type(a) is np.ndarray and type(b) is np.ndarray and DIMENSIONS[format] == 2 and switch.cpu_kernels():
            from boxloss.losses import fused_numpy

            check_reduction(self.__name__, reduction)
            self._check_broadcast(names, a, b)
            return fused_numpy.reduced(self.__name__, self.formula, self._items, a, b, format, reduction, weight, similarity=self.similarity)[0]
        return self._plain(a, b, format, reduction, weight, names)

    def _way(self, format: str, reduction: str) -> Any:
        from boxloss.losses.fused_torch import Way

        check_format(format, self.__name__)
        check_reduction(self.__name__, reduction)
        return self._ways.setdefault((format, reduction), Way(self.formula, self._items, self._plain, format, reduction, self.similarity))

    def _check_broadcast(self, names: tuple[str, str], a: Array, b: Array) -> None:
        check_broadcast(self.__name__, names, a, b, EVERY_WITH_EVERY if a.ndim == b.ndim == 2 else "")

    def _plain(self, a: Array, b: Array, format: str, reduction: str, weight: Any = None, names: tuple[str, str] = ("pred", "target")) -> Array:
        """The formula on the arrays themselves: the specification that kernels are held to."""
        self._check_broadcast(names, a, b)
        function: Callable[..., Array] = self.formula.measure if self.similarity else self.formula
        return quietly(a, lambda: reduce(self.__name__, function(pair(a, b, format), **self.parameters), reduction, weight))


class Loss(_Called):
    """A loss with its parameters fixed: `loss(pred, target, reduction="mean", weight=None, format="xyxy")`.

    `pred`, `target`: boxes of shape (..., 4) that broadcast, of one library, in one `format` (see `boxloss.boxes`). Segments, (..., 2), and volumes,
    (..., 6), have formats of their own, and a loss that has no meaning for them raises `DimensionError`.
    `reduction`: "mean" (default), "sum", or "none" for one value a pair. `weight`: broadcasts to the values; a mean with weights is the weighted mean.
    `weight_by`, where the loss is made, weighs a pair by its class, its size or both (`by_class`, `by_size`); `labels`: the classes, integers.
    float16, bfloat16 and small integers are computed in float32, float64 and large integers in float64.
    """

    def __init__(self, formula: Formula, *, weight_by: Any = None, **parameters: Any):
        super().__init__(formula, f"{formula.name}_loss", parameters)
        self.weight_by = weighting.as_rules(self.__name__, weight_by)
        self.__doc__ = f"{formula.doc}\n\nReference: {formula.paper}\n\n{type(self).__doc__}"

    def __call__(
        self, pred: Any, target: Any, *, reduction: str = "mean", weight: Any = None, labels: Any = None, format: str = "xyxy", **parameters: Any
    ) -> Array:
        if parameters:
            other = Loss(self.formula, **{"weight_by": self.weight_by} | self.parameters | parameters)
            return other(pred, target, reduction=reduction, weight=weight, labels=labels, format=format)
        if self.weight_by or labels is not None:
            weight = weighting.combined(self.__name__, self.weight_by, pred, target, weight, labels, format)
        way = self._ways.get((format, reduction)) if weight is None else None
        if way is not None:
            try:
                value = way.quick(pred, target)
            except switch.KernelError:
                value = None  # `_run` knows what to do
            if value is not None:
                return value
        return self._run(("pred", "target"), pred, target, format, reduction, weight)

    @switch.or_plain
    def value_and_gradient(
        self, pred: Any, target: Any, *, wrt: str = "pred", reduction: str = "mean", weight: Any = None, labels: Any = None, format: str = "xyxy"
    ) -> tuple[Array, Array] | tuple[Array, tuple[Array, Array]]:
        """The loss of NumPy arrays with its gradient, in one pass and without PyTorch.

        `wrt`: "pred", "target" or "both", for two gradients; each has its boxes' shape. With reduction="none" a pair's gradient is that of its own loss.

        >>> import boxloss as bl
        >>> value, gradient = bl.iou_loss.value_and_gradient([[0, 0, 2, 2]], [[0, 0, 4, 2]])
        >>> float(value), gradient.tolist()
        (0.5, [[0.0625, 0.0625, -0.25, -0.0625]])
        """
        if wrt not in ("pred", "target", "both"):
            raise ParameterError(f"{self.__name__}.value_and_gradient: wrt is {wrt!r}, expected pred, target or both")
        names = ("pred", "target")
        a, b = prepare(self.__name__, names, pred, target, format)
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            raise ParameterError(f"{self.__name__}.value_and_gradient takes NumPy arrays: PyTorch and JAX have the gradient from the loss itself")
        check_reduction(self.__name__, reduction)
        self._check_broadcast(names, a, b)
        if self.weight_by or labels is not None:
            weight = weighting.combined(self.__name__, self.weight_by, a, b, weight, labels, format)
        from boxloss.losses import fused_numpy

        boxes = {"pred": "a", "target": "b", "both": "ab"}[wrt]
        run = fused_numpy.reduced if DIMENSIONS[format] == 2 and switch.cpu_kernels() else fused_numpy.reduced_by_graph
        value, *grads = run(self.__name__, self.formula, self._items, a, b, format, reduction, weight, wrt=boxes)
        found = tuple(fused_numpy.summed(grad, x.shape) for grad, x in zip(grads, (a, b), strict=True) if grad is not None)
        return (value, found) if wrt == "both" else (value, found[0])

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in self.parameters.items()]
        if self.weight_by:
            given.append(f"weight_by={self.weight_by[0] if len(self.weight_by) == 1 else self.weight_by!r}")
        return f"boxloss.{self.__name__}({', '.join(given)})" if given else f"boxloss.{self.__name__}"


class Similarity(_Called):
    """A similarity, 1 - loss, of boxes `a` and `b` of shape (..., 4) that broadcast: `measure(a, b, format="xyxy")`, one value a pair."""

    similarity = True

    def __init__(self, formula: Formula, **parameters: Any):
        super().__init__(formula, formula.name, parameters)
        self.__doc__ = f"1 - {formula.name}_loss, whose page follows.\n\n{formula.doc}\n\nReference: {formula.paper}"

    def __call__(self, a: Any, b: Any, *, format: str = "xyxy", **parameters: Any) -> Array:
        if parameters:
            return Similarity(self.formula, **self.parameters | parameters)(a, b, format=format)
        return self._run(("a", "b"), a, b, format, "none", None)

    def __repr__(self) -> str:
        return f"boxloss.{self.__name__}"


def loss(name: str | Formula, *, weight_by: Any = None, **parameters: Any) -> Loss:
    """The loss of that name, or of a formula of your own, as a function of `pred` and `target`. See `Loss` for how to call it.

    `weight_by`: `boxloss.by_class(...)`, `boxloss.by_size(...)` or a tuple of them, whose weights multiply each other's and the call's.
    Raises `UnknownNameError` for a name or a parameter that does not exist, and `ParameterError` for a value that the formula does not take.

    >>> import boxloss as bl
    >>> float(bl.loss("smooth_l1", beta=0.5)([[0, 0, 2, 2]], [[0, 0, 2, 3]]))
    0.75
    """
    formula = find(name)
    with np.errstate(all="ignore"):
        formula.try_parameters(parameters)
    return Loss(formula, weight_by=weight_by, **parameters)
