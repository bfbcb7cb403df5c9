"""Max-IoU: thresholds, and the best priors of each object."""

import sys

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.real import cells, photographs
from assign.scenes import scene
from boxloss.assign import BACKGROUND, IGNORED, max_iou
from boxloss.errors import ParameterError
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import direct_assigners, peers

RULES = [(0.5, 0.4, True), (0.7, 0.3, True), (0.5, 0.5, False), (0.5, 0.4, False)]


def check(priors, objects, positive, negative, low_quality):
    got = max_iou(priors, objects, positive=positive, negative=negative, low_quality=low_quality)
    overlaps = torch.from_numpy(bl.pairwise("iou", objects, priors))
    want = direct_assigners.max_iou(overlaps, positive, negative, low_quality)
    np.testing.assert_array_equal(got.index, want.numpy())
    return got


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_on_the_whole_matrix(rule):
    for seed in range(20):
        priors, objects, _ = scene(seed)
        check(priors.boxes, objects.boxes, *rule)
        check(np.round(priors.boxes / 16) * 16, np.round(objects.boxes / 16) * 16, *rule)  # ties, and boxes without area


@pytest.mark.parametrize("rule", RULES)
def test_real_boxes(rule):
    for priors, objects, _ in photographs():
        assert check(priors.boxes.astype(np.float32), objects.boxes.astype(np.float32), *rule).mask.any()
    priors, pictures = cells()
    for objects in pictures:
        assert check(priors.boxes, objects.boxes, *rule).mask.any()


@pytest.mark.skipif(bool(peers.missing(("torchvision",))), reason="torchvision is not installed")
@pytest.mark.parametrize("rule", RULES)
def test_torchvisions_matcher_on_its_own_overlaps(rule):
    peers.torchvision()
    from torchvision.models.detection._utils import Matcher
    from torchvision.ops import box_iou

    priors, pictures = cells()
    for objects in pictures:
        overlaps = box_iou(torch.from_numpy(objects.boxes), torch.from_numpy(priors.boxes))
        assert (overlaps.amax(dim=1) > 0).all()
        want = Matcher(*rule[:2], allow_low_quality_matches=rule[2])(overlaps)
        got = max_iou(priors, objects, positive=rule[0], negative=rule[1], low_quality=rule[2])
        np.testing.assert_array_equal(got.index, want.numpy())


def test_every_object_that_overlaps_a_prior_has_its_best_one_among_the_positives():
    for seed in range(20):
        priors, objects, _ = scene(seed)
        overlaps, got = bl.pairwise("iou", objects.boxes, priors.boxes), max_iou(priors, objects)
        for row in overlaps[overlaps.max(axis=1) > 0]:
            assert got.mask[row == row.max()].all()


def test_all_priors_that_contain_an_object_are_its_best():
    priors = np.array([[0.0, 0, 10, 10], [2, 0, 12, 10], [1, 1, 11, 11], [0, 0, 11, 10]])
    assert max_iou(priors, [[4.0, 4, 6, 6]]).index.tolist() == [0, 0, 0, BACKGROUND]
    assert max_iou(priors, [[4.0, 4, 6, 6]], low_quality=False).index.tolist() == [BACKGROUND] * 4


def test_the_thresholds_themselves():
    priors = np.array([[0.0, 0, 8, 8], [0, 0, 8, 4], [0, 0, 8, 2], [0, 0, 8, 1]])
    box = [[0.0, 0, 8, 8]]
    assert max_iou(priors, box, positive=0.5, negative=0.25).index.tolist() == [0, 0, IGNORED, BACKGROUND]


def test_an_object_that_no_prior_overlaps_has_none():
    assert max_iou([[0.0, 0, 8, 8], [0, 0, 4, 4]], [[20.0, 20, 30, 30]]).index.tolist() == [BACKGROUND] * 2


def test_thresholds_in_the_wrong_order():
    with pytest.raises(ParameterError, match=r"max_iou: negative is 0.6 and positive 0.5, expected negative <= positive"):
        max_iou(np.zeros((1, 4)), np.zeros((1, 4)), negative=0.6)
