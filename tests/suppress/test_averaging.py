"""Weighted suppression: the mean of each cluster, by the rule on all pairs."""

import numpy as np
import pytest
import torch
from hypothesis import given

import boxloss as bl
import suppress.quadratic as quadratic
from boxloss.errors import ParameterError
from boxloss.suppress import cluster_nms, cluster_weighted_nms, weighted_nms
from close import close
from suppress.crowds import crowds, real, thresholds, unhurried


def scale(boxes):
    """Means are as good as the largest coordinate among the boxes lets them be."""
    return np.full(np.shape(boxes), np.max(np.abs(boxes), initial=1.0) + 1)


# Properties


@unhurried
@given(crowds(), thresholds)
def test_weighted_is_the_rule_on_all_pairs(crowd, threshold):
    got = weighted_nms(*crowd, threshold=threshold)
    boxes, rows = quadratic.weighted(crowd, crowd.labels, threshold)
    assert got.scores.tolist() == crowd.scores[rows].tolist()
    assert got.labels.tolist() == crowd.labels[rows].tolist()
    close(got.boxes, boxes, scale=scale(boxes))


@unhurried
@given(crowds(), thresholds, thresholds)
def test_cluster_weighted_is_the_rule_on_all_pairs(crowd, threshold, similar):
    got = cluster_weighted_nms(*crowd, threshold=threshold, similar=similar)
    boxes, rows = quadratic.cluster_weighted(crowd, crowd.labels, threshold, similar)
    assert got.scores.tolist() == crowd.scores[rows].tolist()
    close(got.boxes, boxes, scale=scale(boxes))


@unhurried
@given(crowds(), thresholds)
def test_as_many_boxes_as_greedy_lets_stay(crowd, threshold):
    rows = cluster_nms(*crowd, threshold=threshold)
    for got in (weighted_nms(*crowd, threshold=threshold), cluster_weighted_nms(*crowd, threshold=threshold)):
        assert got.scores.tolist() == crowd.scores[rows].tolist()
        assert got.labels.tolist() == crowd.labels[rows].tolist()


@unhurried
@given(crowds())
def test_copies_of_a_box_stay_that_box_to_the_bit(crowd):
    twice = np.concatenate([crowd.boxes, crowd.boxes])
    labels = np.tile(np.arange(len(crowd.boxes)), 2)
    got = weighted_nms(twice, np.tile(crowd.scores, 2), labels)
    assert got.boxes.tolist() == crowd.boxes[got.labels].tolist()


# Oracle


def test_real_detections():
    for crowd in real("yolov3_tiny")[:4]:
        boxes, rows = quadratic.weighted(crowd, crowd.labels, 0.5)
        got = weighted_nms(*crowd)
        assert got.scores.tolist() == crowd.scores[rows].tolist()
        close(got.boxes, boxes, roundoffs="sum", scale=scale(boxes))
        with bl.plain():
            assert weighted_nms(*crowd).boxes.tolist() == got.boxes.tolist()


def test_ensemble_boxes_gives_the_same_means():
    ensemble_boxes = pytest.importorskip("ensemble_boxes")
    for crowd in real("centernet")[:10]:
        boxes = (crowd.boxes - crowd.boxes.min()) / np.ptp(crowd.boxes)
        scores = crowd.scores + np.arange(len(boxes))[::-1] * 2.0**-30  # no two equal
        got = weighted_nms(boxes, scores, crowd.labels, threshold=0.4)
        want = ensemble_boxes.non_maximum_weighted([boxes], [scores], [crowd.labels], iou_thr=0.4)
        close(np.sort(got.boxes.ravel()), np.sort(want[0].ravel()), dtype="float32", roundoffs="sum")


def test_torch_and_half_types():
    boxes, scores = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 8], [40, 0, 50, 8]]).half(), torch.tensor([0.5, 0.75, 0.25]).half()
    got = weighted_nms(boxes, scores)
    assert (got.boxes.dtype, got.scores.dtype, got.labels.dtype) == (torch.float32, torch.float32, torch.int64)
    assert got.boxes.tolist() == weighted_nms(boxes.float().numpy(), scores.float().numpy()).boxes.tolist()


def test_empty_in_empty_out():
    for function in (weighted_nms, cluster_weighted_nms):
        got = function(np.zeros((0, 4), np.float32), np.zeros(0))
        assert got.boxes.shape == (0, 4)
        assert got.boxes.dtype == np.float32
        assert got.scores.shape == got.labels.shape == (0,)


# Pencil cases


def test_a_dropped_box_belongs_to_whom_it_is_most_like():
    # Those that stay do not overlap; the last overlaps the first by 2 of 10 rows, the second by 8
    boxes = np.array([[0.0, 0, 10, 10], [0, 10, 10, 20], [0, 8, 10, 18]])
    got = weighted_nms(boxes, [0.9, 0.5, 0.5], threshold=0.1)
    close(got.boxes, [[0, 0, 10, 10], [0, 10 - 2 * 0.4, 10, 20 - 2 * 0.4]])  # IoU 8/12, weights 1 and 2/3: it moves by 2 * 0.4


def test_scores_of_zero_leave_the_best_box_as_it_is():
    got = weighted_nms(np.array([[0.0, 0, 10, 10], [0, 0, 10, 8]]), [0.0, 0.0])
    assert got.boxes.tolist() == [[0, 0, 10, 10]]


# Errors


@pytest.mark.parametrize("function", [weighted_nms, cluster_weighted_nms])
def test_what_is_refused(function):
    two = np.zeros((2, 4))
    for wrong in (np.nan, np.inf, -1.0):
        with pytest.raises(ParameterError, match=r"scores\[1\]"):
            function(two, np.array([0.5, wrong]))
    for threshold in (-0.1, 1.1):
        with pytest.raises(ParameterError, match="threshold"):
            function(two, np.zeros(2), threshold=threshold)
