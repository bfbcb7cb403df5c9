"""Pictures with boxes: who counts as found, and how truth and prediction are told apart."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from boxloss.draw.boxes import picture_figure, shoot
from boxloss.draw.colours import TRUTH_COLOUR, look
from boxloss.draw.style import to_jpeg
from close import close

TRUTH = np.array([[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]])
LABELS = np.array([0, 1])


def shot(boxes, scores, labels):
    return shoot(TRUTH, LABELS, np.array(boxes, dtype=float).reshape(-1, 4), np.array(scores, dtype=float), np.array(labels, dtype=int))


def test_perfect_predictions_find_everything():
    found = shot(TRUTH, [0.9, 0.8], LABELS)
    assert found.hit.tolist() == [True, True]
    assert str(found) == "2 of 2 objects found, their mean IoU 1.00"


def test_only_as_many_predictions_as_objects_the_best_scored():
    found = shot([[50, 50, 60, 60], *TRUTH], [0.1, 0.9, 0.8], [0, 0, 1])
    assert found.boxes.tolist() == TRUTH.tolist()


def test_an_object_is_found_once():
    found = shot([TRUTH[0], TRUTH[0]], [0.9, 0.8], [0, 0])
    assert found.hit.tolist() == [True, False]


def test_the_class_must_fit():
    assert shot([TRUTH[0]], [0.9], [1]).hit.tolist() == [False]


def test_half_an_overlap_is_enough_and_less_is_not():
    # (0, 0, 10, 5) covers 50 of 100; (0, 0, 10, 4.9) covers 49
    assert shot([[0, 0, 10, 5]], [0.9], [0]).hit.tolist() == [True]
    assert shot([[0, 0, 10, 4.9]], [0.9], [0]).hit.tolist() == [False]


def test_overlaps_by_hand():
    # 8 x 10 of 100; and (22, 0, 32, 10) against (20, 0, 30, 10): 80 of 120
    found = shot([[0, 0, 8, 10], [22, 0, 32, 10]], [0.9, 0.8], [0, 1])
    close(found.ious, [0.8, 2 / 3], "float64")


def test_no_predictions_and_no_objects():
    assert str(shot([], [], [])) == "0 of 2 objects found"
    nothing = shoot(np.zeros((0, 4)), np.zeros(0, int), TRUTH, np.ones(2), LABELS)
    assert len(nothing.boxes) == 0


@pytest.mark.parametrize("shape", [(40, 60), (480, 640), (7, 300)])
def test_the_picture_keeps_its_shape(shape):
    figure = picture_figure(np.zeros((*shape, 3), np.uint8), TRUTH)
    width, height = figure.get_size_inches()
    close([height / width], [shape[0] / shape[1]], "float64", "sum")
    assert to_jpeg(figure, 30).startswith(b"\xff\xd8")


def test_truth_is_dashed_and_predictions_are_solid():
    found = shot(TRUTH, [0.9, 0.8], LABELS)
    figure = picture_figure(np.zeros((40, 60, 3), np.uint8), TRUTH[:1], "giou", found)
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    drawn = [(patch.get_linestyle(), patch.get_edgecolor()) for patch in boxes]
    assert [style in ("-", "solid") for style, _ in drawn] == [True, True, True, False]  # two predictions, the truth's black ground, its white dashes
    assert [edge for _, edge in drawn] == [to_rgba(colour) for colour in (look("giou").colour, look("giou").colour, "black", TRUTH_COLOUR)]


def test_what_was_not_found_is_crossed_out():
    found = shot([[50, 50, 60, 60]], [0.9], [0])
    figure = picture_figure(np.zeros((80, 80, 3), np.uint8), TRUTH, "giou", found)
    (cross,) = figure.axes[0].lines
    assert (cross.get_marker(), cross.get_color()) == ("x", look("giou").colour)
    assert (list(cross.get_xdata()), list(cross.get_ydata())) == ([55.0], [55.0])
