"""Conversion: reading back gives the same data to the bit, or the format's limit is named."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from small_sets import SOUND, write

from boxloss.datasets import Dataset, Picture, convert, load
from boxloss.datasets.load import FORMATS, Format
from boxloss.errors import DataError, UnknownNameError
from shared_data import shared

names = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.\- ]{0,6}[A-Za-z0-9_])?", fullmatch=True)
class_names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8) | st.sampled_from(
    ["yes", "null", "1", "a b", "<&>", "#", "- x", "'\""]
)


@st.composite
def pictures(draw: st.DrawFn, n_classes: int, ignored: bool) -> Picture:
    """A picture in memory; coordinates anywhere on the grid of 1e-6 px, with ties and boxes without size."""
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    n = draw(st.integers(0, 4))

    def interval(side: int) -> list[float]:
        value = st.integers(-2_000_000, (side + 2) * 1_000_000) | st.integers(0, side).map(lambda k: k * 1_000_000)
        return [k / 1e6 for k in sorted((draw(value), draw(value)))]

    boxes = [[x1, y1, x2, y2] for (x1, x2), (y1, y2) in ((interval(width), interval(height)) for _ in range(n))]
    labels = draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    ignore = draw(st.lists(st.booleans(), min_size=n, max_size=n)) if ignored else [False] * n
    array = np.full((height, width, 3), draw(st.integers(0, 255)), dtype=np.uint8)
    return Picture(draw(names), width, height, np.array(boxes).reshape(-1, 4), np.array(labels, dtype=np.int64), np.array(ignore, dtype=bool), array=array)


@st.composite
def datasets(draw: st.DrawFn, ignored: bool = True) -> Dataset:
    classes = tuple(draw(st.lists(class_names, min_size=1, max_size=4, unique=True)))
    splits = draw(st.sampled_from([("all",), ("train", "val"), ("train", "val", "test"), ("test",)]))
    # a file system that tells no case apart would take a and A for one
    every = draw(st.lists(pictures(len(classes), ignored), min_size=len(splits), max_size=7, unique_by=lambda picture: picture.name.lower()))
    return Dataset("random", "embedded", classes, {split: tuple(every[k :: len(splits)]) for k, split in enumerate(splits)})


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_reading_back_gives_the_same_data(format: Format, data: st.DataObject) -> None:
    dataset = data.draw(datasets(ignored=format != "yolo"))
    with tempfile.TemporaryDirectory() as folder:
        written = load(convert(dataset, format, Path(folder) / "out"))
        assert written.format == format
        assert written.fingerprint == dataset.fingerprint
        assert written.classes == dataset.classes
        for one, two in zip(written, dataset, strict=True):
            assert one.name == two.name
            assert one.boxes.tobytes() == two.boxes.tobytes()
            assert one.pixels().tobytes() == two.pixels().tobytes()


@pytest.mark.parametrize("start", SOUND)
@pytest.mark.parametrize("end", FORMATS)
def test_every_format_becomes_every_other(start: str, end: Format, tmp_path: Path) -> None:
    dataset = load(write(tmp_path / "in", start))
    if end == "yolo":
        splits = {split: tuple(replace(picture, ignore=picture.ignore & False) for picture in every) for split, every in dataset.splits.items()}
        dataset = replace(dataset, splits=splits)
    if start == "coco" and end == "voc":  # its two splits have different files of one name
        with pytest.raises(DataError, match="picture name = 'a': must be unique over all splits"):
            convert(dataset, end, tmp_path / "out")
        return
    assert load(convert(dataset, end, tmp_path / "out")).fingerprint == dataset.fingerprint


def test_bccd_has_one_fingerprint_in_three_formats(tmp_path: Path) -> None:
    bccd = load(shared("data", "bccd"))
    for format in FORMATS:
        written = load(convert(bccd, format, tmp_path / format))
        assert written.fingerprint == bccd.fingerprint
        assert written.notes == bccd.notes


def test_annotations_alone_are_converted_where_there_are_no_pictures(tmp_path: Path) -> None:
    coco = load(shared("data", "coco100", "ground_truth.json"), pixels=False)
    for format in ("voc", "coco"):
        assert load(convert(coco, format, tmp_path / format), pixels=False).fingerprint == coco.fingerprint


def small(**change: object) -> Dataset:
    picture = Picture("a", 4, 3, np.array([[0.0, 0, 2, 2]]), np.array([0]), np.array([False]), array=np.zeros((3, 4, 3), np.uint8))
    return Dataset("d", "embedded", ("cat",), {"all": (replace(picture, **change),)})  # type: ignore[arg-type]


def refusal(dataset: Dataset, format: Format, out: Path) -> str:
    with pytest.raises(DataError) as caught:
        convert(dataset, format, out)
    assert not out.exists()
    assert not list(out.parent.glob(".*partial*"))
    return str(caught.value)


def test_yolo_refuses_ignored_boxes(tmp_path: Path) -> None:
    message = refusal(small(ignore=np.array([True])), "yolo", tmp_path / "out")
    assert message == "d: as YOLO: ignore = '1 box in a': must be 0 everywhere: YOLO cannot mark ignored boxes; hint: convert to coco, which can"


def test_yolo_refuses_pictures_without_pixels(tmp_path: Path) -> None:
    message = refusal(small(array=None), "yolo", tmp_path / "out")
    assert message == "d: as YOLO: image file = missing: must exist for every picture: a; hint: YOLO keeps no sizes: they are in the image files alone"


def test_yolo_refuses_splits_that_it_cannot_name(tmp_path: Path) -> None:
    folds = replace(small(), splits={"fold": small().splits["all"]})
    assert refusal(folds, "yolo", tmp_path / "out").startswith("d: as YOLO: splits = 'fold': must be train, val and test, or all alone; hint:")
    assert load(convert(folds, "voc", tmp_path / "voc")).fingerprint == folds.fingerprint


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["../a", "/tmp/a", "a/../../b"])
def test_a_name_that_climbs_out_writes_nothing_outside(format: Format, name: str, tmp_path: Path) -> None:
    assert "must be a path inside the data set's folder" in refusal(small(name=name), format, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [" a", "a\n", "a\\b"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_name_that_a_format_bends_is_refused_or_kept(format: Format, name: str, tmp_path: Path) -> None:
    dataset = small(name=name)
    try:
        written = load(convert(dataset, format, tmp_path / "out"))
    except DataError as error:
        message = str(error)
    else:
        assert written.fingerprint == dataset.fingerprint
        return
    assert message.isprintable()
    assert not (tmp_path / "out").exists()


def test_a_target_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("mine")
    with pytest.raises(DataError, match="must be a new or an empty folder; hint: remove it, or choose another"):
        convert(small(), "voc", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["keep"]


def test_an_empty_target_is_taken_and_is_readable_by_all(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    out = convert(small(), "coco", tmp_path / "out")
    mask = os.umask(0)
    os.umask(mask)
    assert out.stat().st_mode & 0o777 == 0o777 & ~mask
    assert not list(tmp_path.glob(".*"))


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    message = refusal(small(array=None, path=tmp_path / "gone.png"), "voc", tmp_path / "out")
    rule = "must be copied; hint: is it still there, and is there room at the target?"
    assert message == f"{tmp_path}/gone.png: picture: file = 'No such file or directory': {rule}"


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown data set format 'cocoa': did you mean coco"):
        convert(small(), "cocoa", tmp_path / "out")  # type: ignore[arg-type]
