"""Greedy suppression, by any measure."""

import numpy as np
import numpy.typing as npt

from boxloss.formulas import Formula, formula
from boxloss.kernels import switch
from boxloss.ops import number_of, positive, power, ratio
from boxloss.pair import Pair
from boxloss.suppress.inputs import Detections, Measure, Rows


@switch.or_plain
def greedy(found: Detections, measure: Measure, threshold: float) -> Rows:
    """The rows that stay, best score first: from the best score down a box stays unless a box of its class that stays is above the threshold with it."""
    # In the boxes' type, so that an IoU of 3/5 equals a threshold of 0.6
    bar = float(found.boxes.dtype.type(threshold))
    if not switch.cpu_kernels():
        return _merged(found, [rows[_stay(found.boxes[rows], measure, bar)] for rows in found.classes])
    from boxloss.kernels.cpu import greedy as kernels
    from boxloss.kernels.cpu import join as joining

    loops = kernels.greedy(*measure.key, number_of(found.boxes))
    if bar >= 0 and measure.below_iou(found):
        grid = joining.field(found.boxes) if bar > 0 else None
        if grid is not None:
            stays = joining.join(*measure.key, number_of(found.boxes))(found.boxes[found.order], found.labels[found.order], bar, grid)
            if stays is not None:
                rows: Rows = found.order[stays]
                return rows
        return loops.nearby(found.boxes, found.labels, found.order, bar)
    return _merged(found, [loops.all(found.boxes, rows, bar, tame=loops.has_tame and _all_tame(found.boxes)) for rows in found.classes])


def _stay(boxes: npt.NDArray[np.floating], measure: Measure, bar: float) -> Rows:
    """Which boxes of one class, best first, stay: what the kernels are held to."""
    stay, left = [], np.arange(len(boxes))
    while len(left):
        best, left = left[0], left[1:]
        stay.append(best)
        left = left[~(measure.of(boxes[best], boxes[left]) > boxes.dtype.type(bar))]
    return np.array(stay, np.int64)


def _merged(found: Detections, classes: list[Rows]) -> Rows:
    stays = np.zeros(len(found.boxes), bool)
    for rows in classes:
        stays[rows] = True
    return found.order[stays[found.order]]


def _all_tame(boxes: npt.NDArray[np.floating]) -> bool:
    """Whether the formula's shorter text will do for all pairs."""
    from boxloss.calculus.evaluate import evaluate
    from boxloss.kernels.cpu.bodies import box_kinds

    wild, small = evaluate(box_kinds(("left", "top", "right", "bottom"), "xyxy", number_of(boxes)), list(boxes.T))
    return not (wild.any() or small.any())


@formula(
    title="DIoU with a power, as a measure for suppression",
    paper="Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, eq. 13",
    bounds="[0, 2]",
    symmetric=True,
    scale_free=True,
)
def diou_suppression(p: Pair, *, beta: float = 1.0) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """1 - IoU plus the power beta of the centres' squared distance over the hull's squared diagonal."""
    # Never negative as it is: with this it can be seen to be
    return p.jaccard, positive(power(ratio(p.offset2, p.hull_diagonal2), beta))


DIOU: Formula = diou_suppression
