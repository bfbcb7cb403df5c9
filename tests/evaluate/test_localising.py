"""How well found objects are boxed, and AP by threshold."""

import math

import pytest
from hypothesis import given

pytest.importorskip("faster_coco_eval")

from boxloss.evaluate import evaluate, localisation
from close import as_printed, close
from evaluate.small_cases import SQUARE, cases, detections, truth
from shared_data import shared

REAL = [("coco100", "detections"), ("detections", "centernet"), ("detections", "yolov3_tiny")]


@pytest.mark.parametrize(("folder", "file"), REAL)
def test_the_curve_is_cocos_and_its_mean_is_ap(folder, file):
    files = shared("data", folder, "ground_truth.json"), shared("data", folder, f"{file}.json")
    found, figures = localisation(*files), evaluate(*files)
    by_threshold = dict(zip(found.thresholds, found.ap, strict=True))
    assert (by_threshold[0.5], by_threshold[0.75], by_threshold[0.9]) == (figures.ap50, figures.ap75, figures.ap90)
    close(sum(found.ap) / len(found.ap), figures.ap)
    assert list(by_threshold) == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


@given(cases())
def test_every_matched_detection_is_in_one_bin(case):
    found = localisation(*case)
    edges, counts = found.histogram
    assert sum(counts) == found.n_matched <= min(found.n_objects, found.n_detections)
    assert all(0.5 <= iou <= 1 for iou in found.iou.tolist())
    assert (edges[0], edges[-1], len(counts)) == (0.5, 1, 10)


def test_counts_quantiles_and_histogram_of_three_boxes():
    objects = [(SQUARE, 1, image) for image in (1, 2, 3, 4)]
    found = localisation(truth(*objects, images=4), detections(*(((0, 0, 10, height), 1, 0.9, image) for image, height in ((1, 6), (2, 8), (3, 10)))))
    assert (found.n_objects, found.n_detections, found.n_matched) == (4, 3, 3)
    close(found.mean, 0.8)
    close([found.quantiles[share] for share in (0.25, 0.5, 0.75)], [0.7, 0.8, 0.9])
    assert found.histogram[1] == [0, 0, 1, 0, 0, 0, 1, 0, 0, 1]
    record = found.as_dict()
    assert (record["objects"], record["matched"], record["iou_histogram"]["counts"][2]) == (4, 3, 1)
    close(record["iou_quantiles"]["0.50"], 0.8)
    as_printed(record["ap_by_threshold"]["0.50"], "0.752")  # 3 of 4 objects: 76 of 101 recall levels


def test_nothing_found_has_no_quantiles():
    found = localisation(truth((SQUARE, 1)), [])
    assert found.n_matched == 0
    assert math.isnan(found.mean)
    assert all(math.isnan(value) for value in found.quantiles.values())
    assert set(found.ap) == {0.0}
    assert all(math.isnan(ap) for ap in localisation(truth(), []).ap)
