"""k-means anchors: the mean IoU never falls, and the same seed gives the same bits whatever else is different."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.anchors import kmeans, quality
from boxloss.datasets.sizes import sizes_from
from boxloss.errors import ParameterError, ShapeError
from shared_data import shared

side = st.integers(1, 60)
many_sizes = st.lists(st.tuples(side, side), min_size=4, max_size=40)


def random_sizes(n, seed=0):
    return np.exp(np.random.Generator(np.random.PCG64(seed)).normal(4, 1, (n, 2))).astype(np.float32)


def same(one, other, scale=1.0):
    assert (one.shapes * np.float32(scale) == other.shapes).all()
    assert (one.counts == other.counts).all()
    assert one.history == other.history


def no_more(k, sizes):
    """Than there are different sizes."""
    return min(k, len(np.unique(np.float32(sizes), axis=0)))


# Properties


@settings(max_examples=30)
@given(many_sizes, st.integers(1, 4), st.integers(0, 9))
def test_the_mean_iou_never_falls_and_is_what_quality_says(sizes, k, seed):
    k = no_more(k, sizes)
    found = kmeans(sizes, k, restarts=2, seed=seed)
    assert all(before < after for before, after in itertools.pairwise(found.history))
    assert found.mean_iou == found.history[-1]
    assert found.counts.sum() == len(sizes)
    refined = kmeans(sizes, k, restarts=2, seed=seed, refine=True)
    assert refined.mean_iou >= found.mean_iou
    assert (np.diff(refined.shapes.prod(axis=1)) >= 0).all()


@settings(max_examples=30)
@given(many_sizes, st.integers(1, 4), st.integers(-20, 20))
def test_sizes_times_a_power_of_two_give_anchors_times_it(sizes, k, exponent):
    scale, k = 2.0**exponent, no_more(k, sizes)
    same(kmeans(sizes, k, restarts=2, refine=True), kmeans(np.array(sizes) * scale, k, restarts=2, refine=True), scale)


@settings(max_examples=30)
@given(many_sizes, st.integers(1, 4))
def test_transposing_the_boxes_transposes_the_anchors(sizes, k):
    k = no_more(k, sizes)
    one, other = kmeans(sizes, k, restarts=1), kmeans(np.array(sizes)[:, ::-1], k, restarts=1)
    assert sorted(map(tuple, one.shapes.tolist())) == sorted(map(tuple, other.shapes[:, ::-1].tolist()))


def test_the_same_bits_with_any_number_of_threads_and_without_kernels():
    sizes, found = random_sizes(50_000), []
    before = bl.get_num_threads()
    try:
        for n_threads in (1, 2, 5):
            bl.set_num_threads(n_threads)
            found.append(kmeans(sizes, 7, restarts=1, seed=3))
    finally:
        bl.set_num_threads(before)
    with bl.plain():
        found.append(kmeans(sizes, 7, restarts=1, seed=3))
    for other in found[1:]:
        same(found[0], other)
    assert (kmeans(sizes, 7, restarts=1, seed=4).shapes != found[0].shapes).any()


def test_more_restarts_are_never_worse():
    sizes = random_sizes(3000)
    values = [kmeans(sizes, 5, restarts=n).mean_iou for n in (1, 3, 9)]
    assert values == sorted(values)


def test_starts_on_a_sample_end_on_all_boxes():
    sizes = random_sizes(20_000)
    found, lines = kmeans(sizes, 4, sample=1000), []
    assert found.counts.sum() == 20_000
    same(found, kmeans(sizes, 4, sample=1000, tell=lines.append))
    assert any("start 10 of 10" in line for line in lines)
    assert any("all 20,000 boxes" in line for line in lines)


def test_no_small_move_of_a_single_side_gains_after_refining():
    sizes = random_sizes(2000)
    found = kmeans(sizes, 3, refine=True)
    for c, axis, factor in itertools.product(range(3), (0, 1), (1.01, 1 / 1.01)):
        moved = found.shapes.copy()
        moved[c, axis] *= factor
        assert quality(sizes, moved).mean_iou <= found.mean_iou + 1e-6  # what it counts as no gain


# Oracle


def exhaustive(sizes, k):
    """The best mean IoU of k anchors that are boxes of the data."""
    w, h = np.array(sizes, np.float64).T
    overlap = np.minimum.outer(w, w) * np.minimum.outer(h, h)
    iou = overlap / (np.add.outer(w * h, w * h) - overlap)
    return max(iou[:, list(chosen)].max(axis=1).mean() for chosen in itertools.combinations(range(len(w)), k))


def test_at_least_as_good_as_the_best_boxes_of_the_data():
    for seed in range(5):
        sizes = random_sizes(30, seed)
        assert kmeans(sizes, 3, restarts=30, refine=True).mean_iou > exhaustive(sizes, 3)


# Pencil cases


def test_as_many_anchors_as_sizes_fit_all_boxes():
    found = kmeans([[10, 20], [30, 30], [50, 10], [10, 20]], k=3)
    assert found.shapes.tolist() == [[10, 20], [50, 10], [30, 30]]
    assert found.mean_iou == 1
    assert found.counts.tolist() == [2, 1, 1]


def test_fewer_different_sizes_than_anchors():
    with pytest.raises(ParameterError, match="5 boxes of 2 different sizes, and k = 3: expected at least as many sizes as anchors"):
        kmeans([[10, 20]] * 4 + [[20, 10]], k=3)
    many = np.full((10_000, 2), 7.0)
    many[-1] = 8
    assert kmeans(many, k=2, restarts=1).shapes.tolist() == [[7, 7], [8, 8]]  # the last box counts


def test_nine_anchors_of_real_cells_fit_better_than_five():
    sizes = sizes_from(shared("data", "bccd"), (640, 480))
    assert len(sizes) == 4886  # 4,888 boxes, two of which have no size
    assert kmeans(sizes, 9).mean_iou > kmeans(sizes, 5).mean_iou > quality(sizes, [[100, 100]]).mean_iou


# Errors


def test_what_is_refused():
    with pytest.raises(ShapeError, match=r"sizes has shape \(2, 4\), expected \(N, 2\)"):
        kmeans(np.ones((2, 4)))
    with pytest.raises(ParameterError, match="1 of 3 boxes have a height that is not finite and above 0"):
        kmeans([[1, 1], [1, 0], [2, 2]], k=2)
    with pytest.raises(ParameterError, match="1 of 2 boxes have a width"):
        kmeans([[np.nan, 1], [1, 1]], k=2)
    with pytest.raises(ParameterError, match="2 boxes and k = 3"):
        kmeans([[1, 1], [1, 2]], k=3)
    with pytest.raises(ParameterError, match="seed is -1, expected a whole number >= 0"):
        kmeans([[1, 1], [1, 2]], k=1, seed=-1)
    with pytest.raises(ParameterError, match="restarts is 0"):
        kmeans([[1, 1], [1, 2]], k=1, restarts=0)
    with pytest.raises(ParameterError, match=r"k is 1\.5"):
        kmeans([[1, 1], [1, 2]], k=1.5)
