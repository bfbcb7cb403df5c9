"""Matrix suppression and cluster suppression's score penalty: each its paper's rule on all pairs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
import suppress.quadratic as quadratic
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.suppress import cluster_nms, cluster_spm_nms, matrix_nms
from close import close
from suppress.crowds import crowds, fewer, real, thresholds


def by_row(n, found):
    """For each row its new score; all of them must be there."""
    rows, scores = found
    assert sorted(rows.tolist()) == list(range(n))
    new = np.empty(n)
    new[rows] = scores
    return new


# Properties


@fewer
@given(crowds(), st.sampled_from(["gaussian", "linear"]), st.sampled_from([0.5, 2.0]), st.booleans())
def test_matrix_is_the_rule_on_all_pairs(crowd, decay, sigma, by_class):
    labels = crowd.labels if by_class else None
    found = matrix_nms(crowd.boxes, crowd.scores, labels, decay=decay, sigma=sigma if decay == "gaussian" else None, min_score=0)
    close(by_row(len(crowd.boxes), found), quadratic.matrix(crowd, labels, decay, sigma))


@fewer
@given(crowds(), thresholds, st.sampled_from([None, 0.6]), st.booleans())
def test_the_score_penalty_is_the_rule_on_all_pairs(crowd, threshold, beta, by_class):
    labels = crowd.labels if by_class else None
    found = cluster_spm_nms(crowd.boxes, crowd.scores, labels, threshold=threshold, beta=beta, min_score=0)
    close(by_row(len(crowd.boxes), found), quadratic.spm(crowd, labels, threshold, 0.2, beta), roundoffs="sum")


@fewer
@given(crowds(), st.sampled_from([matrix_nms, cluster_spm_nms]), st.sampled_from([0.0, 0.125, 0.3]))
def test_best_first_none_below_the_least_and_none_higher_than_it_was(crowd, function, least):
    rows, scores = function(*crowd, min_score=least)
    assert rows.tolist() == [row for _, row in sorted(zip(-scores, rows, strict=True))]
    assert (scores >= least).all()
    assert (scores <= crowd.scores[rows]).all()


@fewer
@given(crowds())
def test_with_a_distance_scores_fall_less(crowd):
    n = len(crowd.boxes)
    without, with_it = (by_row(n, cluster_spm_nms(*crowd, beta=beta, min_score=0)) for beta in (None, 0.6))
    assert (with_it >= without).all()


@fewer
@given(crowds(), thresholds)
def test_what_cluster_keeps_keeps_the_order_of_its_best(crowd, threshold):
    """The best box of each class loses nothing."""
    n = len(crowd.boxes)
    new = by_row(n, cluster_spm_nms(*crowd, threshold=threshold, min_score=0)), by_row(n, matrix_nms(*crowd, min_score=0))
    kept = cluster_nms(*crowd, threshold=threshold)
    for label in np.unique(crowd.labels):
        best = next(row for row in kept if crowd.labels[row] == label)
        assert new[0][best] == new[1][best] == crowd.scores[best]


# Oracle


@pytest.mark.parametrize("detector", ["centernet", "yolov3_tiny"])
def test_real_detections(detector):
    for crowd in real(detector)[:3]:
        found = matrix_nms(*crowd, min_score=0)
        close(by_row(len(crowd.boxes), found), quadratic.matrix(crowd, crowd.labels, "gaussian", 0.5))
        found = cluster_spm_nms(*crowd, beta=0.6, min_score=0)
        close(by_row(len(crowd.boxes), found), quadratic.spm(crowd, crowd.labels, 0.5, 0.2, 0.6), roundoffs="sum")


def test_plain_gives_the_same_bits():
    crowd = real("yolov3_tiny")[0]
    want = [np.concatenate(function(*crowd, **options)).tolist() for function, options in ((matrix_nms, {}), (cluster_spm_nms, {"beta": 0.6}))]
    with bl.plain():
        got = [np.concatenate(function(*crowd, **options)).tolist() for function, options in ((matrix_nms, {}), (cluster_spm_nms, {"beta": 0.6}))]
    assert got == want


def test_torch_and_half_types():
    boxes, scores = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 5]]).half(), torch.tensor([0.5, 0.75]).half()
    for function in (matrix_nms, cluster_spm_nms):
        rows, new = function(boxes, scores)
        assert (rows.dtype, new.dtype) == (torch.int64, torch.float32)
        want_rows, want = function(boxes.float().numpy(), scores.float().numpy())
        assert rows.tolist() == want_rows.tolist()
        assert new.tolist() == want.tolist()


def test_empty_in_empty_out():
    for function in (matrix_nms, cluster_spm_nms):
        rows, scores = function(np.zeros((0, 4)), np.zeros(0))
        assert rows.shape == scores.shape == (0,)


# Pencil cases


def test_a_suppressed_box_hardly_suppresses():
    # IoU of neighbours 3/7, of the first and the last 1/9; the last falls by its own overlap with the first, not with the middle one: 1 - 3/7 over 1 - 3/7 is 1
    row = np.array([[0.0, 0, 10, 10], [0, 4, 10, 14], [0, 8, 10, 18]])
    rows, scores = matrix_nms(row, [1.0, 1.0, 1.0], decay="linear")
    assert rows.tolist() == [0, 2, 1]
    close(scores, [1, 8 / 9, 4 / 7])


def test_three_copies_with_linear_decay():
    """The second, whose f is 0, says nothing of the third; the first does."""
    rows, scores = matrix_nms(np.array([[0.0, 0, 1, 1]] * 3), [0.9, 0.8, 0.7], decay="linear", min_score=0)
    assert rows.tolist() == [0, 1, 2]
    assert scores.tolist() == [0.9, 0, 0]


# Errors


@pytest.mark.parametrize("function", [matrix_nms, cluster_spm_nms])
def test_what_is_refused(function):
    two = np.zeros((2, 4))
    for wrong in (np.nan, np.inf, -1.0):
        with pytest.raises(ParameterError, match=r"scores\[1\]"):
            function(two, np.array([0.5, wrong]))
    for name, value in (("sigma", 0), ("sigma", float("inf")), ("min_score", -0.1), ("min_score", "a"), ("sigma", True)):
        with pytest.raises(ParameterError, match=name):
            function(two, np.zeros(2), **{name: value})
    with pytest.raises(UnknownNameError, match="did you mean linear"):
        matrix_nms(two, np.zeros(2), decay="linea")
    with pytest.raises(ParameterError, match="beta"):
        cluster_spm_nms(two, np.zeros(2), beta=0)
