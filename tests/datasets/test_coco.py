"""COCO: what is read, and where it is looked for, beyond what the corpus refuses."""

import shutil
from pathlib import Path

import pytest
from small_sets import COCO, put, write

from boxloss.datasets.coco import find_coco, read_coco

JSON = COCO["annotations/instances_train.json"]


def test_boxes_become_corners_and_ids_become_labels(tmp_path: Path) -> None:
    one, two = read_coco(write(tmp_path, "coco")).splits["train"]
    assert one.boxes.tolist() == [[10, 20, 30, 40.5]]
    assert (two.boxes.tolist(), two.labels.tolist(), two.ignore.tolist()) == ([[5, 6, 7, 8]], [1], [True])


def test_corners_lie_on_the_grid(tmp_path: Path) -> None:
    write(tmp_path, "coco")
    put(tmp_path / "annotations/instances_train.json", JSON.replace("[10, 20, 20, 20.5]", "[0.1, 20, 0.2, 20.5]"))
    # 0.1 + 0.2 is 0.30000000000000004 in float64
    assert read_coco(tmp_path).splits["train"][0].boxes[0, 2] == 0.3


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (["annotations/instances_train2017.json", "annotations/instances_val2017.json", "annotations/captions_val2017.json"], ["train", "val"]),
        (["annotations/train.json", "annotations/my_fold.json"], ["train", "my_fold"]),
        (["train/_annotations.coco.json", "valid/_annotations.coco.json"], ["train", "val"]),
        (["whatever.json"], ["all"]),
        (["train.json", "test.json"], ["train", "test"]),
        (["a.json", "b.json"], []),
        ([], []),
    ],
)
def test_files_are_found_with_their_splits(files: list[str], splits: list[str], tmp_path: Path) -> None:
    for file in files:
        put(tmp_path / file, JSON)
    assert sorted(find_coco(tmp_path)) == sorted(splits)


@pytest.mark.parametrize("folder", ["images/val", "val", "val2017", "images/val2017", "images", "annotations", "."])
def test_pictures_are_found_in_the_usual_folders(folder: str, tmp_path: Path) -> None:
    write(tmp_path, "coco")
    (tmp_path / "annotations/instances_train.json").unlink()
    (tmp_path / "annotations/instances_val.json").rename(tmp_path / "annotations/instances_val2017.json")
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name in ("a.png", "b.png"):
        shutil.move(tmp_path / "images/train" / name, tmp_path / folder / name)
    if folder != "images/val":
        shutil.rmtree(tmp_path / "images/val")
    dataset = read_coco(tmp_path)
    assert [picture.path for picture in dataset] == [tmp_path / folder / "a.png", tmp_path / folder / "b.png"]
    alone = read_coco(tmp_path / "annotations/instances_val2017.json")
    assert [picture.path for picture in alone] == [tmp_path / folder / "a.png", tmp_path / folder / "b.png"]


def test_roboflows_layout_is_read(tmp_path: Path) -> None:
    write(tmp_path / "c", "coco")
    for word, split in (("train", "train"), ("valid", "val")):
        shutil.copytree(tmp_path / "c/images" / split, tmp_path / "r" / word)
        put(tmp_path / "r" / word / "_annotations.coco.json", JSON)
    assert read_coco(tmp_path / "r").fingerprint == read_coco(tmp_path / "c").fingerprint


def test_classes_are_sorted_by_id_not_by_place(tmp_path: Path) -> None:
    write(tmp_path, "coco")
    for split in ("train", "val"):
        put(
            tmp_path / f"annotations/instances_{split}.json",
            JSON.replace('{"id": 1, "name": "cat"}', '{"id": 9, "name": "cat"}').replace('"category_id": 1,', '"category_id": 9,'),
        )
    dataset = read_coco(tmp_path)
    assert dataset.classes == ("dog", "cat")
    assert dataset.splits["train"][0].labels.tolist() == [1]


def test_the_oddities_are_told(tmp_path: Path) -> None:
    write(tmp_path, "coco")
    put(
        tmp_path / "annotations/instances_train.json",
        JSON.replace("[10, 20, 20, 20.5]", "[10, 20, 0, 20.5]").replace('"image_id": 2, "category_id": 7', '"image_id": 1, "category_id": 7'),
    )
    assert read_coco(tmp_path).notes == ("1 box has no size, and is kept: in a", "1 picture has no boxes: b")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, "coco")
    put(tmp_path / "annotations/instances_train.json", b"\xef\xbb\xbf" + JSON.encode())
    assert len(read_coco(tmp_path).splits["train"]) == 2
