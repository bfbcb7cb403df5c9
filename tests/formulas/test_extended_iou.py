"""What is special about Extended IoU."""

import math

import numpy as np
import pytest

import boxloss as bl
from boxloss.errors import ParameterError
from close import close
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")

UNIT = [0.0, 0, 1, 1]


def test_where_boxes_overlap_it_is_the_distance_smoothed():
    pred, target = hazard("nested", 50, "float64")
    j = bl.iou_loss(pred, target, reduction="none")
    close(bl.extended_iou_loss(pred, target, smooth_point=0, reduction="none"), j, "float64")
    close(bl.extended_iou_loss(pred, target, reduction="none"), np.where(j < 0.1, j * j / 0.2, j - 0.05), "float64")


def test_it_goes_on_to_grow_where_boxes_are_apart():
    far = np.array([[d, 0, d + 1, 1] for d in range(1, 40)], float)
    assert (np.diff(bl.extended_iou_loss(UNIT, far, reduction="none")) > 0).all()


def test_turning_the_picture_by_half_a_turn_changes_it():
    """The intersection below 0 is measured from the hull's top left corner."""
    a, b = [0.0, 0, 1, 1], [2.0, 0, 3, 4]  # inner edges 2 and 1, 0 and 1: I = -1 (0 + 1)
    turned = [[-x[2], -x[3], -x[0], -x[1]] for x in (a, b)]  # inner edges 3 and 4 along y, from the other corner: I = -1 (3 + 4)
    close([bl.extended_iou_loss(a, b)], [1 + 1 / (5 + 1) - 0.05], "float64")
    close([bl.extended_iou_loss(*turned)], [1 + 7 / (5 + 7) - 0.05], "float64")


@pytest.mark.parametrize("point", [-0.1, 1.5, math.nan])
def test_the_smooth_point_is_a_distance(point):
    with pytest.raises(ParameterError, match=r"expected a number in \[0, 1\]"):
        bl.extended_iou_loss(UNIT, UNIT, smooth_point=point)
