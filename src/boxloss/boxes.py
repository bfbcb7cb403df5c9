"""What a box is: its formats, their conversion, and a check that names the boxes that are none.

Formats of the last axis, in pixels or in any other unit, absolute or normalised. The format says how many dimensions there are:

| rectangles, (..., 4) | segments, (..., 2) | volumes, (..., 6) | |
|---|---|---|---|
| `xyxy` | `xx` | `xyzxyz` | left, top, front, then right, bottom, back: the lower ends and the upper ones. `xyxy` is the default everywhere |
| `xywh` | `xw` | `xyzwhd` | the lower ends, then width, height, depth (COCO) |
| `cxcywh` | `cxw` | `cxcyczwhd` | the centre, then width, height, depth (YOLO, DETR) |
| `ltrb` | `lr` | | distances from a point to the left, top, right and bottom side (UnitBox, FCOS) |
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.errors import FormatError, InvalidBoxError, ShapeError
from boxloss.ops import Array, as_array, astype, check_same_kind, is_jax, is_torch, namespace, working_dtype

FORMATS = ("xyxy", "xywh", "cxcywh", "ltrb")
"""Of rectangles."""
SEGMENTS = ("xx", "xw", "cxw", "lr")
VOLUMES = ("xyzxyz", "xyzwhd", "cxcyczwhd")
DIMENSIONS = dict.fromkeys(FORMATS, 2) | dict.fromkeys(SEGMENTS, 1) | dict.fromkeys(VOLUMES, 3)
"""How many dimensions the boxes of a format have."""

_SIZED, _CENTRED, _DISTANCES = ("xw", "xywh", "xyzwhd"), ("cxw", "cxcywh", "cxcyczwhd"), ("lr", "ltrb")
_ENDS = {1: "xx", 2: "xyxy", 3: "xyzxyz"}
_SIDES = {1: ("length",), 2: ("width", "height"), 3: ("width", "height", "depth")}
_EDGES = (("left", "right"), ("top", "bottom"), ("front", "back"))
_CORNER_OR_CENTRE = "In boxloss `xywh` has the corner, `cxcywh` the centre"
_MEANT = dict.fromkeys(("cxywh", "ccwh", "xywhn"), _CORNER_OR_CENTRE) | {
    "x1x2": "In boxloss start and end are `xx`",
    "cw": "In boxloss centre and length are `cxw`",
    "xyxyzz": "In boxloss the lower ends come first, `xyzxyz`: try boxes[..., [0, 1, 4, 2, 3, 5]]",
    "cccwhd": "In boxloss centre and sizes are `cxcyczwhd`",
}


def check_shape(boxes: Array, name: str, call: str, last: int = 4) -> None:
    """Raises `ShapeError` unless the last axis of `boxes` has `last` numbers; the message restates the call."""
    if boxes.ndim == 0 or boxes.shape[-1] != last:
        hint = ""
        columns = boxes.shape[-1] if boxes.ndim else 0
        if columns == 5 and last == 4:
            hint = f". Five columns often mean a trailing score or angle: try {name}[..., :4]"
        elif columns in (2, 6) and last == 4:
            dimension = columns // 2
            hint = f". {'Two' if dimension == 1 else 'Six'} columns may be boxes in {_spelled(dimension)}: their formats are {', '.join(_of(dimension))}"
        elif boxes.ndim == 2 and boxes.shape[0] == last:
            hint = f". Four rows often mean that the array is transposed: try {name}.T"
        raise ShapeError(f"{call}: {name} has shape {tuple(boxes.shape)}, expected (..., {last}){hint}")


def check_broadcast(call: str, names: tuple[str, str], a: Array, b: Array, hint: str = "") -> None:
    """Raises `ShapeError` unless the shapes of `a` and `b` broadcast."""
    try:
        np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    except ValueError:
        raise ShapeError(f"{call}: {names[0]} has shape {tuple(a.shape)} and {names[1]} {tuple(b.shape)}, which do not broadcast{hint}") from None


def check_format(format: str, call: str) -> int:
    """How many dimensions the boxes of `format` have. Raises `FormatError` where there is no such format."""
    dimension = DIMENSIONS.get(format)
    if dimension is None:
        hint = f". {_MEANT[format]}" if format in _MEANT else ""
        known = f"{', '.join(FORMATS)}; for segments {', '.join(SEGMENTS)}; for volumes {', '.join(VOLUMES)}"
        raise FormatError(f"{call}: format is {format!r}, expected one of {known}{hint}")
    return dimension


def _of(dimension: int) -> tuple[str, ...]:
    return {1: SEGMENTS, 2: FORMATS, 3: VOLUMES}[dimension]


def _spelled(dimension: int) -> str:
    return ("one dimension", "two dimensions", "three dimensions")[dimension - 1]


def convert(boxes: Any, source: str, target: str, *, points: Any = None) -> Array:
    """`boxes` in another format of as many dimensions: the same kind of array and shape, in the same unit.

    Ends and sizes (`xyxy`, `xywh`, and their likes in one and three dimensions) keep integers integers (of 64 bits, so that nothing wraps; JAX makes
    them floats). Centres of integers are floats (a centre may lie between two pixels). Every number that comes out is rounded at most twice, and not at
    all for integers and halves below 2^23 (float32) or 2^52 (float64).
    The gradient flows through, on PyTorch and JAX.

    `points`: shape `(..., 2)`, the points from which `ltrb` measures, or `(..., 1)` for `lr`; needed where one of the formats has distances and the other
    has not. The sides of such a box are negative where the point lies outside the box.

    Raises `ShapeError` for shapes that do not fit, `FormatError` for an unknown format, formats of different dimensions, or missing points.

    >>> convert([[10, 20, 30, 60]], "xyxy", "cxcywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    >>> convert([[2.0, 5.0]], "xx", "cxw").tolist()
    [[3.5, 3.0]]
    """
    call = "boxes.convert"
    dimension = check_format(source, call)
    if check_format(target, call) != dimension:
        raise FormatError(f"{call}: {source} has {_spelled(dimension)} and {target} {_spelled(DIMENSIONS[target])}")
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call, last=2 * dimension)
    if source == target:
        return boxes
    if _is_integer(boxes):
        # Sums and differences of narrow integers wrap around: 200 + 100 is 44 in uint8.
        boxes = astype(boxes, namespace(boxes).int64) if not is_jax(boxes) else astype(boxes, working_dtype(boxes))
    if source in _DISTANCES or target in _DISTANCES:
        if points is None:
            raise FormatError(f"{call}: {_DISTANCES[dimension - 1]} are distances from points: pass points=..., shape (..., {dimension})")
        points = as_array(points, "points")
        check_shape(points, "points", call, last=dimension)
        check_same_kind(call, ("boxes", "points"), boxes, points)
        check_broadcast(call, ("boxes", "points"), boxes[..., :dimension], points)
        common = working_dtype(boxes, points)
        boxes, points = astype(boxes, common), astype(points, common)
    elif (source in _CENTRED or target in _CENTRED) and _is_integer(boxes):
        boxes = astype(boxes, working_dtype(boxes))
    return _from_ends(_to_ends(boxes, source, points), target, points)


def _is_integer(boxes: Array) -> bool:
    return "int" in str(boxes.dtype) or "bool" in str(boxes.dtype)


def _stack(like: Array, *columns: Array) -> Array:
    return namespace(like).stack(columns, -1) if is_torch(like) else namespace(like).stack(columns, axis=-1)


def corners(columns: tuple[Array, ...], source: str) -> tuple[Array, ...]:
    """Left, top, right and bottom, from the four columns of boxes in the format `source`; of any dimension, the lower ends and then the upper ones.

    Distances are seen from the point 0.
    """
    n = len(columns) // 2
    first, second = columns[:n], columns[n:]
    if source in _SIZED:
        return *first, *(low + side for low, side in zip(first, second, strict=True))
    if source in _CENTRED:
        halves = [side * 0.5 for side in second]
        return *(c - half for c, half in zip(first, halves, strict=True)), *(c + half for c, half in zip(first, halves, strict=True))
    return (*(-distance for distance in first), *second) if source in _DISTANCES else columns


def _to_ends(boxes: Array, source: str, points: Array) -> Array:
    if source in _ENDS.values():
        return boxes
    columns = _columns(boxes)
    if source in _DISTANCES:
        at, n = _columns(points), len(columns) // 2
        return _stack(boxes, *(x - d for x, d in zip(at, columns[:n], strict=True)), *(x + d for x, d in zip(at, columns[n:], strict=True)))
    return _stack(boxes, *corners(columns, source))


def _from_ends(boxes: Array, target: str, points: Array) -> Array:
    if target in _ENDS.values():
        return boxes
    columns = _columns(boxes)
    lows, highs = columns[: len(columns) // 2], columns[len(columns) // 2 :]
    if target in _DISTANCES:
        at = _columns(points)
        return _stack(boxes, *(x - low for x, low in zip(at, lows, strict=True)), *(high - x for x, high in zip(at, highs, strict=True)))
    sides = [high - low for low, high in zip(lows, highs, strict=True)]
    if target in _SIZED:
        return _stack(boxes, *lows, *sides)
    # Halves are exact, so each centre is rounded once, and the sum of two large coordinates cannot overflow.
    return _stack(boxes, *(low * 0.5 + high * 0.5 for low, high in zip(lows, highs, strict=True)), *sides)


def _columns(boxes: Array) -> tuple[Array, ...]:
    return tuple(boxes[..., i] for i in range(boxes.shape[-1]))


def _size(size: tuple[float, ...], call: str) -> tuple[float, ...]:
    size = tuple(size)
    sides = _SIDES.get(len(size), _SIDES[2])
    if len(size) != len(sides) or not all(side > 0 for side in size):
        shape, above = f"({', '.join(sides)})", ("above 0", "both above 0", "all above 0")[len(sides) - 1]
        raise InvalidBoxError(f"{call}: size is {size}, expected {shape}, {above}")
    return size


def normalise(boxes: Any, size: tuple[float, ...]) -> Array:
    """`boxes` of any format, shape `(..., 4)`, from pixels to shares of a picture of `size = (width, height)`: divided, so 1 is the full side.

    Segments, `(..., 2)`, are shares of `(length,)`, and volumes, `(..., 6)`, of `(width, height, depth)`.

    >>> normalise([[10, 20, 30, 60]], (100, 80)).tolist()
    [[0.1, 0.25, 0.3, 0.75]]
    """
    return _times_size(boxes, size, "boxes.normalise", divide=True)


def denormalise(boxes: Any, size: tuple[float, ...]) -> Array:
    """`boxes` of any format, shape `(..., 4)`, from shares of a picture of `size = (width, height)` to pixels; segments and volumes as in `normalise`.

    >>> denormalise([[0.5, 0.25, 1.0, 0.75]], (100, 80)).tolist()
    [[50.0, 20.0, 100.0, 60.0]]
    """
    return _times_size(boxes, size, "boxes.denormalise", divide=False)


def _times_size(boxes: Any, size: tuple[float, ...], call: str, divide: bool) -> Array:
    size = _size(size, call)
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call, last=2 * len(size))
    if _is_integer(boxes):
        boxes = astype(boxes, working_dtype(boxes))
    return _stack(boxes, *(boxes[..., i] / side if divide else boxes[..., i] * side for i, side in enumerate((*size, *size))))


@dataclass(frozen=True)
class BoxFault:
    """One row of an array of boxes that breaks a rule."""

    index: tuple[int, ...]
    values: tuple[float, ...]
    rule: str

    def __str__(self) -> str:
        where = ", ".join(str(i) for i in self.index)
        return f"[{where}] {self.values} {self.rule}"


def faults(boxes: Any, format: str = "xyxy", *, size: tuple[float, ...] | None = None, allow_empty: bool = False) -> list[BoxFault]:
    """Every box of `boxes`, of the shape that `format` asks for, that is not finite, is inverted (right < left, bottom < top), has no size, or leaves `size`.

    A box without width or height is a point or a line: legal for every loss, but seldom meant; `allow_empty=True` lets it pass.
    `size`: (width, height) of the picture that the boxes must stay within; (length,) of segments, (width, height, depth) of volumes.
    Values are looked at, so on a GPU this waits for the device.
    """
    call = "boxes.check"
    dimension = check_format(format, call)
    boxes = as_array(boxes, "boxes")
    check_shape(boxes, "boxes", call, last=2 * dimension)
    values = boxes.detach().cpu().double().numpy() if is_torch(boxes) else np.asarray(boxes, dtype=np.float64)
    points = np.zeros(dimension)  # distances from a point: the sides' order does not depend on where it lies
    ends = _to_ends(values, format, points)
    finite = np.isfinite(values).all(-1)
    columns = np.moveaxis(np.where(finite[..., None], ends, 0.0), -1, 0)
    lows, highs = columns[:dimension], columns[dimension:]
    edges = (("start", "end"),) if dimension == 1 else _EDGES[:dimension]
    rules: list[tuple[Any, str]] = [(~finite, "is not finite")]
    rules += [(finite & (high < low), f"is inverted: {end} < {start}") for low, high, (start, end) in zip(lows, highs, edges, strict=True)]
    if not allow_empty:
        rules += [(finite & (high == low), f"has no {side}") for low, high, side in zip(lows, highs, _SIDES[dimension], strict=True)]
    if size is not None:
        size = _size(size, call)
        if len(size) != dimension:
            raise InvalidBoxError(f"{call}: size is {size}, expected ({', '.join(_SIDES[dimension])}) for {format}")
        outside = np.any([(low < 0) | (high > side) for low, high, side in zip(lows, highs, size, strict=True)], axis=0)
        whole = ("recording", "picture", "volume")[dimension - 1]
        rules.append((finite & outside, f"leaves the {whole} of {' x '.join(map(str, size))}"))
    broken: dict[tuple[int, ...], str] = {}
    for mask, rule in rules:
        for row in np.argwhere(mask):
            broken.setdefault(tuple(row.tolist()), rule)
    return [BoxFault(index, tuple(values[index].tolist()), broken[index]) for index in sorted(broken)]


def check(boxes: Any, format: str = "xyxy", *, size: tuple[float, ...] | None = None, allow_empty: bool = False) -> None:
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
