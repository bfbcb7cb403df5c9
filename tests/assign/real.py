"""Real boxes to assign: what a detector says about photographs and what is there, and blood cells, whose boxes are whole pixels."""

import functools
import json

import numpy as np

from boxloss.anchors import points
from boxloss.assign import Objects, Predictions, Priors, from_points
from boxloss.datasets import load
from shared_data import shared


@functools.cache
def photographs(most=12):
    """Priors, objects and predictions of the photographs with the most objects. The prediction at each prior is the detection that is nearest, a little moved,
    so that no two are equal; float64, in which roundoff decides nothing."""
    truth = json.loads(shared("data", "detections", "ground_truth.json").read_text())
    said = json.loads(shared("data", "detections", "centernet.json").read_text())
    numbers = {one["id"]: row for row, one in enumerate(truth["categories"])}
    found = []
    for picture in truth["images"]:
        objects = [x for x in truth["annotations"] if x["image_id"] == picture["id"] and not x.get("iscrowd")]
        detections = [x for x in said if x["image_id"] == picture["id"]]
        if objects and detections:
            labels = np.array([numbers[x["category_id"]] for x in objects])
            xy, strides = points(picture["width"], picture["height"])
            predictions = _at_points(xy.astype(np.float64), detections, numbers)
            size = picture["width"], picture["height"]
            found.append((from_points(xy.astype(np.float64), strides.astype(np.float64)), Objects(corners(objects), labels, size=size), predictions))
    return sorted(found, key=lambda x: -len(x[1].boxes))[:most]


def corners(records):
    boxes = np.array([x["bbox"] for x in records], np.float64)
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def _at_points(xy, detections, numbers):
    rng, boxes = np.random.default_rng(len(xy)), corners(detections)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    nearest = np.abs(xy[:, None] - middles).max(axis=2).argmin(axis=1)
    scores = rng.uniform(0, 0.05, (len(xy), len(numbers)))
    for row, n in enumerate(nearest):
        scores[row, numbers[detections[n]["category_id"]]] += 0.9 * detections[n]["score"]
    moved = boxes[nearest] + rng.normal(0, 0.5, (len(xy), 4))
    return Predictions(np.hstack([np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])]), scores)


@functools.cache
def cells(n=8):
    """Anchors, whole pixels all of them, and blood cells of some pictures: each overlap has the same bits wherever it is worked out."""
    pictures = load(str(shared("data", "bccd")), pixels=False).splits["val"][:n]
    xy, strides = points(640, 480, (16, 32, 64))
    sides = [(32, 32), (64, 64), (96, 96), (128, 64), (64, 128)]
    anchors = np.concatenate([np.hstack([xy - np.array(side) / 2, xy + np.array(side) / 2]) for side in sides]).astype(np.float32)
    return Priors(anchors, np.tile(strides, len(sides))), [Objects(p.boxes.astype(np.float32), p.labels) for p in pictures]
