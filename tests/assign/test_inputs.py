"""What assigners take and refuse."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.anchors import points
from boxloss.assign import Objects, Predictions, Priors, aligned_scores, atss, from_points, hungarian, max_iou, ratio, simota, ssd, task_aligned, within
from boxloss.errors import BoxLossError, DTypeError, ParameterError, ShapeError, UnknownNameError

ONE = np.array([[0.0, 0, 8, 8]])
SAID = Predictions(ONE, np.ones((1, 1)))


@pytest.mark.parametrize("boxes", [[[0, 0, 8, 8]], np.array([[0, 0, 8, 8]], np.uint8), ONE, np.asfortranarray(ONE), ONE.astype(np.float16)])
def test_boxes_alone_in_any_form(boxes):
    assert max_iou(boxes, boxes).index.tolist() == [0]
    assert max_iou(Priors(boxes), Objects(boxes)).overlap.tolist() == [1]


def test_two_number_types_meet_in_the_wider():
    near = ONE + np.array([0, 0, 0, 1e-12])
    assert max_iou(np.vstack([near, ONE]).astype(np.float64), ONE.astype(np.float32), positive=1.0).index.tolist() == [-2, 0]


def test_jax_arrays_are_given_back_as_such():
    jnp = pytest.importorskip("jax").numpy
    found = max_iou(jnp.asarray(ONE), jnp.asarray(ONE))
    assert all(isinstance(x, type(jnp.zeros(1))) for x in found)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: max_iou(ONE[0], ONE), ShapeError, "max_iou: priors has shape (4,), expected (N, 4)"),
        (lambda: max_iou(ONE, np.zeros((2, 5))), ShapeError, "max_iou: objects has shape (2, 5), expected (..., 4). Five columns often mean"),
        (lambda: max_iou(ONE, Objects(ONE, ignored=np.zeros(4))), ShapeError, "max_iou: ignored has shape (4,), expected (N, 4)"),
        (lambda: max_iou(ONE, Objects(ONE, np.zeros(2, int))), ShapeError, "max_iou: objects.labels has shape (2,), expected (1,), one for each box"),
        (lambda: max_iou(ONE, Objects(ONE, np.zeros(1))), DTypeError, "max_iou: labels are float64, expected integers"),
        (lambda: max_iou(ONE + 1j, ONE), DTypeError, "max_iou: priors holds complex128, expected real numbers"),
        (lambda: max_iou(torch.zeros(1, 4), ONE), DTypeError, "max_iou: priors is a torch array and objects a numpy array"),
        (lambda: max_iou(ONE, ONE, measure="iuo"), UnknownNameError, "unknown loss 'iuo': did you mean iou"),
        (lambda: atss(ONE, ONE), ParameterError, "atss: no strides were given, expected boxloss.assign.Priors(boxes, strides)"),
        (
            lambda: atss(points(8, 8), ONE),
            ParameterError,
            "atss: priors is a Points of arrays, expected boxloss.assign.Priors(boxes, strides), or boxes (P, 4); boxloss.assign.from_points(*points)",
        ),
        (lambda: max_iou(ONE, (ONE, np.zeros(1))), ParameterError, "max_iou: objects is a tuple of arrays, expected boxloss.assign.Objects(boxes, labels)"),
        (
            lambda: atss(*points(8, 8)),
            ShapeError,
            "atss: priors has shape (3, 2), expected (P, 4): boxloss.assign.from_points",
        ),
        (lambda: from_points(points(8, 8).xy, np.ones(2)), ShapeError, "from_points: xy and strides have shapes (3, 2) and (2,), expected (P, 2) and (P,)"),
        (lambda: from_points(*points(8, 8), scale=0), ParameterError, "from_points: scale is 0, expected a number > 0"),
        (lambda: max_iou(ONE, ONE, positive=1.5), ParameterError, "max_iou: positive is 1.5, expected a number in [0, 1]"),
        (lambda: max_iou(ONE, ONE, negative=-0.1), ParameterError, "max_iou: negative is -0.1, expected a number in [0, 1]"),
        (lambda: max_iou(ONE, ONE, positive=-1.5, measure="giou"), ParameterError, "max_iou: positive is -1.5, expected a number in [-1, 1]"),
        (lambda: max_iou(ONE, ONE, positive=0.3), ParameterError, "max_iou: negative is 0.4 and positive 0.3, expected negative <= positive"),
        (lambda: ssd(ONE, ONE, threshold=np.nan), ParameterError, "ssd: threshold is nan, expected a number in [0, 1]"),
        (lambda: ssd(ONE, ONE, threshold="0.5"), ParameterError, "ssd: threshold is '0.5', expected a number in [0, 1]"),
        (lambda: ratio(ONE, ONE, most="4"), ParameterError, "ratio: most is '4', expected a number > 1"),
        (lambda: simota(ONE, ONE, SAID, overlap_weight=-1), ParameterError, "simota: overlap_weight is -1, expected a number >= 0"),
        (lambda: task_aligned(ONE, ONE, SAID, beta="6"), ParameterError, "task_aligned: beta is '6', expected a number >= 0"),
        (lambda: hungarian(ONE, ONE, SAID, l1_weight=np.inf), ParameterError, "hungarian: l1_weight is inf, expected a number >= 0"),
        (
            lambda: hungarian(ONE, Objects(ONE, size=[8]), SAID),
            ParameterError,
            "hungarian: size has shape (1,), expected two numbers, the picture's",
        ),
        (lambda: hungarian(ONE, Objects(ONE, size=(8, 0)), SAID), ParameterError, "hungarian: size[1] is 0, expected a number > 0"),
        (lambda: aligned_scores(ONE, ONE, SAID), ParameterError, "aligned_scores: assignment is a ndarray, expected what task_aligned gave"),
        (
            lambda: max_iou(ONE, ONE, measure=lambda a, b: 0),
            ParameterError,
            "measure or loss is a function, expected a name of boxloss.catalogue(), or a formula",
        ),
        (lambda: max_iou(ONE, ONE, measure=bl.giou), ParameterError, "measure or loss is boxloss.giou, expected its name, 'giou'"),
        (lambda: atss(Priors(ONE, np.ones(2)), ONE), ShapeError, "atss: priors.strides has shape (2,), expected (1,), one for each box"),
        (lambda: atss(Priors(ONE, np.zeros(1)), ONE), ParameterError, "atss: strides are at least 0.0, expected numbers > 0"),
        (
            lambda: task_aligned(ONE, ONE, Predictions(np.zeros((2, 4)), np.zeros((2, 1)))),
            ShapeError,
            "task_aligned: predictions.boxes has shape (2, 4), but there are 1 priors, expected one row for each",
        ),
        (
            lambda: task_aligned(ONE, ONE, Predictions(ONE, np.zeros(1))),
            ShapeError,
            "task_aligned: predictions.scores has shape (1,), expected (P, C): for a single class try scores[:, None]",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(BoxLossError) as refusal:
        call()
    assert type(refusal.value) is error
    assert str(refusal.value).startswith(message)


def test_points_within_regions():
    xy = np.array([[4.0, 4], [12, 4], [np.nan, 4]])
    assert within(xy, np.array([[4.0, 0, 10, 4], [11, 3, 13, 5]])).tolist() == [True, True, False]
    assert within(xy, np.zeros((0, 4))).tolist() == [False] * 3
