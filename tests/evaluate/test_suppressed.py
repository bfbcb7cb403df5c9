"""What suppression does to AP: the same as evaluating what it leaves."""

import json

import pytest

pytest.importorskip("faster_coco_eval")

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.evaluate import evaluate, suppressions
from boxloss.evaluate.suppressed import KINDS
from evaluate.small_cases import FAR, SQUARE, detections, truth
from shared_data import shared


def test_none_is_what_came():
    files = shared("data", "detections", "ground_truth.json"), shared("data", "detections", "yolov3_tiny.json")
    none, greedy = suppressions(*files, ["greedy"], threshold=1.0)
    figures = evaluate(*files)
    assert (none.kind, none.threshold, none.kept_per_image) == ("none", None, 12008 / 50)
    assert (none.ap, none.ap50, none.ap75) == (figures.ap, figures.ap50, figures.ap75)
    # Nothing overlaps by more than 1; boxes come back from corners, and so to their last bit.
    assert (greedy.kept_per_image, round(greedy.ap, 6)) == (none.kept_per_image, round(none.ap, 6))


def test_a_stricter_threshold_leaves_less():
    files = shared("data", "detections", "ground_truth.json"), shared("data", "detections", "centernet.json")
    kept = [suppressions(*files, ["greedy"], threshold=threshold)[1].kept_per_image for threshold in (0.3, 0.5, 0.7, 1.0)]
    assert kept == sorted(kept)
    assert kept[-1] == 100


@pytest.mark.parametrize("kind", KINDS)
def test_duplicates_go_and_other_classes_and_pictures_stay(kind):
    objects = [(SQUARE, 1, 1), (FAR, 1, 1), (SQUARE, 2, 1), (SQUARE, 1, 2)]
    found = [(SQUARE, 1, 0.9, 1), (SQUARE, 1, 0.8, 1), (FAR, 1, 0.7, 1), (SQUARE, 2, 0.6, 1), (SQUARE, 1, 0.5, 2)]
    none, row = suppressions(truth(*objects, images=3), detections(*found), [kind], threshold=0.5)
    assert none.ap50 < 1
    assert row.ap50 == 1  # gone, or with a score below all others'
    assert row.as_dict() == {"kind": kind, "threshold": 0.5, "ap": row.ap, "ap50": 1, "ap75": row.ap75, "kept_per_image": row.kept_per_image}
    assert row.kept_per_image == (5 if kind in ("soft", "matrix") else 4) / 3


@pytest.mark.parametrize("kind", KINDS)
def test_no_detections_stay_none(kind):
    assert [row.kept_per_image for row in suppressions(truth((SQUARE, 1)), [], [kind])] == [0, 0]


def test_what_is_refused():
    with pytest.raises(UnknownNameError, match="unknown kind of suppression 'gredy': did you mean greedy"):
        suppressions(truth(), [], ["gredy"])
    with pytest.raises(ParameterError, match="threshold is 2"):
        suppressions(truth(), [], ["greedy"], threshold=2)


def test_records_that_are_given_are_not_changed():
    found = detections((SQUARE, 1, 0.9))
    before = json.dumps(found)
    suppressions(truth((SQUARE, 1)), found, ["greedy"])
    assert json.dumps(found) == before
