"""How well the boxes of found objects fit, and what AP makes of it at each IoU threshold."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.evaluate.coco import Precision, precision_of
from boxloss.evaluate.judged import Judged, judged
from boxloss.evaluate.matching import FOREGROUND
from boxloss.evaluate.records import Source
from boxloss.evaluate.tables import Floats

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BIN = 0.05
N_BINS = round((1 - FOREGROUND) / BIN)


@dataclass(frozen=True)
class Localisation:
    """How well found objects are boxed.

    n_objects: to find, without crowds. iou: (matched,) the IoU of each detection that found an object, in the order of the detections, in [.5, 1].
    n_ignored: detections in a crowd. n_beyond: detections that COCO does not look at, beyond the 100 best of a picture and class.
    thresholds, ap: AP at the IoU thresholds .50, .55, ... .95; their mean is COCO's AP. NaN where nothing defines it.
    """

    n_objects: int
    n_detections: int
    n_ignored: int
    n_beyond: int
    iou: Floats
    thresholds: tuple[float, ...]
    ap: tuple[float, ...]

    @property
    def n_matched(self) -> int:
        return len(self.iou)

    @property
    def mean(self) -> float:
        return float(self.iou.mean()) if self.n_matched else math.nan

    @property
    def quantiles(self) -> dict[float, float]:
        """IoU by share: a quarter of the found objects is boxed no better than quantiles[0.25]. Linear between neighbours."""
        values = np.quantile(self.iou, QUANTILES).tolist() if self.n_matched else [math.nan] * len(QUANTILES)
        return dict(zip(QUANTILES, values, strict=True))

    @property
    def histogram(self) -> tuple[list[float], list[int]]:
        """Edges .50, .55, ... 1, and the matched detections from each edge to below the next (the last bin has IoU 1 too)."""
        edges = [round(FOREGROUND + BIN * i, 2) for i in range(N_BINS + 1)]
        return edges, np.histogram(self.iou, edges)[0].tolist()

    def as_dict(self) -> dict[str, Any]:
        edges, counts = self.histogram
        return {
            "objects": self.n_objects,
            "detections": self.n_detections,
            "matched": self.n_matched,
            "in_crowd": self.n_ignored,
            "beyond_limit": self.n_beyond,
            "iou_mean": self.mean,
            "iou_quantiles": {f"{share:.2f}": value for share, value in self.quantiles.items()},
            "iou_histogram": {"edges": edges, "counts": counts},
            "ap_by_threshold": {f"{threshold:.2f}": ap for threshold, ap in zip(self.thresholds, self.ap, strict=True)},
        }


def localisation(ground_truth: Source, detections: Source) -> Localisation:
    """The IoU of every detection that found its object, and AP by IoU threshold; files and errors as in `evaluate`.

    Matching is COCO's at IoU .50: within each picture and class, from the best score down, a detection takes of the free objects the one that it
    overlaps most. A detection in a crowd of its class counts for nothing, and a crowd is no object to find.

    >>> truth = {"images": [{"id": 1}], "categories": [{"id": 7}], "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 10]}]}
    >>> found = localisation(truth, [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 8], "score": 0.9}])
    >>> found.iou.tolist(), found.ap[6], found.ap[7]  # right at .80, wrong at .85
    ([0.8], 1.0, 0.0)
    """
    found = judged(ground_truth, detections)
    return localisation_of(found, precision_of(found.truth, found.records))


def localisation_of(found: Judged, precision: Precision) -> Localisation:
    matches = found.matches
    thresholds = [round(float(threshold), 2) for threshold in precision.thresholds]
    return Localisation(
        n_objects=found.n_objects,
        n_detections=len(found.detections),
        n_ignored=int(matches.ignored.sum()),
        n_beyond=int(matches.beyond.sum()),
        iou=matches.iou[matches.right],
        thresholds=tuple(thresholds),
        ap=tuple(precision.ap(threshold=threshold) for threshold in thresholds),
    )
