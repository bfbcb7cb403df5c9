"""YOLO: what is read, and from which layouts, beyond what the corpus refuses."""

from pathlib import Path

import pytest
from PIL import Image
from small_sets import YOLO, plain_message, put, write

from boxloss.datasets.yolo import find_yolo, read_yolo
from boxloss.errors import DataError

LABELS = "0 0.2 0.378125 0.2 0.25625\n"


def plain(root: Path, *names: str, labels: str = LABELS) -> Path:
    """Plain folders: each name is an image file, and has a label file."""
    for name in names:
        put(root / name, b"")
        Image.new("RGB", (100, 80)).save(root / name)
        put(root / name.replace("images", "labels").replace(".png", ".txt"), labels)
    return root


def test_shares_become_pixels(tmp_path: Path) -> None:
    dataset = read_yolo(write(tmp_path, "yolo"))
    # pencil: 0.2 * 100 -+ 0.2 * 100 / 2 = 10, 30; 0.378125 * 80 -+ 0.25625 * 80 / 2 = 20, 40.5
    assert dataset.splits["train"][0].boxes.tolist() == [[10, 20, 30, 40.5], [5, 6, 7, 8]]
    assert dataset.splits["val"][0].boxes.tolist() == [[25, 20, 75, 60]]
    assert dataset.splits["train"][0].labels.tolist() == [0, 1]


def test_whole_pixels_come_back_whole(tmp_path: Path) -> None:
    plain(tmp_path, "images/a.png", labels=f"0 {5 / 100!r} {7 / 80!r} {2 / 100!r} {14 / 80!r}\n")
    assert read_yolo(tmp_path).splits["all"][0].boxes.tolist() == [[4, 0, 6, 14]]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("images/a.png", "images/b.png"), {"all": ["a", "b"]}),
        (("images/train/a.png", "images/val/b.png"), {"train": ["a"], "val": ["b"]}),
        (("images/train/x/a.png", "images/train/a.png"), {"train": ["a", "x/a"]}),
        (("train/images/a.png", "valid/images/a.png", "test/images/b.png"), {"train": ["a"], "val": ["a"], "test": ["b"]}),
    ],
)
def test_plain_folders_are_read(names: tuple[str, ...], splits: dict[str, list[str]], tmp_path: Path) -> None:
    plain(tmp_path, *names)
    put(tmp_path / "classes.txt", "cat\ndog\n")
    assert find_yolo(tmp_path) == tmp_path
    dataset = read_yolo(tmp_path)
    assert {split: [picture.name for picture in pictures] for split, pictures in dataset.splits.items()} == splits
    assert dataset.classes == ("cat", "dog")
    assert all(picture.boxes.tolist() == [[10, 20, 30, 40.5]] for picture in dataset)


def test_without_a_list_classes_are_called_by_their_numbers(tmp_path: Path) -> None:
    plain(tmp_path, "images/a.png", labels="2 0.5 0.5 0.1 0.1\n")
    dataset = read_yolo(tmp_path)
    assert dataset.classes == ("0", "1", "2")
    assert dataset.notes == ("no list of classes (classes.txt, labels/classes.txt, obj.names): they are called by their numbers",)


@pytest.mark.parametrize("names", ["[cat, dog]", "{0: cat, 1: dog}", "{1: dog, 0: cat}", "\n  0: cat\n  1: dog"])
def test_names_may_be_a_list_or_a_mapping(names: str, tmp_path: Path) -> None:
    write(tmp_path, "yolo")
    put(tmp_path / "data.yaml", f"train: images/train\nval: [images/val]\ntest:\nnames: {names}\n")
    assert read_yolo(tmp_path).classes == ("cat", "dog")


def test_path_moves_the_root(tmp_path: Path) -> None:
    write(tmp_path / "coco8", "yolo")
    put(tmp_path / "coco8.yaml", "path: coco8\ntrain: images/train\nval: val.txt\nnames: [cat, dog]\n")
    assert read_yolo(tmp_path / "coco8.yaml").fingerprint == read_yolo(tmp_path / "coco8").fingerprint


@pytest.mark.parametrize("text", ["./images/val/b.png\n", "images/val/b.png", "\r\n images/val/b.png \r\n"])
def test_lists_of_pictures_are_read(text: str, tmp_path: Path) -> None:
    write(tmp_path, "yolo")
    put(tmp_path / "val.txt", text)
    assert [(picture.name, len(picture.boxes)) for picture in read_yolo(tmp_path).splits["val"]] == [("b", 1)]


def test_labels_lie_beside_the_picture_where_no_folder_is_called_images(tmp_path: Path) -> None:
    plain(tmp_path, "pictures/a.png")
    put(tmp_path / "data.yaml", "train: pictures\nnames: [cat]\n")
    assert read_yolo(tmp_path).splits["train"][0].boxes.tolist() == [[10, 20, 30, 40.5]]


def test_oddities_are_kept_and_told(tmp_path: Path) -> None:
    write(tmp_path, "yolo")
    put(tmp_path / "labels/train/a.txt", LABELS * 2 + "1 0.5 0.5 0 0.1\n1 0.5 0.99 0.1 0.03\n")
    (tmp_path / "labels/val/b.txt").unlink()
    dataset = read_yolo(tmp_path)
    assert dataset.notes == (
        "1 box has no size, and is kept: in a",
        "1 box hangs slightly over the picture's edge, and is kept as written: in a",
        "1 box repeats another of the same class to the digit, and is kept: in a",
        "1 picture has no boxes: b",
        "1 picture has no label file, and is taken to have no boxes: b",
    )
    assert len(dataset.splits["train"][0].boxes) == 4


def test_a_yaml_bomb_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, "yolo")
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 30)]
    put(tmp_path / "data.yaml", "\n".join([*lines, "names: *a29", "train: images/train"]))
    with pytest.raises(DataError) as caught:
        read_yolo(tmp_path)
    message = plain_message(caught.value, tmp_path)
    assert message == "data.yaml: line 2: alias = '*a0': must not refer to another part; hint: write the value out"


def test_the_corpus_starts_from_two_layouts() -> None:
    assert "val.txt" in YOLO  # a folder and a list: both are in the sound set
