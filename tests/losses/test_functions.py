"""Losses as functions: kinds of array, formats, reductions, and messages."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import DTypeError, FormatError, ParameterError, ShapeError
from boxloss.kernels.switch import plain
from close import close
from each import REPRESENTATIVES, each_loss

A, B = np.array([[0.0, 0, 2, 2], [1, 1, 3, 5]]), np.array([[1.0, 0, 3, 2], [1, 1, 3, 3]])  # IoU 1/3 and 1/2


def test_shapes_broadcast():
    assert bl.iou(A[0], B[0]).shape == ()
    assert bl.iou(A[:, None], B[None]).shape == (2, 2)
    assert bl.pairwise("iou", np.zeros((3, 5, 4)), np.zeros((3, 7, 4))).shape == (3, 5, 7)
    assert bl.pairwise("iou", A[:0], B).shape == (0, 2)


def test_pairwise_gives_similarity_or_loss():
    assert (bl.pairwise("giou_loss", A, B) == 1 - bl.pairwise("giou", A, B)).all()


@pytest.mark.parametrize("format", bl.boxes.FORMATS)
@pytest.mark.parametrize("name", ["giou", "l1"])
def test_formats_mean_the_same_boxes(format, name):
    points = np.array([[1.0, 1.0], [1.0, 1.0]])
    a, b = (bl.boxes.convert(x, "xyxy", format, points=points) for x in (A, B))
    assert np.array_equal(bl.loss(name)(a, b, reduction="none", format=format), bl.loss(name)(A, B, reduction="none"))
    assert np.array_equal(bl.pairwise("giou", a, b, format=format), bl.pairwise("giou", A, B))


def test_reductions_and_weights():
    values = bl.iou_loss(A, B, reduction="none")
    assert bl.iou_loss(A, B) == values.mean()
    assert bl.iou_loss(A, B, reduction="sum") == values.sum()
    assert bl.iou_loss(A, B, weight=[3, 1]) == (3 * values[0] + values[1]) / 4
    assert bl.iou_loss(A, B, weight=2.0) == values.mean()
    assert bl.iou_loss(A, B, weight=[3, 1], reduction="sum") == 3 * values[0] + values[1]
    assert bl.iou_loss(A, B, weight=[3, 1], reduction="none").tolist() == [3 * values[0], values[1]]
    assert bl.iou_loss(A, B, weight=[0, 0]) == 0


def test_weights_broadcast_along_a_batch():
    a, b = np.stack([A, A]), np.stack([B, B])
    assert bl.iou_loss(a, b, weight=np.array([[1.0], [3.0]])) == bl.iou_loss(A, B)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_lists_are_taken_and_kinds_are_kept(kind):
    assert isinstance(bl.iou([0, 0, 1, 1], [0, 0, 1, 1]), np.floating)
    assert type(bl.iou(kind(A), kind(B))) is type(kind(A))


def test_the_mean_of_nothing_has_a_gradient():
    a = torch.zeros((0, 4), requires_grad=True)
    value = bl.ciou_loss(a, torch.zeros((0, 4)))
    value.backward()
    assert value.item() == 0
    assert a.grad.shape == (0, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bl.giou_loss(np.zeros((8, 4)), np.zeros((8, 5))),
            ShapeError,
            "giou_loss: target has shape (8, 5), expected (..., 4). Five columns often mean a trailing score or angle: try target[..., :4]",
        ),
        (
            lambda: bl.giou_loss(np.zeros((8, 4)), np.zeros((7, 4))),
            ShapeError,
            "giou_loss: pred has shape (8, 4) and target (7, 4), which do not broadcast. For every box against every box, use boxloss.pairwise",
        ),
        (
            lambda: bl.pairwise("iou", np.zeros(4), np.zeros((7, 4))),
            ShapeError,
            "pairwise('iou'): a has shape (4,), expected (..., N, 4): for a single box try a[None]",
        ),
        (
            lambda: bl.giou_loss(torch.zeros(8, 4), np.zeros((8, 4))),
            DTypeError,
            "giou_loss: pred is a torch array and target a numpy array, expected two arrays of one library",
        ),
        (
            lambda: bl.giou_loss(torch.zeros(8, 4), torch.zeros(8, 4, device="meta")),
            DTypeError,
            "giou_loss: pred is on cpu and target on meta, expected one device: try .to('cpu')",
        ),
        (
            lambda: bl.giou_loss(np.zeros((8, 4), complex), np.zeros((8, 4))),
            DTypeError,
            "giou_loss: pred holds complex128, expected real numbers",
        ),
        (lambda: bl.giou_loss(A, B, reduction="avg"), ParameterError, "giou_loss: reduction is 'avg', expected one of mean, sum, none"),
        (lambda: bl.giou_loss(A, B, format="xywhn"), FormatError, None),
        (
            lambda: bl.giou_loss(A, B, weight=np.ones((2, 4))),
            ShapeError,
            "giou_loss: weight has shape (2, 4), expected one that broadcasts to (2,): one weight a pair, not one a coordinate; try weight.mean(-1)",
        ),
        (lambda: bl.giou_loss(A, B, weight=np.ones(3)), ShapeError, "giou_loss: weight has shape (3,), expected one that broadcasts to (2,)"),
        (
            lambda: bl.giou_loss(torch.zeros(2, 4), torch.zeros(2, 4), weight=np.ones(2)),
            DTypeError,
            "giou_loss: pred is a torch array and weight a numpy array, expected two arrays of one library",
        ),
        (lambda: bl.giou_loss("boxes", B), DTypeError, "pred is a str, expected an array of NumPy, PyTorch, JAX or CuPy, or a list of numbers"),
    ],
)
def test_errors_name_what_came_and_what_was_expected(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert message is None or str(refusal.value) == message


def test_jax_takes_numpy_and_lists_beside_it():
    jax = pytest.importorskip("jax")
    a = jax.numpy.asarray(A)
    for b in (B, B.tolist()):
        assert isinstance(bl.iou(a, b), jax.Array)
        assert bl.iou_loss(b, a) == bl.iou_loss(a, jax.numpy.asarray(B))


@pytest.mark.parametrize("strings", [np.array(["a"]), np.array([None])])
def test_what_holds_no_numbers_is_refused(strings):
    with pytest.raises(DTypeError, match="expected numbers"):
        bl.iou(strings, B)


def test_ln_iou_has_a_finite_gradient_where_little_overlaps():
    a = torch.tensor([-5.66e-9, -4.4e-12, -1.2e-10, 3.6e8], requires_grad=True)
    (gradient,) = torch.autograd.grad(bl.iou_log_loss(a, torch.tensor([-0.638, -4e-9, 3.99e10, 6.2e-12])), a)
    assert gradient.isfinite().all()


def test_what_it_prints_as():
    assert repr(bl.giou) == "boxloss.giou"
    assert repr(bl.loss("smooth_l1", beta=0.5)) == "boxloss.smooth_l1_loss(beta=0.5)"
    assert "Rezatofighi" in bl.giou_loss.__doc__


@pytest.mark.parametrize("name", each_loss())
def test_one_graph_under_compile(name):
    """The representatives also through the tracing of their gradient, which takes thrice as long."""
    backend = "aot_eager" if name in REPRESENTATIVES else "eager"
    torch._dynamo.reset()
    a, b = torch.from_numpy(A).float().requires_grad_(), torch.from_numpy(B).float()
    loss = bl.loss(name)

    def asked(function):
        value = function(a, b)
        return value.item(), torch.autograd.grad(value, a)[0].tolist()

    value, gradient = asked(torch.compile(lambda x, y: loss(x, y), fullgraph=True, backend=backend))
    with plain():
        assert (value, gradient) == asked(loss)
    by_kernel = asked(loss)
    assert value == by_kernel[0]
    close(by_kernel[1], gradient, "float32", "gradient", scale=np.ones_like(gradient))


@pytest.mark.parametrize("name", each_loss())
def test_vmap_and_double_backward(name):
    a, b = torch.from_numpy(A), torch.from_numpy(B)
    loss = bl.loss(name)
    close(torch.vmap(lambda x, y: loss(x, y))(a, b), loss(a, b, reduction="none").tolist(), "float64")  # the plain formula, whose exp is PyTorch's
    second = torch.func.hessian(lambda x: loss(x, b))(a)
    assert second.isfinite().all()


@pytest.mark.parametrize("name", each_loss())
def test_forward_mode_is_backward_mode(name):
    a, b = torch.from_numpy(A), torch.from_numpy(B)
    loss = bl.loss(name)
    forward, backward = torch.func.jacfwd(lambda x: loss(x, b))(a), torch.func.jacrev(lambda x: loss(x, b))(a)
    close(forward, backward.tolist(), "float64", "gradient", scale=torch.ones_like(forward).tolist())
