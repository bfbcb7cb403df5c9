"""Writes a data set as VOC, COCO or YOLO, such that reading it again gives the same data to the bit.

What a format cannot hold is refused, never dropped: YOLO knows no ignored boxes and needs the image files; VOC has one file for each picture name.
VOC knows no list of classes either: their order goes into `classes.txt`, which our reader honours.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from boxloss.datasets.files import inside
from boxloss.datasets.load import FORMATS, Format, load
from boxloss.datasets.notes import first_few
from boxloss.datasets.types import DECIMALS, SPLIT_ORDER, Dataset, Picture
from boxloss.datasets.voc import CLASSES
from boxloss.datasets.where import MISSING, Where, need
from boxloss.errors import DataError, UnknownNameError
from boxloss.places import check_folder
from boxloss.words import plural


def convert(dataset: Dataset, format: Format, out: str | Path) -> Path:
    """Writes the data set to the folder `out`, which must not exist, or be empty; gives the folder back.

    The files are written beside `out`, read again, compared by fingerprint, and only then moved into place: a stopped or failed conversion leaves
    nothing behind. Image files are copied as they are; pictures in memory become PNG. Where pictures were read without image files, VOC and COCO
    annotations are written alone.

    Raises `DataError` where the format cannot hold the data, or where `out` holds something; `ParameterError` where `out` cannot be made; `UnknownNameError`
    for another format.

    >>> convert(load("embedded"), "coco", "blobs_coco")  # doctest: +SKIP
    PosixPath('blobs_coco')
    """
    if format not in FORMATS:
        raise UnknownNameError("data set format", format, FORMATS)
    target = Path(out)
    check_target(target)
    _check(dataset, format)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))
    try:
        partial.chmod(0o777 & ~_umask())  # mkdtemp makes a folder that others cannot read
        _WRITERS[format](dataset, partial)
        _read_back(dataset, format, partial)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def check_target(target: Path) -> None:
    """Raises `DataError` or `ParameterError` where no data set can be written to `target`."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        Where(target, "target").refuse("path", str(target), "must be a new or an empty folder", "remove it, or choose another")
    check_folder(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _check(dataset: Dataset, format: Format) -> None:
    """What the format has no place for."""
    where = Where(dataset.name, f"as {format.upper()}")
    if format == "yolo":
        if set(dataset.splits) != {"all"} and not set(dataset.splits) <= set(SPLIT_ORDER):
            where.refuse("splits", ", ".join(dataset.splits), "must be train, val and test, or all alone", "convert to voc or coco, which name splits freely")
        ignored = sorted(picture.name for picture in dataset if picture.ignore.any())
        if ignored:
            hint = "convert to coco, which can"
            n_boxes = sum(int(picture.ignore.sum()) for picture in dataset)
            where.refuse("ignore", f"{plural(n_boxes, 'box', 'boxes')} in {first_few(ignored)}", "must be 0 everywhere: YOLO cannot mark ignored boxes", hint)
        bare = sorted(picture.name for picture in dataset if picture.path is None and picture.array is None)
        if bare:
            where.refuse("image file", MISSING, f"must exist for every picture: {first_few(bare)}", "YOLO keeps no sizes: they are in the image files alone")
    if format == "voc":
        seen: dict[str, Picture] = {}
        for picture in dataset:
            one = seen.setdefault(picture.name, picture)
            if not _same(one, picture):
                rule = "must be unique over all splits: VOC has one annotation file for each"
                where.refuse("picture name", picture.name, rule, "two splits have different pictures of this name: convert to coco or yolo, which can")


def _same(one: Picture, two: Picture) -> bool:
    alike = (one.width, one.height, one.path) == (two.width, two.height, two.path) and one.array is two.array
    return alike and all(getattr(one, key).tobytes() == getattr(two, key).tobytes() for key in ("boxes", "labels", "ignore"))


def _read_back(dataset: Dataset, format: Format, folder: Path) -> None:
    """Reads what was written and compares: the last guard against a name or number that the format bends."""
    with_pixels = all(picture.path is not None or picture.array is not None for picture in dataset)
    try:
        written = load(folder, format=format, pixels=with_pixels)
    except DataError as error:
        raise DataError(f"{dataset.name}: as {format.upper()}: {str(error).replace(f'{folder}{os.sep}', '')}") from error
    if written.fingerprint != dataset.fingerprint:
        names = {split: {picture.name for picture in pictures} for split, pictures in dataset.splits.items()}
        back = {split: {picture.name for picture in pictures} for split, pictures in written.splits.items()}
        what = "split names" if names.keys() != back.keys() else "picture names" if names != back else "boxes"
        rule = f"must be the same when read again as {format.upper()}"
        Where(dataset.name, f"as {format.upper()}").refuse(what, "changed", rule, "plain letters, digits and hyphens are safe in names")


def _save_image(picture: Picture, stem: Path) -> Path | None:
    """Copies or writes the picture's image file to `stem` plus its suffix; None where the picture has no pixels."""
    if picture.path is None and picture.array is None:
        return None
    suffix = ".png" if picture.path is None else picture.path.suffix
    file = stem.parent / f"{stem.name}{suffix}"
    file.parent.mkdir(parents=True, exist_ok=True)
    if picture.path is not None:
        try:
            shutil.copyfile(picture.path, file)
        except OSError as error:
            Where(picture.path, "picture").refuse("file", error.strerror, "must be copied", "is it still there, and is there room at the target?")
    else:
        need("PIL.Image", "pillow").fromarray(picture.array).save(file)
    return file


def _within(folder: Path, name: str, format: Format) -> Path:
    """`folder / name`, refused where a picture's name would lead out of the folder."""
    return inside(folder, name, Where(name, f"as {format.upper()}"), "picture name")


def _number(value: float) -> str:
    """A coordinate in decimal, exact on the grid of 1e-6 px, without trailing zeros."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _write_text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _write_voc(dataset: Dataset, out: Path) -> None:
    _write_text(out / CLASSES, "".join(f"{name}\n" for name in dataset.classes))
    if set(dataset.splits) != {"all"}:
        for split, pictures in dataset.splits.items():
            _write_text(out / "ImageSets" / "Main" / f"{split}.txt", "".join(f"{picture.name}\n" for picture in pictures))
    for picture in {picture.name: picture for picture in dataset}.values():
        image = _save_image(picture, _within(out / "JPEGImages", picture.name, "voc"))
        _write_text(_within(out / "Annotations", f"{picture.name}.xml", "voc"), _voc_xml(picture, dataset.classes, image))


def _voc_xml(picture: Picture, classes: tuple[str, ...], image: Path | None) -> str:
    lines = ["<annotation>"]
    if image is not None:
        lines.append(f"  <filename>{escape(image.name)}</filename>")
    lines.append(f"  <size><width>{picture.width}</width><height>{picture.height}</height><depth>3</depth></size>")
    for box, label, ignore in zip(picture.boxes, picture.labels, picture.ignore, strict=True):
        corners = "".join(f"<{key}>{_number(value)}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        lines += [
            "  <object>",
            f"    <name>{escape(classes[label])}</name>",
            f"    <difficult>{int(ignore)}</difficult>",
            f"    <bndbox>{corners}</bndbox>",
            "  </object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


def _write_coco(dataset: Dataset, out: Path) -> None:
    categories = [{"id": k, "name": name} for k, name in enumerate(dataset.classes, start=1)]
    for split, pictures in dataset.splits.items():
        images: list[dict[str, object]] = []
        annotations: list[dict[str, object]] = []
        folder = out / "images" / split
        for key, picture in enumerate(pictures, start=1):
            image = _save_image(picture, _within(folder, picture.name, "coco"))
            file_name = f"{picture.name}.jpg" if image is None else image.relative_to(folder).as_posix()
            images.append({"id": key, "file_name": file_name, "width": picture.width, "height": picture.height})
            for (x1, y1, x2, y2), label, ignore in zip(picture.boxes.tolist(), picture.labels.tolist(), picture.ignore.tolist(), strict=True):
                width, height = round(x2 - x1, DECIMALS), round(y2 - y1, DECIMALS)
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": key,
                        "category_id": label + 1,
                        "bbox": [x1, y1, width, height],
                        "area": width * height,
                        "iscrowd": int(ignore),
                    }
                )
        document = {"images": images, "annotations": annotations, "categories": categories}
        _write_text(out / "annotations" / f"instances_{split}.json", json.dumps(document, ensure_ascii=False) + "\n")


def _write_yolo(dataset: Dataset, out: Path) -> None:
    single = set(dataset.splits) == {"all"}
    for split, pictures in dataset.splits.items():
        part = "." if single else split
        for picture in pictures:
            _save_image(picture, _within(out / "images" / part, picture.name, "yolo"))
            _write_text(_within(out / "labels" / part, f"{picture.name}.txt", "yolo"), "".join(_yolo_lines(picture)))
    if single:
        _write_text(out / CLASSES, "".join(f"{name}\n" for name in dataset.classes))
        return
    document = {**{split: f"images/{split}" for split in dataset.splits}, "names": list(dataset.classes)}
    _write_text(out / "data.yaml", need("yaml", "pyyaml").safe_dump(document, sort_keys=False, allow_unicode=True))


def _yolo_lines(picture: Picture) -> list[str]:
    """`class cx cy w h`, each with the digits that give the same float64 back: far more than reading back to 1e-6 px needs."""
    lines: list[str] = []
    for (x1, y1, x2, y2), label in zip(picture.boxes.tolist(), picture.labels.tolist(), strict=True):
        shares = ((x1 + x2) / 2 / picture.width, (y1 + y2) / 2 / picture.height, (x2 - x1) / picture.width, (y2 - y1) / picture.height)
        lines.append(f"{label} {' '.join(map(repr, shares))}\n")
    return lines


_WRITERS: dict[Format, Callable[[Dataset, Path], None]] = {"voc": _write_voc, "coco": _write_coco, "yolo": _write_yolo}
