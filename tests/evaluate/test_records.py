"""COCO files that break a rule: each is refused on one line that names file, record, field, value, rule and hint."""

import copy
import json
import math

import pytest

from boxloss.errors import DataError
from boxloss.evaluate.records import read_detections, read_truth

TRUTH = {
    "images": [{"id": 1}, {"id": 2}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
}
DETECTION = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


def broken(path, value):
    """TRUTH with one value set (or removed, where it is `...`)."""
    data = copy.deepcopy(TRUTH)
    place = data
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def test_area_and_iscrowd_have_defaults():
    (annotation,) = read_truth(TRUTH).annotations
    assert annotation == {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.0], "area": 12.0, "iscrowd": 0}


def test_nothing_is_changed_in_what_is_given():
    before = copy.deepcopy(TRUTH)
    read_detections([DETECTION], read_truth(TRUTH))
    assert before == TRUTH


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["images"], ..., "the file: images is nothing, expected a list (a COCO annotation file has"),
        (["categories"], {}, "the file: categories is {}, expected a list"),
        (["images", 0], 7, "images[0] is 7, expected an object"),
        (["images", 1, "id"], 1, "images[1]: id is 1, expected each id once (images[0] has it too)"),
        (["images", 1, "id"], "1", "images[1]: id is '1', expected an integer"),
        (["images", 1, "id"], True, "images[1]: id is True, expected an integer"),
        (["annotations", 0], None, "annotations[0] is None, expected an object"),
        (["annotations", 0, "image_id"], 3, "annotations[0]: image_id is 3, expected the id of an image"),
        (["annotations", 0, "image_id"], [1], "annotations[0]: image_id is [1], expected the id of an image"),
        (["annotations", 0, "category_id"], 9, "annotations[0]: category_id is 9, expected the id of a category"),
        (["annotations", 0, "category_id"], ..., "annotations[0]: category_id is nothing, expected a value"),
        (["annotations", 0, "bbox"], [1, 2, 3], "annotations[0]: bbox is [1, 2, 3], expected four numbers"),
        (["annotations", 0, "bbox"], "1 2 3 4", "annotations[0]: bbox is '1 2 3 4', expected four numbers"),
        (["annotations", 0, "bbox"], [1, 2, "3", 4], "expected four finite numbers"),
        (["annotations", 0, "bbox"], [1, 2, math.nan, 4], "expected four finite numbers"),
        (["annotations", 0, "bbox"], [1, 2, 10**400, 4], "expected four finite numbers"),
        (["annotations", 0, "bbox"], [9, 9, -1, 4], "expected width and height >= 0 (COCO's boxes are left, top, width, height, not two corners)"),
        (["annotations", 0, "area"], -1, "annotations[0]: area is -1, expected a finite number >= 0"),
        (["annotations", 0, "iscrowd"], 2, "annotations[0]: iscrowd is 2, expected 0 or 1"),
    ],
)
def test_ground_truth_that_is_refused(path, value, message):
    with pytest.raises(DataError) as caught:
        read_truth(broken(path, value))
    assert str(caught.value).startswith("ground truth: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 9}, "[1]: image_id is 9, expected the id of an image of the ground truth (its images have the ids 1, 2: is one file of another split"),
        ({"image_id": "1"}, "[1]: image_id is '1', expected the id of an image of the ground truth (ids are numbers: write 1, without quotes)"),
        ({"category_id": 9}, "[1]: category_id is 9, expected the id of a category of the ground truth (its categories have the ids 1: is a class's place"),
        ({"category_id": 0}, "are these class indices from 0?"),
        ({"bbox": None}, "[1]: bbox is None, expected four numbers"),
        ({"score": "0.5"}, "[1]: score is '0.5', expected a finite number"),
        ({"score": math.inf}, "[1]: score is inf, expected a finite number"),
    ],
)
def test_detections_that_are_refused(change, message):
    with pytest.raises(DataError) as caught:
        read_detections([DETECTION, DETECTION | change], read_truth(TRUTH))
    assert str(caught.value).startswith("detections: ")
    assert message in str(caught.value)


def test_the_two_arguments_exchanged():
    with pytest.raises(DataError, match="a list of detections is the second argument"):
        read_truth([DETECTION])
    with pytest.raises(DataError, match="an annotation file is the first argument"):
        read_detections(TRUTH, read_truth(TRUTH))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{\n  'a': 1}", "line 2, column 3: not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[" + b"1" * 5000 + b"]", "not JSON"),
    ],
)
def test_files_that_are_not_json(tmp_path, content, message):
    path = tmp_path / "truth.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_truth(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_truth(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_truth(tmp_path)


def test_files_and_objects_read_the_same(tmp_path):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(TRUTH))
    assert read_truth(path) == read_truth(str(path)) == read_truth(TRUTH)
