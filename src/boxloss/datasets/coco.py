"""COCO: JSON files with `images`, `annotations` and `categories`.

Where they are found in a folder: `annotations/instances_*.json`, else `annotations/*.json`; else `train/_annotations.coco.json` and so on beside the
pictures (as Roboflow exports); else one JSON file, or several that are called after splits. A file given by itself is the split "all".
A split's name is the file's, less `instances_` and the year: `instances_val2017.json` is "val".

What is read: of an image `id`, `file_name`, `width`, `height`; of an annotation `id`, `image_id`, `category_id`, `bbox` (x, y, width, height in pixels)
and `iscrowd` (0 or 1, may be missing); of a category `id` and `name`. The classes are the categories by id; every file of a data set must have the same.
Pictures are looked for in `images/val`, `val`, `val2017` ..., `images`, beside the JSON file, and in the folder itself.

Everything else is an error, on one line: see `boxloss.datasets.checks` for the rules on values.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from boxloss.datasets import checks
from boxloss.datasets.files import SPLIT_NAMES, inside, no_way_out, read_text, split_name, stem
from boxloss.datasets.images import check_size
from boxloss.datasets.notes import oddities
from boxloss.datasets.types import SPLIT_ORDER, Dataset, Picture
from boxloss.datasets.where import MISSING, Where

# instances_train2017.json of COCO itself has 450 MB.
LARGEST_JSON = 2 * 2**30
_BESIDE = "_annotations.coco.json"
_WORDS = (*SPLIT_ORDER, *SPLIT_NAMES)
_CORNERS = ("bbox[0] (x)", "bbox[1] (y)", "bbox[0] + bbox[2] (x + width)", "bbox[1] + bbox[3] (y + height)")

Record = dict[str, Any]


def find_coco(root: Path) -> dict[str, Path]:
    """Split name to JSON file, for a folder; empty where it does not look like COCO."""
    listed = sorted((root / "annotations").glob("*.json"))
    listed = [path for path in listed if path.name.startswith("instances_")] or listed
    if listed:
        return {split_name(_word(path)[0]): path for path in listed}
    beside = {split_name(word): root / word / _BESIDE for word in _WORDS if (root / word / _BESIDE).is_file()}
    if beside:
        return beside
    single = sorted(root.glob("*.json"))
    if len(single) == 1:
        return {"all": single[0]}
    by_split = {split_name(_word(path)[0]): path for path in single}
    return by_split if by_split.keys() <= set(_WORDS) else {}


def read_coco(path: Path, *, pixels: bool = True) -> Dataset:
    """Reads a folder or one JSON file. With `pixels`, every image file must exist and have the size that the JSON says."""
    if path.is_dir():
        root, files = path, find_coco(path)
        if not files:
            Where(path, "folder").refuse("annotations/*.json", MISSING, "must hold at least one JSON file", "give the JSON file itself")
    else:
        root, files = path.resolve().parent.parent if path.resolve().parent.name == "annotations" else path.parent, {"all": path}
    classes: tuple[str, ...] | None = None
    splits: dict[str, tuple[Picture, ...]] = {}
    for split, file in files.items():
        reader = _File(file, root, pixels)
        if classes is not None and reader.classes != classes:
            rule = f"must be the same in all files; {next(iter(files.values())).name} has others, or another order"
            Where(file, "categories").refuse("names by id", list(reader.classes), rule, "give every file the same list of categories")
        classes = reader.classes
        splits[split] = reader.pictures()
    # A file that is given by itself is called after itself, not after the folder it lies in.
    name = root.resolve().name if path.is_dir() else path.stem
    return Dataset(name, "coco", classes or (), splits, oddities(splits))


def _word(path: Path) -> tuple[str, str]:
    """What a file's name says of its split, without and with the year: `instances_val2017.json` gives `val`, `val2017`."""
    dated = path.stem.removeprefix("instances_") or path.stem
    return re.sub(r"(?<=.)[_-]?\d{4}$", "", dated), dated


def parse_json(path: Path, root: Path) -> Any:
    """A JSON file's content. NaN, Infinity and keys that are there twice are refused, as JSON forbids or does not define them."""
    where = Where(path)
    text = read_text(path, root, LARGEST_JSON)
    if not text.strip():
        where.refuse("content", "", "must be a JSON document", "the file is empty")

    def constant(word: str) -> None:
        found = re.search(rf"[\[:,]\s*{word}\b", text)
        line = where.at(f"line {text.count(chr(10), 0, found.end()) + 1}") if found else where
        line.refuse("value", word, "must be a finite number", "JSON has no NaN and no Infinity: remove the box or write its true coordinate")

    def pairs(items: list[tuple[str, Any]]) -> Record:
        record = dict(items)
        if len(record) != len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            where.refuse("key", twice, "must be there once in its object", "remove one of the two")
        return record

    try:
        return json.loads(text, parse_constant=constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        where.at(f"line {error.lineno}, column {error.colno}").refuse("content", error.msg, "must be valid JSON", "was the file cut off or edited by hand?")
    except RecursionError:
        where.refuse("content", "nested too deeply", "must be a COCO document", "is this the right file?")
    except ValueError as error:
        if type(error) is not ValueError:  # our own refusal of NaN or of a double key
            raise
        where.refuse("value", "a number of thousands of digits", "must be a number that fits", "write its true value")


class _File:
    """One COCO file, checked as it is read: categories first, then images, then annotations."""

    def __init__(self, path: Path, root: Path, pixels: bool):
        self.path, self.root, self.pixels = path, root, pixels
        document = parse_json(path, root)
        if not isinstance(document, dict):
            hint = "a list of detections is not a data set: see boxloss evaluate" if isinstance(document, list) else "is this the right file?"
            Where(path).refuse("content", type(document).__name__, "must be an object with images, annotations and categories", hint)
        self.document: Record = document
        self.categories = self._categories()
        self.classes = checks.unique(((name, self._at("category", key)) for key, name in self.categories.items()), "name")

    def _at(self, kind: str, key: object) -> Where:
        return Where(self.path, f"{kind} id {key}")

    def _records(self, key: str, kind: str) -> list[tuple[int, Record, Where]]:
        """(id, record, place) of each record in a top-level list; ids must be whole and unique."""
        listed = self.document.get(key, MISSING)
        if not isinstance(listed, list):
            Where(self.path).refuse(key, listed, "must be a list", "a COCO data set has images, annotations and categories")
        result: list[tuple[int, Record, Where]] = []
        seen: dict[int, int] = {}
        for position, record in enumerate(listed):
            where = Where(self.path, f"{key}[{position}]")
            if not isinstance(record, dict):
                where.refuse(kind, record, "must be an object", "write {...} with its fields")
            number = record.get("id", MISSING)
            if not isinstance(number, int) or isinstance(number, bool):
                where.refuse("id", number, "must be a whole number", "number the records from 1, without quotes")
            if number in seen:
                where.refuse("id", number, f"must be unique; {key}[{seen[number]}] has it too", "number the records afresh")
            seen[number] = position
            result.append((number, record, self._at(kind, number)))
        return result

    def _categories(self) -> dict[int, str]:
        found = {key: checks.class_name(record.get("name", MISSING), where, "name") for key, record, where in self._records("categories", "category")}
        if not found:
            Where(self.path).refuse("categories", [], "must hold at least one category", "add the classes of the data set")
        return dict(sorted(found.items()))

    def pictures(self) -> tuple[Picture, ...]:
        """The file's images with their boxes, in the file's order."""
        images = self._images()
        label = {key: position for position, key in enumerate(self.categories)}
        boxes: dict[int, list[checks.Box]] = {key: [] for key in images}
        labels: dict[int, list[int]] = {key: [] for key in images}
        ignore: dict[int, list[bool]] = {key: [] for key in images}
        for _, record, where in self._records("annotations", "annotation"):
            image = _known(record, "image_id", images, where, "image")
            category = _known(record, "category_id", label, where, "category")
            _, (width, height), _ = images[image]
            boxes[image].append(_bbox(record.get("bbox", MISSING), (width, height), where))
            labels[image].append(label[category])
            ignore[image].append(checks.flag(record.get("iscrowd", 0), where, "iscrowd"))
        return tuple(
            Picture(name, *size, np.array(boxes[key]).reshape(-1, 4), np.array(labels[key], dtype=np.int64), np.array(ignore[key], dtype=np.bool_), file)
            for key, (name, size, file) in images.items()
        )

    def _images(self) -> dict[int, tuple[str, tuple[int, int], Path | None]]:
        """Image id to (name, (width, height), file)."""
        find = self._finder()
        found: dict[int, tuple[str, tuple[int, int], Path | None]] = {}
        names: dict[str, int] = {}
        for key, record, where in self._records("images", "image"):
            file_name = record.get("file_name", MISSING)
            if not isinstance(file_name, str):
                where.refuse("file_name", file_name, "must be the image file's name", "write it in quotes, like a/b.jpg")
            path = find(file_name, where)
            name = stem(checks.image_name(file_name, where, "file_name"))
            if name in names:
                where.refuse(
                    "file_name", file_name, f"must be unique, apart from the suffix; image id {names[name]} has it too", "rename or remove one of the two"
                )
            names[name] = key
            width, height = (checks.side(record.get(side, MISSING), where, side) for side in ("width", "height"))
            if self.pixels and path is None:
                where.refuse("file_name", file_name, "must be an image file that exists", "pixels=False reads the annotations alone")
            if self.pixels and path is not None:
                check_size(path, width, height, where)
            found[key] = name, (width, height), path
        if not found:
            Where(self.path).refuse("images", [], "must hold at least one image", "is this the right file?")
        return found

    def _finder(self) -> Callable[[str, Where], Path | None]:
        """A function from a file name to the file, in whichever folder pictures are kept; None where there is none."""
        word, dated = _word(self.path)
        aliases = [word, dated, *(alias for alias, split in SPLIT_NAMES.items() if split == word)]
        folders = [self.root / base / sub for sub in aliases for base in ("images", ".")]
        folders = [folder for folder in (*folders, self.root / "images", self.path.parent, self.root) if folder.is_dir()]

        def find(file_name: str, where: Where) -> Path | None:
            inside(self.root, file_name, where, "file_name")
            path = next((folder / file_name for folder in folders if (folder / file_name).is_file()), None)
            return None if path is None else no_way_out(self.root, path, where, "file_name")

        return find


def _known(record: Record, field: str, known: dict[int, Any], where: Where, kind: str) -> int:
    """The id in `record[field]`, which must be one of the known ones."""
    value = record.get(field, MISSING)
    if not isinstance(value, int) or isinstance(value, bool):
        where.refuse(field, value, "must be a whole number", f"write the id of {'an' if kind == 'image' else 'a'} {kind}, without quotes")
    if value not in known:
        where.refuse(
            field,
            value,
            f"must be the id of {'an' if kind == 'image' else 'a'} {kind} in this file",
            f"there are {len(known)}: is this one missing, or mistyped?",
        )
    return value


def _bbox(value: object, size: tuple[int, int], where: Where) -> checks.Box:
    """COCO's [x, y, width, height] as xyxy."""
    if not isinstance(value, list) or len(value) != 4:
        where.refuse("bbox", value, "must be a list of four numbers: x, y, width, height", "remove the annotation if it has no box")
    x, y, width, height = (checks.finite(number, where, f"bbox[{k}]") for k, number in enumerate(value))
    for k, length in ((2, width), (3, height)):
        if length < 0:
            where.refuse(f"bbox[{k}]", length, "must not be negative", "a COCO box is x, y, width, height; the corner is the upper left one")
    hint = "a COCO box is x, y, width, height: are these the corners?"
    return checks.box((x, y, x + width, y + height), size, where, _CORNERS, hint)
