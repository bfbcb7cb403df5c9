"""Pascal VOC: what is read, beyond what the corpus refuses."""

from pathlib import Path

from small_sets import VOC, put, write

from boxloss.datasets.voc import read_voc


def edited(root: Path, file: str, old: str, new: str) -> Path:
    write(root, "voc")
    assert old in VOC[file]
    put(root / file, VOC[file].replace(old, new))
    return root


def test_coordinates_are_as_written(tmp_path: Path) -> None:
    picture = read_voc(write(tmp_path, "voc")).splits["train"][0]
    assert picture.boxes.tolist() == [[10, 20, 30, 40.5], [5, 6, 7, 8]]
    assert picture.labels.tolist() == [0, 1]
    assert picture.ignore.tolist() == [False, True]
    assert (picture.name, picture.width, picture.height) == ("a", 100, 80)


def test_without_lists_everything_is_one_split(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    for name in ("train", "val"):
        (tmp_path / f"ImageSets/Main/{name}.txt").unlink()
    assert [(split, len(pictures)) for split, pictures in read_voc(tmp_path).splits.items()] == [("all", 2)]


def test_trainval_counts_only_alone_and_lists_by_class_never(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    put(tmp_path / "ImageSets/Main/trainval.txt", "a\nb\n")
    put(tmp_path / "ImageSets/Main/cat_train.txt", "a  1\n")
    assert list(read_voc(tmp_path).splits) == ["train", "val"]
    (tmp_path / "ImageSets/Main/train.txt").unlink()
    assert list(read_voc(tmp_path).splits) == ["val", "trainval"]


def test_without_a_list_the_classes_are_sorted_names(tmp_path: Path) -> None:
    edited(tmp_path, "Annotations/a.xml", "<name>cat</name>", "<name>zebra</name>")
    (tmp_path / "classes.txt").unlink()
    assert read_voc(tmp_path).classes == ("cat", "dog", "zebra")


def test_the_list_of_classes_gives_their_order(tmp_path: Path) -> None:
    edited(tmp_path, "classes.txt", "cat\ndog\n", "dog\n\nunused\r\ncat\n")
    dataset = read_voc(tmp_path)
    assert dataset.classes == ("dog", "unused", "cat")
    assert dataset.splits["train"][0].labels.tolist() == [2, 0]


def test_oddities_are_kept_and_told(tmp_path: Path) -> None:
    edited(tmp_path, "Annotations/a.xml", "<xmax>30</xmax>", "<xmax>10</xmax>")
    put(tmp_path / "Annotations/b.xml", VOC["Annotations/b.xml"].replace("<xmin>10</xmin>", "<xmin>-1.5</xmin>"))
    put(tmp_path / "Annotations/c.xml", VOC["Annotations/a.xml"])
    put(tmp_path / "ImageSets/Main/val.txt", "a\nb\n")
    dataset = read_voc(tmp_path)
    assert dataset.notes == (
        "2 boxes have no size, and are kept: in a",
        "1 box hangs slightly over the picture's edge, and is kept as written: in b",
        "1 picture is in more than one split: a",
        "1 annotation file is in no split, and not read: c",
    )
    assert dataset.splits["train"][0].boxes[0].tolist() == [10, 20, 10, 40.5]


def test_a_document_in_another_declared_encoding_is_read(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    text = VOC["Annotations/a.xml"].replace("cat", "café")
    put(tmp_path / "Annotations/a.xml", ('<?xml version="1.0" encoding="iso-8859-1"?>\n' + text).encode("latin-1"))
    (tmp_path / "classes.txt").unlink()
    assert "café" in read_voc(tmp_path).classes


def test_pictures_may_be_missing_where_pixels_are_not_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    (tmp_path / "JPEGImages/a.png").unlink()
    dataset = read_voc(tmp_path, pixels=False)
    assert dataset.splits["train"][0].path is None
    assert dataset.splits["val"][0].path is not None


def test_names_may_have_folders_dots_and_blanks(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    for old in ("Annotations/a.xml", "JPEGImages/a.png"):
        folder, _, suffix = old.partition("/")
        new = tmp_path / folder / "x.y" / f"a b.c{suffix[1:]}"
        new.parent.mkdir()
        (tmp_path / old).rename(new)
    xml = tmp_path / "Annotations/x.y/a b.c.xml"
    xml.write_text(xml.read_text().replace("a.png", "a b.c.png"))
    put(tmp_path / "ImageSets/Main/train.txt", "x.y/a b.c\n")
    assert read_voc(tmp_path).splits["train"][0].name == "x.y/a b.c"
