"""Greedy suppression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.errors import ParameterError, ShapeError
from boxloss.losses import pairwise
from boxloss.suppress import nms


@st.composite
def detections(draw):
    """Boxes on a coarse grid (many equal, nested and touching), scores with ties, labels."""
    n = draw(st.integers(0, 12))
    corner = np.array(draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=n, max_size=n))).reshape(-1, 2)
    sides = np.array(draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=n, max_size=n))).reshape(-1, 2)
    scores = np.array(draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=n, max_size=n)))
    labels = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int64)
    return np.hstack([corner, corner + sides]).astype(np.float64), scores, labels


thresholds = st.sampled_from([0.0, 0.25, 0.5, 1.0])


# Properties


@given(detections(), thresholds)
def test_what_stays_does_not_overlap_too_much_and_what_goes_does(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold).tolist()
    iou = np.asarray(pairwise("iou", boxes, boxes)).reshape(len(boxes), len(boxes))
    for i in range(len(boxes)):
        better = [j for j in kept if labels[j] == labels[i] and (scores[j], -j) > (scores[i], -i)]
        assert (i in kept) == all(iou[j, i] <= threshold for j in better)


@given(detections(), thresholds)
def test_best_score_first_and_equal_scores_in_the_order_given(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold).tolist()
    assert kept == sorted(kept, key=lambda i: (-scores[i], i))


@given(detections(), thresholds)
def test_classes_do_not_see_each_other(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold)
    for label in range(3):
        rows = np.flatnonzero(labels == label)
        assert set(kept[labels[kept] == label]) == set(rows[nms(boxes[rows], scores[rows], threshold=threshold)])


@given(detections())
def test_threshold_one_drops_nothing(found):
    boxes, scores, labels = found
    assert sorted(nms(boxes, scores, labels, threshold=1)) == list(range(len(boxes)))


@given(detections(), thresholds)
def test_suppressing_twice_changes_nothing(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold)
    assert nms(boxes[kept], scores[kept], labels[kept], threshold=threshold).tolist() == list(range(len(kept)))


# Pencil cases


def test_an_overlap_equal_to_the_threshold_stays():
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5]])  # IoU 1/2
    assert nms(boxes, np.array([0.9, 0.8]), threshold=0.5).tolist() == [0, 1]
    assert nms(boxes, np.array([0.9, 0.8]), threshold=0.49).tolist() == [0]


def test_what_was_dropped_drops_nothing():
    # 1 overlaps 0 and 2; 0 does not touch 2. 1 is dropped by 0, so 2 stays.
    boxes = np.array([[0.0, 0, 10, 10], [0, 4, 10, 14], [0, 8, 10, 18]])
    assert nms(boxes, np.array([0.9, 0.8, 0.7]), threshold=0.2).tolist() == [0, 2]


# Errors


def test_shapes_and_thresholds_are_checked():
    with pytest.raises(ShapeError, match=r"expected \(N, 4\), \(N,\), \(N,\)"):
        nms(np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ShapeError):
        nms(np.zeros((2, 5)), np.zeros(2))
    with pytest.raises(ShapeError):
        nms(np.zeros((2, 4)), np.zeros(2), np.zeros(1, dtype=int))
    with pytest.raises(ParameterError, match=r"threshold is 1\.5"):
        nms(np.zeros((2, 4)), np.zeros(2), threshold=1.5)
