"""YOLOv5's rule: an anchor learns from an object of like sides whose centre is in its cell or in the next half of one."""

from typing import Any

import numpy as np

from boxloss.assign.cells import central_pairs
from boxloss.assign.inputs import Floats, Measure, centres, read
from boxloss.assign.ranking import Ranking
from boxloss.assign.types import Assignment
from boxloss.losses.inputs import check_number


def ratio(priors: Any, objects: Any, predictions: Any = None, *, most: float = 4.0, measure: Measure = "iou") -> Assignment:
    """A prior may learn from an object if max(w / w', w' / w, h / h', h' / h) < `most`, and if the object's centre lies in the prior's cell, or beyond one
    of the cell's four sides by less than half a cell: so an object has the cell of its centre and the two that are nearest to it.

    Overlap is not asked for. In YOLOv5 a prior then learns from all such objects at once; here it learns from the one whose sides are most like its own,
    and of equal ones from the first. The cell of a prior is the square of one stride about its centre, left and top side included.
    `measure`: what `overlap` of the answer is; it decides nothing.

    `priors`: `Priors` with strides, anchors about the middles of cells; `objects`: `Objects` or (N, 4), xyxy in one unit. `predictions` are not looked at.
    Memory grows with P + N. Raises ShapeError, DTypeError, and ParameterError without strides or where `most` is not above 1.

    >>> import boxloss as bl
    >>> row = np.array([[0.0, 0, 8, 8], [8, 0, 16, 8], [16, 0, 24, 8], [24, 0, 32, 8]])
    >>> ratio(bl.assign.Priors(row, np.full(4, 8.0)), np.array([[5.0, 0, 25, 8]])).index.tolist()
    [-1, 0, 0, -1]

    Reference: Jocher et al., YOLOv5, 2020 (released code; there is no paper). A centre exactly one cell from the picture's left or top side has no
    neighbour there in YOLOv5.
    """
    asked = read("ratio", priors, objects)
    check_number("ratio", "most", most, 1, above_low=True)
    likest = Ranking(len(asked.priors), 1)
    points, half = asked.centres, asked.needed("strides") / 2
    for of, prior in central_pairs(asked, 1.0):
        away, side = centres(asked.objects[of]) - points[prior], half[prior, None]
        # Less than a stride away in both directions they all are.
        in_cell = ((-side <= away) & (away < side)).any(axis=1)
        of, prior = of[in_cell], prior[in_cell]
        worst = _worst_ratio(asked.priors[prior], asked.objects[of])
        like = worst < most
        likest.offer(prior[like], of[like], -worst[like])
    return asked.assignment(likest.items[:, 0], measure, asked.priors)


def _worst_ratio(a: Floats, b: Floats) -> Floats:
    """How many times as long a side of one box is as that of the other, for the worse of the two sides."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = (a[:, 2:] - a[:, :2]) / (b[:, 2:] - b[:, :2])
        worst: Floats = np.maximum(sides, 1 / sides).max(axis=1)
    return worst
