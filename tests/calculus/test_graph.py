"""Nodes are made once, and say what a formula cannot do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.calculus.graph import COMMUTATIVE, Graph, Node, reachable
from boxloss.errors import FormulaError
from calculus.programs import programs, run, symbols


def settled(test):
    return settings(max_examples=150, derandomize=True, database=None)(test)


@settled
@given(programs)
def test_the_same_operations_are_the_same_node(program):
    graph, inputs = symbols("float32")
    first = run(program, inputs)
    count = len(graph.nodes)
    again = run(program, inputs)
    assert all(x is y for x, y in zip(first, again, strict=True))
    assert len(graph.nodes) == count


@settled
@given(programs)
def test_no_two_nodes_are_the_same_operation(program):
    graph, inputs = symbols("float64")
    run(program, inputs)
    keys = [
        (node.op, node.value, tuple(sorted(x.index for x in node.args)) if node.op in COMMUTATIVE else tuple(x.index for x in node.args))
        for node in graph.nodes
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "min", "max", "lt", "le", "eq"])
def test_operations_that_commute_are_one_node_either_way_round(op):
    graph, (x, y, _) = symbols("float32")
    assert (graph.apply(op, x, y) is graph.apply(op, y, x)) == (op in COMMUTATIVE)


def test_other_operations_inputs_and_graphs_are_other_nodes():
    graph, (x, y, z) = symbols("float32")
    made = [x, y, z, x + y, x - y, y - x, x * y, x / y, x < y, y < x, x <= y, x == y, x + z, graph.constant(1.0), graph.constant(2.0)]
    assert len({node.index for node in made}) == len(made)
    other, _ = symbols("float32")
    assert other.nodes[0] is not x


@settled
@given(programs)
def test_what_is_reachable_comes_after_what_it_needs(program):
    _, inputs = symbols("float64")
    *_, last = run(program, inputs)
    nodes = reachable([last])
    assert nodes[-1] is last
    places = {node.index: k for k, node in enumerate(nodes)}
    assert all(places[x.index] < places[node.index] for node in nodes for x in node.args)
    used = {x.index for node in nodes for x in node.args}
    assert all(node.index in used for node in nodes[:-1]), "a node that nothing needs"


@given(st.floats(allow_nan=False), st.sampled_from(["float32", "float64"]))
def test_constants_are_rounded_to_the_graphs_type_once(value, dtype):
    with np.errstate(over="ignore"):
        want = float(np.dtype(dtype).type(value))
    node = Graph(dtype).constant(value)
    assert node.value == want
    assert not (node.value == 0 and math.copysign(1, node.value) < 0), "-0 would be a second zero"


@pytest.mark.parametrize("power", range(1, 10))
def test_powers_are_products(power):
    _, (x, *_) = symbols("float64")
    node = x**power
    values = {}
    for part in reachable([node]):
        assert part.op in ("input", "mul")
        values[part.index] = 3.0 if part.op == "input" else math.prod(values[a.index] for a in part.args)
    assert values[node.index] == 3.0**power


def test_the_first_name_stays():
    _, (x, y, _) = symbols("float64")
    total = x + y
    total.label("total")
    total.label("sum")
    assert (total.name, x.name) == ("total", "x")
    assert repr(total) == "<total of a formula>"


@pytest.mark.parametrize(
    ("refused", "part"),
    [
        (bool, "`if`, `and`, `or`, `not`, min(), max() or a chained comparison asks whether a quantity (x) is true"),
        (lambda x: 0 < x < 1, "use where(condition, x, y), minimum, maximum, & and |"),
        (min, None),
        (float, "a quantity (x) was made a plain number, by float() or by a function of `math` perhaps: use the functions of boxloss.ops"),
        (int, "a quantity (x) was made a plain number"),
        (math.log, "a quantity (x) was made a plain number"),
        (lambda x: [1, 2][x], "a quantity (x) was made a plain number"),
        (np.log, "numpy.log was called: a formula uses + - * / ** and the functions of boxloss.ops"),
        (lambda x: np.float64(2) * x, "numpy.multiply was called"),
        (lambda x: x.clamp(0), "a quantity (x) has no .clamp: a formula uses"),
        (lambda x: x**0.5, "** 0.5: a power is a whole number from 1 to 64; for a root there is boxloss.ops.sqrt"),
        (lambda x: x**-1, "** -1: a power is"),
        (lambda x: x + "1", "a str met a quantity of the pair; expected a number or another quantity"),
        (lambda x: x * [1], "a list met a quantity"),
        (lambda x: x.graph.stack([x, x]), "stack is not an operation of formulas, which see one pair at a time"),
    ],
)
def test_what_a_formula_cannot_do_names_the_line(refused, part):
    _, (x, y, _) = symbols("float64")
    with pytest.raises(FormulaError) as refusal:
        refused(x, y) if refused is min else refused(x)
    message = str(refusal.value)
    assert part is None or part in message
    assert message.startswith(f"{__file__}:")
    assert "\n" not in message


def test_a_node_is_hashed_by_itself_since_equality_is_an_operation():
    _, (x, y, _) = symbols("float64")
    assert len({x, y, x}) == 2
    assert isinstance(x == y, Node)
    assert (x == y).is_truth
