"""What needs no node has none, and what is left has the same bits."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.graph import Graph
from boxloss.calculus.simplify import FOLD
from calculus.programs import columns, is_moderate, points, programs, run, symbols, traced
from properties.asking import same_bits

number = st.floats(width=32, allow_nan=False)
UNARY = {"neg", "abs", "sqrt", "floor", "hold", "two_to_the"}


@settings(max_examples=300, derandomize=True, database=None)
@given(programs, points, st.sampled_from(["float32", "float64"]))
def test_a_formula_keeps_its_bits(program, rows, dtype):
    """Whatever is folded, dropped or shared: the graph has the bits of the same operations on arrays."""
    at = columns(rows, dtype)
    with np.errstate(all="ignore"):
        made = run(program, at)
    assume(is_moderate(made))
    (got,) = evaluate(traced(program, dtype), at)
    assert got.dtype == dtype
    assert same_bits(got, np.broadcast_to(made[-1], got.shape)).all(), (got, made[-1])


@settings(max_examples=300, derandomize=True, database=None)
@given(st.sampled_from(sorted(FOLD)), number, number, st.sampled_from(["float32", "float64"]))
def test_constants_are_folded_in_the_graphs_own_type(op, x, y, dtype):
    if op == "two_to_the":
        x = float(np.clip(np.floor(x), -126, 127))
    graph = Graph(dtype)
    args = (x,) if op in UNARY else (x, y)
    node = graph.apply(op, *map(graph.constant, args))
    with np.errstate(all="ignore"):
        want = FOLD[op](*(np.array([arg], dtype) for arg in args))[0]
    assert node.op in ("const", "truth")
    assert not node.args
    assert same_bits(np.array(node.value, want.dtype), want)


def test_a_third_is_a_third_of_the_graphs_type():
    for dtype in ("float32", "float64"):
        graph = Graph(dtype)
        third = graph.constant(1.0) / 3.0 + 0.1
        number = np.dtype(dtype).type
        assert third.value == float(number(1) / number(3) + number(0.1))
    assert (Graph("float32").constant(1.0) / 3.0).value != 1 / 3


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x + 0.0,
        lambda x: 0 + x,
        lambda x: x - 0,
        lambda x: x * 1.0,
        lambda x: 1 * x,
        lambda x: x / 1,
        lambda x: -(0 - x),
        lambda x: x**1,
        lambda x: x.graph.minimum(x, x),
        lambda x: x.graph.maximum(x, x),
        lambda x: x.graph.where(x < 1, x, x),
        lambda x: x.graph.where(x.graph.constant(1.0) < 2.0, x, x * 2.0),
        lambda x: x.graph.where(x.graph.constant(1.0) > 2.0, x * 2.0, x),
        lambda x: 0.0 - (0.0 - x),
    ],
)
def test_what_leaves_a_number_as_it_is_is_that_number(same):
    _, (x, *_) = symbols("float32")
    assert same(x) is x


def test_one_number_written_in_two_ways_is_one_node():
    graph, (x, y, z) = symbols("float64")
    c, d = x < y, y < z
    assert x + -y is x - y
    assert -y + x is x - y
    assert x - -y is x + y
    assert -(x - y) is y - x
    assert x * -1.0 is -x
    assert (-x) * y is -(x * y)
    assert (-x) / y is -(x / y)
    assert x / 4.0 is x * 0.25
    assert (x * 2.0) * 0.25 is x * 0.5
    assert graph.where(~c, x, y) is graph.where(c, y, x)
    assert graph.where(c, graph.where(c, x, y), z) is graph.where(c, x, z)
    assert graph.where(c, x, graph.where(c, y, z)) is graph.where(c, x, z)
    assert (x != y) is ~(x == y)
    assert ~(~c) is c
    assert (c & c) is (c | c) is c
    assert (~c | ~d) is ~(c & d)
    assert (x.hold()).hold() is x.hold()
    # the parts of a gradient that one condition keeps apart
    assert graph.where(c, x, 0.0) + graph.where(c, 0.0, y) is graph.where(c, x, y)


@pytest.mark.parametrize("truth", [True, False])
def test_a_truth_that_is_known_decides(truth):
    graph, (x, y, _) = symbols("float64")
    c, known = x < y, graph.truth(truth)
    assert c & known is known & c is (c if truth else known)
    assert c | known is known | c is (known if truth else c)
    assert (~known).value is (not truth)


@pytest.mark.parametrize(
    ("written", "signs"),
    [
        (lambda x: x / 3.0, ["div"]),
        (lambda x: x / 2.0**100, ["div"]),
        (lambda x: (x * 0.1) * 0.2, ["mul", "mul"]),
        (lambda x: (x + 0.1) + 0.2, ["add", "add"]),
        (lambda x: (x * 2.0**100) * 2.0**-100, ["mul", "mul"]),
    ],
)
def test_what_would_round_or_overflow_otherwise_is_left_as_it_stands(written, signs):
    _, (x, *_) = symbols("float32")
    node, met = written(x), []
    while node.args:
        met.append(node.op)
        node = node.args[0]
    assert met == signs
