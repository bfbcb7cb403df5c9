"""From a formula to its graph: what it takes, and errors that the formula's author understands."""

import inspect
import math
import pickle
import sys

import numpy as np
import pytest

import boxloss as bl
from boxloss import ops
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.graph import reachable
from boxloss.calculus.text import NUMBA, assignments
from boxloss.calculus.trace import SIDES, trace
from boxloss.errors import FormulaError, ParameterError
from each import each_loss


def formula(function, **claims):
    return bl.formula(title="A test's", paper="none", bounds="[0, inf)", symmetric=True, scale_free=True, **claims)(function)


def line_of(function, mark="# here"):
    lines, first = inspect.getsourcelines(function)
    (offset,) = (k for k, line in enumerate(lines) if mark in line)
    return f"{__file__}:{first + offset}"


def asks_if(p):
    if p.iou > 0:  # here
        return p.jaccard
    return p.iou


def asks_the_lower(p):
    return p.jaccard + min(p.iou, p.jaccard)  # here


def chains(p):
    return ops.where(0 < p.iou < 1, p.iou, 0.0)  # here


def math_log(p):
    return -math.log(p.iou)  # here


def numpy_log(p):
    inside = p.iou + 1.0
    return -np.log(inside)  # here


def makes_an_integer(p):
    n = 2
    return p.iou * int(p.jaccard * n)  # here


def unknown_quantity(p):
    return p.iuo  # here


def unknown_quantity_of_an_axis(p):
    return p.x.overlapp  # here


def coordinates_of_a_pair(p):
    return p.a[0]  # here


def an_array(p):
    return p.iou * np.ones(3)  # here


def a_root_as_a_power(p):
    return p.iou**0.5  # here


def a_method(p):
    return p.iou.clamp(0, 1)  # here


def divides_by_nothing(p):
    return p.iou * (1 / 0)  # here


def takes_too_few(p):
    return ops.minimum(p.iou)  # here


def _helper(p):
    return bool(p.iou)  # here, in a helper


def through_a_helper(p):
    return p.iou if _helper(p) else p.jaccard


@pytest.mark.parametrize(
    ("function", "part"),
    [
        (asks_if, "asks whether a quantity is true, which differs from pair to pair: use where(condition, x, y)"),
        (asks_the_lower, "min(), max() or a chained comparison asks whether a quantity is true"),
        (chains, "a chained comparison asks whether a quantity is true"),
        (math_log, "a quantity (iou) was made a plain number, by float() or by a function of `math` perhaps: use the functions of boxloss.ops"),
        (numpy_log, "numpy.log was called: a formula uses + - * / ** and the functions of boxloss.ops"),
        (makes_an_integer, "was made a plain number"),
        (unknown_quantity, "unknown quantity of a pair 'iuo': did you mean iou or"),
        (unknown_quantity_of_an_axis, "unknown quantity of a pair 'overlapp': did you mean overlap"),
        (coordinates_of_a_pair, "unknown quantity of a pair 'a'"),
        (an_array, "a ndarray met a quantity of the pair; expected a number or another quantity"),
        (a_root_as_a_power, "for a root there is boxloss.ops.sqrt"),
        (a_method, "a quantity (iou) has no .clamp"),
        (divides_by_nothing, "ZeroDivisionError: division by zero"),
        (takes_too_few, "TypeError: minimum() missing 1 required positional argument: 'y'"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_a_formula_cannot_do_names_its_line(function, part):
    for how in ({}, {"wrt": "ab", "dtype": "float64"}, {"similarity": True}, {"format": "xywh"}, {"format": "ltrb"}):
        with pytest.raises(FormulaError) as refusal:
            trace(formula(function), {}, **how)
        message = str(refusal.value)
        assert message.startswith(f"{line_of(function)}, in {function.__name__}: ")
        assert part in message
        assert "\n" not in message


def test_the_line_of_a_helper_is_the_helpers():
    with pytest.raises(FormulaError) as refusal:
        trace(formula(through_a_helper), {})
    assert str(refusal.value).startswith(f"{line_of(_helper)}, in _helper: ")


def test_kernels_say_the_same_as_the_trace():
    """Whoever calls a loss with such a formula reads it too."""
    with pytest.raises(FormulaError) as refusal:
        bl.loss(formula(asks_if))([[0.0, 0, 1, 1]], [[0.0, 0, 1, 1]])
    assert str(refusal.value).startswith(f"{line_of(asks_if)}, in asks_if: ")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda p: [p.iou, p.jaccard], "f: returned list, expected a number made of the pair's quantities"),
        (lambda p: None, "f: returned NoneType, expected a number made of the pair's quantities"),
        (lambda p: 1.0, "f: returned float, expected a number made of the pair's quantities"),
        (lambda p: p.iou > 0.5, "f: returned a truth (a comparison), expected a number: use where(condition, 1.0, 0.0)"),
    ],
)
def test_what_a_formula_may_not_return(returned, message):
    def f(p):
        return returned(p)

    with pytest.raises(FormulaError) as refusal:
        trace(formula(f, coordinates=True), {})  # whose value nothing is added to
    assert str(refusal.value) == message


def test_a_parameters_own_error_is_passed_on():
    with pytest.raises(ParameterError, match="beta is -1"):
        trace(bl.catalogue()["smooth_l1"], {"beta": -1})


def test_a_number_alone_is_a_formula_too():
    alone = formula(lambda p: p.iou * 0 + 2.0, coordinates=True)
    assert evaluate(trace(alone, {}, wrt="ab"), np.zeros((8, 1)))[0].tolist() == [2.0]
    left = formula(lambda p: p.edges[0], coordinates=True)
    value, *slopes = evaluate(trace(left, {}, wrt="ab"), np.array([[3.0], [0], [0], [0], [1], [0], [0], [0]]))
    assert value.tolist() == [2.0]
    assert [slope.tolist() for slope in slopes] == [[1.0], [0], [0], [0], [-1], [0], [0], [0]]


@pytest.mark.parametrize("format", SIDES)
def test_inputs_are_named_as_the_format_has_them(format):
    traced = trace(bl.catalogue()["iou"], {}, format=format, wrt="b")
    assert [x.name for x in traced.inputs] == [f"{box}_{side}" for box in "ab" for side in SIDES[format]]
    if format == "xyxy":  # elsewhere one number may be the slope along two things, whose first name it keeps
        assert [x.name for x in traced.slopes] == [f"d_b_{side}" for side in SIDES[format]]
    assert (traced.name, traced.value.name, traced.dtype) == ("iou", "loss", "float32")


@pytest.mark.parametrize(("wrt", "n"), [("", 0), ("a", 4), ("b", 4), ("ab", 8)])
def test_slopes_are_those_asked_for(wrt, n):
    assert len(trace(bl.catalogue()["ciou"], {}, wrt=wrt).slopes) == n


@pytest.mark.parametrize("name", bl.catalogue())
def test_one_boxs_slopes_are_those_of_both(name):
    """The same graph, whoever's slopes are asked for."""
    at = np.array([[0.0], [1], [7], [5], [2], [0], [9], [4]])
    a, b, both = (evaluate(trace(bl.catalogue()[name], {}, wrt=wrt), at) for wrt in ("a", "b", "ab"))
    assert a[0] == b[0] == both[0]
    assert [x.item() for x in [*a[1:], *b[1:]]] == [x.item() for x in both[1:]]


def test_a_profiler_is_left_as_it_was():
    def profiler(frame, event, argument):
        pass

    before = sys.getprofile()
    try:
        sys.setprofile(profiler)
        trace(bl.catalogue()["iou"], {})
        with pytest.raises(FormulaError):
            trace(formula(asks_if), {})
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(before)


def test_the_graph_of_tame_pairs_is_smaller():
    ciou = bl.catalogue()["ciou"]
    tame, full = (len(reachable(trace(ciou, {}, wrt="a", tame=tame).outputs)) for tame in (True, False))
    assert tame < 0.75 * full


@pytest.mark.parametrize("name", each_loss())
def test_a_traced_formula_is_pickled_as_its_operations(name):
    sent = trace(bl.catalogue()[name], {}, wrt="ab")
    came = pickle.loads(pickle.dumps(sent))
    assert assignments(came, NUMBA) == assignments(sent, NUMBA)
    assert came.outputs[0].graph is came.inputs[0].graph
