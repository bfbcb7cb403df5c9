"""SSD's rule: an object's own prior first."""

import sys

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.real import cells
from assign.scenes import scene
from boxloss.assign import BACKGROUND, ssd
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import peers


def by_hand(overlaps, threshold=0.5):
    """From the matrix (N, P): the greatest number that is left, again and again."""
    index = np.where(overlaps.max(axis=0) > threshold, overlaps.argmax(axis=0), BACKGROUND)
    left = overlaps.copy()
    while left.max(initial=0) > 0:
        n, p = np.unravel_index(left.argmax(), left.shape)
        index[p] = n
        left[n], left[:, p] = -1, -1
    return index


@pytest.mark.parametrize("few", [1, 8])
def test_the_rule_step_by_step(few, monkeypatch):
    monkeypatch.setattr(sys.modules["boxloss.assign.ssd"], "FEW", few)
    for seed in range(20):
        priors, objects, _ = scene(seed, n_objects=20)
        for step in (1 / 64, 8):  # ties of all kinds, and boxes without area
            a, b = np.round(priors.boxes[:60] / step) * step, np.round(objects.boxes / step) * step
            np.testing.assert_array_equal(ssd(a, b).index, by_hand(bl.pairwise("iou", b, a)))


def test_real_boxes():
    priors, pictures = cells()
    for objects in pictures:
        got = ssd(priors, objects)
        np.testing.assert_array_equal(got.index, by_hand(bl.pairwise("iou", objects.boxes, priors.boxes)))
        assert set(got.index[got.mask]) == set(range(len(objects.boxes)))


@pytest.mark.skipif(bool(peers.missing(("torchvision",))), reason="torchvision is not installed")
def test_torchvisions_matcher_where_no_two_objects_want_the_same_prior():
    peers.torchvision()
    from torchvision.models.detection._utils import SSDMatcher
    from torchvision.ops import box_iou

    priors, pictures = cells()
    n_differ = 0
    for objects in pictures:
        overlaps = box_iou(torch.from_numpy(objects.boxes), torch.from_numpy(priors.boxes))
        if len(overlaps.argmax(dim=1).unique()) == len(overlaps) and not (overlaps == 0.5).any():
            np.testing.assert_array_equal(ssd(priors, objects).index, SSDMatcher(0.5)(overlaps).numpy())
        else:
            n_differ += 1
    assert n_differ < len(pictures)


def test_every_object_has_a_prior_as_long_as_there_are_some_that_overlap():
    for n, m in ((5, 5), (5, 3), (3, 5)):
        index = ssd(np.array([[0.0, 0, 8, 8 + p] for p in range(n)]), np.array([[0.0, 0, 8, 4]] * m)).index
        assert len(set(index[index >= 0])) == min(n, m)


def test_an_object_that_no_prior_overlaps_has_none():
    assert ssd([[0.0, 0, 8, 8]], [[20.0, 20, 30, 30]]).index.tolist() == [BACKGROUND]


def test_a_half_is_not_more_than_a_half():
    assert ssd([[0.0, 0, 8, 8], [0, 0, 8, 4], [0, 0, 8, 4.5]], [[0.0, 0, 8, 8]]).index.tolist() == [0, BACKGROUND, 0]
