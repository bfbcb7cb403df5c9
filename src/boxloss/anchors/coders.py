"""What a network's four numbers say of a box, seen from an anchor or a point: encoders, and the decoders that training goes through.

Boxes and anchors are xyxy of shape (..., 4), NumPy or torch, and broadcast; decoders are differentiable in torch. Half types are computed in float32.
`decode_X(encode_X(boxes, anchors), anchors)` is `boxes` but for rounding, as long as sides are above 0. A box without width has a logarithm of -infinity,
and one inverted NaN. An anchor that is none is refused where it is divided by, but not on a GPU, which would have to be waited for.
"""

import functools
import math
import sys
from collections.abc import Callable
from typing import Any, Literal, ParamSpec

import numpy as np

from boxloss.boxes import check_broadcast, check_shape, convert
from boxloss.errors import InvalidBoxError, ParameterError, UnknownNameError
from boxloss.losses.inputs import check_number
from boxloss.losses.kinds import as_numpy
from boxloss.ops import Array, as_array, astype, check_same_kind, is_torch, like_kind, namespace, working_dtype

Weights = tuple[float, float, float, float]
P = ParamSpec("P")

CLAMP = math.log(1000 / 16)
"""The most that a decoded dw or dh may be: a box 62.5 times as wide as its anchor. Beyond it exp would soon overflow."""
SSD_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""SSD divides by its variances, 0.1 for the centre and 0.2 for the sides: these are the weights that do the same."""


def _quiet(function: Callable[P, Array]) -> Callable[P, Array]:
    """NumPy does not warn of the infinities that are documented."""

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Array:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return inner


@_quiet
def encode_deltas(boxes: Any, anchors: Any, *, weights: Weights = (1.0, 1.0, 1.0, 1.0)) -> Array:
    """R-CNN's (dx, dy, dw, dh): the centres' offset in units of the anchor's sides, and the logarithm of the sides' quotient, each times its weight.

    Faster R-CNN's heads weigh with (10, 10, 5, 5), its proposals with 1; SSD's variances are `SSD_WEIGHTS`.

    >>> encode_deltas([[0, 0, 20, 10]], [[0, 0, 10, 10]]).round(3).tolist()
    [[0.5, 0.0, 0.693, 0.0]]

    Reference: Girshick et al., "Rich feature hierarchies", CVPR 2014, arXiv:1311.2524, appendix C.
    """
    boxes, anchors = _measured_by("encode_deltas", boxes, anchors)
    wx, wy, ww, wh = _four("encode_deltas", weights)
    x, y, w, h = _centred(boxes)
    at_x, at_y, wide, high = _centred(anchors)
    log = namespace(boxes).log
    return _stack(wx * (x - at_x) / wide, wy * (y - at_y) / high, ww * log(w / wide), wh * log(h / high))


@_quiet
def decode_deltas(deltas: Any, anchors: Any, *, weights: Weights = (1.0, 1.0, 1.0, 1.0), clamp: float | None = CLAMP) -> Array:
    """The boxes that `encode_deltas` makes `deltas` of. dw and dh, weights taken off, are at most `clamp` (None: any), and have no slope beyond it.

    >>> decode_deltas([[0.5, 0.0, 0.0, 0.0]], [[0, 0, 10, 10]]).tolist()
    [[5.0, 0.0, 15.0, 10.0]]
    """
    deltas, anchors = _prepared("decode_deltas", ("deltas", "anchors"), deltas, anchors)
    at_x, at_y, wide, high = _centred(anchors)
    dx, dy, dw, dh = (x / weight for x, weight in zip(_columns(deltas), _four("decode_deltas", weights), strict=True))
    np_like = namespace(deltas)
    if clamp is not None:
        dw, dh = (x.clamp(max=clamp) if is_torch(x) else np_like.minimum(x, np_like.asarray(clamp, dtype=x.dtype)) for x in (dw, dh))
    return _corners(dx * wide + at_x, dy * high + at_y, np_like.exp(dw) * wide, np_like.exp(dh) * high)


@_quiet
def encode_linear(boxes: Any, anchors: Any, *, normalise: bool = True) -> Array:
    """Distances from the anchor's centre to the box's left, top, right and bottom side, in units of the anchor's width and height, or in pixels
    (`normalise=False`). torchvision's FCOS, whose anchors are squares of one stride.

    >>> encode_linear([[0, 0, 20, 10]], [[0, 0, 10, 10]]).tolist()
    [[0.5, 0.5, 1.5, 0.5]]

    Reference: Tian et al., "FCOS", ICCV 2019, arXiv:1904.01355, section 3.1.
    """
    boxes, anchors = _measured_by("encode_linear", boxes, anchors) if normalise else _prepared("encode_linear", ("boxes", "anchors"), boxes, anchors)
    distances = _distances(boxes, *_middle(anchors))
    return distances / _sides(anchors) if normalise else distances


@_quiet
def decode_linear(distances: Any, anchors: Any, *, normalise: bool = True) -> Array:
    """The boxes whose distances, as `encode_linear` has them, are given.

    >>> decode_linear([[0.5, 0.5, 1.5, 0.5]], [[0, 0, 10, 10]]).tolist()
    [[0.0, 0.0, 20.0, 10.0]]
    """
    distances, anchors = _prepared("decode_linear", ("distances", "anchors"), distances, anchors)
    x, y = _middle(anchors)
    left, top, right, bottom = _columns(distances * _sides(anchors) if normalise else distances)
    return _stack(x - left, y - top, x + right, y + bottom)


def encode_ltrb(boxes: Any, points: Any, strides: Any = 1.0) -> Array:
    """Distances from points (..., 2) to the box's left, top, right and bottom side, in units of `strides`, (...) or a number: FCOS, YOLOv8.

    Negative where a point lies outside its box. `boxloss.boxes.convert(..., "xyxy", "ltrb", points=...)` is the same in pixels.

    >>> encode_ltrb([[0.0, 0.0, 20.0, 10.0]], [[4.0, 4.0]], 8.0).tolist()
    [[0.5, 0.5, 2.0, 0.75]]
    """
    distances = convert(boxes, "xyxy", "ltrb", points=points)
    return distances / _column(strides, distances)


def decode_ltrb(distances: Any, points: Any, strides: Any = 1.0) -> Array:
    """The boxes at `distances` times `strides` from the points.

    >>> decode_ltrb([[0.5, 0.5, 2.0, 0.75]], [[4.0, 4.0]], 8.0).tolist()
    [[0.0, 0.0, 20.0, 10.0]]
    """
    distances = as_array(distances, "distances")
    check_shape(distances, "distances", "decode_ltrb")
    distances = astype(distances, working_dtype(distances))
    return convert(distances * _column(strides, distances), "ltrb", "xyxy", points=points)


Yolo = Literal["v3", "v5"]


@_quiet
def encode_yolo(boxes: Any, anchors: Any, strides: Any, version: Yolo = "v3") -> Array:
    """YOLO's four numbers before any sigmoid, the inverse of `decode_yolo`.

    What cannot be said gets the nearest that can: a centre beyond its reach, or a side too long for "v5", is an infinity.

    >>> encode_yolo([[0.0, 0.0, 10.0, 20.0]], [[-1.0, 5.0, 9.0, 15.0]], 8.0).round(3).tolist()
    [[0.511, 0.0, 0.0, 0.693]]
    """
    boxes, anchors = _measured_by("encode_yolo", boxes, anchors)
    stride = _column(strides, boxes)[..., 0]
    x, y, w, h = _centred(boxes)
    at_x, at_y, wide, high = _centred(anchors)
    across, down, reach = (x - at_x) / stride, (y - at_y) / stride, _reach(version)
    if version == "v3":
        log = namespace(boxes).log
        sides = [log(w / wide), log(h / high)]
    else:
        sides = [_logit((w / wide) ** 0.5 / 2), _logit((h / high) ** 0.5 / 2)]
    return _stack(_logit(across / reach + 0.5), _logit(down / reach + 0.5), *sides)


@_quiet
def decode_yolo(t: Any, anchors: Any, strides: Any, version: Yolo = "v3") -> Array:
    """The boxes of YOLO's raw outputs (tx, ty, tw, th), for `anchors` at the middle of their cells, as `yolo` has them, and cells of `strides` pixels.

    "v3" (YOLOv2 and v3): the centre is the cell's corner + sigmoid(t) * stride, a side the anchor's * exp(t), where t is at most `CLAMP`.
    "v5" (YOLOv5): the cell's corner + (2 sigmoid(t) - 0.5) * stride, and the anchor's * (2 sigmoid(t))^2: the centre reaches half a cell into each
    neighbour, and no side is more than four times the anchor's. Zeros are the anchor itself in both.

    >>> decode_yolo([[0.0, 0.0, 0.0, 0.0]], [[-1.0, 5.0, 9.0, 15.0]], 8.0, "v5").tolist()
    [[-1.0, 5.0, 9.0, 15.0]]

    Reference: Redmon and Farhadi, "YOLO9000", CVPR 2017, arXiv:1612.08242, section 2; "YOLOv3", arXiv:1804.02767; YOLOv5 has no paper.
    """
    t, anchors = _prepared("decode_yolo", ("t", "anchors"), t, anchors)
    stride = _column(strides, t)[..., 0]
    at_x, at_y, wide, high = _centred(anchors)
    tx, ty, tw, th = _columns(t)
    reach, np_like = _reach(version), namespace(t)
    if version == "v3":
        most = np_like.asarray(CLAMP, dtype=t.dtype)
        w, h = (np_like.exp(np_like.minimum(x, most.to(x.device) if is_torch(x) else most)) for x in (tw, th))
    else:
        w, h = ((2 * _sigmoid(x)) ** 2 for x in (tw, th))
    return _corners(at_x + (_sigmoid(tx) - 0.5) * reach * stride, at_y + (_sigmoid(ty) - 0.5) * reach * stride, w * wide, h * high)


def _four(call: str, weights: Any) -> Weights:
    """Raises `ParameterError` unless `weights` are four numbers above 0."""
    if np.shape(weights) != (4,):
        raise ParameterError(f"{call}: weights is {weights!r}, expected four numbers, of dx, dy, dw and dh")
    x, y, w, h = (check_number(call, f"weights[{i}]", weight, 0, above_low=True) for i, weight in enumerate(weights))
    return x, y, w, h


def _reach(version: str) -> float:
    """How many cells a centre may lie across, its own in the middle."""
    if version not in ("v3", "v5"):
        raise UnknownNameError("version of YOLO's coder", version, ("v3", "v5"))
    return 1.0 if version == "v3" else 2.0


def _sigmoid(x: Array) -> Array:
    if is_torch(x):
        return x.sigmoid()
    np_like = namespace(x)
    e = np_like.exp(-np_like.abs(x))  # never overflows
    return np_like.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _logit(x: Array) -> Array:
    np_like = namespace(x)
    x = x.clamp(0, 1) if is_torch(x) else np_like.clip(x, 0, 1)
    return np_like.log(x) - np_like.log1p(-x)


def _prepared(call: str, names: tuple[str, str], a: Any, b: Any) -> tuple[Array, Array]:
    """Two arrays (..., 4) that broadcast, of one kind and in the type that they are computed in."""
    a, b = as_array(a, names[0]), as_array(b, names[1])
    check_same_kind(call, names, a, b)
    a, b = like_kind(a, b), like_kind(b, a)
    for name, x in zip(names, (a, b), strict=True):
        check_shape(x, name, call)
    check_broadcast(call, names, a, b)
    dtype = working_dtype(a, b)
    return astype(a, dtype), astype(b, dtype)


def _measured_by(call: str, boxes: Any, anchors: Any) -> tuple[Array, Array]:
    """`_prepared`, for what is divided by the anchors' sides. Raises `InvalidBoxError` for anchors without width or height, inverted or not finite."""
    boxes, anchors = _prepared(call, ("boxes", "anchors"), boxes, anchors)
    if _at_hand(anchors):
        rows = as_numpy(anchors)
        sides = rows[..., 2:] - rows[..., :2]
        fit = (sides > 0) & (sides < math.inf)
        if not fit.all():
            bad = ~fit.all(-1)
            found = rows[bad][0].tolist()
            raise InvalidBoxError(f"{call}: {int(bad.sum())} of {bad.size} anchors have no width or height above 0, such as {found}: expected xyxy")
    return boxes, anchors


def _at_hand(x: Array) -> bool:
    """Whether its numbers can be looked at: not on a GPU, nor where torch compiles or transforms (`vmap`, `jvp`)."""
    if not is_torch(x):
        return type(x) is np.ndarray
    torch = sys.modules["torch"]
    return x.device.type == "cpu" and not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is None


def _columns(x: Array) -> tuple[Array, ...]:
    return tuple(x[..., i] for i in range(4))


def _centred(boxes: Array) -> tuple[Array, ...]:
    """Centre, width and height, each (...). The centre by way of half the width, as torchvision does it: the same to the last digit."""
    left, top, right, bottom = _columns(boxes)
    width, height = right - left, bottom - top
    return left + 0.5 * width, top + 0.5 * height, width, height


def _middle(boxes: Array) -> tuple[Array, Array]:
    left, top, right, bottom = _columns(boxes)
    return 0.5 * (left + right), 0.5 * (top + bottom)


def _sides(boxes: Array) -> Array:
    left, top, right, bottom = _columns(boxes)
    width, height = right - left, bottom - top
    return _stack(width, height, width, height)


def _distances(boxes: Array, x: Array, y: Array) -> Array:
    left, top, right, bottom = _columns(boxes)
    return _stack(x - left, y - top, right - x, bottom - y)


def _corners(x: Array, y: Array, w: Array, h: Array) -> Array:
    half_w, half_h = 0.5 * w, 0.5 * h
    return _stack(x - half_w, y - half_h, x + half_w, y + half_h)


def _stack(*columns: Array) -> Array:
    return namespace(columns[0]).stack(columns, -1)


def _column(strides: Any, like: Array) -> Array:
    """`strides`, (...) or a number, as a column for the last axis of `like`."""
    if isinstance(strides, (int, float)):
        if not strides > 0:
            raise ParameterError(f"strides is {strides}, expected a number above 0")
        strides = np.full((), strides)
    if is_torch(like):
        import torch

        return torch.as_tensor(strides, dtype=like.dtype, device=like.device)[..., None]
    found = namespace(like).asarray(strides, dtype=like.dtype)[..., None]
    if _at_hand(found) and not (found > 0).all():
        raise ParameterError(f"strides are at least {found.min()}, expected numbers above 0")
    return found
