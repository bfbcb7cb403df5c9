"""`value_and_gradient`: the kernel's and the graph's, in value and against each other."""

import subprocess
import sys

import numpy as np
import pytest

import boxloss as bl
from boxloss.errors import ParameterError
from boxloss.kernels.switch import plain
from close import close
from each import each_loss
from properties.asking import same_bits
from properties.samples import sample
from strategies import CLASSES

BOXES = sample(CLASSES, 40, "float32")


def both_ways(loss, *boxes, **how):
    """By the kernel, and by the graph."""
    by_kernel = loss.value_and_gradient(*boxes, **how)
    with plain():
        return by_kernel, loss.value_and_gradient(*boxes, **how)


def assert_same(got, want):
    """To the bit."""
    assert type(got) is type(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert same_bits(got, want).all()


@pytest.mark.parametrize("name", each_loss())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernel_and_graph_agree_to_the_bit(dtype, name):
    boxes = sample(CLASSES, 40, dtype)
    (value, (a, b)), (plain_value, (plain_a, plain_b)) = both_ways(bl.loss(name), boxes.a, boxes.b, wrt="both", reduction="none")
    assert_same(value, plain_value)
    assert_same(a, plain_a)
    assert_same(b, plain_b)


@pytest.mark.parametrize("wrt", ["pred", "target"])
@pytest.mark.parametrize("weight", [None, 0.0, "some"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_reductions_and_weights(reduction, weight, wrt):
    boxes = sample(("coco", "integers"), 40, "float32")
    weight = np.linspace(0, 2, 80, dtype=np.float32) if weight == "some" else weight
    (value, gradient), (plain_value, plain_gradient) = both_ways(bl.giou_loss, boxes.a, boxes.b, wrt=wrt, reduction=reduction, weight=weight)
    close(value, plain_value, "float32", "sum" if reduction == "mean" else "value")
    assert_same(gradient, plain_gradient)


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((0, 4), (0, 4)), ((3, 1, 4), (5, 4)), ((2, 3, 4), (2, 3, 4)), ((4,), (7, 4))])
def test_shapes(shapes):
    rng = np.random.default_rng(0)
    a, b = (np.cumsum(rng.integers(1, 9, (*shape[:-1], 2, 2)), -2).reshape(shape).astype(float) for shape in shapes)
    for reduction in ("mean", "none"):
        (value, grads), (plain_value, plain_grads) = both_ways(bl.diou_loss, a, b, wrt="both", reduction=reduction)
        assert value.shape == plain_value.shape == (np.broadcast_shapes(*shapes)[:-1] if reduction == "none" else ())
        close(value, plain_value, "float64", "sum")
        for grad, plain_grad, box in zip(grads, plain_grads, (a, b), strict=True):
            assert grad.shape == box.shape
            assert_same(grad, plain_grad)


@pytest.mark.parametrize("name", each_loss())
def test_nan_stays_in_its_row_and_fills_it(name):
    a, b = (np.array([box, box, box], float) for box in ([0, 0, 2, 2], [1, 0, 3, 2]))
    a[0, 3] = b[1, 0] = np.nan
    for value, grads in both_ways(bl.loss(name), a, b, wrt="both", reduction="none"):
        assert np.isnan(value).tolist() == [True, True, False]
        for grad in grads:
            assert np.isnan(grad).tolist() == [[True] * 4, [True] * 4, [False] * 4]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"wrt": "a"}, "iou_loss.value_and_gradient: wrt is 'a', expected pred, target or both"),
        ({"reduction": "avg"}, "iou_loss: reduction is 'avg', expected one of mean, sum, none"),
    ],
)
def test_errors(how, message):
    for call in (bl.iou_loss.value_and_gradient, in_plain):
        with pytest.raises(ParameterError) as refusal:
            call([[0, 0, 1, 1]], [[0, 0, 1, 1]], **how)
        assert str(refusal.value) == message


def in_plain(*boxes, **how):
    with plain():
        return bl.iou_loss.value_and_gradient(*boxes, **how)


def test_without_numba():
    script = """
import sys
for name in ("numba", "llvmlite", "platformdirs", "torch"):
    sys.modules[name] = None  # cannot be imported
import boxloss as bl
value, gradient = bl.iou_loss.value_and_gradient([[0, 0, 2, 2]], [[0, 0, 4, 2]])
print(value, *gradient[0])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Overlap 4, union 8. Right: overlap is won, -2 / 8. The others lie on the target's: the mean of 2 / 8 (inwards, overlap is lost) and
    # -2 * 4 / 8^2 (outwards, union is won).
    assert done.stdout.split() == ["0.5", "0.0625", "0.0625", "-0.25", "-0.0625"]
