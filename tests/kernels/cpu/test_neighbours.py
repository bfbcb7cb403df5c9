"""The order of boxes along a curve: all of them once, near ones together, whatever numbers come."""

import numpy as np
import pytest

from boxloss.kernels.cpu.neighbours import keys, order
from kernels.cpu.test_matrix import boxes


def test_an_order_has_every_box_once() -> None:
    at = boxes(0, 1000).T
    (key,) = keys([at], "xyxy")
    found = order(key)
    assert sorted(found.tolist()) == list(range(1000))
    assert (np.diff(key[found].astype(np.int64)) >= 0).all()


def test_neighbours_in_the_order_are_neighbours_in_the_picture() -> None:
    """Boxes of one size on a grid, shuffled: a block of 64 covers about 8 x 8 of its places, and not the whole of 64 x 64."""
    corner = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0)), -1).reshape(-1, 2)
    at = np.random.default_rng(0).permutation(np.hstack([corner, corner + 8])).astype("float32")
    (key,) = keys([at.T], "xyxy")
    blocks = at[order(key)].reshape(-1, 64, 4)
    extent = blocks[:, :, :2].max(1) - blocks[:, :, :2].min(1)
    assert np.median(extent) <= 8


def test_sizes_come_before_places() -> None:
    small, large = boxes(0, 100, size=5), boxes(1, 100, size=300)
    (key,) = keys([np.concatenate([large, small]).T], "xyxy")
    assert (order(key)[:100] >= 100).all()


def test_two_lists_have_one_curve() -> None:
    a = boxes(0, 500)
    (whole,) = keys([a.T], "xyxy")
    first, second = keys([a[:200].T, a[200:].T], "xyxy")
    assert np.array_equal(np.concatenate([first, second]), whole)


@pytest.mark.parametrize("format", ["xyxy", "xywh", "cxcywh", "ltrb"])
def test_any_numbers(format: str) -> None:
    """The order of boxes that have no place or size does not matter; that there is one does."""
    at = np.full((4, 9), np.nan)
    at[:, 1:8] = np.array([0, 1e300, -1e300, np.inf, -np.inf, 1e-320, 5])
    (key,) = keys([at], format)
    assert sorted(order(key).tolist()) == list(range(9))
