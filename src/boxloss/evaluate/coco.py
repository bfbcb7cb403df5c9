"""COCO's precision and recall, computed by faster-coco-eval: the one place that calls it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import MissingExtraError
from boxloss.evaluate.records import Truth

MAX_DETECTIONS = (1, 10, 100)
"""Detections a picture and class that recall is given for; precision uses the last."""
SIZES = ("all", "small", "medium", "large")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Precision:
    """What the evaluator found; -1 where nothing defines a number.

    thresholds: (T,) of IoU. precision: (T, recall level, class, size, limit on detections), classes in ascending order of their ids.
    recall: (T, class, size, limit on detections).
    """

    thresholds: Floats
    precision: Floats
    recall: Floats

    def ap(self, size: int = 0, threshold: float | None = None) -> float:
        """The mean over classes and recall levels, and over thresholds unless one is given; NaN where no class has an object of the size."""
        rows = self.precision if threshold is None else self.precision[np.abs(self.thresholds - threshold) < 1e-6]
        return _mean_defined(rows[..., size, -1])

    def ar(self, size: int = 0, limit: int = -1) -> float:
        return _mean_defined(self.recall[..., size, limit])


def precision_of(
    truth: Truth,
    detections: list[dict[str, Any]],
    *,
    thresholds: Sequence[float] | None = None,
    limits: Sequence[int] = MAX_DETECTIONS,
    by_size: bool = True,
) -> Precision:
    """Of detections as `read_detections` gives them, at COCO's ten thresholds or at those given."""
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        raise MissingExtraError("faster-coco-eval", "compare", "evaluation") from None

    head = {"images": truth.images, "categories": truth.categories}
    # Not COCO.loadRes: it refuses an empty list, and guesses what a record is from its first one.
    run = COCOeval_faster(COCO(head | {"annotations": truth.annotations}), COCO(head | {"annotations": detections}), "bbox", print_function=_quiet)
    run.params.maxDets = list(limits)
    if thresholds is not None:
        run.params.iouThrs = np.asarray(thresholds, dtype=np.float64)
    if not by_size:
        run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], list(SIZES[:1])
    counts = len(run.params.iouThrs), len(truth.categories), len(run.params.areaRng), len(limits)
    if not truth.images or not truth.categories:
        return Precision(np.asarray(run.params.iouThrs), np.full((counts[0], 101, *counts[1:]), -1.0), np.full(counts, -1.0))
    run.evaluate()
    run.accumulate()
    return Precision(*(np.asarray(found) for found in (run.params.iouThrs, run.eval["precision"], run.eval["recall"])))


def _mean_defined(values: Floats) -> float:
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else math.nan


def _quiet(*_: object) -> None:
    """The evaluator reports its progress through a function; nobody needs to hear it."""
