"""What each kind of suppression makes of the same raw detections."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.evaluate.coco import Precision, precision_of
from boxloss.evaluate.judged import Judged, judged
from boxloss.evaluate.records import Source
from boxloss.evaluate.tables import rows_by_image
from boxloss.suppress import Fused, nms
from boxloss.suppress.kinds import DROPPING, LOWERING, MOVING

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Detections = tuple[Floats, Floats, Integers]
"""Boxes (n, 4) xyxy, scores (n,), labels (n,) of one picture."""
Kind = Callable[[Floats, Floats, Integers, float], Detections]
"""kind(boxes, scores, labels, threshold): the detections that stay, best score first; their boxes and scores may be others than before."""

THRESHOLD = 0.6
"""The overlap beyond which a detection is suppressed, where nothing else is said: that of `boxloss compare`."""


def _kept(kind: str) -> Kind:
    """A kind that keeps rows as they are."""

    def suppress(boxes: Floats, scores: Floats, labels: Integers, threshold: float) -> Detections:
        stay = nms(boxes, scores, labels, threshold=threshold, kind=kind)
        return boxes[stay], scores[stay], labels[stay]

    return suppress


def _lowered(function: Callable[..., tuple[Floats, Floats]], *, has_threshold: bool = True, **settings: Any) -> Kind:
    """A kind that lowers scores."""

    def suppress(boxes: Floats, scores: Floats, labels: Integers, threshold: float) -> Detections:
        given = settings | ({"threshold": threshold} if has_threshold else {})
        stay, lower = function(boxes, scores, labels, **given)
        return boxes[stay], lower, labels[stay]

    return suppress


def _moved(function: Callable[..., Fused]) -> Kind:
    """A kind that moves boxes."""

    def suppress(boxes: Floats, scores: Floats, labels: Integers, threshold: float) -> Detections:
        fused = function(boxes, scores, labels, threshold=threshold)
        return fused.boxes, fused.scores, fused.labels

    return suppress


KINDS: dict[str, Kind] = (
    {kind: _kept(kind) for kind in DROPPING if kind != "adaptive"}  # whose densities no file has
    | {"soft": _lowered(LOWERING["soft"], has_threshold=False), "soft_linear": _lowered(LOWERING["soft"], decay="linear")}
    | {"matrix": _lowered(LOWERING["matrix"], has_threshold=False), "spm": _lowered(LOWERING["spm"])}
    | {kind: _moved(function) for kind, function in MOVING.items()}
)
"""The kinds of suppression by name; each works within the classes of one picture. soft (Gaussian) and matrix know no threshold."""


@dataclass(frozen=True)
class Suppressed:
    """What a kind of suppression made of the detections: "none" is all of them, as they came. AP in [0, 1], NaN where nothing defines it."""

    kind: str
    threshold: float | None
    ap: float
    ap50: float
    ap75: float
    kept_per_image: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def suppressions(ground_truth: Source, detections: Source, kinds: Sequence[str], *, threshold: float = THRESHOLD) -> list[Suppressed]:
    """AP of the raw detections, and of what each kind of suppression leaves of them; files and errors as in `evaluate`.

    kinds: names of `KINDS`. threshold: the overlap beyond which a detection is suppressed, in [0, 1]. The first row is "none".
    Detections that were suppressed before can only lose: give raw ones.

    Raises UnknownNameError and ParameterError for a kind or threshold that there is not.

    >>> truth = {"images": [{"id": 1}], "categories": [{"id": 7}], "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 10]}]}
    >>> twice = [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 10, height], "score": height / 10} for height in (10, 9)]
    >>> [(row.kind, row.kept_per_image) for row in suppressions(truth, twice, ["greedy"])]
    [('none', 2.0), ('greedy', 1.0)]
    """
    check(kinds, threshold)
    found = judged(ground_truth, detections)
    return suppressions_of(found, precision_of(found.truth, found.records, by_size=False), kinds, threshold)


def check(kinds: Sequence[str], threshold: float) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError("kind of suppression", kind, KINDS, listed=True)
    if not 0 <= threshold <= 1:
        raise ParameterError(f"nms: threshold is {threshold}, expected a number in [0, 1]")


def suppressions_of(
    found: Judged, unsuppressed: Precision, kinds: Sequence[str], threshold: float, tell: Callable[[str], None] = lambda _: None
) -> list[Suppressed]:
    """`unsuppressed` is that of the detections as they came; `tell` hears which kind is at work."""
    n_images = max(1, len(found.truth.images))
    rows = [_row("none", None, unsuppressed, len(found.records) / n_images)]
    for kind in kinds:
        tell(f"suppression: {kind}")
        records = suppress(found, KINDS[kind], threshold)
        rows.append(_row(kind, threshold, precision_of(found.truth, records, by_size=False), len(records) / n_images))
    return rows


def _row(kind: str, threshold: float | None, precision: Precision, kept_per_image: float) -> Suppressed:
    return Suppressed(kind, threshold, precision.ap(), precision.ap(threshold=0.5), precision.ap(threshold=0.75), kept_per_image)


def suppress(found: Judged, kind: Kind, threshold: float) -> list[dict[str, Any]]:
    """What stays of the detections, picture by picture, as records."""
    table = found.detections
    records: list[dict[str, Any]] = []
    for image, rows in rows_by_image(table).items():
        corners = table.boxes[rows]
        corners[:, 2:] += corners[:, :2]
        boxes, scores, labels = kind(corners, table.score[rows], table.label[rows], threshold)
        sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
        columns = np.concatenate([boxes[:, :2], sides], axis=1).tolist(), sides.prod(axis=1).tolist(), scores.tolist(), labels.tolist()
        for box, area, score, label in zip(*columns, strict=True):
            record = {"id": len(records) + 1, "image_id": image, "category_id": label, "bbox": box, "score": score, "area": area, "iscrowd": 0}
            records.append(record)
    return records
