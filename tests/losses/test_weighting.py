"""Weights by class and by size: what they are worth, on each kind of array, and what is refused."""

import copy
import pickle

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import DimensionError, DTypeError, ParameterError, ShapeError
from boxloss.kernels.switch import plain
from close import close

A = np.array([[0.0, 0, 2, 2], [1, 1, 3, 5], [0, 0, 4, 4]])
B = np.array([[1.0, 0, 3, 2], [1, 1, 3, 3], [0, 0, 4, 2]])
LABELS = [1, 0, 2]
BY_CLASS = bl.by_class([1.0, 4.0, 0.5])
# The targets cover 4, 4 and 8 of the 32 that the picture has.
BY_SIZE, OF_SIZE = bl.by_size(8, 4), [2 - 4 / 32, 2 - 4 / 32, 2 - 8 / 32]
OF_CLASS = [4.0, 1.0, 0.5]
KINDS = ["numpy", "list", "torch", "plain", "jax"]


def arrays(kind, *some):
    if kind in ("torch", "plain"):
        return [torch.tensor(x) for x in some]
    if kind == "jax":
        jax = pytest.importorskip("jax")
        return [jax.numpy.asarray(x) for x in some]
    return [x.tolist() if kind == "list" and isinstance(x, np.ndarray) else x for x in some]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(
    ("rules", "worth"),
    [(BY_CLASS, OF_CLASS), (BY_SIZE, OF_SIZE), ((BY_CLASS, BY_SIZE), np.multiply(OF_CLASS, OF_SIZE)), ([BY_SIZE, BY_CLASS], np.multiply(OF_CLASS, OF_SIZE))],
)
def test_it_is_the_weight_of_the_same_worth(kind, reduction, rules, worth):
    a, b, labels = arrays(kind, A, B, np.array(LABELS))
    loss = bl.loss("giou", weight_by=rules)
    given = {} if rules is BY_SIZE else {"labels": labels}

    def both():
        weights = loss(a, b, reduction=reduction, **given), loss(a, b, reduction=reduction, weight=2.0, **given)
        return [np.asarray(x) for x in weights]

    if kind == "plain":
        with plain():
            found = both()
    else:
        found = both()
    for got, weight in zip(found, (1, 2), strict=True):
        close(got, bl.giou_loss(A, B, reduction=reduction, weight=np.multiply(worth, weight)), str(got.dtype))


@pytest.mark.parametrize("format", bl.boxes.FORMATS)
def test_size_in_each_format(format):
    boxes = bl.boxes.convert(B, "xyxy", format, points=np.ones((3, 2)))
    assert bl.loss("l1", weight_by=BY_SIZE)(boxes + 1, boxes, reduction="none", format=format).tolist() == [
        weight * bl.l1_loss(boxes + 1, boxes, reduction="none", format=format)[0] for weight in OF_SIZE
    ]


def test_size_stays_from_1_to_2():
    whole, inverted, huge = [0.0, 0, 99, 99], [5.0, 5, 1, 1], [-3e38, 0, 3e38, 0]
    loss = bl.loss("l1", weight_by=bl.by_size(10, 10))
    shifted, target = np.float32([whole, inverted, huge]), np.float32([whole, inverted, huge])
    shifted[:, 1] += 1
    assert loss(shifted, target, reduction="none").tolist() == [1, 2, 2]


def test_the_gradient_and_the_targets_part_in_it():
    a, b = torch.tensor(A, requires_grad=True), torch.tensor(B, requires_grad=True)
    loss = bl.loss("giou", weight_by=(BY_CLASS, BY_SIZE))
    found = torch.autograd.grad(loss(a, b, labels=torch.tensor(LABELS)), (a, b))
    wanted = torch.autograd.grad(bl.giou_loss(a, b, weight=torch.tensor(np.multiply(OF_CLASS, OF_SIZE))), (a, b))
    for got, want in zip(found, wanted, strict=True):
        close(got, want.tolist(), "float64", "gradient", scale=torch.ones_like(want).tolist())
    value, gradient = loss.value_and_gradient(A, B, labels=LABELS)
    close(gradient, found[0].tolist(), "float64", "gradient", scale=np.ones_like(gradient))
    assert value == loss(A, B, labels=LABELS)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_integers(dtype):
    loss = bl.loss("iou", weight_by=BY_CLASS)
    a, b = torch.tensor(A), torch.tensor(B)
    assert loss(a, b, labels=torch.tensor(LABELS, dtype=dtype)) == loss(A, B, labels=LABELS)


def test_shapes_broadcast():
    loss = bl.loss("iou", weight_by=(BY_CLASS, BY_SIZE))
    every = loss(A[:, None], B[None], labels=LABELS, reduction="none")
    assert every.shape == (3, 3)
    assert np.array_equal(np.diagonal(every), loss(A, B, labels=LABELS, reduction="none"))
    assert loss(A[0], B[0], labels=1, reduction="none") == loss(A, B, labels=LABELS, reduction="none")[0]
    assert loss(torch.zeros(0, 4), torch.zeros(0, 4), labels=[]) == 0


def test_of_a_parameter_given_later_and_of_a_module():
    a, b, labels = torch.tensor(A), torch.tensor(B), torch.tensor(LABELS)
    loss = bl.loss("smooth_l1", weight_by=BY_CLASS)
    assert loss(a, b, labels=labels, beta=0.5) == bl.loss("smooth_l1", beta=0.5, weight_by=BY_CLASS)(a, b, labels=labels)
    module = bl.nn.SmoothL1Loss(weight_by=(BY_CLASS, BY_SIZE), reduction="sum")
    value = module(a, b, torch.tensor(2.0), labels)
    assert value == bl.loss("smooth_l1", weight_by=(BY_CLASS, BY_SIZE))(a, b, weight=2.0, labels=labels, reduction="sum")
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert copied(a, b, torch.tensor(2.0), labels) == value
    assert repr(loss) == "boxloss.smooth_l1_loss(weight_by=by_class([1.0, 4.0, 0.5]))"
    assert "weight_by=(by_class([1.0, 4.0, 0.5]), by_size(8, 4))" in repr(module)


def test_one_graph_under_compile_and_vmap():
    torch._dynamo.reset()
    a, b, labels = torch.tensor(A), torch.tensor(B), torch.tensor(LABELS)
    loss = bl.loss("giou", weight_by=(BY_CLASS, BY_SIZE))
    want = loss(a, b, labels=labels)
    close(torch.compile(lambda *x: loss(x[0], x[1], labels=x[2]), fullgraph=True, backend="aot_eager")(a, b, labels), want.item(), "float64")
    each = torch.vmap(lambda x, y, label: loss(x, y, labels=label, reduction="none"))(a, b, labels)
    close(each, loss(a, b, labels=labels, reduction="none").tolist(), "float64")
    close(loss(a, b, labels=labels), want.item(), "float64")  # and nothing of a transform has been kept


def test_in_a_compiled_graph_of_jax():
    jax = pytest.importorskip("jax")
    loss = bl.loss("giou", weight_by=(BY_CLASS, BY_SIZE))
    a, b, labels = (jax.numpy.asarray(np.float32(A)), np.float32(B), jax.numpy.asarray(LABELS))
    gradient = jax.jit(jax.grad(lambda x, y: loss(x, b, labels=y)))(a, labels)
    _, want = loss.value_and_gradient(A, B, labels=LABELS)
    close(np.asarray(gradient), want, "float32", "gradient", scale=np.ones_like(want))
    assert np.isnan(loss(a, b, labels=labels - 1, reduction="none")).tolist() == [False, True, False]


def test_where_nobody_can_look_a_label_that_is_no_class_shows():
    loss = bl.loss("giou", weight_by=BY_CLASS)
    a, b, labels = torch.tensor(A), torch.tensor(B), torch.tensor([1, -1, 3])
    values = torch.vmap(lambda x, y, label: loss(x, y, labels=label, reduction="none"))(a, b, labels)
    assert values.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f(A, B), ParameterError, "iou_loss: labels are missing: weight_by=by_class([1.0, 4.0, 0.5]) needs labels=..., the class of each pair"),
        (lambda f: f(A, B, labels=[0.0, 1.0, 2.0]), DTypeError, "iou_loss: labels hold float64, expected integers: try labels.astype(int)"),
        (
            lambda f: f(torch.tensor(A), torch.tensor(B), labels=torch.zeros(3)),
            DTypeError,
            "iou_loss: labels hold float32, expected integers: try labels.long()",
        ),
        (lambda f: f(A, B, labels=[True] * 3), DTypeError, "iou_loss: labels hold bool, expected integers: a mask is no list of classes"),
        (lambda f: f(A, B, labels=[0, 3, 1]), ParameterError, "iou_loss: labels hold 3, expected numbers from 0 to 2: one weight is needed for each class"),
        (
            lambda f: f(torch.tensor(A), torch.tensor(B), labels=[0, -1, 1]),
            ParameterError,
            "iou_loss: labels hold -1, expected numbers from 0 to 2: leave pairs without a class out",
        ),
        (lambda f: f(A, B, labels=[0, 1]), ShapeError, "iou_loss: labels have shape (2,), expected one that broadcasts to (3,)"),
        (
            lambda f: f(A, B, labels=np.zeros((3, 1), int)),
            ShapeError,
            "iou_loss: labels have shape (3, 1), expected one that broadcasts to (3,): try labels.squeeze(-1)",
        ),
        (
            lambda f: f(torch.tensor(A), torch.tensor(B), labels=np.array(LABELS)),
            DTypeError,
            "iou_loss: pred is a torch array and labels a numpy array, expected two arrays of one library",
        ),
        (
            lambda f: bl.iou_loss(A, B, labels=LABELS),
            ParameterError,
            "iou_loss: labels were given, but nothing uses them: try weight_by=boxloss.by_class([...])",
        ),
        (lambda f: bl.loss("iou", weight_by=2.0), ParameterError, "iou_loss: weight_by is 2.0, expected by_class(...), by_size(...), or a tuple of them"),
        (lambda f: bl.by_class([1.0, -1.0]), ParameterError, "by_class: weights are [1.0, -1.0], expected finite numbers >= 0, one for each class"),
        (lambda f: bl.by_class(3), ParameterError, "by_class: weights are 3, expected one number for each class"),
        (
            lambda f: bl.loss("l1", weight_by=BY_SIZE)(np.zeros((3, 2)), np.zeros((3, 2)), format="xx"),
            DimensionError,
            "l1_loss: by_size(8, 4) weighs by width and height, which boxes of the format xx do not have: use by_class or weight=...",
        ),
        (lambda f: bl.by_size(640, 0), ParameterError, "by_size: height is 0, expected a finite number > 0"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as refusal:
        call(bl.loss("iou", weight_by=BY_CLASS))
    assert str(refusal.value) == message
