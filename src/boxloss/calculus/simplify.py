"""Operations that need no node: on constants, and those that leave a number as it is.

Nothing here changes a finite value by a bit: there is no reordering, and no rule that rounds differently. 0 times anything is 0.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from boxloss.calculus.graph import Graph, Node

FOLD: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "min": np.minimum,
    "max": np.maximum,
    "neg": lambda x: -x,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "two_to_the": np.exp2,
    "hold": lambda x: x,
}


def simplify(graph: "Graph", op: str, args: "tuple[Node, ...]") -> "Node | None":
    if op in FOLD and all(a.op == "const" for a in args):
        number = graph.dtype.type
        with np.errstate(all="ignore"):
            value = FOLD[op](*(number(a.value) for a in args))
        return graph.truth(bool(value)) if op in ("lt", "le", "eq", "ne") else graph.constant(float(value))
    rule = RULES.get(op)
    return rule(graph, *args) if rule else None


def is_zero(x: "Node") -> bool:
    return x.op == "const" and x.value == 0


def _is(x: "Node", value: float) -> bool:
    return x.op == "const" and x.value == value


def _add(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    if is_zero(x):
        return y
    if is_zero(y):
        return x
    if y.op == "neg":
        return graph.apply("sub", x, y.args[0])
    if x.op == "neg":
        return graph.apply("sub", y, x.args[0])
    return _kept_apart(graph, "add", x, y)


def _kept_apart(graph: "Graph", op: str, x: "Node", y: "Node") -> "Node | None":
    """Parts that one condition keeps apart, as the two branches of a `where` are in a gradient: one `where` less, and no sum where one of two is 0."""
    if x.op == y.op == "where" and x.args[0] is y.args[0]:
        (c, p, q), (_, r, s) = x.args, y.args
        if is_zero(p) or is_zero(r) or is_zero(q) or is_zero(s):
            return graph.apply("where", c, graph.apply(op, p, r), graph.apply(op, q, s))
    return None


def _sub(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    if is_zero(y):
        return x
    if is_zero(x):
        return graph.apply("neg", y)
    if y.op == "neg":
        return graph.apply("add", x, y.args[0])
    return _kept_apart(graph, "sub", x, y)


def _mul(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    for one, other in ((x, y), (y, x)):
        if is_zero(one):
            return graph.constant(0.0)
        if _is(one, 1):
            return other
        if _is(one, -1):
            return graph.apply("neg", other)
        if one.op == "neg":
            return graph.apply("neg", graph.apply("mul", one.args[0], other))
        # Two powers of two in a row are one, as long as the first does not leave the type's range.
        if one.op == "const" and other.op == "mul" and other.args[1].op == "const" and _moderate_power(one.value) and _moderate_power(other.args[1].value):
            return graph.apply("mul", other.args[0], graph.constant(one.value * other.args[1].value))
    if x.op == "const":  # constants stand on the right
        return graph.apply("mul", y, x)
    return None


def _moderate_power(value: float) -> bool:
    mantissa, exponent = math.frexp(value)
    return mantissa == 0.5 and abs(exponent) <= 4


def _div(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    if is_zero(x):
        return x
    if _is(y, 1):
        return x
    if x.op == "neg":
        return graph.apply("neg", graph.apply("div", x.args[0], y))
    if y.op == "const" and y.value != 0 and _moderate_power(abs(y.value)):
        return graph.apply("mul", x, graph.constant(1 / y.value))
    return None


def _neg(graph: "Graph", x: "Node") -> "Node | None":
    if x.op == "neg":
        return x.args[0]
    if x.op == "sub":
        return graph.apply("sub", x.args[1], x.args[0])
    return None


def _where(graph: "Graph", c: "Node", x: "Node", y: "Node") -> "Node | None":
    if c.op == "truth":
        return x if c.value else y
    if x is y:
        return x
    if c.op == "not":
        return graph.apply("where", c.args[0], y, x)
    if (x.op == "neg" or is_zero(x)) and (y.op == "neg" or is_zero(y)):
        # A minus sign in front of the whole becomes part of the next sum or difference.
        positive = (part.args[0] if part.op == "neg" else part for part in (x, y))
        return graph.apply("neg", graph.apply("where", c, *positive))
    if x.op == "where" and x.args[0] is c:
        return graph.apply("where", c, x.args[1], y)
    if y.op == "where" and y.args[0] is c:
        return graph.apply("where", c, x, y.args[2])
    return None


def _ne(graph: "Graph", x: "Node", y: "Node") -> "Node":
    # One comparison, asked either way, is one node; NaN is unequal to all, both ways.
    return graph.apply("not", graph.apply("eq", x, y))


def _and(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    for one, other in ((x, y), (y, x)):
        if one.op == "truth":
            return other if one.value else one
    return x if x is y else None


def _or(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    for one, other in ((x, y), (y, x)):
        if one.op == "truth":
            return one if one.value else other
    if x.op == y.op == "not":
        return graph.apply("not", graph.apply("and", x.args[0], y.args[0]))
    return x if x is y else None


def _not(graph: "Graph", x: "Node") -> "Node | None":
    return graph.truth(not x.value) if x.op == "truth" else x.args[0] if x.op == "not" else None


def _extreme(graph: "Graph", x: "Node", y: "Node") -> "Node | None":
    return x if x is y else None


def _hold(graph: "Graph", x: "Node") -> "Node | None":
    return x if x.op == "hold" or x.is_truth else None


RULES: dict[str, Callable[..., "Node | None"]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "where": _where,
    "ne": _ne,
    "and": _and,
    "or": _or,
    "not": _not,
    "min": _extreme,
    "max": _extreme,
    "hold": _hold,
}
