"""Fast, cluster and adaptive suppression: each its paper's rule on all pairs."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
import suppress.quadratic as quadratic
from boxloss.errors import ParameterError, ShapeError, UnknownNameError
from boxloss.suppress import adaptive_nms, cluster_nms, fast_nms, matrix_nms, nms, weighted_nms
from suppress.crowds import crowds, real, thresholds, unhurried

densities = st.sampled_from([0.0, 0.3, 0.6, 1.0])

# Properties


@unhurried
@given(crowds(), thresholds, st.booleans())
def test_fast_drops_what_any_better_box_overlaps(crowd, threshold, by_class):
    labels = crowd.labels if by_class else None
    assert fast_nms(crowd.boxes, crowd.scores, labels, threshold=threshold).tolist() == quadratic.fast(crowd, labels, threshold)


@unhurried
@given(crowds(), thresholds, st.booleans())
def test_cluster_is_greedy(crowd, threshold, by_class):
    labels = crowd.labels if by_class else None
    assert cluster_nms(crowd.boxes, crowd.scores, labels, threshold=threshold).tolist() == nms(crowd.boxes, crowd.scores, labels, threshold=threshold).tolist()


@unhurried
@given(crowds(dtype=np.float32), thresholds)
def test_cluster_is_greedy_in_float32_too(crowd, threshold):
    assert cluster_nms(*crowd, threshold=threshold).tolist() == nms(*crowd, threshold=threshold).tolist()


@unhurried
@given(crowds(), thresholds)
def test_fast_keeps_no_more_than_cluster(crowd, threshold):
    assert set(fast_nms(*crowd, threshold=threshold).tolist()) <= set(cluster_nms(*crowd, threshold=threshold).tolist())


@unhurried
@given(crowds(), thresholds, st.data())
def test_adaptive_raises_the_threshold_around_a_crowded_box(crowd, threshold, data):
    crowded = np.array(data.draw(st.lists(densities, min_size=len(crowd.boxes), max_size=len(crowd.boxes))))
    got = adaptive_nms(crowd.boxes, crowd.scores, crowded, crowd.labels, threshold=threshold)
    assert got.tolist() == quadratic.adaptive(crowd, crowded, crowd.labels, threshold)


@unhurried
@given(crowds(), thresholds)
def test_without_density_adaptive_is_greedy(crowd, threshold):
    got = adaptive_nms(crowd.boxes, crowd.scores, np.zeros(len(crowd.boxes)), crowd.labels, threshold=threshold)
    assert got.tolist() == cluster_nms(*crowd, threshold=threshold).tolist()


@unhurried
@given(crowds(), thresholds)
def test_another_measure(crowd, threshold):
    n = len(crowd.boxes)
    with bl.plain():  # its kernels take longer to compile than all this
        got = set(cluster_nms(*crowd, threshold=threshold - 0.5, measure="giou").tolist())
        alike = np.asarray(bl.pairwise("giou", crowd.boxes, crowd.boxes)).reshape(n, n) > threshold - 0.5
    for i in range(n):
        better = [j for j in got if crowd.labels[j] == crowd.labels[i] and (crowd.scores[j], -j) > (crowd.scores[i], -i)]
        assert (i in got) == (not any(alike[j, i] for j in better))


@unhurried
@given(crowds())
def test_torch_gives_torch_and_half_types_are_computed_in_float32(crowd):
    boxes, scores, labels = torch.tensor(crowd.boxes).half(), torch.tensor(crowd.scores).bfloat16(), torch.tensor(crowd.labels)
    for function in (fast_nms, cluster_nms):
        got = function(boxes, scores, labels, threshold=0.6)
        assert got.dtype == torch.int64
        assert got.tolist() == function(boxes.float().numpy(), scores.float().numpy(), crowd.labels, threshold=0.6).tolist()


# Oracle


@pytest.mark.parametrize("detector", ["centernet", "yolov3_tiny"])
def test_cluster_is_greedy_on_real_detections(detector):
    for crowd in real(detector):
        for threshold in (0.3, 0.5, 0.7):
            for labels in (None, crowd.labels):
                want = nms(crowd.boxes, crowd.scores, labels, threshold=threshold)
                assert cluster_nms(crowd.boxes, crowd.scores, labels, threshold=threshold).tolist() == want.tolist()


def test_plain_gives_the_same_rows():
    for crowd in real("centernet")[:5]:
        want = [function(*crowd, threshold=0.5).tolist() for function in (fast_nms, cluster_nms)]
        with bl.plain():
            assert [function(*crowd, threshold=0.5).tolist() for function in (fast_nms, cluster_nms)] == want


def test_memory_grows_with_the_pairs_that_overlap():
    n = 8000
    corner = np.random.default_rng(0).uniform(0, 50 * n**0.5, (n, 2))
    boxes, scores = np.hstack([corner, corner + 30]), np.linspace(1, 0, n)
    cluster_nms(boxes, scores)
    tracemalloc.start()
    for function in (fast_nms, cluster_nms, matrix_nms, weighted_nms):
        function(boxes, scores)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < n * n / 8  # a bit a pair


# Pencil cases


def test_a_long_chain_takes_as_many_rounds_as_it_needs():
    # Each box overlaps the next with an IoU of 3/7 and the one after that with 1/9: every other one stays
    boxes = np.array([[0.0, 4 * i, 10, 4 * i + 10] for i in range(101)])
    scores = np.linspace(1, 0.1, 101)
    assert cluster_nms(boxes, scores, threshold=0.4).tolist() == list(range(0, 101, 2))
    assert fast_nms(boxes, scores, threshold=0.4).tolist() == [0]


def test_an_overlap_equal_to_the_threshold_stays():
    two, scores = np.array([[0, 0, 5, 1], [0, 0, 3, 1]]), [0.9, 0.8]  # IoU 3/5, which float32 has as it has 0.6
    for number in (np.float32, np.float64):
        assert fast_nms(two.astype(number), scores, threshold=0.6).tolist() == cluster_nms(two.astype(number), scores, threshold=0.6).tolist() == [0, 1]
        assert adaptive_nms(two.astype(number), scores, [0.6, 0.6], threshold=0.1).tolist() == [0, 1]


def test_a_box_that_is_not_finite_overlaps_nothing():
    boxes = np.array([[0, 0, 1, 1], [0, 0, np.nan, 1], [0, 0, np.inf, 1], [0, 0, 1, 1]])
    assert cluster_nms(boxes, [0.9, 0.8, 0.7, 0.6]).tolist() == [0, 1, 2]


# Errors


@pytest.mark.parametrize("function", [fast_nms, cluster_nms, lambda b, s, *x, **k: adaptive_nms(b, s, np.zeros(len(s)), *x, **k)])
def test_what_is_refused(function):
    with pytest.raises(ShapeError, match=r"expected \(N, 4\), \(N,\), \(N,\)"):
        function(np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ParameterError, match=r"scores\[1\] is NaN"):
        function(np.zeros((2, 4)), np.array([0.5, np.nan]))
    with pytest.raises(ParameterError, match=r"threshold is 1\.5"):
        function(np.zeros((2, 4)), np.zeros(2), threshold=1.5)
    with pytest.raises(ParameterError, match="threshold is nan"):
        function(np.zeros((2, 4)), np.zeros(2), threshold=float("nan"))
    with pytest.raises(UnknownNameError):
        function(np.zeros((0, 4)), np.zeros(0), measure="iuo")


def test_densities_are_checked():
    with pytest.raises(ShapeError, match=r"densities has shape \(3,\)"):
        adaptive_nms(np.zeros((2, 4)), np.zeros(2), np.zeros(3))
    for wrong in (1.5, -0.1, np.nan):
        with pytest.raises(ParameterError, match=r"densities\[1\]"):
            adaptive_nms(np.zeros((2, 4)), np.zeros(2), np.array([0, wrong]))
