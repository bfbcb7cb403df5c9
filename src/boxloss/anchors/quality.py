"""What a set of anchors is worth for a set of boxes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from boxloss.anchors.kmeans import as_columns
from boxloss.errors import ShapeError
from boxloss.kernels.cpu.clusters import CHUNK, cluster_sums
from boxloss.kernels.threads import run_parts

RATIO = 4
"""YOLOv5's anchor_t: an anchor can learn a box whose sides are less than 4 times its own, and more than a quarter."""


class Quality(NamedTuple):
    """`mean_iou`: of each box with its most similar anchor. Best possible recall, the share of the boxes that any anchor can learn: `recall_iou` where that
    takes an IoU of at least 0.5, `recall_ratio` by YOLOv5's rule of sides within a factor of 4. All with both centres in one place: upper bounds."""

    mean_iou: float
    recall_iou: float
    recall_ratio: float


def quality(sizes: npt.ArrayLike, shapes: npt.ArrayLike) -> Quality:
    """How well anchors with the widths and heights `shapes`, (A, 2), fit boxes of `sizes`, (N, 2). NaN where there are no boxes.

    Raises ShapeError and ParameterError as `kmeans` does.

    >>> quality([[10, 10], [10, 20]], [[10, 10]])
    Quality(mean_iou=0.75, recall_iou=1.0, recall_ratio=1.0)

    Reference: Redmon and Farhadi, arXiv:1612.08242, table 1, for the mean IoU; the ratio rule is YOLOv5's.
    """
    widths, heights = as_columns("quality", sizes)
    anchors = np.stack(as_columns("quality", shapes), axis=1)
    n = len(widths)
    if not len(anchors):
        raise ShapeError("anchors.quality: there are no anchors, expected (A, 2) with A >= 1")
    if not n:
        return Quality(*[float("nan")] * 3)
    sums = cluster_sums(widths, heights, anchors)
    learnt = np.zeros(-(-n // CHUNK), np.int64)

    def part(chunk: int) -> None:
        at = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        w, h = widths[at], heights[at]
        most_w, most_h = RATIO * w, RATIO * h  # exact: a power of two
        can = np.zeros(len(w), bool)
        for width, height in anchors:
            can |= (w < RATIO * width) & (width < most_w) & (h < RATIO * height) & (height < most_h)
        learnt[chunk] = np.count_nonzero(can)

    run_parts(part, len(learnt))
    return Quality(float(sums[:, 1].sum()) / n, float(sums[:, 4].sum()) / n, int(learnt.sum()) / n)
