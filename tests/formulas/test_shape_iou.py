"""What is special about Shape-IoU."""

import math

import pytest

import boxloss as bl
from boxloss.errors import ParameterError
from close import close
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")

UNIT = [0.0, 0, 1, 1]


def test_the_released_default_has_no_shape_in_it():
    pred, target = hazard("coco", 50, "float64")
    close(bl.shape_iou_loss(pred, target, scale=0, reduction="none"), bl.shape_iou_released_loss(pred, target, reduction="none"), "float64", 0)
    assert float(bl.shape_iou_released_loss(UNIT, [2.0, 0, 3, 1])) == float(bl.diou_loss(UNIT, [2.0, 0, 3, 1]))


def test_a_tall_target_weighs_what_differs_along_x():
    tall = [0.0, 0, 1, 3]
    aside, below = [0.25, 0, 1.25, 3], [0.0, 0.75, 1, 3.75]  # one IoU: by a quarter of either side
    excess = [float(bl.shape_iou_loss(pred, tall) - bl.diou_loss(pred, tall)) for pred in (aside, below)]
    assert excess[0] > 0 > excess[1]


def test_a_point_weighs_both_alike():
    point = [5.0, 5, 5, 5]
    close([bl.shape_iou_loss(UNIT, point)], [bl.shape_iou_released_loss(UNIT, point)], "float64")


@pytest.mark.parametrize("scale", [1, 3, 20, 0.25])
def test_the_weights_are_two_whatever_the_scale(scale):
    # the same way along x and along y, equal sides: their weights add up to 2, so the cost is that of DIoU
    target, pred = [0.0, 0, 1, 3], [2.0, 2, 3, 5]
    close([bl.shape_iou_loss(pred, target, scale=scale)], [bl.diou_loss(pred, target)], "float64")


@pytest.mark.parametrize("scale", [-1, math.inf, math.nan])
def test_the_scale_is_not_negative(scale):
    with pytest.raises(ParameterError, match="expected a finite number >= 0"):
        bl.shape_iou_loss(UNIT, UNIT, scale=scale)
