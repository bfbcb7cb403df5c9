"""SimOTA: what a candidate costs, and how many are taken."""

import sys

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.real import photographs
from assign.scenes import scene
from boxloss.assign import BACKGROUND, Objects, Predictions, Priors, simota
from boxloss.errors import ParameterError
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import direct_assigners


def log(x):
    return max(float(np.log(np.float32(x))), -100.0) if x > 0 else -100.0


def by_hand(priors, objects, predictions, radius, k):
    """Object by object and candidate by candidate."""
    xy, middles = ((b[:, :2] + b[:, 2:]) / 2 for b in (priors.boxes, objects.boxes))
    near = (np.abs(xy - middles[:, None]) < radius * priors.strides[:, None]).all(axis=2)
    candidates = np.flatnonzero(near.any(axis=0))
    overlaps = bl.pairwise("iou", objects.boxes, predictions.boxes)
    index, least = np.full(len(xy), BACKGROUND), np.full(len(xy), np.inf)
    for n, label in enumerate(objects.labels):
        taken = max(1, int(np.sort(overlaps[n, candidates])[::-1][:k].astype(float).sum()))
        costs = {}
        for p in np.flatnonzero(near[n]):
            of_none = -sum(log(1 - s) for s in predictions.scores[p])
            own = predictions.scores[p, label]
            costs[p] = of_none + log(1 - own) - log(own) - 3 * log(overlaps[n, p])
        for p in sorted(costs, key=costs.get)[:taken]:
            if costs[p] < least[p]:
                index[p], least[p] = n, costs[p]
    return index


@pytest.mark.parametrize(("radius", "k"), [(1.5, 10), (2.5, 10), (1.0, 1), (40, 200)])
def test_the_rule_object_by_object(radius, k):
    for seed in range(8):
        given = scene(seed)
        np.testing.assert_array_equal(simota(*given, radius=radius, k=k).index, by_hand(*given, radius, k))


def test_equal_predictions_and_scores_that_are_certain():
    for seed in range(8):
        priors, objects, predictions = scene(seed)
        same = Predictions(np.round(predictions.boxes / 32) * 32, np.round(predictions.scores))
        np.testing.assert_array_equal(simota(priors, objects, same).index, by_hand(priors, objects, same, 1.5, 10))


def test_real_boxes_as_the_paper_has_it():
    n_positive = 0
    for priors, objects, predictions in photographs():
        want = direct_assigners.simota(*(torch.from_numpy(x) for x in (*priors, *objects[:2], *predictions))).numpy()
        np.testing.assert_array_equal(simota(priors, objects, predictions).index, want)
        n_positive += (want >= 0).sum()
    assert n_positive > 0


def test_an_object_with_candidates_has_one_unless_others_took_them():
    for seed in range(8):
        priors, objects, predictions = scene(seed)
        for n in range(len(objects.boxes)):
            alone = Objects(objects.boxes[n : n + 1], objects.labels[n : n + 1])
            assert simota(priors, alone, predictions).mask.any()


def test_as_many_as_the_overlaps_add_up_to():
    """Nine candidates, of which so many predict the object exactly, and the others nothing near."""
    xy, strides = bl.assign.from_points(*_grid()).boxes, _grid()[1]
    box = np.array([[16.0, 16, 40, 40]])
    for n in (0, 1, 2, 5, 9):
        said = np.where(np.arange(len(xy))[:, None] % 25 < n, box, box + 900)
        order = np.argsort(np.abs((xy[:, :2] + xy[:, 2:]) / 2 - 28).max(axis=1), kind="stable")  # the candidates first
        said = said[np.argsort(order, kind="stable")]
        got = simota(Priors(xy, strides), box, Predictions(said, np.full((len(xy), 1), 0.5)))
        assert got.mask.sum() == max(n, 1)


def _grid():
    from boxloss.anchors import points

    return points(56, 56, (8,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"priors": np.zeros((2, 4))}, "simota: no strides were given, expected boxloss.assign.Priors(boxes, strides)"),
        ({"predictions": None}, "simota: no predictions were given"),
        ({"predictions": np.zeros((2, 4))}, "simota: no scores were given"),
        ({"predictions": Predictions(np.zeros((2, 4)), np.array([[0.5], [3.0]]))}, "simota: scores run from 0.5 to 3, expected [0, 1]: try a sigmoid"),
        ({"predictions": Predictions(np.zeros((2, 4)), np.zeros((2, 3)))}, "simota: 3 classes have scores, but the objects have no labels"),
        ({"objects": Objects(np.zeros((1, 4)), np.array([4]))}, "simota: labels run from 4 to 4, expected 0 to 0, one column of the scores each"),
        ({"radius": 0}, "simota: radius is 0, expected a number > 0"),
        ({"k": 0}, "simota: k is 0, expected a whole number >= 1"),
    ],
)
def test_errors(change, message):
    given = {"priors": Priors(np.zeros((2, 4)), np.ones(2)), "objects": np.zeros((1, 4)), "predictions": Predictions(np.zeros((2, 4)), np.zeros((2, 1)))}
    with pytest.raises(ParameterError) as refusal:
        simota(**(given | change))
    assert str(refusal.value).startswith(message)
