"""One function that reads a data set, whatever its format."""

from pathlib import Path
from typing import Literal

from boxloss.datasets.coco import find_coco, read_coco
from boxloss.datasets.notes import first_few
from boxloss.datasets.types import Dataset
from boxloss.datasets.voc import read_voc
from boxloss.datasets.where import Where
from boxloss.datasets.yolo import find_yolo, read_yolo

Format = Literal["voc", "coco", "yolo"]
FORMATS: tuple[Format, ...] = ("voc", "coco", "yolo")
_LOOKED_FOR = "Annotations/*.xml (VOC), annotations/*.json (COCO), data.yaml or images/ with labels/ (YOLO)"


def load(data: str | Path, *, format: Format | None = None, pixels: bool = True) -> Dataset:
    """Reads a data set: "embedded", a folder, a COCO JSON file or a YOLO data.yaml. The format is recognised.

    With `pixels=True` every image file must exist and have the size that its annotation says (from the header; pixels are decoded only by
    `Picture.pixels()`). With `pixels=False` VOC and COCO annotations are read without their image files, for statistics; YOLO keeps no
    sizes, so it needs the image files always. `format` decides where a folder could be two things.

    Raises `DataError`, on one line with file, record, field, value, rule and hint, for whatever is malformed or inconsistent.

    >>> from boxloss.datasets import load
    >>> len(load("embedded").classes) > 0
    True
    """
    if data == "embedded":
        from boxloss.datasets.embedded import embedded

        return embedded()
    path = Path(data)
    try:
        exists = path.exists()
    except OSError:  # a name longer than the file system takes, a loop of links, a folder that may not be entered
        exists = False
    if not exists:
        Where(path, "data set").refuse("path", str(data), "must exist, or be the word embedded", "is it spelt right, and relative to the current folder?")
    kind = format or recognise(path)
    if kind == "voc":
        return read_voc(path, pixels=pixels)
    if kind == "coco":
        return read_coco(path, pixels=pixels)
    return read_yolo(path)


def recognise(path: Path) -> Format:
    """The format of the data set at `path`: what it looks like, without reading it."""
    if path.is_file():
        if path.suffix.lower() == ".json":
            return "coco"
        if path.suffix.lower() in (".yaml", ".yml"):
            return "yolo"
        Where(path, "data set").refuse("suffix", path.suffix, "must be .json (COCO) or .yaml (YOLO), or give a folder", f"a folder may have {_LOOKED_FOR}")
    found: list[Format] = []
    if next((path / "Annotations").rglob("*.xml"), None) or (path / "ImageSets" / "Main").is_dir():
        found.append("voc")
    if find_coco(path):
        found.append("coco")
    if find_yolo(path):
        found.append("yolo")
    if len(found) > 1:
        hint = f"say which, e.g. format={found[0]!r}, or give the JSON or data.yaml file"
        Where(path, "data set").refuse("format", " and ".join(found), "must be one of them", hint)
    if not found:
        Where(path, "data set").refuse("format", "not recognised", "must be Pascal VOC, COCO or YOLO", _why_not(path))
    return found[0]


def _why_not(path: Path) -> str:
    """A hint for a folder that is no data set."""
    inner = [sub.name for sub in sorted(path.iterdir()) if sub.is_dir() and (sub / "Annotations").is_dir()]
    if inner:
        return f"give the folder {inner[0]} in it"
    listed = sorted(file.name for file in path.glob("*.json"))
    if listed:
        return f"give one of the JSON files in it: {first_few(listed)}"
    return f"looked for {_LOOKED_FOR}"
