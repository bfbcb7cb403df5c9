"""Weights that follow from the target itself: from its class, or from its size.

    bl.loss("ciou", weight_by=bl.by_class([1.0, 4.0, 0.5]))(pred, target, labels=labels)
    bl.loss("ciou", weight_by=(bl.by_class([1.0, 4.0, 0.5]), bl.by_size(640, 480)))(pred, target, labels=labels)

Rules multiply one another and the `weight` of the call, and the product goes where a call's weight goes: into the kernel, and into the weighted mean.
"""

import math
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from boxloss.boxes import DIMENSIONS, check_broadcast
from boxloss.errors import DimensionError, DTypeError, ParameterError, ShapeError
from boxloss.losses.inputs import prepare, quietly
from boxloss.losses.reduce import checked_weight
from boxloss.ops import Array, as_array, astype, check_same_kind, constant, hold, is_torch, like_kind, maximum, minimum, namespace


class ByClass:
    """See `by_class`."""

    def __init__(self, weights: Sequence[float]):
        try:
            self.weights = tuple(float(weight) for weight in weights)
        except (TypeError, ValueError):
            raise ParameterError(f"by_class: weights are {weights!r}, expected one number for each class") from None
        if not self.weights or not all(0 <= weight < math.inf for weight in self.weights):
            raise ParameterError(f"by_class: weights are {weights!r}, expected finite numbers >= 0, one for each class")
        self._tables: dict[tuple[str, Any], Array] = {}

    def __getstate__(self) -> dict[str, Any]:
        """To copy, or to send to another process: without what lies on a device."""
        return {"weights": self.weights, "_tables": {}}

    def __repr__(self) -> str:
        return f"by_class({list(self.weights)})"

    def weight(self, call: str, pairs: tuple[int, ...], target: Array, labels: Any, format: str) -> Array:
        if labels is None:
            raise ParameterError(f"{call}: labels are missing: weight_by={self!r} needs labels=..., the class of each pair")
        labels = checked_labels(call, pairs, target, labels)
        n_classes, xp = len(self.weights), namespace(labels)
        if can_be_looked_at(labels):
            check_range(call, labels, n_classes)
            return self._table(target)[labels]
        # Nobody can look without waiting for the device: a label that is no class has the weight NaN, so that the loss shows it.
        known = (labels >= 0) & (labels < n_classes)
        weight = self._table(target)[xp.where(known, labels, 0)]
        return xp.where(known, weight, constant(weight, math.nan))

    def _table(self, like: Array) -> Array:
        """The weights as an array of the type of `like`, where that is."""
        if not is_torch(like):
            return namespace(like).asarray(self.weights, dtype=like.dtype)
        torch = sys.modules["torch"]
        if torch.compiler.is_compiling() or not seen_by_nobody():
            return torch.tensor(self.weights, dtype=like.dtype, device=like.device)
        # Kept, since to send numbers to a device is to wait for it.
        key = str(like.device), like.dtype
        if key not in self._tables:
            self._tables[key] = torch.tensor(self.weights, dtype=like.dtype, device=like.device)
        return self._tables[key]


class BySize:
    """See `by_size`."""

    def __init__(self, width: float, height: float):
        for name, value in (("width", width), ("height", height)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ParameterError(f"by_size: {name} is {value!r}, expected a finite number > 0")
        self.width, self.height = width, height

    def __repr__(self) -> str:
        return f"by_size({self.width}, {self.height})"

    def weight(self, call: str, pairs: tuple[int, ...], target: Array, labels: Any, format: str) -> Array:
        if DIMENSIONS[format] != 2:
            raise DimensionError(f"{call}: {self!r} weighs by width and height, which boxes of the format {format} do not have: use by_class or weight=...")
        return 2.0 - hold(self._share(target, 0, self.width, format) * self._share(target, 1, self.height, format))

    def _share(self, boxes: Array, axis: int, whole: float, format: str) -> Array:
        """A side's share of the picture's, in [0, 1]: what reaches beyond the picture does not count, and the weight is from 1 to 2 by itself."""
        low, high = boxes[..., axis], boxes[..., axis + 2]
        side = high - low if format == "xyxy" else low + high if format == "ltrb" else high
        return minimum(maximum(side / whole, constant(side, 0.0)), constant(side, 1.0))


Rule = ByClass | BySize


def by_class(weights: Sequence[float]) -> ByClass:
    """A rule for `weight_by`: a pair's weight is its class's, `weights[label]`.

    `weights`: one finite number >= 0 for each class. The loss is then called with `labels=`, integers that broadcast to the values, each in
    [0, len(weights)). On NumPy, and on PyTorch's CPU in eager mode, a label that is no class is an error; on a GPU, under `torch.compile` and in JAX, where
    it cannot be seen without waiting, it makes its pair's loss NaN. Raises `ParameterError`, `ShapeError` and `DTypeError`.

    >>> import boxloss as bl
    >>> loss = bl.loss("iou", weight_by=bl.by_class([1.0, 3.0]))
    >>> boxes = [[0, 0, 2, 2], [0, 0, 2, 2]], [[0, 0, 4, 2], [0, 0, 2, 2]]
    >>> loss(*boxes, labels=[1, 0], reduction="none").tolist(), float(loss(*boxes, labels=[1, 0]))
    ([1.5, 0.0], 0.375)
    """
    return ByClass(weights)


def by_size(width: float, height: float) -> BySize:
    """A rule for `weight_by`: 2 - w h / (width height) of the target, so that small boxes count up to twice; from 1 to 2.

    `width`, `height`: the picture's, in the boxes' unit; 1, 1 for normalised boxes. A side that is longer than the picture's counts as that. It is what
    YOLOv3 multiplies its coordinates' losses by (Darknet's `delta_yolo_box`). No gradient flows into the target by it.
    Raises `ParameterError` for a size that is not a finite number > 0; the loss raises `DimensionError` for segments and volumes.

    >>> import boxloss as bl
    >>> bl.loss("iou", weight_by=bl.by_size(4, 4))([[0, 0, 2, 2]], [[0, 0, 4, 2]], reduction="none").tolist()
    [0.75]
    """
    return BySize(width, height)


def as_rules(call: str, weight_by: Any) -> tuple[Rule, ...]:
    """`weight_by` as a tuple of rules."""
    rules = () if weight_by is None else tuple(weight_by) if isinstance(weight_by, (tuple, list)) else (weight_by,)
    for rule in rules:
        if not isinstance(rule, (ByClass, BySize)):
            raise ParameterError(f"{call}: weight_by is {weight_by!r}, expected by_class(...), by_size(...), or a tuple of them")
    return rules


def combined(call: str, rules: tuple[Rule, ...], pred: Any, target: Any, weight: Any, labels: Any, format: str) -> Array:
    """The product of the rules' weights and of `weight`, of a shape that broadcasts to the values'."""
    if labels is not None and not any(isinstance(rule, ByClass) for rule in rules):
        raise ParameterError(f"{call}: labels were given, but nothing uses them: try weight_by=boxloss.by_class([...])")
    names = ("pred", "target")
    pred, target = prepare(call, names, pred, target, format)
    check_broadcast(call, names, pred, target)
    pairs = np.broadcast_shapes(tuple(pred.shape[:-1]), tuple(target.shape[:-1]))
    product = None if weight is None else checked_weight(call, pred[..., 0] + target[..., 0], weight)
    for rule in rules:
        factor = quietly(target, partial(rule.weight, call, pairs, target, labels, format))
        product = factor if product is None else product * factor
    return product


def checked_labels(call: str, pairs: tuple[int, ...], boxes: Array, labels: Any) -> Array:
    """`labels` as an array of 64-bit integers (JAX: of what integers it has) where `boxes` are, which broadcasts to `pairs`."""
    if isinstance(labels, (int, list, tuple)) and is_torch(boxes):
        labels = namespace(boxes).as_tensor(labels, device=boxes.device)
    labels = as_array(np.asarray(labels) if isinstance(labels, int) else labels, "labels")
    if 0 in labels.shape:
        labels = astype(labels, namespace(labels).int64)  # the type of an empty list says nothing
    check_same_kind(call, ("pred", "labels"), boxes, labels)
    labels = like_kind(labels, boxes)
    kind = str(labels.dtype).removeprefix("torch.")
    if "int" not in kind:
        hint = ": a mask is no list of classes" if "bool" in kind else ": try labels.long()" if is_torch(labels) else ": try labels.astype(int)"
        raise DTypeError(f"{call}: labels hold {kind}, expected integers{hint}")
    try:
        fits = np.broadcast_shapes(tuple(labels.shape), pairs) == pairs
    except ValueError:
        fits = False
    if not fits:
        hint = ": try labels.squeeze(-1)" if tuple(labels.shape) == (*pairs, 1) else ""
        raise ShapeError(f"{call}: labels have shape {tuple(labels.shape)}, expected one that broadcasts to {pairs}{hint}")
    # PyTorch takes bytes for a mask; unsigned types have no -1 to compare with.
    return labels if kind == "int64" or not (is_torch(labels) or isinstance(labels, np.ndarray)) else astype(labels, namespace(labels).int64)


def check_range(call: str, labels: Array, n_classes: int) -> None:
    if 0 in labels.shape:
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= n_classes:
        found = low if low < 0 else high
        hint = ": leave pairs without a class out" if low < 0 else ": one weight is needed for each class"
        raise ParameterError(f"{call}: labels hold {found}, expected numbers from 0 to {n_classes - 1}{hint}")


def can_be_looked_at(x: Array) -> bool:
    """Whether the numbers of `x` are there to be seen, now and without waiting for a device."""
    if not is_torch(x):
        return isinstance(x, (np.ndarray, np.generic))
    return bool(x.is_cpu) and not sys.modules["torch"].compiler.is_compiling() and seen_by_nobody()


def seen_by_nobody() -> bool:
    """Whether no transform or mode of PyTorch is at work, under which tensors stand for others."""
    from boxloss.losses.fused_torch import _looked_at

    return not _looked_at()
