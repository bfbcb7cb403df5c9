"""The derivative of a graph: PyTorch's for the same formula, and that of finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings

from boxloss import ops
from boxloss.calculus.derivative import derivative, without_holds
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.graph import Graph, reachable
from boxloss.calculus.trace import Traced
from calculus.programs import SMOOTH, columns, is_moderate, points, programs, programs_of, run, symbols
from close import ROUNDOFF, ROUNDOFFS, close

STEP = float(ROUNDOFFS["step of differences"] * ROUNDOFF["float64"])


def with_slopes(function, dtype="float64"):
    """`function` of three numbers as a graph, with its slopes along them."""
    _, inputs = symbols(dtype)
    value = function(*inputs)
    value, *slopes = without_holds([value, *derivative(value, list(inputs))])
    return Traced("function", inputs, value, tuple(slopes))


def graph_slopes(function, rows):
    return np.stack(evaluate(with_slopes(function), columns(rows, "float64"))[1:])


def torch_slopes(function, rows):
    at = [torch.tensor(column, requires_grad=True) for column in columns(rows, "float64")]
    return torch.stack(torch.autograd.grad(function(*at).sum() + 0 * sum(at).sum(), at)).numpy()


def close_slopes(got, want, sizes, roundoffs):
    close(got, want.tolist(), "float64", roundoffs, scale=np.full_like(want, max(1.0, *np.abs(want).ravel(), *sizes)).tolist())


@settings(max_examples=200, derandomize=True, database=None)
@given(programs, points)
def test_the_slopes_are_pytorchs(program, rows):
    """At ties, at kinks, at 0/0 and with what is held, too."""
    made = run(program, columns(rows, "float64"))
    assume(is_moderate(made))

    def function(*x):
        return run(program, x)[-1]

    want = torch_slopes(function, rows)
    assume(np.abs(want).max() < 1e6)
    close_slopes(graph_slopes(function, rows), want, [np.abs(x).max() for x in made], "textbook")


@settings(max_examples=200, derandomize=True, database=None)
@given(programs_of(SMOOTH), points)
def test_the_slopes_are_those_of_finite_differences(program, rows):
    """Where there are no kinks. A program that holds nothing: a difference would see it move."""
    at = columns(rows, "float64")

    def function(*x):
        return run(program, x)[-1]

    got = graph_slopes(function, rows)
    assume(is_moderate([*run(program, at), *got, *(got * got)]))  # the square stands for the second derivative, which a difference is off by
    for k in range(3):
        low, high = (function(*(x + sign * STEP * (j == k) for j, x in enumerate(at))) for sign in (-1, 1))
        close_slopes(got[k], (high - low) / (2 * STEP), [1000.0], "finite differences")


def test_ties_are_shared_half_and_half():
    tie = [(1.0, 1.0, 0.0)]
    for function in (ops.minimum, ops.maximum):
        assert graph_slopes(lambda x, y, z, function=function: function(x, y), tie).ravel().tolist() == [0.5, 0.5, 0]
    assert graph_slopes(lambda x, y, z: ops.positive(z) + 0 * x, tie).ravel().tolist() == [0, 0, 0.5]
    assert graph_slopes(lambda x, y, z: ops.absolute(z), tie).ravel().tolist() == [0, 0, 0]
    assert graph_slopes(lambda x, y, z: abs(z), tie).ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("function", "at", "want"),
    [
        (lambda x, y, z: ops.hold(x) * x, (3.0, 0, 0), [3, 0, 0]),
        (lambda x, y, z: ops.hold(x * y) + z, (3.0, 2, 1), [0, 0, 1]),
        (lambda x, y, z: ops.with_slope(x, y * 5.0), (3.0, 2, 1), [0, 5, 0]),
        (lambda x, y, z: ops.where(x < y, x * z, y), (1.0, 2, 3), [3, 0, 1]),
        (lambda x, y, z: ops.where(x < y, x * z, y), (2.0, 1, 3), [0, 1, 0]),
        (lambda x, y, z: ops.ratio(x, y), (3.0, 2, 0), [0.5, -0.75, 0]),
        (lambda x, y, z: ops.ratio(x, y), (3.0, 0, 0), [0, 0, 0]),
        (lambda x, y, z: ops.sqrt(x), (4.0, 0, 0), [0.25, 0, 0]),
        (lambda x, y, z: ops.sqrt(x), (0.0, 0, 0), [0, 0, 0]),
        (lambda x, y, z: ops.log(x), (8.0, 0, 0), [0.125, 0, 0]),
        (lambda x, y, z: ops.exp(x) + y, (0.0, 0, 0), [1, 1, 0]),
        (lambda x, y, z: ops.exp(x), (1000.0, 0, 0), [0, 0, 0]),
        (lambda x, y, z: ops.exp(x), (-1000.0, 0, 0), [0, 0, 0]),
        (lambda x, y, z: ops.sin(x) - ops.cos(y), (0.0, 0, 0), [1, 0, 0]),
        (lambda x, y, z: ops.atan2(x, y), (0.0, 2, 0), [0.5, 0, 0]),
        (lambda x, y, z: ops.atan2(x, y), (0.0, 0, 0), [0, 0, 0]),
        (lambda x, y, z: x**3 + y * 0, (2.0, 0, 0), [12, 0, 0]),
    ],
)
def test_pencil_cases(function, at, want):
    assert graph_slopes(function, [at]).ravel().tolist() == want
    assert torch_slopes(function, [at]).ravel().tolist() == want


def test_no_division_by_a_square_that_leaves_the_type():
    """The angle's slopes: 1 / side, not side / area^2."""
    traced = with_slopes(lambda x, y, z: ops.atan2(x, y), "float32")
    for size in (1e-30, 1e30):
        _, dx, dy, _ = evaluate(traced, columns([(size, 2 * size, 0)], "float32"))
        close([dx[0], dy[0]], [0.4 / size, -0.2 / size], "float32")


@settings(max_examples=100, derandomize=True, database=None)
@given(programs)
def test_marks_for_the_derivative_are_gone_from_the_text(program):
    traced = with_slopes(lambda *x: run(program, x)[-1])
    assert not {"hold", "carry", "call"} & {node.op for node in reachable(traced.outputs)}


def test_slopes_are_named_after_what_they_are_along():
    graph = Graph("float32")
    x, y = graph.input("x"), graph.input("y")
    area = x * y
    area.label("area")
    value = ops.log(1.0 + area)
    derivative(value, [x, y])
    assert "d_area" in {node.name for node in graph.nodes}
