"""Where predictions start from: the points of an anchor-free detector (FCOS), one in the middle of each cell of each feature map."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError


class Points(NamedTuple):
    """`xy`: (P, 2) float32, in pixels of the input; `strides`: (P,) float32, the side of each point's cell in pixels."""

    xy: npt.NDArray[np.float32]
    strides: npt.NDArray[np.float32]


def check_strides(call: str, strides: Any) -> None:
    if isinstance(strides, (int, float, np.number)):
        raise ParameterError(f"{call}: strides is {strides}, expected one for each level: try strides=({strides},)")


def points(width: int, height: int, strides: tuple[int, ...] = (8, 16, 32)) -> Points:
    """The points of feature maps of ceil(height / stride) x ceil(width / stride) cells, level after level, each row by row.

    The last cell of a row or column may reach beyond the picture, and so may its point, by less than half a stride.

    Raises ParameterError for sizes and strides below 1.

    >>> points(16, 8, (8,)).xy.tolist()
    [[4.0, 4.0], [12.0, 4.0]]

    Reference: Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019, arXiv:1904.01355, section 3.1.
    """
    check_strides("points", strides)
    if width < 1 or height < 1 or not strides or min(strides) < 1:
        raise ParameterError(f"points: width {width}, height {height}, strides {strides}: expected numbers >= 1")
    xy, each = [], []
    for stride in strides:
        y, x = np.meshgrid(np.arange(-(-height // stride)), np.arange(-(-width // stride)), indexing="ij")
        xy.append((np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * stride)
        each.append(np.full(len(xy[-1]), stride))
    return Points(np.concatenate(xy).astype(np.float32), np.concatenate(each).astype(np.float32))
