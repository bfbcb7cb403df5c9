"""Objects and detections as columns, and which of them overlap in one picture: the sparse pairs that all questions of place are asked of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.evaluate.records import Truth
from boxloss.losses import pairs_above

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Records as columns, in the records' order. `image` and `label`: ids (N,); `boxes`: (N, 4) xywh in pixels; `score`: (N,); `crowd`: (N,)."""

    image: Integers
    label: Integers
    boxes: Floats
    score: Floats
    crowd: Booleans

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Pairs:
    """A detection and an object of one picture that overlap: their rows in their tables, and their IoU; sorted by detection, then object."""

    detection: Integers
    object: Integers
    iou: Floats

    def where(self, chosen: Booleans) -> "Pairs":
        return Pairs(self.detection[chosen], self.object[chosen], self.iou[chosen])


def objects_of(truth: Truth) -> Table:
    return _table(truth.annotations, [0.0] * len(truth.annotations))


def detections_of(records: Sequence[dict[str, Any]]) -> Table:
    return _table(records, [record["score"] for record in records])


def _table(records: Sequence[dict[str, Any]], scores: list[float]) -> Table:
    return Table(
        np.array([record["image_id"] for record in records], dtype=np.int64),
        np.array([record["category_id"] for record in records], dtype=np.int64),
        np.array([record["bbox"] for record in records], dtype=np.float64).reshape(-1, 4),
        np.array(scores, dtype=np.float64),
        np.array([record["iscrowd"] for record in records], dtype=bool),
    )


def has_area(table: Table) -> Booleans:
    return np.asarray(np.all(table.boxes[:, 2:] > 0, axis=1))


def rows_by_image(table: Table) -> dict[int, Integers]:
    """The rows of each picture, in the records' order."""
    order = np.argsort(table.image, kind="stable")
    images, starts = np.unique(table.image[order], return_index=True)
    return dict(zip(images.tolist(), np.split(order, starts[1:]), strict=True)) if len(order) else {}


def overlapping(detections: Table, objects: Table, at_least: float) -> Pairs:
    """Every detection with every object of its picture, of any class and no crowd, whose IoU is `at_least` that. A box without area overlaps nothing."""
    sized = has_area(objects) & ~objects.crowd
    below = float(np.nextafter(at_least, -np.inf))  # pairs_above leaves out what equals its threshold
    of_image = rows_by_image(objects)
    found = []
    for image, rows in rows_by_image(detections).items():
        there = of_image.get(image)
        if there is None or not sized[there].any():
            continue
        there = there[sized[there]]
        of_detection, of_object, iou = pairs_above("iou", detections.boxes[rows], objects.boxes[there], below, format="xywh")
        found.append((rows[of_detection], there[of_object], iou))
    none = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
    pairs = Pairs(*(np.concatenate(parts) for parts in zip(none, *found, strict=True)))
    pairs = pairs.where(has_area(detections)[pairs.detection])
    order = np.lexsort((pairs.object, pairs.detection))
    return Pairs(pairs.detection[order], pairs.object[order], pairs.iou[order])


def best_of(pairs: Pairs, n: int) -> tuple[Floats, Integers]:
    """For each of n detections its largest IoU among the pairs and the object, the first of equal ones; 0 and -1 where it has no pair."""
    values, objects = np.zeros(n), np.full(n, -1)
    order = np.lexsort((-pairs.object, pairs.iou))  # the best comes last, and the last one written stays
    values[pairs.detection[order]] = pairs.iou[order]
    objects[pairs.detection[order]] = pairs.object[order]
    return values, objects
