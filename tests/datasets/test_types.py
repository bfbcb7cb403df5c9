"""The in-memory form: its invariants, the grid of a millionth of a pixel, and what the fingerprint sees."""

from dataclasses import replace

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from boxloss.datasets.types import Dataset, Picture, on_grid
from boxloss.errors import DataError, InvalidBoxError, ShapeError, UnknownNameError


def picture(name: str = "a", boxes: object = ((1, 2, 3, 4),), labels: object = (0,), ignore: object = (False,), **more: object) -> Picture:
    return Picture(name, 10, 8, np.array(boxes, dtype=np.float64), np.array(labels), np.array(ignore), **more)  # type: ignore[arg-type]


def dataset(*pictures: Picture, classes: tuple[str, ...] = ("cat",)) -> Dataset:
    return Dataset("d", "voc", classes, {"train": pictures})


@given(hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(-1.1e6, 1.1e6)))
def test_the_grid_keeps_what_is_on_it(values: np.ndarray) -> None:
    once = on_grid(values)
    assert on_grid(once).tobytes() == once.tobytes()
    half_a_step = 0.5e-6
    assert (np.abs(once - values) <= half_a_step + 2 * np.spacing(np.abs(values))).all()


@given(st.integers(0, 10**15))
def test_a_millionth_is_the_float_that_its_decimals_name(k: int) -> None:
    assert on_grid([k / 1e6])[0] == float(f"{k // 10**6}.{k % 10**6:06}")


def test_arrays_are_read_only_and_apart_from_the_caller() -> None:
    boxes = np.array([[1.0, 2.0, 3.0, 4.0]])
    one = picture(boxes=boxes)
    boxes[0, 0] = 9
    assert one.boxes[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        one.boxes[0, 0] = 9


def test_negative_zero_becomes_zero() -> None:
    assert not np.signbit(picture(boxes=[[-0.0, -1e-9, 1, 1]]).boxes).any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"boxes": np.zeros((0,))}, ShapeError, "Picture 'a': boxes has shape (0,), expected (n, 4); no boxes are np.zeros((0, 4))"),
        ({"boxes": np.zeros((1, 5))}, ShapeError, "Picture 'a': boxes has shape (1, 5), expected (n, 4); no boxes are np.zeros((0, 4))"),
        ({"boxes": np.full((1, 4), np.nan)}, InvalidBoxError, "Picture 'a': boxes has values that are not finite, or beyond 1e+09 px"),
        ({"boxes": np.full((1, 4), 2e9)}, InvalidBoxError, "Picture 'a': boxes has values that are not finite, or beyond 1e+09 px"),
        ({"labels": np.zeros(2)}, ShapeError, "Picture 'a': 1 box, but labels has shape (2,) and ignore has shape (1,)"),
        ({"array": np.zeros((10, 8, 3), np.uint8)}, ShapeError, "Picture 'a': array is uint8 (10, 8, 3), expected uint8 (8, 10, 3)"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, np.ndarray], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        replace(picture(), **change)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_label_without_class_and_a_name_twice_are_refused() -> None:
    with pytest.raises(DataError, match=r"d: picture a: labels = \[0\]: must lie in 0 \.\.\. -1"):
        dataset(picture(), classes=())
    with pytest.raises(DataError, match="d: split train: picture name = 'a': must be unique"):
        dataset(picture(), picture())


def test_splits_and_pictures_come_in_one_order() -> None:
    made = Dataset("d", "voc", ("cat",), {"zoo": (), "val": (), "art": (), "train": (picture("b"), picture("a"))})
    assert list(made.splits) == ["train", "val", "art", "zoo"]
    assert [one.name for one in made] == ["a", "b"]


CHANGES = [
    dataset(picture("b")),
    dataset(picture(boxes=[[1, 2, 3, 4.000001]])),
    dataset(picture(ignore=[True])),
    dataset(picture(), picture("b")),
    dataset(replace(picture(), width=11)),
    dataset(picture(), classes=("dog",)),
    Dataset("d", "voc", ("cat", "dog"), {"train": (picture(labels=[1]),)}),
    Dataset("d", "voc", ("cat",), {"val": (picture(),)}),
]


def test_the_fingerprint_sees_every_part_of_the_data() -> None:
    prints = {one.fingerprint for one in (dataset(picture()), *CHANGES)}
    assert len(prints) == len(CHANGES) + 1


def test_the_fingerprint_sees_neither_format_nor_pixels_nor_notes() -> None:
    other = Dataset("e", "coco", ("cat",), {"train": (picture(array=np.ones((8, 10, 3), np.uint8)),)}, ("a note",))
    assert other.fingerprint == dataset(picture()).fingerprint


def test_one_split_alone() -> None:
    made = Dataset("d", "voc", ("cat",), {"train": (picture("a"),), "val": (picture("b", [[1, 1, 1, 2]]),)})
    assert [one.name for one in made.only("val")] == ["b"]
    assert made.only("val").notes == ("1 box has no size, and is kept: in b",)
    with pytest.raises(UnknownNameError, match="unknown split 'vel': did you mean val"):
        made.only("vel")


def test_pixels_that_are_not_there_are_refused_when_asked_for() -> None:
    with pytest.raises(DataError) as caught:
        picture().pixels()
    rule = "must exist where pixels are needed; hint: the data set was read with pixels=False, or put the image files in place"
    assert str(caught.value) == f"a: picture: image file = missing: {rule}"
