"""Weighted box fusion: the paper's rule in plain Python, and what ensemble-boxes 1.0.9 gives on real detections."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
import suppress.quadratic as quadratic
from boxloss.errors import InvalidBoxError, ParameterError, ShapeError, UnknownNameError
from boxloss.suppress import weighted_box_fusion
from boxloss.suppress.fusion import SCORES
from close import close
from suppress.crowds import Crowd, crowds, real, thresholds, unhurried

several = st.lists(crowds(), min_size=1, max_size=3)
weights = st.sampled_from([0.5, 1.0, 2.0, 3.0])


def fuse(models, **options):
    return weighted_box_fusion(*(list(part) for part in zip(*models, strict=True)), **options)


def as_lists(fused):
    return [part.tolist() for part in fused]


# Properties


@unhurried
@given(several, st.lists(weights, min_size=3, max_size=3), thresholds)
def test_the_rule_in_plain_python(models, of_models, threshold):
    of_models = of_models[: len(models)]
    got = fuse(models, weights=of_models, threshold=threshold, score="sum")
    want = quadratic.fused(models, of_models, threshold)
    totals = [sum(models[m].scores[i] * of_models[m] for m, i in members) / sum(of_models) for members, _ in want]
    order = sorted(range(len(want)), key=lambda c: -got.scores.dtype.type(totals[c]).round(12))
    close(got.scores, [totals[c] for c in order])
    # Clusters of equal scores may stand in another order where these are rounded differently: compared as sets of rows
    rows = sorted([round(x, 9) for x in (*box, label)] for box, label in zip(got.boxes.tolist(), got.labels.tolist(), strict=True))
    wanted = sorted([round(x, 9) for x in (*mean, models[members[0][0]].labels[members[0][1]])] for members, mean in want)
    close(rows, wanted, scale=np.full((len(rows), 5), np.max(np.abs(rows), initial=1.0) * 10**3))


@unhurried
@given(several, thresholds, st.sampled_from(sorted(SCORES)))
def test_plain_gives_the_same_bits(models, threshold, score):
    want = as_lists(fuse(models, threshold=threshold, score=score))
    with bl.plain():
        assert as_lists(fuse(models, threshold=threshold, score=score)) == want


@unhurried
@given(several, thresholds, st.sampled_from(sorted(set(SCORES) - {"sum"})))
def test_best_first_and_no_higher_than_the_best_score(models, threshold, score):
    got = fuse(models, threshold=threshold, score=score)
    assert (np.diff(got.scores) <= 0).all()
    most = max((crowd.scores.max(initial=0) for crowd in models), default=0)
    assert got.scores.max(initial=0) <= most * (1 + 8 * np.finfo(np.float64).eps)


@unhurried
@given(several, thresholds)
def test_another_unit_and_another_place_change_nothing(models, threshold):
    moved = [Crowd(crowd.boxes * 4 + 1024, crowd.scores, crowd.labels) for crowd in (Crowd(c.boxes.round(), *c[1:]) for c in models)]
    there, here = fuse(moved, threshold=threshold), fuse([Crowd(c.boxes.round(), *c[1:]) for c in models], threshold=threshold)
    if len(there.scores) == len(here.scores):  # an overlap that equals the threshold may be rounded to either side of it
        assert there.scores.tolist() == here.scores.tolist()


@unhurried
@given(several)
def test_one_cluster_a_box_at_threshold_one(models):
    got = fuse(models, threshold=1)
    assert sorted(got.boxes.tolist()) == sorted(row for crowd in models for row in crowd.boxes.tolist())


@unhurried
@given(crowds())
def test_agreeing_models_say_what_one_says(crowd):
    labels = np.arange(len(crowd.boxes))  # no two boxes of one model in a cluster
    for score in SCORES:
        got = weighted_box_fusion([crowd.boxes] * 4, [crowd.scores] * 4, [labels] * 4, score=score)
        close(got.scores, crowd.scores[got.labels])
        assert got.boxes.tolist() == crowd.boxes[got.labels].tolist()


# Oracle

# Of all 50 pictures, both detectors, threshold .4: the number of clusters, the sum of the scores and the sum of the boxes' shares of 640 px.
# From ensemble-boxes 1.0.9, on boxes scaled to [0, 1] picture by picture.
RELEASED = {
    "avg": (13921, 317.7372),
    "sum": (13921, 379.5077),
    "max": (13921, 596.4700),
    "box_and_model_avg": (13921, 290.5098),
    "absent_model_aware_avg": (13921, 300.6385),
}
WEIGHTED = {
    "avg": (13925, 357.2875),
    "sum": (13925, 429.2610),
    "max": (13925, 506.2785),
    "box_and_model_avg": (13925, 327.5303),
    "absent_model_aware_avg": (13925, 336.2870),
}


@pytest.mark.parametrize("score", sorted(SCORES))
@pytest.mark.parametrize(("of_models", "released"), [(None, RELEASED), ((2, 1), WEIGHTED)])
def test_real_detections_give_the_figures_of_ensemble_boxes(score, of_models, released):
    n, total = 0, 0.0
    for models in zip(real("centernet"), real("yolov3_tiny"), strict=True):
        got = fuse(models, weights=of_models, threshold=0.4, score=score)
        n, total = n + len(got.scores), total + got.scores.sum()
    want_n, want = released[score]
    assert n == want_n
    assert round(total, 3) == round(want, 3)


def test_ensemble_boxes_gives_the_same_clusters():
    ensemble_boxes = pytest.importorskip("ensemble_boxes")
    for models in list(zip(real("centernet"), real("yolov3_tiny"), strict=True))[:10]:
        low, high = min(c.boxes.min() for c in models), max(c.boxes.max() for c in models)
        models = [Crowd((c.boxes - low) / (high - low), c.scores, c.labels) for c in models]
        got = fuse(models, threshold=0.4)
        want = ensemble_boxes.weighted_boxes_fusion(*(list(part) for part in zip(*models, strict=True)), iou_thr=0.4)
        assert len(got.scores) == len(want[1])
        close(got.scores, want[1], dtype="float32")
        close(np.sort(got.boxes.ravel()), np.sort(want[0].ravel()), dtype="float32", roundoffs="sum")


def test_plain_gives_the_same_bits_on_real_detections():
    models = [real("centernet")[0], real("yolov3_tiny")[0]]
    want = as_lists(fuse(models))
    with bl.plain():
        assert as_lists(fuse(models)) == want


# Pencil cases


def test_the_mean_runs():
    # The first two make a box 0 .. 9; the third, 0 .. 6, has an IoU of 6/9 with it, but 6/10 with the first
    boxes = [[[0, 0, 10, 1]], [[0, 0, 8, 1]], [[0, 0, 6, 1]]]
    got = weighted_box_fusion(boxes, [[0.5], [0.5], [0.25]], threshold=0.65)
    assert got.boxes.tolist() == [[0, 0, (0.5 * 10 + 0.5 * 8 + 0.25 * 6) / 1.25, 1]]
    assert got.scores.tolist() == [1.25 / 3]


def test_scores_by_hand():
    # Two boxes of the first model (weight 3) and one of the second (weight 1) in a cluster; the third model (weight 1) sees nothing
    box = [0, 0, 10, 10]
    models = [[box, box], [box], np.zeros((0, 4))], [[0.9, 0.6], [0.3], []]
    want = {
        "avg": (2.7 + 1.8 + 0.3) / 3 * 3 / 5,
        "sum": (2.7 + 1.8 + 0.3) / 5,
        "max": 2.7 / 3,
        "box_and_model_avg": (2.7 + 1.8 + 0.3) / (3 + 3 + 1) * 4 / 5,
        "absent_model_aware_avg": (2.7 + 1.8 + 0.3) / (3 + 3 + 1 + 1),
    }
    for score, value in want.items():
        got = weighted_box_fusion(*models, weights=[3, 1, 1], score=score)
        close(got.scores, [value])
        assert got.boxes.tolist() == [box]


def test_of_equally_good_clusters_the_oldest():
    boxes = [[[0, 0, 10, 1], [4, 0, 14, 1], [2, 0, 12, 1]]]  # the last has an IoU of 8/12 with both
    got = weighted_box_fusion(boxes, [[0.5, 0.5, 0.25]], threshold=0.6)
    assert got.boxes.tolist() == [[4, 0, 14, 1], [2 / 3, 0, 32 / 3, 1]]


def test_the_least_score_and_zero_weights():
    box = [[0, 0, 10, 10]]
    assert weighted_box_fusion([box, box], [[0.5], [0.05]], min_score=0.1).scores.tolist() == [0.25]
    got = weighted_box_fusion([[[0, 0, 10, 8]], box], [[0.5], [1.0]], weights=[1, 0])
    assert got.boxes.tolist() == [[0, 0, 10, 8]]
    assert weighted_box_fusion([[*box, [0, 0, 10, 9]]], [[0.0, 0.0]]).boxes.tolist() == box  # nothing to weigh by: the first


def test_kinds_and_types():
    boxes, scores = [torch.tensor([[0, 0, 10, 10]]).half()] * 2, [torch.tensor([0.5]).half()] * 2
    got = weighted_box_fusion(boxes, scores)
    assert (got.boxes.dtype, got.scores.dtype, got.labels.dtype) == (torch.float32, torch.float32, torch.int64)
    got = weighted_box_fusion([np.zeros((0, 4), np.float32), []], [np.zeros(0), []])
    assert (got.boxes.shape, got.scores.shape, got.labels.shape) == ((0, 4), (0,), (0,))
    assert weighted_box_fusion([], []).boxes.shape == (0, 4)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e150, 1e300])
def test_any_scale(scale):
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [20, 20, 30, 30]]) * scale
    got = weighted_box_fusion([boxes], [[0.5, 0.5, 0.25]])
    close(got.boxes, np.array([[0, 0, 10, 9], [20, 20, 30, 30]]) * scale)


# Errors


def test_what_is_refused():
    box, score = [[0, 0, 1, 1]], [0.5]
    with pytest.raises(ShapeError, match=r"boxes is a ndarray of shape \(1, 4\), expected a list with an array for each model: for one model try \[boxes\]"):
        weighted_box_fusion(np.array(box), [score])
    with pytest.raises(ShapeError, match="lists of 1, 2"):
        weighted_box_fusion([box], [score, score])
    with pytest.raises(ShapeError, match=r"model 1: boxes, scores and labels have shapes \(1, 4\), \(2,\)"):
        weighted_box_fusion([box, box], [score, [0.5, 0.5]])
    with pytest.raises(ShapeError, match="there are 2 weights, expected 1"):
        weighted_box_fusion([box], [score], weights=[1, 1])
    with pytest.raises(InvalidBoxError, match=r"model 1: boxes\[0\] is \[5, 0, 1, 1\], expected finite corners with x1 <= x2"):
        weighted_box_fusion([box, [[5, 0, 1, 1]]], [score, score])
    with pytest.raises(InvalidBoxError, match="nan"):
        weighted_box_fusion([[[0, 0, float("nan"), 1]]], [score])
    for wrong in (float("nan"), -0.5, float("inf")):
        with pytest.raises(ParameterError, match=r"scores\[0\]"):
            weighted_box_fusion([box], [[wrong]])
    with pytest.raises(ParameterError, match="all weights are 0"):
        weighted_box_fusion([box], [score], weights=[0])
    with pytest.raises(ParameterError, match=r"weights\[0\] is -1"):
        weighted_box_fusion([box], [score], weights=[-1])
    with pytest.raises(ParameterError, match="threshold"):
        weighted_box_fusion([box], [score], threshold=1.5)
    with pytest.raises(UnknownNameError, match="did you mean"):
        weighted_box_fusion([box], [score], score="average")
