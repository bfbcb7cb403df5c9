"""Which detection found which object, by COCO's rule at IoU .50."""

from dataclasses import dataclass

import numpy as np

from boxloss.evaluate.coco import MAX_DETECTIONS
from boxloss.evaluate.tables import Booleans, Floats, Integers, Pairs, Table, rows_by_image

FOREGROUND = 0.5
"""The IoU from which a detection has found its object."""


@dataclass(frozen=True)
class Matches:
    """What became of each of D detections and O objects.

    object: (D,), the row of the object that a detection found, or -1. iou: (D,), 0 where none. found: (O,).
    ignored: (D,), those that lie in a crowd of their class. beyond: (D,), those that COCO does not look at: all but the 100 best of a picture and class.
    """

    object: Integers
    iou: Floats
    found: Booleans
    ignored: Booleans
    beyond: Booleans

    @property
    def right(self) -> Booleans:
        return self.object >= 0

    @property
    def wrong(self) -> Booleans:
        return ~(self.right | self.ignored | self.beyond)


def match(detections: Table, objects: Table, pairs: Pairs) -> Matches:
    """COCO's matching at IoU .50. `pairs`: at least those from IoU .50 on.

    Within each picture and class, from the best score down (equal scores in the order given), a detection takes, of the objects that are still free and
    that it overlaps by an IoU of at least .50, the one that it overlaps most (of equal ones the last). One that finds none is neither right nor wrong if
    at least half of its own area lies in a crowd of its class: a crowd takes any number of detections.
    """
    order, beyond = _by_score(detections)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    same = detections.label[pairs.detection] == objects.label[pairs.object]
    near = pairs.where(same & (pairs.iou >= FOREGROUND) & ~beyond[pairs.detection])
    best_first = np.lexsort((-near.object, -near.iou, rank[near.detection]))
    taken = np.full(len(detections), -1)
    found = np.zeros(len(objects), bool)
    iou = np.zeros(len(detections))
    for detection, object_, value in zip(*(column[best_first].tolist() for column in (near.detection, near.object, near.iou)), strict=True):
        if taken[detection] < 0 and not found[object_]:
            taken[detection], found[object_], iou[detection] = object_, True, value
    ignored = in_crowd(detections, objects) & (taken < 0) & ~beyond
    return Matches(taken, iou, found, ignored, beyond)


def _by_score(detections: Table) -> tuple[Integers, Booleans]:
    """The rows picture by picture, class by class and by score, and which of them are not among the best of their picture and class."""
    order = np.lexsort((-detections.score, detections.label, detections.image))
    group = np.stack([detections.image, detections.label], axis=1)[order]
    first = np.ones(len(order), bool)
    first[1:] = (group[1:] != group[:-1]).any(axis=1)
    place = np.arange(len(order))
    place -= np.maximum.accumulate(np.where(first, place, 0))
    beyond = np.zeros(len(order), bool)
    beyond[order] = place >= MAX_DETECTIONS[-1]
    return order, beyond


def in_crowd(detections: Table, objects: Table) -> Booleans:
    """Which detections have at least half of their area in one crowd of their picture and class."""
    inside = np.zeros(len(detections), bool)
    crowds = np.flatnonzero(objects.crowd)
    of_image = rows_by_image(detections) if len(crowds) else {}
    for crowd in crowds.tolist():
        rows = of_image.get(int(objects.image[crowd]), np.empty(0, np.int64))
        rows = rows[detections.label[rows] == objects.label[crowd]]
        corner, sides = detections.boxes[rows, :2], detections.boxes[rows, 2:]
        region = objects.boxes[crowd]
        shared = np.minimum(corner + sides, region[:2] + region[2:]) - np.maximum(corner, region[:2])
        area = sides.prod(axis=1)
        inside[rows] |= (np.maximum(shared, 0).prod(axis=1) >= FOREGROUND * area) & (area > 0)
    return inside
