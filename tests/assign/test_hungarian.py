"""Hungarian: the least sum of costs."""

import itertools
import sys

import numpy as np
import pytest

import boxloss as bl
from assign.real import photographs
from assign.scenes import HEIGHT, WIDTH, scene
from boxloss.assign import BACKGROUND, Objects, Predictions, hungarian
from boxloss.errors import InvalidBoxError, MissingExtraError, ParameterError
from close import close


def costs(objects, predictions):
    """DETR's, (P, N), in float64 and in its own words: centres and sizes as shares of the picture."""
    width, height = objects.size
    said, there = (bl.boxes.convert(x.boxes.astype(float) / np.array([width, height, width, height]), "xyxy", "cxcywh") for x in (predictions, objects))
    l1 = np.abs(said[:, None] - there).sum(axis=2)
    return 5 * l1 - predictions.scores[:, objects.labels] - 2 * bl.pairwise("giou", predictions.boxes, objects.boxes)


def total(cost, index):
    rows = np.flatnonzero(index >= 0)
    return cost[rows, index[rows]].sum()


@pytest.mark.parametrize(("n_predictions", "n_objects"), [(6, 3), (3, 5), (4, 4), (1, 1)])
def test_no_other_assignment_costs_less(n_predictions, n_objects):
    for seed in range(10):
        _, objects, predictions = scene(seed, n_objects, np.float64)
        few = Predictions(*(x[:n_predictions] for x in predictions))
        cost, index = costs(objects, few), hungarian(None, objects, few).index
        k = min(cost.shape)
        assert sorted(index)[: n_predictions - k] == [BACKGROUND] * (n_predictions - k)
        assert len(set(index[index >= 0])) == k
        rows, columns = itertools.permutations(range(n_predictions), k), list(itertools.permutations(range(n_objects), k))
        least = min(cost[list(r), list(c)].sum() for r in rows for c in (columns if n_objects > k else columns[:1]))
        close(total(cost, index), least, "float64", "sum", scale=10)


def test_real_boxes_have_scipys_assignment():
    from scipy.optimize import linear_sum_assignment

    for _, objects, predictions in photographs():
        cost, got = costs(objects, predictions), hungarian(None, objects, predictions)
        close(total(cost, got.index), cost[linear_sum_assignment(cost)].sum(), "float64", "sum", scale=100)
        assert sorted(got.index[got.mask]) == list(range(len(objects.boxes)))


def test_weights_of_nought_need_nothing():
    _, objects, predictions = scene(0)
    bare = objects.boxes, predictions.boxes
    by_overlap = hungarian(None, *bare, class_weight=0, l1_weight=0)
    assert by_overlap.mask.sum() == len(objects.boxes)
    for missing, needed in (({"class_weight": 1, "l1_weight": 0}, "scores"), ({"class_weight": 0, "l1_weight": 1}, "size")):
        with pytest.raises(ParameterError, match=f"hungarian: no {needed} (was|were) given"):
            hungarian(None, *bare, **missing)
    sized = Objects(objects.boxes, size=(WIDTH, HEIGHT))
    assert hungarian(None, sized, predictions.boxes, class_weight=0, overlap_weight=0).mask.sum() == len(objects.boxes)


@pytest.mark.parametrize("part", ["predictions", "objects", "scores"])
def test_what_is_not_finite_is_refused(part):
    _, objects, predictions = scene(1)
    boxes, scores, there = predictions.boxes.copy(), predictions.scores.copy(), objects.boxes.copy()
    {"predictions": boxes, "objects": there, "scores": scores}[part][2, 1] = np.nan
    with pytest.raises(InvalidBoxError, match=rf"hungarian: {part}\[2\] is \[.*nan.*\], expected finite numbers"):
        hungarian(None, objects._replace(boxes=there), Predictions(boxes, scores))


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingExtraError, match="the Hungarian assigner needs scipy"):
        hungarian(None, *(np.zeros((1, 4)),) * 2)
