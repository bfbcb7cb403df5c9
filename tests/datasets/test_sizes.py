"""Widths and heights as a network sees them."""

import numpy as np
import pytest

from boxloss.datasets import Dataset, Picture
from boxloss.datasets.sizes import CHUNK, sizes, sizes_from
from boxloss.errors import DataError, ParameterError, UnknownNameError
from shared_data import shared


def dataset():
    boxes = np.array([[0, 0, 10, 20], [5, 5, 5, 9], [50, 10, 90, 50]], np.float64)
    one = Picture("one", 200, 100, boxes, np.zeros(3, np.int64), np.array([False, False, True]))
    other = Picture("other", 50, 100, boxes[:1], np.zeros(1, np.int64), np.zeros(1, bool))
    return Dataset("mine", "voc", ("cat",), {"train": (one,), "val": (other,)})


def test_letterbox_keeps_the_ratio_and_drops_boxes_without_size():
    assert sizes(dataset(), (400, 400)).tolist() == [[20, 40], [80, 80], [40, 80]]


def test_stretching_scales_each_side_by_itself():
    assert sizes(dataset(), (400, 400), stretch=True).tolist() == [[20, 80], [80, 160], [80, 80]]


def test_no_boxes_have_no_sizes():
    assert sizes(Dataset("none", "voc", ("cat",), {"train": ()}), (9, 9)).shape == (0, 2)


def test_a_split_of_real_data():
    cells = shared("data", "bccd")
    assert len(sizes_from(cells, (640, 480), split="val")) < len(sizes_from(cells, (640, 480)))
    with pytest.raises(UnknownNameError, match="unknown split 'vla'"):
        sizes_from(cells, (640, 480), split="vla")


def test_an_array_is_read_in_pieces(tmp_path):
    boxes = np.random.Generator(np.random.PCG64(0)).integers(1, 50, (CHUNK + 5, 4))
    boxes[:, 2:] += boxes[:, :2]
    sides = boxes[:, 2:] - boxes[:, :2]
    np.save(tmp_path / "boxes.npy", boxes)
    np.save(tmp_path / "sizes.npy", sides.astype(np.float32))
    for name in ("boxes.npy", "sizes.npy"):
        found = sizes_from(tmp_path / name, (640, 640))
        assert found.dtype == np.float32
        assert (found == sides).all()


@pytest.mark.parametrize("row", [[1, 2, np.nan, 4], [5, 2, 3, 4], [1, 2, 1, 4], [0, 0, np.inf, 1], [0, 1], [-1, 3], [2, np.nan]])
def test_a_row_that_is_no_box_is_named(tmp_path, row):
    array = np.tile(np.array([[0.0, 0, 9, 9]])[:, -len(row) :], (CHUNK + 5, 1))
    array[CHUNK + 2] = row
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=rf"x\.npy: row {CHUNK + 2}: (box|size) = \[.*\]: must be (left, top|a width).*hint: .*drop such rows"):
        sizes_from(tmp_path / "x.npy", (640, 640))


@pytest.mark.parametrize("options", [{"split": "train"}, {"format": "coco"}, {"stretch": True}])
def test_what_an_array_has_no_use_for_is_refused(tmp_path, options):
    with pytest.raises(ParameterError, match="goes with a data set"):
        sizes_from(tmp_path / "x.npy", (640, 640), **options)


@pytest.mark.parametrize(("content", "message"), [(b"no array", "must be an array as np.save writes it"), (None, "must exist")])
def test_a_file_that_is_no_array_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=message):
        sizes_from(tmp_path / "x.npy", (640, 640))


@pytest.mark.parametrize("array", [np.zeros((3, 3)), np.zeros(4), np.zeros((2, 4), bool)])
def test_an_array_of_another_shape_is_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match="must be numbers"):
        sizes_from(tmp_path / "x.npy", (640, 640))
