"""Assigners by name."""

import numpy as np
import pytest

from boxloss.anchors import points
from boxloss.assign import Objects, Predictions, centre_sampling, from_points
from boxloss.detectors.assigning import find_assigner
from boxloss.errors import UnknownNameError


def test_the_default_is_centre_sampling():
    xy, strides = points(64, 48)
    boxes = np.array([[0, 0, 20, 30], [10, 5, 60, 40]], dtype=np.float32)
    said = Predictions(np.zeros((len(xy), 4)), np.zeros((len(xy), 2)))
    found = find_assigner("centre_sampling")(from_points(xy, strides), Objects(boxes, np.array([0, 1])), said)
    assert found.index.tolist() == centre_sampling(xy, strides, boxes).tolist()


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownNameError, match="unknown assigner 'center_sampling': did you mean centre_sampling"):
        find_assigner("center_sampling")
