"""Batches: resized once, order and flips a pure function of seed and epoch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from boxloss.detectors.loader import Resized, TrainingLoader, resize
from boxloss.errors import DataError
from detectors.scenes import rectangle, rectangles


def contents(loader):
    return [(b.images.numpy().tobytes(), [x.tobytes() for x in b.boxes], [x.tobytes() for x in b.labels]) for b in loader]


# Properties


def test_batches_depend_on_seed_and_epoch_alone():
    data = Resized(rectangles(7), (32, 32))
    loader = TrainingLoader(data, 3, seed=5)
    loader.epoch = 2
    first = contents(loader)
    for other in (0, 1, 2):  # whatever was asked for before
        loader.epoch = other
        again = contents(loader)
    assert again == first
    torch.rand(3), np.random.rand(3)
    fresh = TrainingLoader(Resized(rectangles(7), (32, 32)), 3, seed=5)
    fresh.epoch = 2
    assert contents(fresh) == first


def test_epochs_and_seeds_differ():
    data = Resized(rectangles(7), (32, 32))
    seen = set()
    for seed in (0, 1):
        for epoch in (0, 1):
            loader = TrainingLoader(data, 3, seed)
            loader.epoch = epoch
            seen.add(str(contents(loader)))
    assert len(seen) == 4


def test_each_picture_comes_once_an_epoch():
    loader = TrainingLoader(Resized(rectangles(7), (64, 48)), 3)
    batches = list(loader)
    assert [len(b.boxes) for b in batches] == [3, 3, 1]
    assert len(loader) == 3
    areas = sorted(float(np.prod(boxes[0, 2:] - boxes[0, :2])) for b in batches for boxes in b.boxes)
    assert areas == sorted(float(np.prod(p.boxes[0, 2:] - p.boxes[0, :2])) for p in rectangles(7))


def test_boxes_stay_on_their_rectangles_through_flips():
    loader = TrainingLoader(Resized(rectangles(12), (64, 48)), 4)
    flipped = 0
    for epoch in range(2):
        loader.epoch = epoch
        for batch in loader:
            for image, boxes in zip(batch.images, batch.boxes, strict=True):
                rows, columns = np.nonzero((image.numpy() != 90).any(axis=0))
                assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == boxes[0].tolist()
                flipped += boxes[0].tolist() not in [p.boxes[0].tolist() for p in loader.data.pictures]
    assert 5 < flipped < 19


def test_the_set_is_not_changed_by_iterating():
    data = Resized(rectangles(6), (32, 32))
    before = data.images.clone(), [b.copy() for b in data.boxes]
    list(TrainingLoader(data, 2))
    assert torch.equal(before[0], data.images)
    assert all(np.array_equal(a, b) for a, b in zip(before[1], data.boxes, strict=True))


# Pencil cases


def test_each_side_is_scaled_by_itself():
    data = Resized([rectangle(0)], (32, 96))
    x1, y1, x2, y2 = rectangle(0).boxes[0]
    assert data.boxes[0].tolist() == [[x1 / 2, y1 * 2, x2 / 2, y2 * 2]]
    assert data.images.shape == (1, 3, 96, 32)


def test_resizing_averages():
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    pixels[::2] = 200
    small = resize(pixels, (8, 8))
    assert small.shape == (8, 8, 3)
    assert np.abs(small.astype(int) - 100).max() <= 20
    assert np.array_equal(resize(pixels, (64, 64)), pixels)


def test_ignored_boxes_become_regions_and_boxes_of_no_size_are_dropped():
    picture = replace(
        rectangle(0),
        boxes=np.array([[0.0, 0, 8, 8], [9, 9, 9, 20], [16, 16, 32, 32]]),
        labels=np.array([0, 1, 1]),
        ignore=np.array([False, False, True]),
    )
    data = Resized([picture], (32, 24))
    assert data.boxes[0].tolist() == [[0, 0, 4, 4]]
    assert data.labels[0].tolist() == [0]
    assert data.ignored[0].tolist() == [[8, 8, 16, 16]]
    assert data.n_dropped == 1


def test_a_picture_without_boxes_is_a_picture():
    empty = replace(rectangle(0), boxes=np.zeros((0, 4)), labels=np.zeros(0, dtype=int), ignore=np.zeros(0, dtype=bool))
    (batch,) = TrainingLoader(Resized([empty], (32, 32)))
    assert batch.boxes[0].shape == batch.ignored[0].shape == (0, 4)


# Errors


def test_no_pictures():
    with pytest.raises(DataError, match="no pictures"):
        Resized([], (32, 32))
