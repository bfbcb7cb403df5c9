"""The one in-memory form of a data set, whatever files it came from."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from boxloss.datasets.where import MISSING, Where
from boxloss.errors import InvalidBoxError, ShapeError, UnknownNameError
from boxloss.words import plural

Boxes = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]

# Coordinates lie on a grid of a millionth of a pixel. COCO stores sides and YOLO stores shares of the picture, so what they give back differs
# from what was meant by a few roundoffs; on the grid the same box has the same bits in every format.
DECIMALS = 6
# Up to here multiples of 1e-6 are told apart by a float64 with room to spare: 1e9 * 1e6 < 2^53.
FARTHEST = 1e9
# The order in which splits are listed; any others follow, sorted.
SPLIT_ORDER = ("train", "val", "test")


def on_grid(boxes: npt.ArrayLike) -> Boxes:
    """Coordinates rounded to 1e-6 px; -0.0 becomes 0.0. Doing it twice changes nothing."""
    return np.asarray(np.round(np.asarray(boxes, dtype=np.float64), DECIMALS) + 0.0, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture with its boxes.

    Fields:
        name: path inside the image folder, without suffix, with forward slashes; unique in a split.
        width, height: pixels.
        boxes: (n, 4) float64, xyxy in pixels on a grid of 1e-6 px. Boxes without size are kept.
        labels: (n,) int64, positions in `Dataset.classes`.
        ignore: (n,) bool: COCO `iscrowd`, VOC `difficult`. Not trained on, ignored in evaluation.
        path: the image file, or None where pixels are held in memory or were not looked for.
        array: (H, W, 3) uint8 pixels in memory, or None.

    The arrays are made read-only. Raises `ShapeError` and `InvalidBoxError` where they do not fit together.
    """

    name: str
    width: int
    height: int
    boxes: Boxes
    labels: Labels
    ignore: Flags
    path: Path | None = None
    array: Pixels | None = None

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, dtype=np.float64)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ShapeError(f"Picture {self.name!r}: boxes has shape {boxes.shape}, expected (n, 4); no boxes are np.zeros((0, 4))")
        if not (np.abs(boxes) <= FARTHEST).all():
            raise InvalidBoxError(f"Picture {self.name!r}: boxes has values that are not finite, or beyond {FARTHEST:g} px")
        labels = np.array(self.labels, dtype=np.int64)
        ignore = np.array(self.ignore, dtype=np.bool_)
        if labels.shape != (len(boxes),) or ignore.shape != (len(boxes),):
            raise ShapeError(f"Picture {self.name!r}: {plural(len(boxes), 'box')}, but labels has shape {labels.shape} and ignore has shape {ignore.shape}")
        if self.array is not None and (self.array.shape != (self.height, self.width, 3) or self.array.dtype != np.uint8):
            raise ShapeError(f"Picture {self.name!r}: array is {self.array.dtype} {self.array.shape}, expected uint8 ({self.height}, {self.width}, 3)")
        boxes = on_grid(boxes)
        for key, value in (("boxes", boxes), ("labels", labels), ("ignore", ignore)):
            value.flags.writeable = False
            object.__setattr__(self, key, value)

    def pixels(self) -> Pixels:
        """The picture as (H, W, 3) uint8 RGB; read from its file at each call.

        Raises `DataError` where there is no file, where it is broken, or where its size is not (width, height).
        """
        if self.array is not None:
            return self.array
        if self.path is None:
            where = Where(self.name, "picture")
            where.refuse(
                "image file", MISSING, "must exist where pixels are needed", "the data set was read with pixels=False, or put the image files in place"
            )
        from boxloss.datasets.images import read_pixels

        pixels = read_pixels(self.path)
        if pixels.shape[:2] != (self.height, self.width):
            got = f"{pixels.shape[1]} x {pixels.shape[0]}"
            Where(self.path, "picture").refuse(
                "size", got, f"must be {self.width} x {self.height}, as when the data set was read", "the file has changed since"
            )
        return pixels


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: classes, and splits of pictures.

    Fields:
        name: what to call it in tables, e.g. the folder's name.
        format: "voc", "coco", "yolo" or "embedded".
        classes: class names; a label is a position in it.
        splits: split name to pictures. Splits come as train, val, test, then the others sorted; pictures sorted by name.
        notes: oddities that were counted and kept, one sentence each.
    """

    name: str
    format: str
    classes: tuple[str, ...]
    splits: dict[str, tuple[Picture, ...]]
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        order = [s for s in SPLIT_ORDER if s in self.splits] + sorted(s for s in self.splits if s not in SPLIT_ORDER)
        splits = {split: tuple(sorted(self.splits[split], key=lambda picture: picture.name)) for split in order}
        for split, pictures in splits.items():
            for one, two in pairwise(pictures):
                if one.name == two.name:
                    Where(self.name, f"split {split}").refuse("picture name", one.name, "must be unique in its split", "one of the two must be renamed")
            for picture in pictures:
                if len(picture.labels) and not (picture.labels.min() >= 0 and picture.labels.max() < len(self.classes)):
                    Where(self.name, f"picture {picture.name}").refuse(
                        "labels", picture.labels.tolist(), f"must lie in 0 ... {len(self.classes) - 1}", "labels are positions in the list of classes"
                    )
        object.__setattr__(self, "splits", splits)

    def __iter__(self) -> Iterator[Picture]:
        """All pictures, split after split."""
        for pictures in self.splits.values():
            yield from pictures

    def only(self, split: str) -> "Dataset":
        """The data set with one of its splits. Raises `UnknownNameError` where there is no such split."""
        if split not in self.splits:
            raise UnknownNameError("split", split, self.splits)
        from boxloss.datasets.notes import oddities

        chosen = {split: self.splits[split]}
        return Dataset(self.name, self.format, self.classes, chosen, oddities(chosen))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) over classes, split names, picture names, sizes, boxes, labels and ignore flags.

        Neither format nor paths nor pixel values count: the same data written as VOC, COCO and YOLO has one fingerprint.
        """
        digest = hashlib.sha256(json.dumps(self.classes).encode())
        for split in sorted(self.splits):
            for picture in self.splits[split]:
                head = [split, picture.name, picture.width, picture.height, len(picture.boxes)]
                digest.update(json.dumps(head).encode() + b"\n")
                digest.update(picture.boxes.astype("<f8").tobytes())
                digest.update(picture.labels.astype("<i8").tobytes())
                digest.update(picture.ignore.astype("u1").tobytes())
        return digest.hexdigest()
