"""What every assigner keeps, whatever its rule: asked of all that there are."""

import inspect
import sys
import tracemalloc

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.scenes import N_CLASSES, same, scene, with_boxes
from boxloss.anchors import points
from boxloss.assign import ASSIGNERS, BACKGROUND, IGNORED, Objects, Predictions, Priors, from_points
from boxloss.errors import ParameterError
from boxloss.formulas import find
from boxloss.losses import Similarity

SEEDS = range(6)
ON_PREDICTIONS = ("simota", "task_aligned", "hungarian")
each_rule = pytest.mark.parametrize("name", ASSIGNERS)
each_measure = pytest.mark.parametrize("measure", ["iou", "giou", "ciou"])


def renamed(index, order):
    """What objects in another order are called."""
    return np.where(index >= 0, np.append(order, BACKGROUND)[index], index)


@each_rule
def test_the_answer_is_what_it_says(name):
    for seed in SEEDS:
        priors, objects, predictions = scene(seed)
        index, overlap, mask = ASSIGNERS[name](priors, objects, predictions)
        assert (index.dtype, overlap.dtype, mask.dtype) == (np.int64, np.float32, bool)
        assert index.shape == overlap.shape == mask.shape == (len(priors.boxes),)
        assert index.min() >= IGNORED
        assert index.max() < len(objects.boxes)
        np.testing.assert_array_equal(mask, index >= 0)
        assert mask.any()
        measure = inspect.signature(ASSIGNERS[name]).parameters["measure"].default
        of = (predictions if name in ON_PREDICTIONS else priors).boxes[mask]
        np.testing.assert_array_equal(overlap[mask], Similarity(find(measure))(of, objects.boxes[index[mask]]))
        assert not overlap[~mask].any()


@each_rule
def test_objects_in_another_order_are_only_called_otherwise(name):
    for seed in SEEDS:
        priors, objects, predictions = scene(seed)
        order = np.random.default_rng(seed).permutation(len(objects.boxes))
        want = ASSIGNERS[name](priors, objects, predictions)
        got = ASSIGNERS[name](priors, objects._replace(boxes=objects.boxes[order], labels=objects.labels[order]), predictions)
        same(got._replace(index=renamed(got.index, order)), want)


@each_rule
def test_priors_in_another_order_get_the_same(name):
    for seed in SEEDS:
        priors, objects, predictions = scene(seed)
        order = np.random.default_rng(seed).permutation(len(priors.boxes))
        want = ASSIGNERS[name](priors, objects, predictions)
        got = ASSIGNERS[name](Priors(*(x[order] for x in priors)), objects, Predictions(*(x[order] for x in predictions)))
        same(got, [x[order] for x in want])


@each_rule
def test_a_picture_that_is_moved_or_scaled_by_a_power_of_two(name):
    for seed in SEEDS:
        given = scene(seed)
        want = ASSIGNERS[name](*given)
        same(ASSIGNERS[name](*with_boxes(lambda x: x + np.float32(64), *given)), want)
        for scale in (np.float32(0.25), np.float32(8)):
            scaled = with_boxes(lambda x, scale=scale: x * scale, *given, strides=lambda x, scale=scale: x * scale)
            sized = scaled[1]._replace(size=tuple(float(side * scale) for side in given[1].size))
            same(ASSIGNERS[name](scaled[0], sized, scaled[2]), want)


@each_rule
def test_one_interface(name):
    first = [(p.name, p.default) for p in inspect.signature(ASSIGNERS[name]).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert first == [("priors", inspect.Parameter.empty), ("objects", inspect.Parameter.empty), ("predictions", None)]
    assert (ASSIGNERS[name].__name__, getattr(bl.assign, name)) == (name, ASSIGNERS[name])


@each_rule
def test_what_is_missing_is_named(name):
    priors, objects, predictions = scene(0)
    given = {"priors": priors, "objects": objects, "predictions": predictions}
    for missing in given.keys() - ({"priors"} if name == "hungarian" else set() if name in ON_PREDICTIONS else {"predictions"}):
        with pytest.raises(ParameterError, match=f"{name}: no {missing} were given, expected boxloss.assign.{missing.capitalize()}"):
            ASSIGNERS[name](**given | {missing: None})


@each_rule
def test_nothing_given_is_changed(name):
    given = scene(0)
    before = [x.copy() for part in given for x in part if isinstance(x, np.ndarray)]
    ASSIGNERS[name](*given)
    same([x for part in given for x in part if isinstance(x, np.ndarray)], before)


@each_rule
@each_measure
def test_without_kernels_the_same_bits(name, measure):
    given = scene(1)
    want = ASSIGNERS[name](*given, measure=measure)
    with bl.plain():
        same(ASSIGNERS[name](*given, measure=measure), want)


@each_rule
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_tensors_give_tensors(name, dtype):
    priors, objects, predictions = scene(2)

    def tensor(x):
        return torch.from_numpy(x).to(dtype)

    boxes = [tensor(x) for x in (priors.boxes, priors.strides, objects.boxes, *predictions)]
    got = ASSIGNERS[name](Priors(*boxes[:2]), Objects(boxes[2], torch.from_numpy(objects.labels), size=objects.size), Predictions(*boxes[3:]))
    wide = [x.to(torch.float64 if dtype == torch.float64 else torch.float32).numpy() for x in boxes]
    want = ASSIGNERS[name](Priors(*wide[:2]), objects._replace(boxes=wide[2]), Predictions(*wide[3:]))
    assert all(isinstance(x, torch.Tensor) for x in got)
    assert (got.index.dtype, got.overlap.dtype, got.mask.dtype) == (torch.int64, torch.float32, torch.bool)
    same(got, want)


@each_rule
@pytest.mark.parametrize(("n_priors", "n_objects"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_there(name, n_priors, n_objects):
    priors, objects, predictions = scene(3)
    few = Priors(*(x[:n_priors] for x in priors)), Predictions(*(x[:n_priors] for x in predictions))
    index, overlap, mask = ASSIGNERS[name](few[0], objects._replace(boxes=objects.boxes[:n_objects], labels=objects.labels[:n_objects]), few[1])
    assert (index.tolist(), overlap.tolist(), mask.tolist()) == ([BACKGROUND] * n_priors, [0.0] * n_priors, [False] * n_priors)


@each_rule
def test_of_identical_objects_the_first_wins(name):
    """But for the rules that give every object a prior of its own."""
    for seed in SEEDS:
        priors, objects, predictions = scene(seed)
        twice = objects._replace(boxes=np.repeat(objects.boxes, 2, axis=0), labels=np.repeat(objects.labels, 2))
        once, got = ASSIGNERS[name](priors, objects, predictions), ASSIGNERS[name](priors, twice, predictions)
        if name in ("ssd", "hungarian", "centre_sampling"):
            assert set(got.index[got.mask] // 2) == set(once.index[once.mask])
        else:
            np.testing.assert_array_equal(got.index, np.where(once.mask, 2 * once.index, once.index))


@each_rule
def test_regions_to_ignore(name):
    n_positive = n_ignored = 0
    for seed in SEEDS:
        priors, objects, predictions = scene(seed)
        region = np.array([[10, 10, 90, 50]], np.float32)
        want = ASSIGNERS[name](priors, objects, predictions)
        got = ASSIGNERS[name](priors, objects._replace(ignored=region), predictions)
        boxes = (predictions if name in ON_PREDICTIONS else priors).boxes
        within = bl.assign.within((boxes[:, :2] + boxes[:, 2:]) / 2, region)
        np.testing.assert_array_equal(got.index, np.where(~want.mask & within, IGNORED, want.index))
        n_positive, n_ignored = n_positive + (want.mask & within).sum(), n_ignored + (~want.mask & within).sum()
    assert n_positive > 0
    assert n_ignored > 0


@each_rule
def test_a_row_that_is_not_a_number_is_as_if_it_were_not_there(name):
    priors, objects, predictions = scene(5)
    if name == "hungarian":
        pytest.skip("refuses them: see test_hungarian.py")
    for spoiled in ("priors", "objects", "predictions"):
        given = {"priors": priors, "objects": objects, "predictions": predictions}
        boxes = given[spoiled].boxes.copy()
        want = ASSIGNERS[name](*given.values())
        row = int(want.index[want.mask][0]) if spoiled == "objects" else int(np.flatnonzero(want.mask)[0])
        boxes[row, 2] = np.nan
        got = ASSIGNERS[name](*(given | {spoiled: given[spoiled]._replace(boxes=boxes)}).values())
        rest = np.delete(np.arange(len(boxes)), row)
        if spoiled == "objects":
            want = ASSIGNERS[name](priors, objects._replace(boxes=objects.boxes[rest], labels=objects.labels[rest]), predictions)
            same(got, want._replace(index=renamed(want.index, rest)))
        elif spoiled == "priors" or name in ON_PREDICTIONS:
            without = Priors(*(x[rest] for x in priors)), Predictions(*(x[rest] for x in predictions))
            want = ASSIGNERS[name](without[0], objects, without[1])
            same([x[rest] for x in got], want)
            assert got.index[row] == BACKGROUND


@pytest.mark.parametrize("name", [name for name in ASSIGNERS if name != "hungarian"])
def test_memory_does_not_grow_with_the_pairs(name, monkeypatch):
    """Every prior is inside of every object; their matrix would take 4 or 8 bytes a pair."""
    monkeypatch.setattr("boxloss.assign.cells.PAIRS", 2**12)
    monkeypatch.setattr(sys.modules["boxloss.assign.max_iou"], "CHUNK", 2**12)
    priors, rng = from_points(*points(512, 512, (8, 16))), np.random.default_rng(0)
    n, m = len(priors.boxes), 60 if name == "ssd" else 300  # all of which want the same priors: for SSD's first step the worst there is
    around = np.array([-9.0, -9, 521, 521]) + rng.uniform(-8, 8, (m, 4))
    objects, predictions = Objects(around.astype(np.float32), np.zeros(m, np.int64)), Predictions(priors.boxes, rng.random((n, 1), np.float32))
    ASSIGNERS[name](*scene(0))
    ASSIGNERS[name](Priors(*(x[:600] for x in priors)), objects, Predictions(*(x[:600] for x in predictions)))
    tracemalloc.start()
    ASSIGNERS[name](priors, objects, predictions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * m / 2 + 200 * (n + m)


def test_the_test_of_every_rule_would_notice_a_forgotten_class():
    assert len({label for seed in SEEDS for label in scene(seed)[1].labels}) == N_CLASSES
