"""What a box is: its formats, their conversion, and a check that names the boxes that are none.

Formats of the last axis, in pixels or in any other unit, absolute or normalised:

- `xyxy`: left, top, right, bottom (the default everywhere)
- `xywh`: left, top, width, height (COCO)
- `cxcywh`: centre, width, height (YOLO, DETR)
- `ltrb`: distances from a point to the left, top, right and bottom side (UnitBox, FCOS)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.errors import FormatError, InvalidBoxError, ShapeError
from boxloss.ops import Array, as_array, astype, check_same_kind, is_jax, is_torch, namespace, working_dtype

FORMATS = ("xyxy", "xywh", "cxcywh", "ltrb")


def check_shape(boxes: Array, name: str, call: str, last: int = 4) -> None:
    """Raises `ShapeError` unless the last axis of `boxes` has `last` numbers; the message restates the call."""
    if boxes.ndim == 0 or boxes.shape[-1] != last:
        hint = ""
        if boxes.ndim and boxes.shape[-1] == 5 and last == 4:
            hint = f". Five columns often mean a trailing score or angle: try {name}[..., :4]"
        elif boxes.ndim == 2 and boxes.shape[0] == last:
            hint = f". Four rows often mean that the array is transposed: try {name}.T"
        raise ShapeError(f"{call}: {name} has shape {tuple(boxes.shape)}, expected (..., {last}){hint}")


def check_broadcast(call: str, names: tuple[str, str], a: Array, b: Array, hint: str = "") -> None:
    """Raises `ShapeError` unless the shapes of `a` and `b` broadcast."""
    try:
        np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    except ValueError:
        raise ShapeError(f"{call}: {names[0]} has shape {tuple(a.shape)} and {names[1]} {tuple(b.shape)}, which do not broadcast{hint}") from None


def check_format(format: str, call: str) -> None:
    if format not in FORMATS:
        hint = ". In boxloss `xywh` has the corner, `cxcywh` the centre" if format in ("cxywh", "ccwh", "xywhn") else ""
        raise FormatError(f"{call}: format is {format!r}, expected one of {', '.join(FORMATS)}{hint}")


def convert(boxes: Any, source: str, target: str, *, points: Any = None) -> Array:
    """`boxes` in another format: the same kind of array, shape `(..., 4)`, in the same unit.

    `xyxy` and `xywh` keep integers integers (of 64 bits, so that nothing wraps; JAX makes them floats). `cxcywh` of integers are floats (a centre may
    lie between two pixels). Every number that comes out is rounded at most twice, and not at all for integers and halves below 2^23 (float32) or
    2^52 (float64).
    The gradient flows through, on PyTorch and JAX.

    `points`: shape `(..., 2)`, the points from which `ltrb` measures; needed where one of the formats is `ltrb` and the other is not.
    The sides of an `ltrb` box are negative where the point lies outside the box.

    Raises `ShapeError` for shapes that do not fit, `FormatError` for an unknown format or missing points.

    >>> convert([[10, 20, 30, 60]], "xyxy", "cxcywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    call = "boxes.convert"
    check_format(source, call)
    check_format(target, call)
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call)
    if source == target:
        return boxes
    if _is_integer(boxes):
        # Sums and differences of narrow integers wrap around: 200 + 100 is 44 in uint8.
        boxes = astype(boxes, namespace(boxes).int64) if not is_jax(boxes) else astype(boxes, working_dtype(boxes))
    if "ltrb" in (source, target):
        if points is None:
            raise FormatError(f"{call}: ltrb are distances from points: pass points=..., shape (..., 2)")
        points = as_array(points, "points")
        check_shape(points, "points", call, last=2)
        check_same_kind(call, ("boxes", "points"), boxes, points)
        check_broadcast(call, ("boxes", "points"), boxes[..., :2], points)
        common = working_dtype(boxes, points)
        boxes, points = astype(boxes, common), astype(points, common)
    elif "cxcywh" in (source, target) and _is_integer(boxes):
        boxes = astype(boxes, working_dtype(boxes))
    return _from_xyxy(_to_xyxy(boxes, source, points), target, points)


def _is_integer(boxes: Array) -> bool:
    return "int" in str(boxes.dtype) or "bool" in str(boxes.dtype)


def _stack(like: Array, *columns: Array) -> Array:
    return namespace(like).stack(columns, -1) if is_torch(like) else namespace(like).stack(columns, axis=-1)


def corners(columns: tuple[Array, ...], source: str) -> tuple[Array, ...]:
    """Left, top, right and bottom, from the four columns of boxes in the format `source`; `ltrb` as seen from the point 0."""
    p, q, r, s = columns
    if source == "xywh":
        return p, q, p + r, q + s
    if source == "cxcywh":
        half_w, half_h = r * 0.5, s * 0.5
        return p - half_w, q - half_h, p + half_w, q + half_h
    return (-p, -q, r, s) if source == "ltrb" else columns


def _to_xyxy(boxes: Array, source: str, points: Array) -> Array:
    if source == "xyxy":
        return boxes
    columns = tuple(boxes[..., i] for i in range(4))
    if source == "ltrb":
        x, y, (p, q, r, s) = points[..., 0], points[..., 1], columns
        return _stack(boxes, x - p, y - q, x + r, y + s)
    return _stack(boxes, *corners(columns, source))


def _from_xyxy(boxes: Array, target: str, points: Array) -> Array:
    if target == "xyxy":
        return boxes
    left, top, right, bottom = (boxes[..., i] for i in range(4))
    if target == "xywh":
        return _stack(boxes, left, top, right - left, bottom - top)
    if target == "cxcywh":
        # Halves are exact, so each centre is rounded once, and the sum of two large coordinates cannot overflow.
        return _stack(boxes, left * 0.5 + right * 0.5, top * 0.5 + bottom * 0.5, right - left, bottom - top)
    x, y = points[..., 0], points[..., 1]
    return _stack(boxes, x - left, y - top, right - x, bottom - y)


def _size(size: tuple[float, float], call: str) -> tuple[float, float]:
    width, height = size
    if not (width > 0 and height > 0):
        raise InvalidBoxError(f"{call}: size is {size}, expected (width, height), both above 0")
    return width, height


def normalise(boxes: Any, size: tuple[float, float]) -> Array:
    """`boxes` of any format, shape `(..., 4)`, from pixels to shares of a picture of `size = (width, height)`: divided, so 1 is the full side.

    >>> normalise([[10, 20, 30, 60]], (100, 80)).tolist()
    [[0.1, 0.25, 0.3, 0.75]]
    """
    return _times_size(boxes, size, "boxes.normalise", divide=True)


def denormalise(boxes: Any, size: tuple[float, float]) -> Array:
    """`boxes` of any format, shape `(..., 4)`, from shares of a picture of `size = (width, height)` to pixels.

    >>> denormalise([[0.5, 0.25, 1.0, 0.75]], (100, 80)).tolist()
    [[50.0, 20.0, 100.0, 60.0]]
    """
    return _times_size(boxes, size, "boxes.denormalise", divide=False)


def _times_size(boxes: Any, size: tuple[float, float], call: str, divide: bool) -> Array:
    width, height = _size(size, call)
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call)
    if _is_integer(boxes):
        boxes = astype(boxes, working_dtype(boxes))
    sides = (width, height, width, height)
    return _stack(boxes, *(boxes[..., i] / side if divide else boxes[..., i] * side for i, side in enumerate(sides)))


@dataclass(frozen=True)
class BoxFault:
    """One row of an array of boxes that breaks a rule."""

    index: tuple[int, ...]
    values: tuple[float, ...]
    rule: str

    def __str__(self) -> str:
        where = ", ".join(str(i) for i in self.index)
        return f"[{where}] {self.values} {self.rule}"


def faults(boxes: Any, format: str = "xyxy", *, size: tuple[float, float] | None = None, allow_empty: bool = False) -> list[BoxFault]:
    """Every box of `boxes`, shape `(..., 4)`, that is not finite, is inverted (right < left, bottom < top), has no size, or leaves `size`.

    A box without width or height is a point or a line: legal for every loss, but seldom meant; `allow_empty=True` lets it pass.
    `size`: (width, height) of the picture that the boxes must stay within. Values are looked at, so on a GPU this waits for the device.
    """
    call = "boxes.check"
    check_format(format, call)
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call)
    values = boxes.detach().cpu().double().numpy() if is_torch(boxes) else np.asarray(boxes, dtype=np.float64)
    points = np.zeros(2)  # distances from a point: the sides' order does not depend on where it lies
    corners = _to_xyxy(values, format, points)
    finite = np.isfinite(values).all(-1)
    left, top, right, bottom = np.moveaxis(np.where(finite[..., None], corners, 0.0), -1, 0)
    rules: list[tuple[Any, str]] = [
        (~finite, "is not finite"),
        (finite & (right < left), "is inverted: right < left"),
        (finite & (bottom < top), "is inverted: bottom < top"),
    ]
    if not allow_empty:
        rules += [(finite & (right == left), "has no width"), (finite & (bottom == top), "has no height")]
    if size is not None:
        width, height = _size(size, call)
        outside = (left < 0) | (top < 0) | (right > width) | (bottom > height)
        rules.append((finite & outside, f"leaves the picture of {width} x {height}"))
    broken: dict[tuple[int, ...], str] = {}
    for mask, rule in rules:
        for row in np.argwhere(mask):
            broken.setdefault(tuple(row.tolist()), rule)
    return [BoxFault(index, tuple(values[index].tolist()), broken[index]) for index in sorted(broken)]


def check(boxes: Any, format: str = "xyxy", *, size: tuple[float, float] | None = None, allow_empty: bool = False) -> None:
    """Raises `InvalidBoxError` that names the first offending boxes and why; says nothing when all is well. See `faults` for the rules.

    >>> check([[0, 0, 10, 10], [30, 0, 20, 10]])
    Traceback (most recent call last):
    boxloss.errors.InvalidBoxError: 1 of 2 boxes (xyxy): [1] (30.0, 0.0, 20.0, 10.0) is inverted: right < left
    """
    found = faults(boxes, format, size=size, allow_empty=allow_empty)
    if found:
        shape = np.shape(boxes) if isinstance(boxes, (list, tuple)) else boxes.shape
        count = int(np.prod(shape[:-1]))
        shown = "; ".join(str(fault) for fault in found[:3])
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise InvalidBoxError(f"{len(found)} of {count} boxes ({format}): {shown}{more}")
