"""Task-aligned: the best aligned priors inside each object, and the scores that they are to predict."""

import sys

import numpy as np
import pytest
import torch

import boxloss as bl
from assign.real import photographs
from assign.scenes import scene
from boxloss.assign import BACKGROUND, Predictions, aligned_scores, task_aligned
from close import close
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import direct_assigners


def by_hand(priors, objects, predictions, k, measure):
    xy = (priors.boxes[:, :2] + priors.boxes[:, 2:]) / 2
    overlaps = np.maximum(bl.pairwise(measure, objects.boxes, predictions.boxes), 0)
    index, most = np.full(len(xy), BACKGROUND), np.full(len(xy), -1.0)
    for n, (box, label) in enumerate(zip(objects.boxes, objects.labels, strict=True)):
        aligned = {
            p: float(predictions.scores[p, label]) * float(overlaps[n, p]) ** 6
            for p in range(len(xy))
            if (box[:2] < xy[p]).all() and (xy[p] < box[2:]).all() and predictions.scores[p, label] * overlaps[n, p] > 0
        }
        for p in sorted(aligned, key=lambda p, t=aligned: -t[p])[:k]:
            if overlaps[n, p] > most[p]:
                index[p], most[p] = n, overlaps[n, p]
    return index


@pytest.mark.parametrize("measure", ["iou", "ciou"])
@pytest.mark.parametrize("k", [1, 13, 500])
def test_the_rule_object_by_object(k, measure):
    for seed in range(8):
        priors, objects, predictions = scene(seed)
        np.testing.assert_array_equal(task_aligned(priors, objects, predictions, k=k, measure=measure).index, by_hand(priors, objects, predictions, k, measure))
        same = Predictions(np.round(predictions.boxes / 32) * 32, np.round(predictions.scores * 2) / 2)  # ties, and nothing aligned at all
        np.testing.assert_array_equal(task_aligned(priors, objects, same, k=k, measure=measure).index, by_hand(priors, objects, same, k, measure))


def test_strides_change_nothing():
    for seed in range(8):
        priors, objects, predictions = scene(seed)
        np.testing.assert_array_equal(task_aligned(priors, objects, predictions).index, task_aligned(priors.boxes, objects, predictions).index)


def test_real_boxes_as_the_paper_has_it():
    n_positive = 0
    for priors, objects, predictions in photographs():
        want, scores = direct_assigners.task_aligned(*(torch.from_numpy(x) for x in (priors.boxes, *objects[:2], *predictions)))
        got = task_aligned(priors, objects, predictions)
        np.testing.assert_array_equal(got.index, want.numpy())
        close(aligned_scores(got, objects, predictions), scores, "float32", where=range(len(scores)))
        n_positive += got.mask.sum()
    assert n_positive > 0


def test_an_objects_best_aligned_prior_is_to_predict_its_greatest_overlap():
    for seed in range(8):
        priors, objects, predictions = scene(seed)
        found = task_aligned(priors, objects, predictions)
        wanted = aligned_scores(found, objects, predictions)
        assert not wanted[~found.mask].any()
        for n in set(found.index[found.mask]):
            close(wanted[found.index == n].max(), found.overlap[found.index == n].max(), "float32")


def test_scores_of_tensors_are_a_tensor():
    priors, objects, predictions = scene(0)
    tensors = Predictions(*map(torch.from_numpy, predictions))
    things = objects._replace(boxes=torch.from_numpy(objects.boxes), labels=torch.from_numpy(objects.labels))
    found = task_aligned(torch.from_numpy(priors.boxes), things, tensors)
    wanted = aligned_scores(found, things, tensors)
    assert wanted.dtype == torch.float32
    np.testing.assert_array_equal(wanted, aligned_scores(task_aligned(priors.boxes, objects, predictions), objects, predictions))


def test_the_measure_is_chosen_apart_from_everything_else():
    """Two predictions of one IoU, of which DIoU prefers the one whose centre is right."""
    box, points = np.array([[0.0, 0, 16, 16]]), np.array([[0.0, 0, 8, 8], [8, 8, 16, 16]])
    said = Predictions(np.array([[0.0, 0, 16, 8], [0, 4, 16, 12]]), np.full((2, 1), 0.5))
    assert task_aligned(points, box, said, k=1).index.tolist() == [0, BACKGROUND]
    assert task_aligned(points, box, said, k=1, measure="diou").index.tolist() == [BACKGROUND, 0]
