"""What is wrong with each detection that found no object, and with each object that was not found; and what each kind of mistake costs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from boxloss.evaluate.coco import precision_of
from boxloss.evaluate.judged import Judged, judged
from boxloss.evaluate.kinds import KINDS, OF_DETECTIONS, kinds_of
from boxloss.evaluate.matching import FOREGROUND
from boxloss.evaluate.mended import ap50_mended
from boxloss.evaluate.records import Source


@dataclass(frozen=True)
class Errors:
    """Mistakes by kind, as `KINDS` names them, and what each kind costs.

    counts: how many. costs: how much AP50 gains where all mistakes of the kind, and no others, are mended (dAP); NaN where AP50 is.
    n_right + all counts but "missed" + n_ignored + n_beyond are all detections; n_right + counts["missed"] + n_near are all objects, where n_near are
    those that were not found but would be, were a detection's class right or its box better.
    """

    ap50: float
    counts: dict[str, int]
    costs: dict[str, float]
    n_right: int
    n_ignored: int
    n_beyond: int
    n_near: int

    def as_dict(self) -> dict[str, Any]:
        kinds = {kind: {"count": self.counts[kind], "dap50": self.costs[kind]} for kind in KINDS}
        return {"ap50": self.ap50, "right": self.n_right, "in_crowd": self.n_ignored, "beyond_limit": self.n_beyond, "near": self.n_near, "kinds": kinds}


def errors(ground_truth: Source, detections: Source) -> Errors:
    """Counts every mistake of the detections by its kind, and says how much AP50 each kind costs; files and errors as in `evaluate`.

    A detection that found no object (see `localisation`) is, by its largest IoU with objects of its own class and of others, a mistake of
    localisation (.1 <= IoU < .5, own class), of class (IoU >= .5, another class), a duplicate (IoU >= .5, own class), background (IoU < .1 with
    all), or both (what is left); where several fit, the first of these. An object that was not found is missed, unless it is the one that a mistake of
    localisation or class has its IoU with.

    What a kind costs is AP50 with that kind mended minus AP50: a wrong class or box is made right, and of several detections of the object the
    best-scored stays; both, duplicates and background are dropped; objects missed no longer count (a class that has no others has AP 0 then, as before).

    >>> truth = {"images": [{"id": 1}], "categories": [{"id": 7}], "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 10]}]}
    >>> found = errors(truth, [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 4], "score": 0.9}])  # IoU .4
    >>> found.counts["localisation"], found.costs["localisation"], found.counts["missed"]
    (1, 1.0, 0)

    Reference: Bolya, Foley, Hays, Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020, arXiv:2008.08115, section 2,
    with its thresholds .5 and .1. The paper leaves open which of several kinds a detection has; the order here is that of the authors' tidecv 1.0.1.
    That release always keeps the detection that was right and drops the one that was mended; here, as in the paper, the higher score stays.
    """
    found = judged(ground_truth, detections)
    return errors_of(found, precision_of(found.truth, found.records, thresholds=[FOREGROUND], by_size=False).ap())


def errors_of(found: Judged, ap50: float, tell: Callable[[str], None] = lambda _: None) -> Errors:
    """`tell` hears which kind is being mended."""
    matches = found.matches
    kinds = kinds_of(found)
    counts = {kind: int(kinds.detections[kind].sum()) for kind in OF_DETECTIONS} | {"missed": int(kinds.missed.sum())}
    costs = dict.fromkeys(KINDS, math.nan if math.isnan(ap50) else 0.0)
    for kind in (kind for kind in KINDS if counts[kind] and not math.isnan(ap50)):
        tell(f"mistakes: {kind}")
        costs[kind] = ap50_mended(found, kinds, kind) - ap50
    n_right = int(matches.right.sum())
    return Errors(
        ap50=ap50,
        counts=counts,
        costs=costs,
        n_right=n_right,
        n_ignored=int(matches.ignored.sum()),
        n_beyond=int(matches.beyond.sum()),
        n_near=found.n_objects - n_right - counts["missed"],
    )
