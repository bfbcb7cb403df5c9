"""COCO ground truth and detections, read strictly: what breaks a rule is refused with file, record, field, value, rule and hint.

Numbers are checked before they reach the compiled evaluator, which would take a NaN, a text or an unknown id without a word.
"""

import json
import math
import numbers
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from boxloss.errors import DataError

Source = str | PathLike[str] | dict[str, Any] | list[Any]
"""A path of a JSON file, or what `json.load` made of one."""

MOST_IDS = 10
"""So many ids a message lists."""


@dataclass(frozen=True)
class Truth:
    """The part of a COCO annotation file that the figures depend on, checked."""

    images: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    annotations: list[dict[str, Any]]


def read_truth(source: Source) -> Truth:
    """Images, categories and annotations of a COCO file. An absent `area` is width * height, an absent `iscrowd` is 0."""
    name, data = _read(source, "ground truth")
    if not isinstance(data, dict):
        raise _broken(name, "the file", "", data, "an object with images, annotations and categories", "a list of detections is the second argument")
    images = _records(name, data, "images")
    categories = _records(name, data, "categories")
    annotations = _records(name, data, "annotations")
    image_ids = _unique_ids(name, "images", images)
    category_ids = _unique_ids(name, "categories", categories)
    _unique_ids(name, "annotations", annotations, required=False)
    checked = []
    for i, record in enumerate(annotations):
        where = f"annotations[{i}]"
        one = _check_box(name, where, record, image_ids, category_ids)
        area = record.get("area", one["bbox"][2] * one["bbox"][3])
        if not _is_number(area) or area < 0:
            raise _broken(name, where, "area", area, "a finite number >= 0", "leave it out to have width * height")
        crowd = record.get("iscrowd", 0)
        if crowd not in (0, 1):
            raise _broken(name, where, "iscrowd", crowd, "0 or 1")
        checked.append(one | {"id": i + 1, "area": float(area), "iscrowd": int(crowd)})
    return Truth([{"id": i["id"]} for i in images], [{"id": c["id"], "name": str(c.get("name", c["id"]))} for c in categories], checked)


def read_detections(source: Source, truth: Truth) -> list[dict[str, Any]]:
    """The records of a COCO results file, which may name only the images and categories of `truth`."""
    name, data = _read(source, "detections")
    if not isinstance(data, list):
        raise _broken(name, "the file", "", data, "a list of records with image_id, category_id, bbox and score", "an annotation file is the first argument")
    image_ids = {i["id"] for i in truth.images}
    category_ids = {c["id"] for c in truth.categories}
    checked = []
    for i, record in enumerate(data):
        where = f"[{i}]"
        one = _check_box(name, where, record, image_ids, category_ids)
        score = _field(name, where, record, "score")
        if not _is_number(score):
            raise _broken(name, where, "score", score, "a finite number")
        width, height = one["bbox"][2:]
        checked.append(one | {"id": i + 1, "score": float(score), "area": width * height, "iscrowd": 0})
    return checked


def _read(source: Source, what: str) -> tuple[str, Any]:
    """A name for messages, and the parsed JSON."""
    if isinstance(source, (dict, list)):
        return what, source
    path = Path(source)
    try:
        return str(path), json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file: expected COCO {what} in JSON") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:  # ValueError: an integer of more than 4300 digits
        raise DataError(f"{path}: not JSON: {str(error).splitlines()[0]}") from None


def _records(name: str, data: dict[str, Any], key: str) -> list[Any]:
    if key not in data:
        raise _broken(name, "the file", key, "nothing", "a list", "a COCO annotation file has images, annotations and categories")
    records = data[key]
    if not isinstance(records, list):
        raise _broken(name, "the file", key, records, "a list")
    return records


def _unique_ids(name: str, key: str, records: list[Any], *, required: bool = True) -> set[int]:
    first: dict[int, int] = {}
    for i, record in enumerate(records):
        where = f"{key}[{i}]"
        if not required and isinstance(record, dict) and "id" not in record:
            continue
        id_ = _field(name, where, record, "id")
        if not _is_integer(id_):
            raise _broken(name, where, "id", id_, "an integer")
        if id_ in first:
            raise _broken(name, where, "id", id_, "each id once", f"{key}[{first[id_]}] has it too")
        first[id_] = i
    return set(first)


def _check_box(name: str, where: str, record: Any, image_ids: set[int], category_ids: set[int]) -> dict[str, Any]:
    image = _field(name, where, record, "image_id")
    if not _is_integer(image) or image not in image_ids:
        raise _broken(name, where, "image_id", image, "the id of an image of the ground truth", _known("image", image, image_ids))
    category = _field(name, where, record, "category_id")
    if not _is_integer(category) or category not in category_ids:
        raise _broken(name, where, "category_id", category, "the id of a category of the ground truth", _known("category", category, category_ids))
    box = _field(name, where, record, "bbox")
    if not isinstance(box, (list, tuple)) or len(box) != 4:
        raise _broken(name, where, "bbox", box, "four numbers: left, top, width, height")
    if not all(_is_number(value) for value in box):
        raise _broken(name, where, "bbox", box, "four finite numbers: left, top, width, height")
    if box[2] < 0 or box[3] < 0:
        raise _broken(name, where, "bbox", box, "width and height >= 0", "COCO's boxes are left, top, width, height, not two corners")
    return {"image_id": image, "category_id": category, "bbox": [float(value) for value in box]}


def _known(what: str, value: Any, known: set[int]) -> str:
    """What a wrong id may come from, and which ids there are."""
    if isinstance(value, str) and value.strip().isdecimal() and int(value) in known:
        return f"ids are numbers: write {int(value)}, without quotes"
    if what == "category" and _is_integer(value) and value + 1 in known and 0 not in known:
        return "the ground truth counts categories from 1: are these class indices from 0? Add 1 to each, or take the ids that stand under categories"
    there = [str(one) for one in sorted(known)]
    many = ", ".join(there) if len(there) <= MOST_IDS else f"{there[0]} to {there[-1]}, {len(there):,} of them"
    if what == "category":
        return f"its categories have the ids {many or 'of no category'}: is a class's place in a list given for its id?"
    return f"its images have the ids {many or 'of no image'}: is one file of another split, or a file's name given for an id?"


def _field(name: str, where: str, record: Any, field: str) -> Any:
    if not isinstance(record, dict):
        raise _broken(name, where, "", record, "an object")
    if field not in record:
        raise _broken(name, where, field, "nothing", f"a value: {field} is required")
    return record[field]


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)  # numbers: NumPy's count too, in dictionaries


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False


def _broken(name: str, where: str, field: str, value: Any, rule: str, hint: str = "") -> DataError:
    shown = value if value == "nothing" else _shorten(repr(value))
    place = f"{where}: {field}" if field else where
    return DataError(f"{name}: {place} is {shown}, expected {rule}" + (f" ({hint})" if hint else ""))


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
