"""SSD's default boxes: 8,732 in a picture of 300 x 300, 24,564 in one of 512 x 512."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from boxloss.anchors.grid import Boxes, Shapes
from boxloss.errors import ParameterError, UnknownNameError

STEPS = {300: (8, 16, 32, 64, 100, 300), 512: (8, 16, 32, 64, 128, 256, 512)}
"""Pixels from one cell to the next, level after level."""
CELLS = {300: (38, 19, 10, 5, 3, 1), 512: (64, 32, 16, 8, 4, 2, 1)}
"""Cells along a side."""
RATIOS = {300: ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,)), 512: ((2,), (2, 3), (2, 3), (2, 3), (2, 3), (2,), (2,))}
"""Width / height, and its inverse, of the boxes that are not square."""
SCALES = {
    (300, "voc"): (0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05),
    (300, "coco"): (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05),
    (512, "voc"): (0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05),
    (512, "coco"): (0.04, 0.1, 0.26, 0.42, 0.58, 0.74, 0.9, 1.06),
}
"""The level's scale in units of the picture's side, and one more: a level's second square lies between its scale and the next."""

Data = Literal["voc", "coco"]


def ssd_shapes(size: int = 300, data: Data = "voc") -> list[Shapes]:
    """The widths and heights of each level, (A, 2) in units of the picture's side: the square of scale s; the square of sqrt(s * next s); then for each ratio
    a the box s sqrt(a) wide and s / sqrt(a) high, and the same upright.

    >>> [len(level) for level in ssd_shapes(300)]
    [4, 6, 6, 6, 4, 4]
    """
    if size not in CELLS:
        raise ParameterError(f"anchors.ssd: size is {size!r}, expected 300 or 512")
    if (size, data) not in SCALES:
        raise UnknownNameError("SSD scales", data, ("voc", "coco"))
    scales, found = SCALES[size, data], []
    for scale, following, ratios in zip(scales, scales[1:], RATIOS[size], strict=False):
        between = math.sqrt(scale * following)
        sides = [(scale, scale), (between, between)]
        for ratio in ratios:
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(long, short), (short, long)]
        found.append(np.array(sides))
    return found


def ssd(size: int = 300, data: Data = "voc", *, clip: bool = True) -> Boxes:
    """SSD's default boxes in a picture of `size` x `size`: (P, 4) float32, xyxy in pixels; 8,732 for 300, and 24,564 for 512.

    Level after level, row by row, cell by cell, and in a cell as in `ssd_shapes`. Cell j's centre lies at (j + 0.5) * step. `data`: the scales that the
    authors trained with on Pascal VOC or on COCO (torchvision has COCO's). `clip`: no side is longer than the picture's. Boxes may still reach beyond it.

    Raises ParameterError for other sizes, UnknownNameError for other scales.

    >>> boxes = ssd(300)
    >>> boxes.shape, boxes[0].round(3).tolist()
    ((8732, 4), [-11.0, -11.0, 19.0, 19.0])

    Reference: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, arXiv:1512.02325, section 2.2; the scales are those of the released code.
    """
    found = []
    for level, step, n_cells in zip(ssd_shapes(size, data), STEPS.get(size, ()), CELLS[size], strict=True):
        # In float32 and in this order, as torchvision does it: the same to the last digit.
        along: npt.NDArray[np.float32] = (np.arange(n_cells, dtype=np.float32) + np.float32(0.5)) / np.float32(size / step)
        y, x = np.meshgrid(along, along, indexing="ij")
        centre = np.stack([x.ravel(), y.ravel()], axis=1)[:, None]
        half = np.float32(0.5) * np.minimum(level.astype(np.float32), np.float32(1) if clip else np.float32(np.inf))
        found.append((np.concatenate([centre - half, centre + half], axis=2) * np.float32(size)).reshape(-1, 4))
    return np.concatenate(found)
