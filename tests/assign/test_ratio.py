"""YOLOv5's rule: like sides, and the cells about the centre."""

import sys

import numpy as np
import pytest
import torch

from assign.real import photographs
from assign.scenes import scene
from boxloss.anchors import points
from boxloss.assign import BACKGROUND, Priors, ratio
from boxloss.errors import ParameterError
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import direct_assigners


def cells_of(x, y, side=8.0, width=6, height=5):
    """The cells, (column, row), that YOLOv5 gives an object whose centre is at (x, y): from the fractions of the place in its cell."""
    column, row = int(x // side), int(y // side)
    across, down = x / side - column, y / side - row
    near = {(column, row)}
    near |= {(column - 1, row)} if across < 0.5 else {(column + 1, row)} if across > 0.5 else set()
    near |= {(column, row - 1)} if down < 0.5 else {(column, row + 1)} if down > 0.5 else set()
    return {(i, j) for i, j in near if 0 <= i < width and 0 <= j < height}


def test_cells_as_yolov5_finds_them():
    xy, strides = points(48, 40, (8,))
    priors = Priors(np.hstack([xy - 4, xy + 4]), strides)
    for x in np.arange(2, 46, 1.0):
        for y in np.arange(2, 38, 2.0):
            index = ratio(priors, np.array([[x - 4, y - 4, x + 4, y + 4]])).index
            assert {(int(p[0] // 8), int(p[1] // 8)) for p in xy[index == 0]} == cells_of(x, y)


@pytest.mark.parametrize("most", [1.5, 4.0])
def test_the_rule_on_the_whole_matrix(most):
    for seed in range(20):
        priors, objects, _ = scene(seed)
        want = direct_assigners.ratio(*(torch.from_numpy(x) for x in (*priors, objects.boxes)), most=most).numpy()
        np.testing.assert_array_equal(ratio(priors, objects, most=most).index, want)


def test_real_boxes():
    n_positive = 0
    for priors, objects, _ in photographs():
        want = direct_assigners.ratio(*(torch.from_numpy(x) for x in (*priors, objects.boxes))).numpy()
        np.testing.assert_array_equal(ratio(priors, objects).index, want)
        n_positive += (want >= 0).sum()
    assert n_positive > 0


def test_sides_four_times_as_long_are_too_long():
    priors = Priors(np.array([[0.0, 0, 8, 8]]), np.array([8.0]))
    assert ratio(priors, [[-12.0, 0, 20, 8]]).index.tolist() == [BACKGROUND]
    assert ratio(priors, [[-11.0, 0, 20, 8]]).index.tolist() == [0]
    assert ratio(priors, [[3.0, 0, 5, 8]]).index.tolist() == [BACKGROUND]
    assert ratio(priors, [[4.0, 0, 4, 8]]).index.tolist() == [BACKGROUND]


def test_the_object_of_the_likest_sides_wins():
    priors = Priors(np.array([[0.0, 0, 8, 8]]), np.array([8.0]))
    assert ratio(priors, [[0.0, 0, 8, 4], [0, 0, 8, 7], [0, 1, 8, 8]]).index.tolist() == [1]


def test_a_ratio_that_nothing_has():
    with pytest.raises(ParameterError, match="ratio: most is 1, expected a number > 1"):
        ratio(Priors(np.zeros((1, 4)), np.ones(1)), np.zeros((1, 4)), most=1)
