"""Counts and costs of the mistakes: another implementation's figures on real detections, and pencil cases."""

import json
import math

import numpy as np
import pytest
from hypothesis import given

pytest.importorskip("faster_coco_eval")

from boxloss.evaluate import errors, evaluate
from boxloss.evaluate.judged import judged
from boxloss.evaluate.kinds import KINDS, OF_DETECTIONS
from close import as_printed, close
from evaluate.small_cases import FAR, SQUARE, cases, detections, truth
from shared_data import shared

SLIM = (0, 0, 10, 3)  # IoU .3 with SQUARE


# Properties


@given(cases())
def test_kinds_sum_to_all_detections_and_objects(case):
    found = errors(*case)
    assert sum(found.counts[kind] for kind in OF_DETECTIONS) + found.n_right + found.n_ignored + found.n_beyond == len(case[1])
    assert found.counts["missed"] + found.n_near + found.n_right == sum(not record["iscrowd"] for record in case[0]["annotations"])
    for kind in KINDS:
        undefined = math.isnan(found.ap50)
        assert math.isnan(found.costs[kind]) if undefined else -1 <= found.costs[kind] <= 1 - found.ap50 or found.costs[kind] == 0
        assert undefined or found.counts[kind] or found.costs[kind] == 0


def real(file):
    truth_of_all = json.loads(shared("data", "detections", "ground_truth.json").read_text())
    return truth_of_all, json.loads(shared("data", "detections", f"{file}.json").read_text())


def test_the_order_of_records_changes_nothing():
    ground_truth, records = real("centernet")
    records = [record | {"score": record["score"] - k / 2**40} for k, record in enumerate(records)]  # no two scores are equal
    rng = np.random.default_rng(0)
    shuffled = ground_truth | {key: [ground_truth[key][k] for k in rng.permutation(len(ground_truth[key]))] for key in ("images", "annotations", "categories")}
    assert errors(ground_truth, records) == errors(shuffled, [records[k] for k in rng.permutation(len(records))])


def test_perfect_detections_have_no_mistakes():
    ground_truth, _ = real("centernet")
    objects = [record for record in ground_truth["annotations"] if not record["iscrowd"]]
    found = errors(ground_truth, [{key: record[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0} for record in objects])
    assert set(found.counts.values()) == {0}
    assert set(found.costs.values()) == {0.0}
    assert (found.ap50, found.n_right) == (1, len(objects))


def test_ap50_is_cocos():
    files = shared("data", "coco100", "ground_truth.json"), shared("data", "coco100", "detections.json")
    assert errors(*files).ap50 == evaluate(*files).ap50


# Oracle


@pytest.mark.parametrize(
    ("file", "ap50", "counts", "costs"),
    [
        (
            "centernet",
            "0.470",
            {"class": 657, "localisation": 462, "both": 510, "duplicate": 204, "background": 2360, "missed": 50},
            {"both": 0.0022285110524906315, "duplicate": 0.010030779432599104},
        ),
        (
            "yolov3_tiny",
            "0.28408365771949",
            {"class": 340, "localisation": 1499, "both": 2048, "duplicate": 24, "background": 5992, "missed": 49},
            {"both": 0.006412781644012853, "duplicate": 0.000036879719287341572, "background": 0.014535840358487029, "missed": 0.009109419934376426},
        ),
    ],
)
def test_counts_and_costs_of_tidecv(file, ap50, counts, costs):
    # From tidecv 1.0.1 in mode BOX. It explains what lies in crowds too, averages over classes without objects, has no limit of 100, and breaks ties of
    # scores its own way: so without crowds, such classes, what is beyond the limit, and ties. Its costs of localisation and class follow another rule
    # (see `errors`), and of centernet's AP two figures differ in the fifth digit, where a recall stands on one of the 101 levels.
    ground_truth, records = real(file)
    objects = [record for record in ground_truth["annotations"] if not record["iscrowd"]]
    ground_truth = ground_truth | {"annotations": objects}
    beyond = judged(ground_truth, records).matches.beyond
    records = [record for record, out in zip(records, beyond, strict=True) if not out]
    records = [record | {"score": record["score"] - 1e-9 * k} for k, record in enumerate(records)]
    classes = {record["category_id"] for record in objects}
    found = errors(ground_truth, [record for record in records if record["category_id"] in classes])
    assert found.counts == counts
    as_printed(found.ap50, ap50)
    close([found.costs[kind] for kind in costs], list(costs.values()), scale=[1.0] * len(costs))


# Pencil cases


def costs(objects, *found, **more):
    return {kind: round(cost, 12) for kind, cost in errors(truth(*objects, **more), detections(*found)).costs.items() if cost}


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [((SLIM, 1), "localisation"), ((SQUARE, 2), "class")],
)
def test_a_wrong_box_or_class_costs_the_object(wrong, kind):
    assert costs([(SQUARE, 1)], (*wrong, 0.9)) == {kind: 1}


@pytest.mark.parametrize(("second", "kind"), [((SQUARE, 1), "duplicate"), (((200, 200, 9, 9), 1), "background")])
def test_a_false_detection_costs_the_precision_after_it(second, kind):
    # Two objects at scores .9 and .7 with a false detection between: precision 1 up to recall .5 (51 of 101 levels), then 2/3.
    assert costs([(SQUARE, 1), (FAR, 1)], (SQUARE, 1, 0.9), (*second, 0.8), (FAR, 1, 0.7)) == {kind: round(50 / 101 / 3, 12)}


def test_a_missed_object_costs_the_recall_that_it_takes():
    assert costs([(SQUARE, 1), (FAR, 1)], (SQUARE, 1, 0.9)) == {"missed": round(50 / 101, 12)}


def test_a_class_whose_objects_are_all_missed_stays_in_the_mean():
    assert costs([(SQUARE, 1), (FAR, 2)], (SQUARE, 1, 0.9)) == {}


def test_of_two_mended_detections_of_an_object_the_better_scored_stays():
    # The right one comes after background; mended, the wrong class takes its place before it.
    found = [(SQUARE, 2, 0.9), ((50, 50, 9, 9), 1, 0.8), (SQUARE, 1, 0.7)]
    assert costs([(SQUARE, 1)], *found) == {"class": 0.5, "background": 0.5}
    # And where the right one has the better score, the mended one is dropped.
    assert costs([(SQUARE, 1)], (SQUARE, 1, 0.9), (SQUARE, 2, 0.8)) == {}


def test_what_is_beyond_the_limit_does_not_move_up():
    found = [(FAR, 1, 0.9)] * 100 + [(SQUARE, 1, 0.5)]
    assert costs([(SQUARE, 1)], *found) == {}


def test_without_objects_costs_are_undefined():
    found = errors(truth(), detections((SQUARE, 1, 0.9)))
    assert found.counts["background"] == 1
    assert all(math.isnan(cost) for cost in found.costs.values())


def test_as_dict_has_it_all():
    found = errors(truth((SQUARE, 1)), detections((SLIM, 1, 0.9))).as_dict()
    assert found["kinds"]["localisation"] == {"count": 1, "dap50": 1.0}
    assert (found["ap50"], found["right"], found["near"], found["in_crowd"], found["beyond_limit"]) == (0, 0, 1, 0, 0)
