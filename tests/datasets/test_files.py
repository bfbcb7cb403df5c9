"""Paths never leave the data set's folder, whatever the format."""

import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from small_sets import plain_message, write

from boxloss.datasets import load
from boxloss.datasets.files import inside, read_text, walk_images
from boxloss.datasets.where import Where
from boxloss.errors import DataError

HERE = Path("/data/set")


@given(st.lists(st.sampled_from(["..", ".", "a", "b.jpg", "", "~", "C:", "\\", "/"]), min_size=1).map("/".join))
def test_a_path_is_inside_or_refused(relative: str) -> None:
    try:
        path = inside(HERE, relative, Where("f"), "path")
    except DataError:
        return
    assert os.path.normpath(path).startswith(str(HERE))


@pytest.mark.parametrize(
    ("format", "link"),
    [
        ("voc", "JPEGImages/a.png"),
        ("voc", "Annotations/a.xml"),
        ("voc", "ImageSets/Main/train.txt"),
        ("coco", "images/train/a.png"),
        ("coco", "annotations/instances_train.json"),
        ("yolo", "images/train/a.png"),
        ("yolo", "images/val/b.png"),
        ("yolo", "labels/train/a.txt"),
        ("yolo", "val.txt"),
        ("yolo", "data.yaml"),
    ],
)
def test_a_link_out_of_the_folder_is_refused(format: str, link: str, tmp_path: Path) -> None:
    root = write(tmp_path / "set", format)
    outside = tmp_path / f"outside{Path(link).suffix}"
    (root / link).rename(outside)
    (root / link).symlink_to(outside)
    with pytest.raises(DataError) as caught:
        load(root)
    message = plain_message(caught.value, root)
    assert message.endswith("must lie inside the data set's folder; hint: it is a symbolic link that leads out: copy the file in")
    assert Path(link).name in message


@pytest.mark.parametrize(
    ("format", "folder"), [("voc", "JPEGImages"), ("voc", "Annotations"), ("coco", "images/train"), ("yolo", "images/train"), ("yolo", "labels/train")]
)
def test_a_linked_folder_that_leads_out_is_refused(format: str, folder: str, tmp_path: Path) -> None:
    root = write(tmp_path / "set", format)
    (root / folder).rename(tmp_path / "outside")
    (root / folder).symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="symbolic link that leads out"):
        load(root, format=format)


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    root = write(tmp_path / "set", "voc")
    (root / "JPEGImages/a.png").rename(root / "real.png")
    (root / "JPEGImages/a.png").symlink_to(root / "real.png")
    assert load(root).splits["train"][0].pixels().shape == (80, 100, 3)


def test_the_data_sets_own_folder_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "set", "voc")
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert load(tmp_path / "link").name == "set"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "set", "voc")
    (root / "JPEGImages/a.png").unlink()
    (root / "JPEGImages/a.png").symlink_to(root / "JPEGImages/a.png")
    with pytest.raises(DataError) as caught:
        load(root)
    assert str(caught.value).isprintable()


def test_a_huge_text_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(100)
    with pytest.raises(DataError, match=r"size = 100: must be at most 99 bytes; hint: is this the right file\?"):
        read_text(tmp_path / "a.txt", tmp_path, largest=99)


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    root = write(tmp_path / "set", "yolo")
    (root / "images/train/._a.png").write_bytes(b"left by a Mac")
    (root / "images/train/.DS_Store").write_bytes(b"")
    assert list(walk_images(root / "images/train", root)) == ["a"]
    assert len(load(root).splits["train"]) == 1
