"""Soft suppression."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
from boxloss.errors import ParameterError, ShapeError, UnknownNameError
from boxloss.losses import pairwise
from boxloss.suppress import nms, soft_nms
from close import close
from suppress.crowds import DETECTORS, real
from suppress.scenes import SCENES, clutter, scenes

OPTIONS = ({}, {"decay": "linear"}, {"decay": "linear", "threshold": 0.0, "min_score": 0}, {"sigma": 0.1, "min_score": 0})


def definition(boxes, scores, labels, decay="gaussian", sigma=0.5, threshold=0.3, min_score=0.001):
    """Sequential, from the matrix, in float64: rows and scores."""
    boxes = np.where(np.isfinite(boxes).all(1, keepdims=True), boxes, np.nan)
    iou = np.asarray(pairwise("iou", boxes, boxes), np.float64)
    scores, left, found = [float(score) for score in scores], list(range(len(boxes))), []
    while left:
        best = max(left, key=lambda i: (scores[i], -i))
        if scores[best] < min_score:
            break
        found.append(best)
        left.remove(best)
        for i in left:
            if labels[i] == labels[best] and decay == "gaussian" and iou[best, i] > 0:
                scores[i] *= math.exp(-(iou[best, i] ** 2) / sigma)
            elif labels[i] == labels[best] and decay == "linear" and iou[best, i] > np.asarray(threshold, boxes.dtype):
                scores[i] *= 1 - iou[best, i]
    return found, [scores[i] for i in found]


# Properties


@given(scenes(), st.sampled_from(OPTIONS))
def test_the_plain_formula_gives_the_same_bits(found, options):
    rows, scores = soft_nms(*found, **options)
    with bl.plain():
        other_rows, other_scores = soft_nms(*found, **options)
    assert rows.tolist() == other_rows.tolist()
    assert scores.tobytes() == other_scores.tobytes()


@pytest.mark.parametrize("options", OPTIONS)
def test_it_is_the_sequential_definition(options):
    for seed in range(4):
        boxes, labels = clutter(80, seed, "float64"), np.arange(80) % 2
        boxes[:40] += np.random.default_rng(seed).normal(0, 3, (40, 1))
        scores = np.random.default_rng(seed).random(80)
        rows, lowered = soft_nms(boxes, scores, labels, **options)
        want_rows, want = definition(boxes, scores, labels, **options)
        assert rows.tolist() == want_rows
        close(lowered, want, roundoffs="sum")  # a product of some tens of factors


@given(scenes(), st.sampled_from(OPTIONS))
def test_scores_fall_and_rows_are_in_their_order(found, options):
    rows, lowered = soft_nms(*found, **options)
    assert (np.diff(lowered) <= 0).all()
    assert (lowered <= found[1][rows]).all()
    assert len(set(rows.tolist())) == len(rows)
    if options.get("min_score") == 0:
        assert len(rows) == len(found[0])


@given(scenes())
def test_boxes_that_do_not_overlap_keep_their_scores(found):
    boxes, scores, labels = found
    alone = nms(boxes, scores, labels, threshold=0)
    rows, lowered = soft_nms(boxes[alone], scores[alone], labels[alone], min_score=0)
    assert rows.tolist() == list(range(len(alone)))
    assert lowered.tolist() == scores[alone].tolist()


@given(st.integers(0, 2**16), st.sampled_from(OPTIONS), st.integers(-30, 30))
def test_order_scale_and_transposition_change_nothing(seed, options, power):
    boxes, rng = clutter(40, seed), np.random.default_rng(seed)
    scores = rng.random(40)
    rows, lowered = soft_nms(boxes, scores, **options)
    order = rng.permutation(40)
    for some, its_scores, its_rows in (
        (boxes[order], scores[order], order),
        (boxes * np.float32(2.0**power), scores, np.arange(40)),
        (boxes[:, [1, 0, 3, 2]], scores, np.arange(40)),
    ):
        got, got_scores = soft_nms(some, its_scores, **options)
        assert its_rows[got].tolist() == rows.tolist()
        assert got_scores.tolist() == lowered.tolist()


@pytest.mark.parametrize("measure", ["giou", "nwd"])
def test_any_measure_has_the_plain_formula_s_bits(measure):
    for name in ("clutter", "all kinds at once", "not finite"):
        boxes = SCENES[name](40, 1, "float32")
        scores, labels = np.random.default_rng(0).random(len(boxes)), np.arange(len(boxes)) % 2
        rows, lowered = soft_nms(boxes, scores, labels, measure=measure)
        with bl.plain():
            other_rows, other = soft_nms(boxes, scores, labels, measure=measure)
        assert rows.tolist() == other_rows.tolist()
        assert lowered.tobytes() == other.tobytes()


# Real data


@pytest.mark.parametrize("detector", DETECTORS)
def test_real_detections(detector):
    for boxes, scores, labels in real(detector, np.float32)[:12]:
        rows, lowered = soft_nms(boxes, scores, labels, decay="linear", min_score=0)
        want_rows, want = definition(boxes, scores, labels, decay="linear", min_score=0)
        # In float32 a factor is rounded: where two scores are nearly equal either may come first
        assert sorted(rows.tolist()) == sorted(want_rows)
        close(np.sort(lowered), np.sort(np.array(want, np.float32)), "float32", roundoffs="sum")


# Pencil cases


def test_pencil():
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4], [20, 0, 30, 10]])  # IoU .5, .4 and .8
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    rows, lowered = soft_nms(boxes, scores, decay="linear")
    assert rows.tolist() == [0, 2, 3, 1]  # .7 * .6 = .42 comes before .8 * .5 = .4, which then falls to .4 * .2
    close(lowered, [0.9, 0.7 * 0.6, 0.1, 0.8 * 0.5 * 0.2], "float64")
    rows, lowered = soft_nms(boxes[[0, 1]], scores[[0, 1]], sigma=0.25)
    close(lowered, [0.9, 0.8 / math.e], "float64")


def test_linear_leaves_an_overlap_up_to_the_threshold_and_what_falls_too_low_is_dropped():
    boxes, scores = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5]]), np.array([0.5, 0.25])
    assert soft_nms(boxes, scores, decay="linear", threshold=0.5)[1].tolist() == [0.5, 0.25]
    assert soft_nms(boxes, scores, decay="linear", threshold=0.4)[1].tolist() == [0.5, 0.125]
    assert soft_nms(boxes, scores, decay="linear", threshold=0.4, min_score=0.125)[0].tolist() == [0, 1]
    assert soft_nms(boxes, scores, decay="linear", threshold=0.4, min_score=0.126)[0].tolist() == [0]


def test_nms_of_the_kind_soft_gives_the_rows():
    boxes, scores = clutter(60), np.random.default_rng(0).random(60)
    assert bl.nms(boxes, scores, kind="soft", decay="linear", threshold=0.2).tolist() == soft_nms(boxes, scores, decay="linear", threshold=0.2)[0].tolist()


# Kinds of array


def test_torch_in_torch_out_in_the_scores_type():
    torch = pytest.importorskip("torch")
    boxes, scores = torch.from_numpy(clutter(30)), torch.linspace(0, 1, 30)
    for dtype, want in (("float16", torch.float32), ("float32", torch.float32), ("float64", torch.float64)):
        rows, lowered = soft_nms(boxes, scores.to(getattr(torch, dtype)))
        assert (rows.dtype, lowered.dtype) == (torch.int64, want)


# Errors


def test_errors():
    boxes, scores = np.zeros((2, 4)), np.array([0.5, 0.25])
    with pytest.raises(ShapeError, match="soft_nms: boxes, scores and labels have shapes"):
        soft_nms(boxes, np.zeros(3))
    with pytest.raises(UnknownNameError, match="unknown decay of soft_nms 'gauss': did you mean gaussian"):
        soft_nms(boxes, scores, decay="gauss")
    for options in ({"sigma": 0}, {"sigma": math.inf}, {"threshold": -0.1}, {"threshold": 1.1}, {"threshold": math.nan}, {"min_score": -1}, {"sigma": "1"}):
        with pytest.raises(ParameterError, match=f"soft_nms: {next(iter(options))} is .*, expected a number"):
            soft_nms(boxes, scores, decay="linear" if "threshold" in options else "gaussian", **options)
    for bad in (np.nan, np.inf, -0.5):
        with pytest.raises(ParameterError, match=r"scores\[1\] is"):
            soft_nms(boxes, np.array([0.5, bad]))
