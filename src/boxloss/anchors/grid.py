"""Anchors of given widths and heights at every cell of every feature map: Faster R-CNN, RetinaNet, YOLO, or any of one's own."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from boxloss.anchors.points import check_strides, points
from boxloss.errors import ParameterError, ShapeError, UnknownNameError

Boxes = npt.NDArray[np.float32]
Shapes = npt.NDArray[np.float64]
"""Widths and heights in pixels, (A, 2)."""
Like = Literal["detectron2", "torchvision"]

RATIOS = (0.5, 1.0, 2.0)
"""Height / width of Faster R-CNN's and RetinaNet's anchors."""
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
"""RetinaNet's three sizes a level, in units of the level's smallest."""
YOLOV3 = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
"""Widths and heights in pixels on strides 8, 16 and 32: what k-means made of COCO for YOLOv3 (arXiv:1804.02767) at 416 x 416; YOLOv5 has them at 640."""


def shapes(sizes: Sequence[float], ratios: Sequence[float]) -> Shapes:
    """The width and height of anchors with the area size^2 and the ratio height / width: (A, 2) float64, all ratios of the first size, then of the next.

    width = size / sqrt(ratio), height = ratio * width. Raises ParameterError for sizes and ratios that are not above 0.

    The lecture's anchors of a picture of 400 x 400: scales of 0.5, 0.25 and 0.125 of its side, ratios 2, 1 and 0.5.

    >>> shapes([200, 100, 50], [2, 1, 0.5]).round(2)[3:].tolist()
    [[70.71, 141.42], [100.0, 100.0], [141.42, 70.71], [35.36, 70.71], [50.0, 50.0], [70.71, 35.36]]
    """
    size, ratio = (np.asarray(x, np.float64) for x in (sizes, ratios))
    for name, x in (("sizes", size), ("ratios", ratio)):
        if x.ndim != 1 or not len(x) or not (np.isfinite(x) & (x > 0)).all():
            raise ParameterError(f"anchors.shapes: {name} is {x.tolist()}, expected a list of numbers above 0")
    width = np.sqrt(size[:, None] ** 2 / ratio)
    return np.stack([width, ratio * width], axis=2).reshape(-1, 2)


def grid(
    width: int, height: int, strides: Sequence[int], shapes: Sequence[npt.ArrayLike], *, offset: float = 0.5
) -> Boxes:  # fmt: skip
    """Anchors of the widths and heights `shapes[k]`, (A, 2) in pixels, at each of the ceil(height / strides[k]) x ceil(width / strides[k]) cells of level k.

    (P, 4) float32, xyxy in pixels: level after level, row by row, cell by cell, and at each cell in the order of its shapes. `offset`: where in its cell an
    anchor's centre lies, in cells: 0.5 is the middle, 0 the corner, where Faster R-CNN and RetinaNet have it. Anchors may reach beyond the picture.

    Raises ParameterError for sizes and strides below 1, or as many shapes as there are not strides, and ShapeError for shapes that are not (A, 2).

    >>> grid(32, 16, [16], [[(16, 8)]]).tolist()
    [[0.0, 4.0, 16.0, 12.0], [16.0, 4.0, 32.0, 12.0]]
    """
    check_strides("anchors.grid", strides)
    if len(shapes) != len(strides):
        raise ParameterError(f"anchors.grid: shapes for {len(shapes)} levels and {len(strides)} strides, expected one list of shapes for each stride")
    found = []
    for stride, given in zip(strides, shapes, strict=True):
        sides = np.asarray(given, np.float64)
        if sides.ndim != 2 or sides.shape[1] != 2:
            raise ShapeError(f"anchors.grid: the shapes of stride {stride} have shape {sides.shape}, expected (A, 2): a width and a height for each anchor")
        if not ((sides > 0) & (sides < np.inf)).all():
            raise ParameterError(f"anchors.grid: the shapes of stride {stride} are {sides.tolist()}, expected widths and heights above 0")
        half = (sides / 2).astype(np.float32)
        middle = points(width, height, (stride,)).xy
        # Whole strides and halves are exact in float32, so a corner is rounded once.
        centre = middle + np.float32((offset - 0.5) * stride)
        found.append((np.tile(centre, 2)[:, None] + np.concatenate([-half, half], axis=1)).reshape(-1, 4))
    return np.concatenate([np.zeros((0, 4), np.float32), *found])


def strides_of(width: int, height: int, strides: Sequence[int], per_cell: int) -> npt.NDArray[np.float32]:
    """The stride of each anchor of `grid` with `per_cell` anchors at each cell, (P,) float32: what level an anchor is on, for coders and assigners.

    >>> strides_of(16, 8, [8, 16], 2).tolist()
    [8.0, 8.0, 8.0, 8.0, 16.0, 16.0]
    """
    return np.repeat(points(width, height, tuple(strides)).strides, per_cell)


def faster_rcnn(width: int, height: int, *, fpn: bool = True, like: Like = "detectron2") -> Boxes:
    """The anchors of Faster R-CNN's region proposal network, (P, 4) float32 in the order of `grid`; each cell's start from its corner, not its middle.

    With a feature pyramid (`fpn`): strides 4, 8, 16, 32, 64 with the sizes 32, 64, 128, 256, 512, ratios 0.5, 1, 2: three a cell. Without: stride 16 with
    the sizes 128, 256, 512: nine a cell. `like`: "detectron2" is the formula, all ratios of a size and then of the next; "torchvision" has half sides
    rounded to whole pixels, and all sizes of a ratio and then of the next. Its stride is size // cells, the same where strides divide the picture.

    >>> len(faster_rcnn(640, 640)), len(faster_rcnn(640, 640, fpn=False))
    (102300, 14400)

    Reference: Ren et al., "Faster R-CNN", NeurIPS 2015, arXiv:1506.01497; Lin et al., "Feature Pyramid Networks", CVPR 2017, arXiv:1612.03144.
    """
    strides, sizes = ((4, 8, 16, 32, 64), [[32], [64], [128], [256], [512]]) if fpn else ((16,), [[128, 256, 512]])
    return grid(width, height, strides, [_as(like, size, RATIOS) for size in sizes], offset=0)


def retinanet(width: int, height: int, *, like: Like = "detectron2") -> Boxes:
    """RetinaNet's anchors, (P, 4) float32 in the order of `grid`; each cell's start from its corner, not its middle.

    Strides 8, 16, 32, 64, 128 with sizes of 4, 4 * 2^(1/3) and 4 * 2^(2/3) strides, ratios 0.5, 1, 2: nine a cell. `like` as in `faster_rcnn`;
    torchvision also cuts sizes to whole pixels (40 for 40.3).

    >>> len(retinanet(640, 640))
    76725

    Reference: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, section 4.
    """
    strides = (8, 16, 32, 64, 128)
    sizes = [[4 * stride * part for part in OCTAVE] for stride in strides]
    if like == "torchvision":
        sizes = [[int(size) for size in level] for level in sizes]
    return grid(width, height, strides, [_as(like, size, RATIOS) for size in sizes], offset=0)


def _as(like: Like, sizes: Sequence[float], ratios: Sequence[float]) -> Shapes:
    """`shapes` as one of the two has them."""
    found = shapes(sizes, ratios)
    if like == "detectron2":
        return found
    if like != "torchvision":
        raise UnknownNameError("like", like, ("detectron2", "torchvision"))
    return 2 * np.round(found / 2).reshape(len(sizes), len(ratios), 2).swapaxes(0, 1).reshape(-1, 2)


def yolo(width: int, height: int, shapes: Sequence[npt.ArrayLike] = YOLOV3, strides: Sequence[int] = (8, 16, 32)) -> Boxes:
    """YOLO's anchors (v2 to v5), at the middle of each cell: (P, 4) float32 in the order of `grid`. The default is YOLOv3's nine, three a stride.

    Those of one's own data come from `boxloss anchors DATA -k 9`, or `kmeans`.

    >>> len(yolo(416, 416))
    10647
    """
    return grid(width, height, strides, shapes)
