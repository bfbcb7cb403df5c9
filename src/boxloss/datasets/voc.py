"""Pascal VOC: a folder with `Annotations/*.xml`, `JPEGImages/*` and, for splits, `ImageSets/Main/*.txt`.

What is read:

- `ImageSets/Main/train.txt`, `val.txt`, `test.txt`, or any other list: a picture's name a line. `trainval.txt` is passed over where train and val exist,
  and so are VOC's lists by class (`cat_train.txt`). Without lists everything is in the split "all".
- In a picture's XML: `size/width`, `size/height`, and of each `object` the `name`, `bndbox/xmin ymin xmax ymax` and `difficult` (0 or 1, may be missing).
  Coordinates are taken as written: nothing is added or subtracted. The rest is passed over, but `filename`, where present, must be the picture's.
- `classes.txt`, a class name a line, where present: our own addition, since VOC has no list of classes. Without it the classes are the names met, sorted.

Everything else is an error, on one line: see `boxloss.datasets.checks` for the rules on values.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from boxloss.datasets import checks
from boxloss.datasets.files import inside, read_bytes, read_lines, split_name, walk, walk_images
from boxloss.datasets.images import check_size
from boxloss.datasets.notes import first_few, oddities
from boxloss.datasets.types import Dataset, Picture
from boxloss.datasets.where import MISSING, Where, need
from boxloss.words import plural

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CLASSES = "classes.txt"
_BY_CLASS = re.compile(r".+_(?:train|val|trainval|test)")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Parsed(NamedTuple):
    """A picture's XML, before class names become labels."""

    width: int
    height: int
    names: list[str]
    boxes: list[checks.Box]
    difficult: list[bool]


def read_voc(root: Path, *, pixels: bool = True) -> Dataset:
    """Reads the data set in folder `root`. With `pixels`, every image file must exist and have the size that its XML says."""
    annotations = walk(root / "Annotations", root, (".xml",))
    lists = dict(_lists(root))
    splits = lists or {"all": {name: Where(path) for name, path in annotations.items()}}
    if not annotations:
        Where(root, "folder").refuse("Annotations/*.xml", MISSING, "must hold at least one XML file", "is this the folder above Annotations?")
    classes = _classes(root)
    parsed: dict[str, Parsed] = {}
    for names in splits.values():
        for name, where in names.items():
            if name not in annotations:
                hint = (
                    "two columns? lists by class must be called CLASS_train.txt" if re.search(r"\s-?[01]$", name) else "remove the line or add the annotation"
                )
                where.refuse("picture", name, f"must have the annotation Annotations/{name}.xml", hint)
            if name not in parsed:
                parsed[name] = parse(annotations[name], root, classes)
    if classes is None:
        classes = tuple(sorted({name for one in parsed.values() for name in one.names}))
        if not classes:
            Where(root, "folder").refuse("objects", 0, "must have at least one object in all its annotations", "or a classes.txt with the class names")
    images = _images(root)
    pictures = {name: _picture(name, one, annotations[name], images.get(name), classes, pixels) for name, one in parsed.items()}
    found = {split: tuple(pictures[name] for name in names) for split, names in splits.items()}
    unused = [name for name in annotations if name not in parsed]
    notes = [f"{plural(len(unused), 'annotation file is', 'annotation files are')} in no split, and not read: {first_few(unused)}"] if unused else []
    return Dataset(root.resolve().name, "voc", classes, found, (*oddities(found), *notes))


def parse(path: Path, root: Path, classes: tuple[str, ...] | None = None) -> Parsed:
    """One annotation file. With `classes`, any other class name is refused."""
    where = Where(path)
    tree = _xml(path, root)
    if tree.tag != "annotation":
        where.refuse("root element", tree.tag, "must be annotation", "is this a Pascal VOC file?")
    filename = tree.findtext("filename")
    pictured = re.split(r"[/\\]", (filename or "").strip())[-1]
    if pictured and path.stem not in (pictured, pictured.rsplit(".", 1)[0]):
        where.refuse("filename", pictured, f"must be the picture of this annotation, {path.stem}", "was one of the two renamed? correct filename")
    size = _only(tree, "size", where)
    width, height = (checks.side(checks.from_text(_text(size, key, where)), where, f"size/{key}") for key in ("width", "height"))
    result = Parsed(width, height, [], [], [])
    for number, element in enumerate(tree.findall("object"), start=1):
        at = where.at(f"object {number}")
        name = checks.class_name(_text(element, "name", at), at, "name")
        if classes is not None and name not in classes:
            at.refuse("name", name, f"must be one of the {plural(len(classes), 'class')} in {CLASSES}", "misspelt? else add it there")
        bounds = _only(element, "bndbox", at)
        corners = [checks.finite(checks.from_text(_text(bounds, key, at)), at, key) for key in _CORNERS]
        result.names.append(name)
        result.boxes.append(checks.box(corners, (width, height), at, _CORNERS))
        difficult = checks.from_text(element.findtext("difficult", "0").strip())
        result.difficult.append(checks.flag(difficult, at, "difficult"))
    return result


def _xml(path: Path, root: Path) -> "Element":
    """The root element. Document types and entities are refused: they are how XML bombs are made."""
    parser = need("defusedxml.ElementTree", "defusedxml")
    common = need("defusedxml.common", "defusedxml")
    where = Where(path)
    data = read_bytes(path, root)
    if not data.strip():
        where.refuse("content", "", "must be an XML document", "the file is empty")
    try:
        tree: Element = parser.fromstring(data, forbid_dtd=True)
    except common.DefusedXmlException:
        where.refuse("DOCTYPE", "<!DOCTYPE ...>", "must not declare a document type or entities", "delete that line: entities can blow up a small file")
    except parser.ParseError as error:
        where.refuse("content", str(error), "must be well-formed XML", "was the file cut off or edited by hand?")
    except (ValueError, LookupError) as error:  # an encoding that does not exist, or that expat cannot read
        where.refuse("encoding", str(error), "must be an encoding that is known", "save the file as UTF-8")
    return tree


def _only(element: "Element", tag: str, where: Where) -> "Element":
    """The child with this tag, of which there must be one."""
    found = element.findall(tag)
    if len(found) != 1:
        hint = f"add <{tag}>" if not found else "keep one of them"
        where.refuse(tag, f"{len(found)} elements" if found else MISSING, f"must be there once in {element.tag}", hint)
    return found[0]


def _text(element: "Element", tag: str, where: Where) -> str:
    return (_only(element, tag, where).text or "").strip()


def _classes(root: Path) -> tuple[str, ...] | None:
    """The names in classes.txt, or None where there is none."""
    path = root / CLASSES
    if not path.is_file():
        return None
    lines = [(n, Where(path, f"line {n}"), name) for n, name in read_lines(path, root)]
    if not lines:
        Where(path).refuse("content", "", "must list the classes, a name a line", "delete the file to take the names in the annotations")
    return checks.unique(((checks.class_name(name, where, "class"), where) for _, where, name in lines), "class")


def _lists(root: Path) -> Iterator[tuple[str, dict[str, Where]]]:
    """Split name to the pictures that its list names, each with the place where it is named."""
    folder = root / "ImageSets" / "Main"
    lists = {path.stem: path for path in sorted(folder.glob("*.txt")) if not _BY_CLASS.fullmatch(path.stem)}
    if {"train", "val"} <= lists.keys():
        lists.pop("trainval", None)
    for word, path in lists.items():
        names: dict[str, Where] = {}
        for number, name in read_lines(path, root):
            where = Where(path, f"line {number}")
            inside(root, name, where, "picture")
            checks.image_name(name, where, "picture")
            if name in names:
                where.refuse("picture", name, f"must be unique; {names[name].record} has it too", "remove one of the two lines")
            names[name] = where
        if not names:
            Where(path).refuse("content", "", "must list at least one picture", "remove the file if there is no such split")
        yield split_name(word), names


def _images(root: Path) -> dict[str, Path]:
    """Image files by picture name: in JPEGImages, or in images as some tools have it."""
    for folder in ("JPEGImages", "images"):
        if (root / folder).is_dir():
            return walk_images(root / folder, root)
    return {}


def _picture(name: str, one: Parsed, source: Path, image: Path | None, classes: tuple[str, ...], pixels: bool) -> Picture:
    where = Where(source)
    if pixels and image is None:
        where.refuse("image file", MISSING, f"must exist as JPEGImages/{name} with .jpg, .png or the like", "pixels=False reads the annotations alone")
    if pixels and image is not None:
        check_size(image, one.width, one.height, where)
    position = {word: k for k, word in enumerate(classes)}
    boxes = np.array(one.boxes, dtype=np.float64).reshape(-1, 4)
    labels = np.array([position[word] for word in one.names], dtype=np.int64)
    return Picture(name, one.width, one.height, boxes, labels, np.array(one.difficult, dtype=np.bool_), image)
