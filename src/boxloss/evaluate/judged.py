"""Ground truth and detections, read and matched once, for all questions that are asked of them."""

from dataclasses import dataclass
from typing import Any

from boxloss.evaluate.matching import Matches, match
from boxloss.evaluate.records import Source, Truth, read_detections, read_truth
from boxloss.evaluate.tables import Pairs, Table, detections_of, objects_of, overlapping

BACKGROUND = 0.1
"""The IoU below which a detection has nothing to do with an object."""


@dataclass(frozen=True)
class Judged:
    """`records`: the detections as `read_detections` gives them. `pairs`: those of an IoU of `BACKGROUND` and more, of any two classes."""

    truth: Truth
    records: list[dict[str, Any]]
    objects: Table
    detections: Table
    pairs: Pairs
    matches: Matches

    @property
    def n_objects(self) -> int:
        """How many there are to find: crowds are none."""
        return int((~self.objects.crowd).sum())


def judged(ground_truth: Source, detections: Source) -> Judged:
    truth = read_truth(ground_truth)
    return judge(truth, read_detections(detections, truth))


def judge(truth: Truth, records: list[dict[str, Any]]) -> Judged:
    objects, detections = objects_of(truth), detections_of(records)
    pairs = overlapping(detections, objects, BACKGROUND)
    return Judged(truth, records, objects, detections, pairs, match(detections, objects, pairs))
