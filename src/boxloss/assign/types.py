"""What goes into an assigner and what comes out."""

from typing import NamedTuple

from boxloss.errors import ShapeError
from boxloss.losses.inputs import check_number
from boxloss.ops import Array, as_array, namespace

BACKGROUND = -1
"""A prior that learns that there is nothing."""
IGNORED = -2
"""A prior that learns nothing: it lies in a region to ignore, or overlaps an object neither well enough nor little enough."""


class Priors(NamedTuple):
    """Where predictions start from. `boxes`: (P, 4) xyxy, anchors, or squares about the points of a detector without anchors (`from_points`); what is called
    the prior's point is its centre. `strides`: (P,), the side of the cell that each belongs to; priors of one stride are one level. Without strides all
    are one level, and the rules that measure in cells, or level by level, refuse them."""

    boxes: Array
    strides: Array | None = None


class Objects(NamedTuple):
    """What is there to be found in one picture. `boxes`: (N, 4) xyxy. `labels`: (N,) integers, the class of each. `ignored`: (M, 4) regions where nothing is
    to be learned. `size`: width and height of the picture in the boxes' unit, which only the Hungarian rule asks for."""

    boxes: Array
    labels: Array | None = None
    ignored: Array | None = None
    size: tuple[float, float] | None = None


class Predictions(NamedTuple):
    """What the detector says at each prior, as it stands. `boxes`: (P, 4) xyxy. `scores`: (P, C), each class's probability, in [0, 1]."""

    boxes: Array
    scores: Array | None = None


class Assignment(NamedTuple):
    """`index`: (P,) int64, the row of the object that each prior learns from, or `BACKGROUND`, or `IGNORED`. `overlap`: (P,) float32, the measure between the
    prior, or the prediction, and that object, and 0 where there is none. `mask`: (P,) bool, whether there is one."""

    index: Array
    overlap: Array
    mask: Array


def from_points(xy: Array, strides: Array, *, scale: float = 8.0) -> Priors:
    """Priors of a detector without anchors: about each point, (P, 2), a square whose side is `scale` strides, (P,).

    Rules that look at points and strides alone do not see the squares. Those that measure overlap do, and 8 strides are what one square anchor a cell has in
    ATSS's comparison with FCOS.

    >>> import numpy as np
    >>> from boxloss.anchors import points
    >>> from_points(*points(8, 8, (8,))).boxes.tolist()
    [[-28.0, -28.0, 36.0, 36.0]]

    Reference: Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection", CVPR 2020, arXiv:1912.02424, section 3.1.
    """
    xy, strides = as_array(xy, "xy"), as_array(strides, "strides")
    check_number("from_points", "scale", scale, 0, above_low=True)
    if xy.ndim != 2 or tuple(xy.shape) != (len(strides), 2):
        raise ShapeError(f"from_points: xy and strides have shapes {tuple(xy.shape)} and {tuple(strides.shape)}, expected (P, 2) and (P,)")
    half = (strides * (scale / 2))[:, None]
    return Priors(namespace(xy).concatenate([xy - half, xy + half], 1), strides)
