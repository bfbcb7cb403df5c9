"""The derivative of a graph, as more of the graph: reverse mode, so that one number's slopes along eight coordinates cost little more than the number."""

import math
from collections.abc import Callable

from boxloss.calculus.graph import Node, reachable
from boxloss.calculus.simplify import is_zero
from boxloss.ops import NEAR_ZERO, exp, exponents, ratio

Slopes = dict[int, Node]


def derivative(output: Node, inputs: list[Node]) -> list[Node]:
    """The slope of `output` along each of `inputs`, with what is held held, and ties shared half and half."""
    graph = output.graph
    slopes: Slopes = {output.index: graph.constant(1.0)}
    for node in reversed(reachable([output])):
        slope = slopes.get(node.index)
        if slope is None or is_zero(slope) or node.op not in _RULES:
            continue
        if node.name and node.args:
            slope.label(f"d_{node.name}")
        for argument, part in zip(node.args, _RULES[node.op](node, slope), strict=True):
            if part is not None and not is_zero(part):
                before = slopes.get(argument.index)
                slopes[argument.index] = part if before is None else before + part
    return [slopes.get(x.index, graph.constant(0.0)) for x in inputs]


def without_holds(outputs: list[Node]) -> list[Node]:
    """The same numbers without the marks that matter to the derivative alone, and with elementary functions written out."""
    graph = outputs[0].graph
    graph.writes_out = True
    new: dict[int, Node] = {}
    for node in reachable(outputs):
        args = tuple(new[a.index] for a in node.args)
        if node.op in ("hold", "carry"):
            new[node.index] = args[0]
        elif node.op == "call":
            new[node.index] = node.value(*args)
        elif not args:
            new[node.index] = node
        else:
            new[node.index] = graph.apply(node.op, *args)
        if node.name:
            new[node.index].label(node.name)
    return [new[x.index] for x in outputs]


# One rule an operation: the slope's parts along its arguments; None where there is none.

Parts = tuple[Node | None, ...]


def _product(node: Node, slope: Node) -> Parts:
    x, y = node.args
    return slope * y, slope * x


def _quotient(node: Node, slope: Node) -> Parts:
    share = slope / node.args[1]
    return share, -(share * node)


def _smaller(node: Node, slope: Node) -> Parts:
    x, y = node.args
    return _shared(x < y, x == y, slope)


def _larger(node: Node, slope: Node) -> Parts:
    x, y = node.args
    return _shared(y < x, x == y, slope)


def _shared(first: Node, tie: Node, slope: Node) -> Parts:
    graph = slope.graph
    half = slope * 0.5
    return graph.where(first, slope, graph.where(tie, half, 0.0)), graph.where(first, 0.0, graph.where(tie, half, slope))


def _choice(node: Node, slope: Node) -> Parts:
    condition, _, _ = node.args
    graph = slope.graph
    return None, graph.where(condition, slope, 0.0), graph.where(condition, 0.0, slope)


def _root(node: Node, slope: Node) -> Parts:
    return (slope * 0.5 / node,)


def _size(node: Node, slope: Node) -> Parts:
    (x,) = node.args
    graph = slope.graph
    zero = graph.constant(0.0)
    return (graph.where(zero < x, slope, graph.where(x < zero, -slope, zero)),)


def _angle(node: Node, slope: Node) -> Parts:
    rise, run = node.args
    # One division for both slopes, and no square of an area, which may leave the type.
    quotient = ratio(rise, run)
    share = ratio(slope, run * (quotient * quotient + 1.0))
    return share, -(share * quotient)


def _exponential(node: Node, slope: Node) -> Parts:
    (x,) = node.args
    # Where the value stands still at the type's largest power of two, so does the slope; at the lower end it is 0 with the value.
    return (slope.graph.where(exponents(x)[1] * math.log(2) <= x, 0.0, slope * node),)


def _exponential_less_1(node: Node, slope: Node) -> Parts:
    (x,) = node.args
    # Far below 0 the value is -1 and a little, which the type does not tell from -1: the exponential is asked for, which `expm1` makes in any case.
    near = abs(x) < NEAR_ZERO
    exponential = exp(slope.graph.where(near, 1.0, x))
    return (slope.graph.where(exponents(x)[1] * math.log(2) <= x, 0.0, slope * slope.graph.where(near, node + 1.0, exponential)),)


_ELEMENTARY: dict[str, Callable[[Node, Node], Parts]] = {
    "log": lambda node, slope: (slope / node.args[0],),
    "exp": _exponential,
    "expm1": _exponential_less_1,
    "_slope_angle": _angle,
    "_atanh": lambda node, slope: (slope / (1.0 - node.args[0] * node.args[0]),),
}


def _call(node: Node, slope: Node) -> Parts:
    return _ELEMENTARY[node.value.__name__](node, slope)


_RULES: dict[str, Callable[[Node, Node], Parts]] = {
    "call": _call,
    "add": lambda node, slope: (slope, slope),
    "sub": lambda node, slope: (slope, -slope),
    "neg": lambda node, slope: (-slope,),
    "mul": _product,
    "div": _quotient,
    "min": _smaller,
    "max": _larger,
    "where": _choice,
    "abs": _size,
    "sqrt": _root,
    "carry": lambda node, slope: (None, slope),
}
