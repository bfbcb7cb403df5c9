"""The embedded set: the same everywhere, exact, and what it is meant to be."""

import hashlib
import sys

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("PIL")

from boxloss.datasets import embedded as module
from boxloss.datasets.embedded import N_PICTURES, PHOTOS, SIDE, SIDES, embedded
from boxloss.errors import DataError, MissingExtraError


@pytest.fixture(scope="module")
def dataset():
    return embedded()


# Properties


def test_every_box_has_a_wanted_size_and_lies_inside(dataset):
    for picture in dataset:
        sides = picture.boxes[:, 2:] - picture.boxes[:, :2]
        assert (sides >= SIDES[0]).all()
        assert (sides <= SIDES[1]).all()
        assert picture.boxes.min(initial=0) >= 0
        assert picture.boxes.max(initial=0) <= SIDE
        assert not picture.ignore.any()
        assert picture.pixels().shape == (SIDE, SIDE, 3)


def test_pictures_differ(dataset):
    assert len({picture.pixels().tobytes() for picture in dataset}) == sum(N_PICTURES.values())


def test_classes_sizes_and_stretches_are_spread(dataset):
    boxes = np.concatenate([p.boxes for p in dataset.splits["train"]])
    labels = np.concatenate([p.labels for p in dataset.splits["train"]])
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    stretch = np.abs(np.log(width / height))
    assert np.bincount(labels).min() > 0.25 * len(labels)
    assert 0.5 < (stretch < 0.5).mean() + (stretch > 0.5).mean() * 0.5 < 0.95
    assert (stretch > 0.7).mean() > 0.1  # slim ones
    assert (np.minimum(width, height) < 16).mean() > 0.3  # small ones
    assert len(boxes) > 3.5 * N_PICTURES["train"]


# Regressions


def test_the_same_on_every_machine(dataset):
    assert dataset.fingerprint == "80c4c3f58e7e21eb8a5321cd2f7382382f9f1b087ac31987a67f919af3b2ba0c"
    pixels = hashlib.sha256(b"".join(picture.pixels().tobytes() for picture in dataset)).hexdigest()
    assert pixels == "c74ea34d9240047f8298a38a67ac37e1e28211a5117341e8b01c52296debdc94"


def test_made_again_it_is_the_same(dataset):
    np.random.rand(3)
    for again, before in zip(module._split("val", 10, module._photos()), dataset.splits["val"], strict=False):
        assert again.name == before.name
        assert np.array_equal(again.boxes, before.boxes)
        assert np.array_equal(again.pixels(), before.pixels())


def test_it_is_kept_in_memory(dataset):
    assert embedded() is dataset


# Errors


def test_nothing_is_downloaded(monkeypatch):
    # scikit-image is not even imported: its loaders may ask the network for photos that the wheel lacks.
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingExtraError, match="scikit-image"):
        module._photos()


def test_a_photo_that_is_not_there(monkeypatch):
    monkeypatch.setattr(module, "PHOTOS", (*PHOTOS, "no_such_photo"))
    with pytest.raises(DataError, match=r"no_such_photo.png is not there"):
        module._photos()
