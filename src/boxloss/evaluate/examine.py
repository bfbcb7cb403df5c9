"""Everything that is asked of detections, from one reading of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from boxloss.evaluate.coco import precision_of
from boxloss.evaluate.judged import judge
from boxloss.evaluate.localising import Localisation, localisation_of
from boxloss.evaluate.metrics import Metrics, figures
from boxloss.evaluate.mistakes import Errors, errors_of
from boxloss.evaluate.records import Source, read_detections, read_truth
from boxloss.evaluate.suppressed import THRESHOLD, Suppressed, check, suppressions_of


@dataclass(frozen=True)
class Examination:
    """COCO's figures, how well found objects are boxed, what the mistakes are, and what each kind of suppression does (empty where none is asked for)."""

    metrics: Metrics
    localisation: Localisation
    errors: Errors
    nms: tuple[Suppressed, ...]

    def as_dict(self) -> dict[str, Any]:
        """COCO's figures at the top, the rest under localisation, errors and nms."""
        rest = {"localisation": self.localisation.as_dict(), "errors": self.errors.as_dict()}
        return {**self.metrics.as_dict(), **rest, "nms": [row.as_dict() for row in self.nms]}


def examine(
    ground_truth: Source,
    detections: Source,
    *,
    nms: Sequence[str] = (),
    nms_threshold: float = THRESHOLD,
    tell: Callable[[str], None] = lambda _: None,
) -> Examination:
    """`evaluate`, `localisation`, `errors` and, with kinds in `nms`, `suppressions`, together; arguments and errors are theirs.

    tell: is called with a few words when each part begins, for who waits.

    >>> truth = {"images": [{"id": 1}], "categories": [{"id": 7}], "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 10]}]}
    >>> found = examine(truth, [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 10, 8], "score": 0.9}])
    >>> found.metrics.ap75, found.localisation.mean, found.errors.n_right
    (1.0, 0.8, 1)
    """
    check(nms, nms_threshold)
    tell("reading")
    truth = read_truth(ground_truth)
    records = read_detections(detections, truth)
    tell("COCO's figures")
    precision = precision_of(truth, records)
    tell("matching")
    found = judge(truth, records)
    metrics = figures(precision)
    return Examination(
        metrics=metrics,
        localisation=localisation_of(found, precision),
        errors=errors_of(found, metrics.ap50, tell),
        nms=tuple(suppressions_of(found, precision, nms, nms_threshold, tell)) if nms else (),
    )
