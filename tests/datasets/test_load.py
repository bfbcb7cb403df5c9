"""Recognising a data set's format, and saying what was looked for."""

import warnings
from pathlib import Path

import pytest
from small_sets import SOUND, plain_message, put, write

from boxloss.datasets import Dataset, load
from boxloss.datasets.load import recognise
from boxloss.errors import DataError
from shared_data import shared

LOOKED_FOR = "Annotations/*.xml (VOC), annotations/*.json (COCO), data.yaml or images/ with labels/ (YOLO)"


def refusal(data: Path, root: Path, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        load(data, **how)  # type: ignore[arg-type]
    return plain_message(caught.value, root)


@pytest.mark.parametrize("format", SOUND)
def test_a_folder_is_recognised(format: str, tmp_path: Path) -> None:
    assert recognise(write(tmp_path, format)) == format
    assert load(str(tmp_path)).format == format


def test_a_json_file_and_a_yaml_file_are_recognised(tmp_path: Path) -> None:
    write(tmp_path / "c", "coco")
    write(tmp_path / "y", "yolo")
    alone = load(tmp_path / "c/annotations/instances_val.json")
    assert (alone.format, alone.name, list(alone.splits)) == ("coco", "instances_val", ["all"])
    assert load(tmp_path / "y/data.yaml").fingerprint == load(tmp_path / "y").fingerprint


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nothing", tmp_path)
    assert message == ("nothing: data set: path = 'nothing': must exist, or be the word embedded; hint: is it spelt right, and relative to the current folder?")


def test_a_path_that_no_file_system_takes(tmp_path: Path) -> None:
    assert "must exist, or be the word embedded" in refusal(tmp_path / ("x" * 300), tmp_path)


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    assert refusal(tmp_path, tmp_path) == f"DATA: data set: format = 'not recognised': must be Pascal VOC, COCO or YOLO; hint: looked for {LOOKED_FOR}"


def test_the_folder_above_a_data_set(tmp_path: Path) -> None:
    write(tmp_path / "VOC2007", "voc")
    assert refusal(tmp_path, tmp_path).endswith("hint: give the folder VOC2007 in it")


def test_a_folder_with_several_json_files(tmp_path: Path) -> None:
    put(tmp_path / "a.json", "{}")
    put(tmp_path / "b.json", "{}")
    assert refusal(tmp_path, tmp_path).endswith("hint: give one of the JSON files in it: a.json, b.json")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", "1,2")
    message = refusal(tmp_path / "a.csv", tmp_path)
    assert message == f"a.csv: data set: suffix = '.csv': must be .json (COCO) or .yaml (YOLO), or give a folder; hint: a folder may have {LOOKED_FOR}"


def test_a_folder_that_is_two_things(tmp_path: Path) -> None:
    write(tmp_path, "voc")
    write(tmp_path, "yolo")
    rule = "must be one of them; hint: say which, e.g. format='voc', or give the JSON or data.yaml file"
    assert refusal(tmp_path, tmp_path) == f"DATA: data set: format = 'voc and yolo': {rule}"
    assert load(tmp_path, format="yolo").format == "yolo"
    assert load(tmp_path / "data.yaml").format == "yolo"


def test_bccd_is_read_whole() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = load(shared("data", "bccd"))
    counts = {name: sum(int((picture.labels == k).sum()) for picture in dataset) for k, name in enumerate(dataset.classes)}
    # counts: ../shared/data/README.md
    assert counts == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert {split: len(pictures) for split, pictures in dataset.splits.items()} == {"train": 205, "val": 87, "test": 72}
    assert dataset.notes == ("2 boxes have no size, and are kept: in BloodImage_00338, BloodImage_00343",)
    assert {(picture.width, picture.height) for picture in dataset} == {(640, 480)}
    assert dataset.splits["train"][0].pixels().shape == (480, 640, 3)


def test_coco100_is_read_without_its_pictures() -> None:
    file = shared("data", "coco100", "ground_truth.json")
    dataset = load(file, pixels=False)
    assert sum(len(picture.boxes) for picture in dataset) == 839
    assert sum(int(picture.ignore.sum()) for picture in dataset) == 9
    assert len(dataset.classes) == 80
    assert dataset.classes[0] == "person"
    assert all(picture.path is None for picture in dataset)
    assert "must be an image file that exists; hint: pixels=False reads the annotations alone" in refusal(file, file.parent)


def test_the_embedded_set_is_read_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Dataset("embedded", "embedded", ("cat",), {"train": ()})
    monkeypatch.setattr("boxloss.datasets.embedded.embedded", lambda: made)
    assert load("embedded") is made
