"""The loop that keeps the best few of each group."""

import numpy as np

from boxloss.kernels.cpu.ranked import offer


def test_it_goes_on_from_what_it_found():
    best, items = np.full((2, 2), -np.inf), np.full((2, 2), -1)
    offer(np.array([0, 0, 1]), np.array([3, 2, 9]), np.array([1.0, 1.0, np.nan]), best, items)
    assert (best.tolist(), items.tolist()) == ([[1, 1], [-np.inf, -np.inf]], [[2, 3], [-1, -1]])
    offer(np.array([0, 1, 0]), np.array([1, 4, 0]), np.array([1.0, -2.0, 7.0]), best, items)
    assert (best.tolist(), items.tolist()) == ([[7, 1], [-2, -np.inf]], [[0, 1], [4, -1]])


def test_nothing_offered():
    nothing = np.empty(0, np.int64)
    offer(nothing, nothing, np.empty(0), np.empty((0, 1)), np.empty((0, 1), np.int64))
