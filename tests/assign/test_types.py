"""Priors of points."""

import numpy as np
import torch

from boxloss.anchors import points
from boxloss.assign import from_points


def test_squares_whose_centres_are_the_points():
    xy, strides = points(640, 480)
    priors = from_points(xy, strides, scale=3)
    np.testing.assert_array_equal((priors.boxes[:, :2] + priors.boxes[:, 2:]) / 2, xy)
    np.testing.assert_array_equal(priors.boxes[:, 2:] - priors.boxes[:, :2], np.stack([3 * strides] * 2, axis=1))
    assert priors.boxes.dtype == np.float32


def test_tensors():
    xy, strides = (torch.from_numpy(x) for x in points(64, 64))
    boxes = from_points(xy, strides).boxes
    assert isinstance(boxes, torch.Tensor)
    np.testing.assert_array_equal(boxes, from_points(*points(64, 64)).boxes)
