"""YOLO: a text file for each picture, a line `class cx cy w h` for each box, in shares of the picture's sides.

Two layouts are read:

- `data.yaml` with `names` (a list, or a mapping from 0), maybe `nc` and `path`, and `train`, `val`, `test`: each a folder of pictures, a text file that
  lists pictures, or a list of those; relative to the folder of data.yaml (or to `path` in it). In a list file, `./` starts at the list's own folder.
- plain folders: `images/train` with `labels/train` and so on, or `train/images` with `train/labels`, or `images` with `labels` (split "all").
  The class names are then the lines of `classes.txt` (also `labels/classes.txt`, `obj.names`); without it they are the numbers, which is noted.

The labels of `.../images/x.jpg` are `.../labels/x.txt` (the last folder called images counts; without one, beside the picture). A picture without a label file
has no boxes, which is noted; a label file without its picture is an error. The image files are needed always: they alone know the sizes.
Boxes are turned into pixels and rounded to 1e-6 px, so what was written from whole pixels comes back as whole pixels, if written with enough digits.

Everything else is an error, on one line: see `boxloss.datasets.checks` for the rules on values.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from boxloss.datasets import checks
from boxloss.datasets.files import SPLIT_NAMES, inside, no_way_out, read_lines, read_text, split_name, stem, walk, walk_images
from boxloss.datasets.images import SUFFIXES, read_size
from boxloss.datasets.notes import first_few, oddities
from boxloss.datasets.types import SPLIT_ORDER, Dataset, Picture
from boxloss.datasets.where import MISSING, Where, need
from boxloss.words import plural

_CLASS_LISTS = ("classes.txt", "labels/classes.txt", "obj.names")
_WORDS = (*SPLIT_ORDER, *SPLIT_NAMES)
_CORNERS = ("cx - w/2 in pixels", "cy - h/2 in pixels", "cx + w/2 in pixels", "cy + h/2 in pixels")
# A share of the picture that is larger than this cannot be meant as one.
_SURELY_PIXELS = 2.0

Files = dict[str, tuple[Path, Path]]  # picture name to image file and label file


def find_yolo(root: Path) -> Path | None:
    """data.yaml (or the only YAML file), or the folder itself where it has images and labels; None where it does not look like YOLO."""
    named = [root / name for name in ("data.yaml", "data.yml", "dataset.yaml") if (root / name).is_file()]
    listed = named or sorted((*root.glob("*.yaml"), *root.glob("*.yml")))
    if named or len(listed) == 1:
        return listed[0]
    split_folders = any((root / word / "images").is_dir() and (root / word / "labels").is_dir() for word in _WORDS)
    return root if split_folders or ((root / "images").is_dir() and (root / "labels").is_dir()) else None


def read_yolo(path: Path) -> Dataset:
    """Reads a folder or a data.yaml."""
    found = find_yolo(path) if path.is_dir() else path
    if found is None:
        Where(path, "folder").refuse("data.yaml", MISSING, "must hold data.yaml, or images and labels", "is this the right folder?")
    root = found if found.is_dir() else found.parent
    classes, files = _plain(root) if found.is_dir() else _from_yaml(found, root)
    labels = _Labels(root, classes)
    splits = {split: tuple(labels.picture(name, *pair) for name, pair in listed.items()) for split, listed in files.items()}
    if classes is None:
        classes = tuple(str(number) for number in range(labels.largest + 1))
        labels.notes.append(f"no list of classes ({', '.join(_CLASS_LISTS)}): they are called by their numbers")
        if not classes:
            Where(root, "folder").refuse("objects", 0, "must have at least one object in all its labels", "or a classes.txt with the class names")
    if labels.without:
        text = plural(len(labels.without), "picture has no label file, and is taken", "pictures have no label file, and are taken")
        labels.notes.append(f"{text} to have no boxes: {first_few(labels.without)}")
    return Dataset(root.resolve().name, "yolo", classes, splits, (*oddities(splits), *labels.notes))


class _Labels:
    """Reads label files; remembers what there is to note."""

    def __init__(self, root: Path, classes: tuple[str, ...] | None):
        self.root, self.classes = root, classes
        self.without: list[str] = []
        self.notes: list[str] = []
        self.largest = -1

    def picture(self, name: str, image: Path, labels: Path) -> Picture:
        """One picture: the size from the image file's header, the boxes from its label file."""
        size = read_size(image)
        rows: list[tuple[int, checks.Box]] = []
        if labels.is_file():
            rows = [self._row(line.split(), size, Where(labels, f"line {number}")) for number, line in read_lines(labels, self.root)]
        else:
            self.without.append(name)
        boxes = np.array([box for _, box in rows], dtype=np.float64).reshape(-1, 4)
        numbers = np.array([label for label, _ in rows], dtype=np.int64)
        return Picture(name, *size, boxes, numbers, np.zeros(len(rows), dtype=np.bool_), image)

    def _row(self, words: list[str], size: tuple[int, int], where: Where) -> tuple[int, checks.Box]:
        """A line's label, and its box in pixels."""
        if "," in "".join(words):
            where.refuse("separator", ",", "must be blanks between the five numbers: class cx cy w h", "and a point, not a comma, in decimals")
        if len(words) != 5:
            where.refuse("columns", len(words), "must be 5: class cx cy w h", _column_hint(len(words)))
        label = checks.integer(checks.from_text(words[0]), where, "class")
        n_classes = None if self.classes is None else len(self.classes)
        if label < 0 or (n_classes is not None and label >= n_classes) or label > 100_000:
            hint = "YOLO counts classes from 0" if label == n_classes else "is the list of names complete?"
            where.refuse("class", label, f"must lie in 0 ... {(n_classes or 100_001) - 1}", hint)
        self.largest = max(self.largest, label)
        cx, cy, w, h = (checks.finite(checks.from_text(word), where, field) for word, field in zip(words[1:], ("cx", "cy", "w", "h"), strict=True))
        for field, share, side in (("cx", cx, size[0]), ("cy", cy, size[1]), ("w", w, size[0]), ("h", h, size[1])):
            # a box that hangs over both edges of a picture of a few pixels may well be three times as wide
            if share > max(_SURELY_PIXELS, 1 + 2 * checks.overhang(side) / side):
                where.refuse(
                    field,
                    share,
                    "must be a share of the picture's side, in 0 ... 1",
                    "these look like pixels: divide x and w by the width, y and h by the height",
                )
        for field, share in (("w", w), ("h", h)):
            if share < 0:
                where.refuse(field, share, "must not be negative", "are the corners exchanged?")
        corners = ((cx - w / 2) * size[0], (cy - h / 2) * size[1], (cx + w / 2) * size[0], (cy + h / 2) * size[1])
        return label, checks.box(corners, size, where, _CORNERS)


def _column_hint(n: int) -> str:
    if n == 6:
        return "a sixth column is often a score: are these predictions?"
    if n > 6 and n % 2 == 1:
        return "more columns are often a polygon (segmentation) or key points: export as detection"
    return "separate the five numbers by blanks"


def _label_path(image: Path, root: Path) -> Path:
    """Where the labels of an image file, or of a folder of them, belong: its last `images` folder becomes `labels`."""
    parts = list(image.relative_to(root).parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return root.joinpath(*parts)


def _folder(folder: Path, root: Path) -> Files:
    """The pictures of a folder with their label files; a label file without a picture is refused."""
    labels = _label_path(folder, root)
    images = walk_images(folder, root)
    if not images:
        Where(folder, "folder").refuse("image files", 0, "must hold at least one picture", f"with one of the suffixes {' '.join(SUFFIXES)}")
    if labels.is_dir():
        for name, path in walk(labels, root, (".txt",)).items():
            if name not in images and path.name != "classes.txt" and labels != folder:
                rule = f"must have its picture in {folder.relative_to(root).as_posix()}"
                Where(path).refuse("image file", MISSING, rule, "remove the label file, or put its picture in place")
    return {name: (image, labels / f"{name}.txt") for name, image in images.items()}


def _listed(path: Path, split: str, base: Path, root: Path) -> Files:
    """The pictures that a text file lists, with their label files."""
    files: Files = {}
    for number, line in read_lines(path, root):
        where = Where(path, f"line {number}")
        start = path.parent if line.startswith("./") else base
        image = inside(root, _from_root(line.removeprefix("./"), start, root), where, "picture")
        if not image.is_file():
            where.refuse("picture", line, "must be an image file that exists", "paths count from data.yaml, or with ./ from the list's own folder")
        name = _name_in_list(image.relative_to(root), split)
        if name in files:
            where.refuse("picture", line, "must be unique, apart from the suffix", "remove one of the two lines")
        files[name] = image, _label_path(image, root).parent / f"{stem(image.name)}.txt"
    if not files:
        Where(path).refuse("content", "", "must list at least one picture", "remove the split if it has none")
    return files


def _from_root(path: str, base: Path, root: Path) -> str:
    """A path that counts from `base`, a folder in `root`, as one that counts from `root`; one that is absolute is left to be refused."""
    return path if base == root or path.startswith(("/", "~")) else f"{base.relative_to(root).as_posix()}/{path}"


def _name_in_list(image: Path, split: str) -> str:
    """A listed picture's name: what follows the last `images` folder, and the split's own folder in it."""
    folders, parts = image.parts[:-1], list(image.parts)
    if "images" in folders:
        parts = parts[len(folders) - folders[::-1].index("images") :]
    if len(parts) > 1 and split_name(parts[0]) == split:
        del parts[0]
    return stem(PurePosixPath(*parts).as_posix())


def _from_yaml(path: Path, root: Path) -> tuple[tuple[str, ...], dict[str, Files]]:
    """Classes, and the files of each split, as data.yaml says."""
    where = Where(path)
    document = parse_yaml(path, root)
    if not isinstance(document, dict):
        where.refuse("content", type(document).__name__, "must be a mapping with names and train", "is this a YOLO data.yaml?")
    classes = _names(document, where)
    base = root
    if document.get("path") not in (None, "", "."):
        if not isinstance(document["path"], str):
            where.refuse("path", document["path"], "must be a folder's name", "delete the line: paths then count from data.yaml's folder")
        base = inside(root, document["path"], where, "path")
        if not base.is_dir():
            where.refuse("path", document["path"], "must be a folder that exists", "delete the line: paths then count from data.yaml's folder")
    splits: dict[str, Files] = {}
    for word in _WORDS:
        entries = document.get(word)
        if entries in (None, "", []):
            continue
        files: Files = {}
        for entry in entries if isinstance(entries, list) else [entries]:
            for name, pair in _entry(entry, word, base, root, where).items():
                if name in files:
                    Where(path, word).refuse("picture", name, "must be unique in its split", "two of the folders hold a picture of this name: rename one")
                files[name] = pair
        splits[split_name(word)] = files
    if not splits:
        where.refuse("train, val, test", MISSING, "must have at least one of them", "write train: images/train, relative to this file")
    return classes, splits


def _entry(entry: object, word: str, base: Path, root: Path, where: Where) -> Files:
    """The files behind one value of train, val or test."""
    if not isinstance(entry, str):
        where.refuse(word, entry, "must be a folder or a list file, or a list of those", "write a path, relative to this file")
    target = inside(root, _from_root(entry, base, root), where, word)
    if target.is_dir():
        return _folder(target, root)
    if not target.is_file():
        where.refuse(word, entry, "must be a folder or a list file that exists", "write it relative to this file")
    if target.suffix.lower() != ".txt":
        where.refuse(word, entry, "must be a folder, or a .txt file that lists pictures", "is this the right file?")
    return _listed(target, split_name(word), base, root)


def _names(document: dict[Any, Any], where: Where) -> tuple[str, ...]:
    """The class names of data.yaml, in order."""
    names = document.get("names", MISSING)
    if isinstance(names, dict):
        if set(names) != set(range(len(names))) or any(isinstance(key, bool) for key in names):
            where.refuse("names", list(names), f"must have the keys 0 ... {len(names) - 1}", "YOLO counts classes from 0 without gaps")
        names = [names[k] for k in range(len(names))]
    if not isinstance(names, list) or not names:
        where.refuse("names", names, "must list the class names", "write names: [cat, dog]")
    classes = checks.unique(((checks.class_name(name, where, f"names[{k}]"), where.at(f"names[{k}]")) for k, name in enumerate(names)), "names")
    n_classes = document.get("nc", len(classes))
    if n_classes != len(classes) or isinstance(n_classes, bool):
        where.refuse("nc", n_classes, f"must be the number of names, {len(classes)}", "correct it, or delete the line")
    return classes


def parse_yaml(path: Path, root: Path) -> Any:
    """A YAML file's content, read by a safe loader. Keys that are there twice are refused."""
    yaml = need("yaml", "pyyaml")
    where = Where(path)
    text = read_text(path, root)

    def mapping(loader: Any, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key in (key.value for key, _ in node.value if isinstance(key.value, str)):
            if key in seen:
                where.at(f"line {node.start_mark.line + 1}").refuse("key", key, "must be there once", "remove one of the two")
            seen.add(key)
        loader.flatten_mapping(node)
        return yaml.SafeLoader.construct_mapping(loader, node, deep)

    safe = type("Safe", (yaml.SafeLoader,), {"construct_mapping": mapping})
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.AliasToken):  # aliases of aliases make gigabytes of a few lines
                where.at(f"line {token.start_mark.line + 1}").refuse("alias", f"*{token.value}", "must not refer to another part", "write the value out")
        return yaml.load(text, Loader=safe)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        record = "whole file" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        where.at(record).refuse("content", error.problem, "must be valid YAML without tags", "mind indentation, and quote names with : or #")
    except yaml.YAMLError as error:
        where.refuse("content", str(error).partition("\n")[0], "must be valid YAML", "save the file as plain UTF-8 text")
    except RecursionError:
        where.refuse("content", "nested too deeply", "must be a YOLO data.yaml", "is this the right file?")
    except ValueError as error:
        if type(error) is not ValueError:  # our own refusal
            raise
        where.refuse("content", str(error), "must hold numbers and dates that exist", "quote what is meant as text")


def _plain(root: Path) -> tuple[tuple[str, ...] | None, dict[str, Files]]:
    """Classes (None where they are not listed), and the files of each split, in plain folders."""
    splits = {split_name(word): _folder(folder, root) for word, folder in _split_folders(root)}
    if not splits:
        splits = {"all": _folder(no_way_out(root, root / "images", Where(root, "folder"), "images"), root)}
    for name in _CLASS_LISTS:
        if (root / name).is_file():
            path = root / name
            lines = [(checks.class_name(text, Where(path, f"line {n}"), "class"), Where(path, f"line {n}")) for n, text in read_lines(path, root)]
            if not lines:
                Where(path).refuse("content", "", "must list the classes, a name a line", "delete the file to call classes by their numbers")
            return checks.unique(lines, "class"), splits
    return None, splits


def _split_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Folders of pictures that are called after a split."""
    for word in _WORDS:
        for folder in (root / "images" / word, root / word / "images"):
            if folder.is_dir():
                yield word, folder
