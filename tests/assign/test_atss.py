"""ATSS: candidates by distance, thresholds by their overlaps."""

import sys

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.real import cells, photographs
from assign.scenes import scene
from boxloss.anchors import points
from boxloss.assign import BACKGROUND, Priors, atss, from_points
from boxloss.errors import ParameterError
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import direct_assigners


def by_hand(priors, objects, k, measure="iou"):
    """Object by object."""
    index, most = np.full(len(priors.boxes), BACKGROUND), np.full(len(priors.boxes), -np.inf)
    xy = (priors.boxes[:, :2].astype(float) + priors.boxes[:, 2:]) / 2
    for n, box in enumerate(objects.boxes):
        distance2 = ((xy - (box[:2].astype(float) + box[2:]) / 2) ** 2).sum(axis=1)
        rows = np.concatenate([sorted(np.flatnonzero(priors.strides == s), key=lambda p, d=distance2: d[p])[:k] for s in np.unique(priors.strides)])
        overlap = bl.pairwise(measure, priors.boxes[rows], box[None])[:, 0].astype(float)
        bar = overlap.mean() + (overlap.std(ddof=1) if len(rows) > 1 else 0)
        for p, value in zip(rows, overlap, strict=True):
            if value >= bar and (xy[p] > box[:2]).all() and (xy[p] < box[2:]).all() and value > most[p]:
                index[p], most[p] = n, value
    return index


@pytest.mark.parametrize("k", [1, 2, 9, 500])
def test_the_rule_object_by_object(k):
    for seed in range(8):
        priors, objects, _ = scene(seed)
        np.testing.assert_array_equal(atss(priors, objects, k=k).index, by_hand(priors, objects, k))
        np.testing.assert_array_equal(atss(priors, objects, k=k, measure="diou").index, by_hand(priors, objects, k, "diou"))


@pytest.mark.parametrize("k", [1, 9])
def test_equally_near_priors_and_equal_overlaps(k):
    priors = from_points(*points(128, 96))
    for seed in range(8):
        _, objects, _ = scene(seed)
        whole = objects._replace(boxes=np.round(objects.boxes / 8) * 8)
        np.testing.assert_array_equal(atss(priors, whole, k=k).index, by_hand(priors, whole, k))


def test_real_boxes_as_the_paper_has_it():
    n_positive = 0
    for priors, objects, _ in photographs():
        want = direct_assigners.atss(*(torch.from_numpy(x) for x in (*priors, objects.boxes))).numpy()
        np.testing.assert_array_equal(atss(priors, objects).index, want)
        n_positive += (want >= 0).sum()
    assert n_positive > 0


def test_blood_cells_of_whole_pixels_and_anchors_of_whole_pixels():
    priors, pictures = cells()
    for objects in pictures[:2]:
        np.testing.assert_array_equal(atss(priors, objects).index, by_hand(priors, objects, 9))


def test_an_object_far_outside_and_one_that_is_huge():
    priors = from_points(*points(128, 96))
    far = np.array([[1e5, 1e5, 1e5 + 8, 1e5 + 8], [-1e30, -1e30, 1e30, 1e30]], np.float32)
    assert set(atss(priors, far).index) == {BACKGROUND, 1}
    assert set(atss(priors, np.array([[1e300, 1e300, 1.5e300, 1.5e300], [-1e308, -1e308, -1e307, -1e307]])).index) == {BACKGROUND}


def test_a_single_candidate_is_its_own_threshold():
    assert atss(Priors([[0.0, 0, 8, 8]], [8.0]), [[1.0, 1, 9, 9]]).index.tolist() == [0]


@pytest.mark.parametrize("k", [0, 2.5, True])
def test_a_number_of_candidates_that_is_none(k):
    with pytest.raises(ParameterError, match=rf"atss: k is {k}, expected a whole number >= 1"):
        atss(np.zeros((1, 4)), np.zeros((1, 4)), k=k)
