"""Greedy suppression, by IoU and by other measures."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
from boxloss.calculus.bounds import below_iou
from boxloss.errors import DTypeError, ParameterError, ShapeError, UnknownNameError
from boxloss.kernels import switch
from boxloss.losses import pairwise
from boxloss.suppress import nms
from suppress.crowds import DETECTORS, real
from suppress.scenes import SCENES, THRESHOLDS, clutter, scenes

compiled = pytest.mark.skipif(not switch.cpu_kernels(), reason="needs numba")
thresholds = st.sampled_from(THRESHOLDS)


def definition(boxes, scores, labels, threshold, measure="iou", **parameters):
    """Quadratic, from the matrix."""
    boxes = np.where(np.isfinite(boxes).all(1, keepdims=True), boxes, np.nan)
    above = np.asarray(pairwise(measure, boxes, boxes, **parameters)) > boxes.dtype.type(threshold)
    stay = []
    for i in np.argsort(-scores, kind="stable"):
        if not any(above[j, i] and labels[j] == labels[i] for j in stay):
            stay.append(i)
    return [int(i) for i in stay]


# Properties


@given(scenes(), thresholds)
def test_it_is_the_quadratic_definition(found, threshold):
    boxes, scores, labels = found
    assert nms(boxes, scores, labels, threshold=threshold).tolist() == definition(boxes, scores, labels, threshold)


@pytest.mark.parametrize("name", SCENES)
def test_every_kind_of_boxes_in_number(name):
    for dtype in ("float32", "float64"):
        boxes = SCENES[name](90, 5, dtype)
        scores, labels = np.random.default_rng(1).random(len(boxes)), np.arange(len(boxes)) % 2
        for threshold in THRESHOLDS:
            assert nms(boxes, scores, labels, threshold=threshold).tolist() == definition(boxes, scores, labels, threshold)


@given(scenes(), thresholds)
def test_the_plain_formula_gives_the_same(found, threshold):
    got = nms(*found, threshold=threshold)
    with bl.plain():
        assert nms(*found, threshold=threshold).tolist() == got.tolist()


@given(scenes(), thresholds)
def test_of_those_that_stay_no_two_are_above_and_who_goes_has_a_better_one_above(found, threshold):
    boxes, scores, labels = found
    boxes = np.where(np.isfinite(boxes).all(1, keepdims=True), boxes, np.nan)
    kept = nms(boxes, scores, labels, threshold=threshold).tolist()
    above = np.asarray(pairwise("iou", boxes, boxes)) > boxes.dtype.type(threshold)
    for i in range(len(boxes)):
        better = [j for j in kept if labels[j] == labels[i] and (scores[j], -j) > (scores[i], -i)]
        assert (i in kept) == (not any(above[j, i] for j in better))
    assert kept == sorted(kept, key=lambda i: (-scores[i], i))


@given(scenes(), thresholds)
def test_classes_do_not_see_each_other(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        assert set(kept[labels[kept] == label]) == set(rows[nms(boxes[rows], scores[rows], threshold=threshold)])


@given(scenes())
def test_threshold_one_drops_nothing(found):
    assert sorted(nms(*found, threshold=1)) == list(range(len(found[0])))


@given(scenes(), thresholds)
def test_suppressing_twice_changes_nothing(found, threshold):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold)
    assert nms(boxes[kept], scores[kept], labels[kept], threshold=threshold).tolist() == list(range(len(kept)))


@given(st.integers(0, 2**16), thresholds, st.integers(-30, 30))
def test_order_place_scale_and_transposition_change_nothing(seed, threshold, power):
    rng = np.random.default_rng(seed)
    boxes = np.round(clutter(60, seed) * 16) / 16  # so that a translation is exact
    scores = rng.permutation(60) / 64
    kept = nms(boxes, scores, threshold=threshold)
    order = rng.permutation(60)
    assert order[nms(boxes[order], scores[order], threshold=threshold)].tolist() == kept.tolist()
    moved = (boxes - np.float32(512), boxes * np.float32(2.0**power), boxes[:, [1, 0, 3, 2]])
    assert all(nms(some, scores, threshold=threshold).tolist() == kept.tolist() for some in moved)


MEASURES = {"giou": {}, "mpdiou": {"image_width": 900.0}, "nwd": {}}


@given(st.integers(0, 2**16), st.sampled_from([-0.5, 0.0, 0.3, 0.6]), st.sampled_from(sorted(MEASURES)))
def test_any_measure(seed, threshold, measure):
    boxes, scores, labels = clutter(70, seed), np.random.default_rng(seed).random(70), np.arange(70) % 2
    parameters = MEASURES[measure]
    if not parameters:
        threshold = max(threshold, 1 - bl.catalogue()[measure].interval[1])
    want = definition(boxes, scores, labels, threshold, measure, **parameters)
    assert nms(boxes, scores, labels, threshold=threshold, measure=measure, **parameters).tolist() == want
    with bl.plain():
        assert nms(boxes, scores, labels, threshold=threshold, measure=measure, **parameters).tolist() == want


@pytest.mark.parametrize("name", ["all kinds at once", "inverted", "not finite", "as large as the type", "one box many times"])
def test_a_measure_without_pruning_on_boxes_of_every_kind(name):
    for dtype in ("float32", "float64"):
        boxes = SCENES[name](90, 3, dtype)
        scores, labels = np.random.default_rng(2).random(len(boxes)), np.arange(len(boxes)) % 2
        assert nms(boxes, scores, labels, threshold=0.4, measure="giou").tolist() == definition(boxes, scores, labels, 0.4, "giou")


@given(scenes(), thresholds, st.sampled_from([0.6, 1.0]))
def test_diou_is_the_paper_s_rule(found, threshold, beta):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, threshold=threshold, kind="diou", beta=beta)
    with bl.plain():
        assert nms(boxes, scores, labels, threshold=threshold, kind="diou", beta=beta).tolist() == kept.tolist()
    if beta == 1:
        assert kept.tolist() == nms(boxes, scores, labels, threshold=threshold, measure="diou").tolist()


def test_what_is_said_to_be_never_above_the_iou_is_not():
    said = [name for name, formula in bl.catalogue().items() if below_iou(formula, {}, "float32")]
    assert {"iou", "diou", "efficient_iou"} <= set(said)
    for scene in SCENES.values():
        boxes = scene(20, 4, "float64")
        iou = np.asarray(pairwise("iou", boxes, boxes))
        for name in said:
            assert not (np.asarray(pairwise(name, boxes, boxes)) > iou + 8 * np.finfo(np.float64).eps).any()


def test_nothing_is_said_of_what_may_be_above_it():
    assert not below_iou(bl.catalogue()["nwd"], {}, "float32")
    assert not below_iou(bl.catalogue()["iou"], {"inner": 1.2}, "float32")  # larger boxes overlap where the own ones do not


# Real data


@pytest.mark.parametrize("detector", DETECTORS)
def test_real_detections(detector):
    for boxes, scores, labels in real(detector, np.float32):
        for threshold in (0.3, 0.5, 0.7):
            assert nms(boxes, scores, labels, threshold=threshold).tolist() == definition(boxes, scores, labels, threshold)


# Pencil cases


def test_an_overlap_equal_to_the_threshold_stays():
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5]])  # IoU 1/2
    assert nms(boxes, np.array([0.9, 0.8]), threshold=0.5).tolist() == [0, 1]
    assert nms(boxes, np.array([0.9, 0.8]), threshold=0.49).tolist() == [0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_so_does_one_that_is_no_number_of_the_type(dtype):
    for share in (Fraction(3, 5), Fraction(1, 5), Fraction(7, 10), Fraction(9, 10)):
        boxes = np.array([[0, 0, 1, share.denominator], [0, 0, 1, share.numerator]], dtype)
        assert nms(boxes, np.array([0.9, 0.8]), threshold=float(share)).tolist() == [0, 1]


def test_what_was_dropped_drops_nothing():
    # 1 overlaps 0 and 2; 0 does not touch 2. 1 is dropped by 0, so 2 stays.
    boxes = np.array([[0.0, 0, 10, 10], [0, 4, 10, 14], [0, 8, 10, 18]])
    assert nms(boxes, np.array([0.9, 0.8, 0.7]), threshold=0.2).tolist() == [0, 2]


def test_equal_scores_go_in_the_order_given_and_minus_zero_is_zero():
    boxes = np.repeat([[0.0, 0, 1, 1]], 3, axis=0)
    assert nms(boxes, np.array([0.0, -0.0, 0.0], np.float32)).tolist() == [0]
    assert nms(boxes + 2 * np.arange(3)[:, None], np.array([-0.0, 0.0, -0.0], np.float32)).tolist() == [0, 1, 2]
    scores = np.array([-1.5, np.inf, -np.inf, 2.5, 0.0, -0.5], np.float32)
    assert nms(clutter(6) + 1000 * np.arange(6, dtype=np.float32)[:, None], scores).tolist() == [1, 3, 4, 5, 0, 2]


def test_points_and_lines_suppress_their_equals_alone():
    boxes = np.array([[1.0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 2, 0], [0, 0, 2, 0], [0, 0, 3, 0], [0, 0, 2, 2]])
    assert nms(boxes, np.arange(6, 0, -1.0), threshold=0).tolist() == [0, 2, 4, 5]


# Kinds of array


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int64", "uint8"])
def test_types(dtype):
    torch = pytest.importorskip("torch")
    boxes = torch.from_numpy(clutter(50, dtype="float64") / 2).to(getattr(torch, dtype))
    scores = torch.rand(50, generator=torch.Generator().manual_seed(0)).to(getattr(torch, dtype) if dtype.endswith("16") else torch.float32)
    working = boxes.to(torch.float64 if dtype in ("float64", "int64") else torch.float32)
    kept = nms(boxes, scores)
    assert kept.dtype == torch.int64
    assert kept.tolist() == definition(working.numpy(), scores.float().numpy(), np.zeros(50), 0.5)


def test_torch_numpy_and_lists_in_any_memory():
    torch = pytest.importorskip("torch")
    boxes, scores = clutter(60), np.random.default_rng(0).random(60).astype(np.float32)
    kept = nms(boxes, scores)
    wide = np.zeros((60, 9), np.float32)
    wide[:, 1::2] = boxes
    assert isinstance(kept, np.ndarray)
    assert nms(wide[:, 1::2], scores).tolist() == nms(boxes.tolist(), scores.tolist()).tolist() == kept.tolist()
    found = nms(torch.from_numpy(boxes).requires_grad_(), torch.from_numpy(scores), torch.zeros(60, dtype=torch.int32))
    assert isinstance(found, torch.Tensor)
    assert found.tolist() == kept.tolist()


@pytest.mark.parametrize("kind", ["greedy", "diou", "soft"])
def test_empty_in_empty_out(kind):
    for measure in ({}, {"measure": "giou"}) if kind != "diou" else ({},):
        kept = bl.nms(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), kind=kind, **measure)
        assert kept.shape == (0,)
        assert kept.dtype == np.int64


# Errors


def test_shapes_types_and_thresholds_are_checked():
    with pytest.raises(ShapeError, match=r"expected \(N, 4\), \(N,\), \(N,\)"):
        nms(np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(ShapeError):
        nms(np.zeros((2, 5)), np.zeros(2))
    with pytest.raises(ShapeError):
        nms(np.zeros((2, 4)), np.zeros(2), np.zeros(1, dtype=int))
    with pytest.raises(DTypeError, match="labels holds float64, expected integers"):
        nms(np.zeros((2, 4)), np.zeros(2), np.zeros(2))
    for threshold in (1.5, -0.1, np.nan, "0.5", True):
        with pytest.raises(ParameterError, match="threshold is "):
            nms(np.zeros((2, 4)), np.zeros(2), threshold=threshold)
    with pytest.raises(ParameterError, match=r"scores\[1\] is NaN"):
        nms(np.zeros((2, 4)), np.array([0.5, np.nan]))
    with pytest.raises(UnknownNameError, match="unknown kind of nms 'greed': did you mean greedy"):
        nms(np.zeros((2, 4)), np.zeros(2), kind="greed")
    with pytest.raises(UnknownNameError, match="did you mean giou"):
        nms(np.zeros((2, 4)), np.zeros(2), measure="gio")
    with pytest.raises(UnknownNameError, match="did you mean beta"):
        nms(np.zeros((2, 4)), np.zeros(2), kind="diou", bet=1)
