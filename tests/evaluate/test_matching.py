"""COCO's matching at IoU .50: the evaluator's own pairs, and what each part of the rule does."""

import numpy as np
import pytest
from hypothesis import given

pytest.importorskip("faster_coco_eval")

from faster_coco_eval import COCO, COCOeval_faster

from boxloss.evaluate.judged import judged
from boxloss.evaluate.matching import in_crowd
from close import close
from evaluate.small_cases import FAR, SQUARE, cases, detections, truth
from shared_data import shared


def evaluators_pairs(found):
    """(detection, object): IoU as faster-coco-eval matched them at .50, rows from 0."""
    head = {"images": found.truth.images, "categories": found.truth.categories}
    both = (COCO(head | {"annotations": records}) for records in (found.truth.annotations, found.records))
    run = COCOeval_faster(*both, "bbox", print_function=lambda *_: None)
    run.params.iouThrs, run.params.maxDets = np.array([0.5]), [100]
    run.params.areaRng, run.params.areaRngLbl = run.params.areaRng[:1], ["all"]
    run.evaluate()
    run.accumulate()
    return {tuple(int(id_) - 1 for id_ in pair.split("_")): iou for pair, iou in run.eval["matched"].items()}


def apart(pairs, found):
    """The pairs with an object, and the detections paired with a crowd."""
    crowd = found.objects.crowd
    return {pair: iou for pair, iou in pairs.items() if not crowd[pair[1]]}, sorted(detection for detection, object_ in pairs if crowd[object_])


def our_pairs(found):
    rows = np.flatnonzero(found.matches.right)
    return {(row, int(found.matches.object[row])): float(found.matches.iou[row]) for row in rows.tolist()}


@given(cases())
def test_the_evaluators_own_pairs_on_boxes_that_tie(case):
    found = judged(*case)
    assert (our_pairs(found), np.flatnonzero(found.matches.ignored).tolist()) == apart(evaluators_pairs(found), found)


@pytest.mark.parametrize(
    ("folder", "file", "n_matched", "n_ignored"),
    [("coco100", "detections", 649, 0), ("detections", "centernet", 260, 165), ("detections", "yolov3_tiny", 150, 357)],
)
def test_the_evaluators_own_pairs_on_real_detections(folder, file, n_matched, n_ignored):
    found = judged(shared("data", folder, "ground_truth.json"), shared("data", folder, f"{file}.json"))
    ours, (theirs, in_crowds) = our_pairs(found), apart(evaluators_pairs(found), found)
    assert set(ours) == set(theirs)
    assert np.flatnonzero(found.matches.ignored).tolist() == in_crowds
    close([ours[pair] for pair in theirs], list(theirs.values()), roundoffs="textbook")
    assert (len(ours), len(in_crowds)) == (n_matched, n_ignored)


def objects_found(objects, *found, **more):
    return judged(truth(*objects, **more), detections(*found)).matches.object.tolist()


def test_the_best_score_chooses_first_and_of_equal_ones_the_first():
    half = (0, 0, 10, 6)
    assert objects_found([(SQUARE, 1)], (SQUARE, 1, 0.5), (half, 1, 0.9)) == [-1, 0]
    assert objects_found([(SQUARE, 1)], (SQUARE, 1, 0.5), (half, 1, 0.5)) == [0, -1]


def test_it_takes_the_object_that_it_overlaps_most_and_is_free():
    objects = [((0, 0, 10, 8), 1), (SQUARE, 1)]
    assert objects_found(objects, (SQUARE, 1, 0.9), (SQUARE, 1, 0.8), (SQUARE, 1, 0.7)) == [1, 0, -1]


def test_class_and_picture_must_be_the_objects():
    assert objects_found([(SQUARE, 1)], (SQUARE, 2, 0.9)) == [-1]
    assert objects_found([(SQUARE, 1, 1)], (SQUARE, 1, 0.9, 2), images=2) == [-1]


def test_an_iou_of_one_half_is_enough():
    assert objects_found([(SQUARE, 1)], ((0, 0, 10, 5), 1, 0.9)) == [0]
    assert objects_found([(SQUARE, 1)], ((0, 0, 10, 4.99), 1, 0.9)) == [-1]


def test_boxes_without_area_find_nothing_and_are_not_found():
    assert objects_found([((5, 5, 0, 0), 1)], ((5, 5, 0, 0), 1, 0.9)) == [-1]


def test_a_crowd_takes_any_number_but_only_of_its_class_and_when_nothing_else_is_found():
    crowd, objects = (0, 0, 100, 100), [((0, 0, 100, 100), 1), (SQUARE, 1)]
    found = judged(
        truth(*objects, crowds={0}), detections((SQUARE, 1, 0.9), (SQUARE, 1, 0.8), ((95, 0, 10, 10), 1, 0.7), ((96, 0, 10, 10), 1, 0.6), (crowd, 2, 0.5))
    )
    assert found.matches.object.tolist() == [1, -1, -1, -1, -1]
    assert found.matches.ignored.tolist() == [False, True, True, False, False]
    assert in_crowd(found.detections, found.objects).tolist() == [True, True, True, False, False]


def test_all_but_the_hundred_best_of_a_picture_and_class_are_beyond():
    many = [(FAR, 1, 0.5)] * 100 + [(SQUARE, 1, 0.4), (SQUARE, 2, 0.4)]
    found = judged(truth((SQUARE, 1), (SQUARE, 2)), detections(*many))
    assert np.flatnonzero(found.matches.beyond).tolist() == [100]
    assert np.flatnonzero(found.matches.right).tolist() == [101]
