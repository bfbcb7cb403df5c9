"""Average precision and recall as COCO defines them, computed by faster-coco-eval."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from boxloss.errors import DataError
from boxloss.evaluate.coco import Precision, precision_of
from boxloss.evaluate.records import Source, Truth, read_detections, read_truth


@dataclass(frozen=True)
class Metrics:
    """COCO's twelve figures and AP at IoU .90, all in [0, 1]; NaN where nothing defines one (no object of that size).

    ap is the mean over IoU thresholds .50, .55, ... .95, classes, and 101 recall levels. Sizes are areas in pixels of the original picture:
    small below 32^2, large above 96^2. ar1, ar10 and ar100 are the mean best recall with at most so many detections a picture and class.
    """

    ap: float
    ap50: float
    ap75: float
    ap90: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar1: float
    ar10: float
    ar100: float
    ar_small: float
    ar_medium: float
    ar_large: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class PictureLike(Protocol):
    """What `evaluate_pictures` needs to know of a picture."""

    @property
    def name(self) -> str: ...
    @property
    def boxes(self) -> np.ndarray: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def ignore(self) -> np.ndarray: ...


Prediction = tuple[Any, Any, Any]
"""Boxes (n, 4) xyxy in pixels of the original picture, scores (n,), labels (n,): NumPy arrays or what `np.asarray` takes."""


def evaluate(ground_truth: Source, detections: Source) -> Metrics:
    """The figures of `detections` (COCO results: paths, or lists of records) against `ground_truth` (a COCO annotation file or its dictionary).

    An annotation with iscrowd = 1 is a region to ignore: what lies in it is neither right nor wrong.

    Raises DataError, on one line with file, record, field, value, rule and hint, for anything that is not well-formed COCO.

    >>> truth = {"images": [{"id": 1}], "categories": [{"id": 7}], "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 10]}]}
    >>> evaluate(truth, [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 8], "score": 0.9}]).ap  # IoU .8: right at 7 of 10 thresholds
    0.7

    Reference: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312, and cocodataset.org/#detection-eval.
    """
    truth = read_truth(ground_truth)
    return figures(precision_of(truth, read_detections(detections, truth)))


def evaluate_pictures(pictures: Sequence[PictureLike], classes: Sequence[str], predictions: Mapping[str, Prediction]) -> Metrics:
    """The figures of `predictions`, by picture name, on `pictures`; labels are indices into `classes`, boxes are xyxy in original pixels.

    A picture without an entry has no detections. Boxes marked `ignore` are regions to ignore, like COCO's iscrowd.
    The order of `pictures` does not matter: they are taken by name, so that equal scores fall the same way for the same data in any format.

    Raises DataError for a prediction of a picture that is not there, of other shapes, or with values that are not finite.
    """
    ordered = sorted(pictures, key=lambda picture: picture.name)
    ids = {picture.name: i + 1 for i, picture in enumerate(ordered)}
    unknown = [name for name in predictions if name not in ids]
    if unknown:
        raise DataError(f"predictions: {unknown[0]!r} is not among the {len(ids)} pictures")
    truth = Truth(
        images=[{"id": i} for i in ids.values()],
        categories=[{"id": i, "name": name} for i, name in enumerate(classes)],
        annotations=_numbered(_truth_records(picture, ids[picture.name]) for picture in ordered),
    )
    named = ((name, predictions[name]) for name in ids if name in predictions)
    records = _numbered(_detection_records(name, prediction, ids[name], len(classes)) for name, prediction in named)
    return figures(precision_of(truth, records))


def _numbered(groups: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All records, with ids from 1."""
    return [record | {"id": i + 1} for i, record in enumerate(record for group in groups for record in group)]


def _truth_records(picture: PictureLike, image_id: int) -> list[dict[str, Any]]:
    return [
        {"image_id": image_id, "category_id": int(label), "bbox": box, "area": box[2] * box[3], "iscrowd": int(crowd)}
        for box, label, crowd in zip(_to_xywh(picture.boxes), picture.labels, picture.ignore, strict=True)
    ]


def _detection_records(name: str, prediction: Prediction, image_id: int, n_classes: int) -> list[dict[str, Any]]:
    boxes, scores, labels = (np.asarray(part) for part in prediction)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1] or labels.shape != boxes.shape[:1]:
        raise DataError(f"predictions[{name!r}]: shapes {boxes.shape}, {scores.shape}, {labels.shape}, expected boxes (n, 4), scores (n,), labels (n,)")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise DataError(f"predictions[{name!r}]: a box or score is not finite")
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise DataError(f"predictions[{name!r}]: labels from {labels.min()} to {labels.max()}, expected indices of {n_classes} classes")
    return [
        {"image_id": image_id, "category_id": int(label), "bbox": box, "area": box[2] * box[3], "iscrowd": 0, "score": float(score)}
        for box, score, label in zip(_to_xywh(boxes), scores, labels, strict=True)
    ]


def _to_xywh(boxes: np.ndarray) -> list[list[float]]:
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    # An inverted box has no area; a negative side would count as one.
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    rows: list[list[float]] = np.concatenate([boxes[:, :2], sides], axis=1).tolist()
    return rows


def figures(found: Precision) -> Metrics:
    """COCO's figures from its precision and recall."""
    ap, ar = found.ap, found.ar
    return Metrics(ap(), ap(0, 0.5), ap(0, 0.75), ap(0, 0.9), ap(1), ap(2), ap(3), ar(0, 0), ar(0, 1), ar(), ar(1), ar(2), ar(3))
