"""AP as it would be without one kind of mistake."""

from dataclasses import replace
from typing import Any

import numpy as np

from boxloss.evaluate.coco import precision_of
from boxloss.evaluate.judged import Judged
from boxloss.evaluate.kinds import Kinds
from boxloss.evaluate.matching import FOREGROUND
from boxloss.evaluate.tables import Booleans, Integers


def ap50_mended(found: Judged, kinds: Kinds, kind: str) -> float:
    """AP50 with the mistakes of one kind mended, and no others."""
    seen = ~found.matches.beyond  # those beyond the limit must not move up where others are dropped
    annotations = found.truth.annotations
    if kind == "missed":
        annotations = [record for record, gone in zip(annotations, kinds.missed.tolist(), strict=True) if not gone]
        records = _rows(found, seen)
    elif kind in ("localisation", "class"):
        records = _made_right(found, kinds.detections[kind], kinds.object, seen)
    else:
        records = _rows(found, seen & ~kinds.detections[kind])
    truth = replace(found.truth, annotations=annotations)
    most = max(1, len(records))  # a class may have got more detections in a picture than COCO looks at: all were looked at before
    precision = precision_of(truth, records, thresholds=[FOREGROUND], limits=[most], by_size=False).precision[0, :, :, 0, -1]
    # The mean is over the same classes as before: one whose objects are all missed, and so gone, has AP 0.
    classes = np.unique(found.objects.label[~found.objects.crowd])
    ids = np.array(sorted(category["id"] for category in found.truth.categories), dtype=np.int64)
    return float(np.maximum(precision, 0)[:, np.isin(ids, classes)].mean())


def _rows(found: Judged, chosen: Booleans) -> list[dict[str, Any]]:
    return [found.records[row] for row in np.flatnonzero(chosen).tolist()]


def _made_right(found: Judged, wrong: Booleans, meant: Integers, seen: Booleans) -> list[dict[str, Any]]:
    """The records seen, with the wrong ones at their objects: of all detections that are then right of one object the best-scored stays.

    A mended detection gets its object's very box, so that the evaluator matches it with that object and no other.
    """
    target = np.where(wrong, meant, found.matches.object)
    # Best score first; of equal ones the one that was right, then the first in the file.
    order = np.lexsort((np.arange(len(target)), wrong, -found.detections.score))
    order = order[target[order] >= 0]
    _, first = np.unique(target[order], return_index=True)
    stays = seen & (target < 0)
    stays[order[first]] = True
    annotations = found.truth.annotations
    records = []
    for row in np.flatnonzero(stays).tolist():
        record = found.records[row]
        if wrong[row]:
            record = record | {key: annotations[target[row]][key] for key in ("category_id", "bbox")}
        records.append(record)
    return records
