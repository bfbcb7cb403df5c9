"""What is special about SCA."""

import math

import pytest

import boxloss as bl
from boxloss.errors import ParameterError
from close import close

pytestmark = pytest.mark.usefixtures("by_formula")

UNIT = [0.0, 0, 1, 1]


def test_corners_and_sides_are_added_by_alpha():
    target = [2.0, 0, 3, 1]  # a gap of 1 in a hull 3 wide: sides 1 + 1/3; both corners 2 away, diagonal sqrt 10
    for alpha in (0, 0.5, 1):
        close([bl.sca_loss(UNIT, target, alpha=alpha)], [4 / 3 + alpha * 4 / math.sqrt(10)], "float64")


def test_an_overlap_along_one_axis_makes_up_for_a_gap_along_the_other():
    # of two unit boxes apart along x, the one that is level overlaps no more, and costs less
    assert float(bl.iou(UNIT, [2.0, 0, 3, 1])) == float(bl.iou(UNIT, [2.0, 1, 3, 2])) == 0
    assert float(bl.sca_loss(UNIT, [2.0, 0, 3, 1], alpha=0)) < float(bl.sca_loss(UNIT, [2.0, 1, 3, 2], alpha=0))


@pytest.mark.parametrize("alpha", [-1, math.inf, math.nan])
def test_alpha_is_not_negative(alpha):
    with pytest.raises(ParameterError, match="expected a finite number >= 0"):
        bl.sca_loss(UNIT, UNIT, alpha=alpha)
