"""From outputs to detections in original pixels."""

import numpy as np
import torch

from boxloss.detectors.loader import Resized
from boxloss.detectors.predicting import predict
from boxloss.detectors.small import Outputs
from boxloss.evaluate.suppressed import KINDS
from detectors.scenes import rectangles


class Says(torch.nn.Module):
    """A detector that says the same of every picture."""

    def __init__(self, logits, boxes):
        super().__init__()
        self.logits, self.boxes = torch.tensor(logits, dtype=torch.float32), torch.tensor(boxes, dtype=torch.float32)

    def forward(self, images):
        return Outputs(self.logits.expand(len(images), -1, -1), self.boxes.expand(len(images), -1, -1))


HIGH, LOW = 3.0, -9.0


def test_boxes_come_back_in_original_pixels_and_inside_the_picture():
    data = Resized(rectangles(3), (32, 96))  # 64 x 48 originally: x / 2, y * 2
    found = predict(Says([[HIGH, LOW]], [[4, 10, 40, 50]]), data, batch_size=2)
    assert list(found) == ["p000", "p001", "p002"]
    for boxes, scores, labels in found.values():
        assert boxes.tolist() == [[8, 5, 64, 25]]
        assert scores.tolist() == torch.sigmoid(torch.tensor([HIGH])).tolist()
        assert labels.tolist() == [0]
        assert (boxes.dtype, scores.dtype) == (np.float32, np.float32)


def test_low_scores_are_left_out():
    data = Resized(rectangles(1), (64, 48))
    (found,) = predict(Says([[LOW, LOW]], [[4, 10, 40, 40]]), data).values()
    assert [len(part) for part in found] == [0, 0, 0]


def test_overlapping_boxes_of_one_class_are_suppressed_and_of_two_are_not():
    data = Resized(rectangles(1), (64, 48))
    boxes = [[4, 10, 40, 40], [4, 10, 40, 39], [0, 0, 3, 3]]
    (found,) = predict(Says([[HIGH, LOW], [HIGH + 1, HIGH], [LOW, HIGH - 1]], boxes), data).values()
    assert found[2].tolist() == [0, 1, 1]
    assert found[0].tolist() == [boxes[1], boxes[1], boxes[2]]


def test_the_threshold_is_the_overlap_beyond_which_boxes_are_suppressed():
    data = Resized(rectangles(1), (64, 48))
    says = Says([[HIGH, LOW], [HIGH + 1, LOW]], [[4, 10, 40, 40], [4, 10, 40, 34]])  # IoU .8
    counts = [len(boxes) for threshold in (0.7, 0.9) for boxes, _, _ in predict(says, data, threshold=threshold).values()]
    assert counts == [1, 2]


def test_a_kind_of_suppression_may_change_boxes_and_scores(monkeypatch):
    def halved(boxes, scores, labels, threshold):
        return boxes.astype(np.float64) / 2, scores.astype(np.float64) * threshold, labels

    monkeypatch.setitem(KINDS, "halved", halved)
    data = Resized(rectangles(1), (64, 48))
    (found,) = predict(Says([[0.0, LOW]], [[4, 10, 40, 40]]), data, nms="halved", threshold=0.5).values()
    assert (found[0].tolist(), found[1].tolist(), found[2].tolist()) == ([[2, 5, 20, 20]], [0.25], [0])
    assert (found[0].dtype, found[1].dtype) == (np.float32, np.float32)


def test_at_most_so_many_stay_best_first():
    data = Resized(rectangles(1), (64, 48))
    boxes = [[4 * i, 0, 4 * i + 3, 3] for i in range(10)]
    (found,) = predict(Says([[0.1 * i, LOW] for i in range(10)], boxes), data, n_kept=4).values()
    assert found[0][:, 0].tolist() == [36, 32, 28, 24]


def test_the_detector_is_left_in_the_mode_it_was_in():
    data = Resized(rectangles(1), (64, 48))
    detector = Says([[HIGH, LOW]], [[4, 10, 40, 40]])
    for mode in (True, False):
        predict(detector.train(mode), data)
        assert detector.training is mode
