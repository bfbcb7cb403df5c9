"""What is special about Efficient IoU's focal form."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError
from close import as_printed, close
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")

UNIT = [0.0, 0, 1, 1]


def test_disjoint_boxes_cost_nothing_and_have_no_gradient():
    pred, target = (torch.from_numpy(x).requires_grad_() for x in hazard("disjoint", 50, "float64"))
    values = bl.focal_efficient_iou_loss(pred, target, reduction="none")
    slopes = torch.autograd.grad(values.sum(), (pred, target))
    assert not values.any()
    assert not any(slope.any() for slope in slopes)


def test_a_shift_beyond_half_a_box_is_rewarded():
    """The survey's figures: unit boxes shifted along x cost most, 0.431, at 0.533."""
    shifts = np.linspace(0, 1, 1001)
    costs = bl.focal_efficient_iou_loss(UNIT, np.stack([shifts, 0 * shifts, shifts + 1, 0 * shifts + 1], 1), reduction="none")
    as_printed(costs.max(), "0.431")
    as_printed(shifts[costs.argmax()], "0.533")


def test_it_is_efficient_iou_with_the_focal_modifier():
    pred, target = hazard("coco", 50, "float64")
    for gamma in (0.5, 1, 3):
        want = bl.efficient_iou_loss(pred, target, focal=gamma, reduction="none")
        close(bl.focal_efficient_iou_loss(pred, target, gamma=gamma, reduction="none"), want, "float64")


@pytest.mark.parametrize("gamma", [0, -1, float("inf"), float("nan")])
def test_gamma_is_a_positive_number(gamma):
    with pytest.raises(ParameterError, match="expected a finite number > 0"):
        bl.focal_efficient_iou_loss(UNIT, UNIT, gamma=gamma)


def test_it_takes_no_modifier():
    with pytest.raises(ParameterError, match="focal_efficient_iou takes no modifier"):
        bl.focal_efficient_iou_loss(UNIT, UNIT, inner=0.5)
