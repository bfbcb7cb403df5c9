"""What is special about ICIoU."""

import numpy as np
import pytest

import boxloss as bl
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")


def test_its_term_does_not_vanish_at_one_aspect():
    small, large = [1.0, 1, 3, 3], [0.0, 0, 4, 4]
    assert float(bl.ciou_loss(small, large)) == float(bl.diou_loss(small, large))
    assert float(bl.iciou_loss(small, large)) > float(bl.diou_loss(small, large))


def test_boxes_of_one_shape_cost_as_under_diou():
    a, _ = hazard("coco", 50, "float64")
    a = np.round(a)  # so that the moved box has the same sides to the last digit
    moved = a + np.array([1, 3, 1, 3])
    assert (bl.iciou_loss(a, moved, reduction="none") == bl.diou_loss(a, moved, reduction="none")).all()
