"""The short text: for tame pairs, which are most of them, a formula in half of the operations, and what tells at the end whether the pair was one.

A pair is tame where both boxes are upright and of a moderate size, so that the pair's unit can be 1 (`boxloss.pair`), and where the short text's own
assumptions hold, which the text looks at as it goes:

- No divisor is 0, and with a gradient no two numbers that the formula compares are equal. So whatever the formula does at 0/0 and at ties is left out.
  The numbers before the first broken assumption are right, and that one is seen: nothing is known beforehand.
- What is divided is 0 or between 2^-80 and 2^45, and what by, between 2^-45 and 2^45. So a division has no cases of its own (`quotient` in `words.py`).
- A coordinate is 0 or at least 2^-20. So a length is 0 or at least 2^-43, and no product of two leaves the type, in this unit or in the pair's own.

What is not tame is done again by the whole text. Values have the same bits. NaN is not tame, for it is in no order.
"""

from dataclasses import dataclass
from typing import Any

from boxloss.boxes import corners
from boxloss.calculus.graph import Node, reachable
from boxloss.calculus.trace import Traced, trace
from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import LARGEST, SMALLEST, has_tame

NEAREST_TO_0 = 2.0**-20
"""Of a coordinate that is not 0."""
LEAST, MOST = 2.0**-80, 2.0**45
"""Of what is divided, if it is not 0; what it is divided by is between 1 / `MOST` and `MOST`."""


Comparison = tuple[str, Node, Node]
"""A sign, "<", "<=" or "!=", and what stands on its sides."""


@dataclass(frozen=True)
class Short:
    """The text's graph, and what must hold for its numbers."""

    traced: Traced
    comparisons: tuple[Comparison, ...]
    coordinates: tuple[Node, ...]
    """Each 0 or not below `NEAREST_TO_0`."""
    numerators: tuple[Node, ...]
    """Each 0 or between `LEAST` and `MOST`."""
    divisors: tuple[Node, ...]
    """Each between 1 / `MOST` and `MOST`."""


def short(formula: Formula, parameters: dict[str, Any], *, number: str, format: str, wrt: str | None = None, similarity: bool = False) -> Short | None:
    """None where there is none: a formula that depends on the unit, or float64.

    `wrt`: None for the loops over all pairs of many boxes, where less is asked of a pair and more of each box.
    """
    if number != "float32" or not has_tame(formula):
        return None
    traced = trace(formula, parameters, dtype=number, format=format, wrt=wrt or "", similarity=similarity, tame=True)
    if traced.value.op in ("const", "input"):
        return None
    assumed = _guards(traced.outputs) | (_ties(traced.outputs) if wrt else set())
    (value, *slopes), compared = _without(traced.outputs, assumed)
    quotients = [x for x in reachable([value, *slopes]) if x.op == "div"]
    numerators, divisors = ({x.args[k].index: x.args[k] for x in quotients if not _is_moderate(x.args[k])} for k in (0, 1))
    boxes = [corners(box, format) for box in (traced.inputs[:4], traced.inputs[4:])]
    comparisons = [*_upright(boxes, strictly=bool(wrt)), *(_moderate_boxes(boxes) if wrt is None else _moderate_hull(boxes))]
    known = {_pair(x, y) for sign, x, y in comparisons if sign == "<"}
    for x, y in (pair for p, q in compared for pair in _apart(p, q, set(divisors))):
        if _pair(x, y) not in known:
            comparisons.append(("!=", x, y))
            known.add(_pair(x, y))
    made = Traced(traced.name, traced.inputs, value, tuple(slopes))
    return Short(made, tuple(comparisons), tuple(x for box in boxes for x in box), tuple(numerators.values()), tuple(divisors.values()))


def _guards(outputs: list[Node]) -> set[int]:
    """What asks whether a divisor is 0."""
    nodes = reachable(outputs)
    safe = [x.args[1] for x in nodes if x.op == "div" and x.args[1].op == "where"]
    return {x.args[0].index for x in safe if x.args[0].op == "eq"}


def _ties(outputs: list[Node]) -> set[int]:
    """What asks whether a minimum or a maximum is one of equal numbers, as a gradient does: by accident. Two numbers that stand still, as those that are
    clamped do, may be equal for many pairs."""
    nodes = reachable(outputs)
    compared = {_pair(*x.args) for x in nodes if x.op in ("min", "max")}
    return {x.index for x in nodes if x.op == "eq" and _pair(*x.args) in compared and not all(map(_stands_still, x.args))}


def _stands_still(x: Node) -> bool:
    """Whether it is one and the same number for many pairs."""
    return x.op == "const" or (x.op in ("min", "max", "where") and any(map(_stands_still, x.args)))


def _without(outputs: list[Node], assumed: set[int]) -> tuple[list[Node], list[tuple[Node, Node]]]:
    """The outputs where nothing of `assumed`, which are equalities, is true, and what these compare."""
    graph = outputs[0].graph
    new: dict[int, Node] = {}
    compared: list[tuple[Node, Node]] = []
    for node in reachable(outputs):
        args = tuple(new[x.index] for x in node.args)
        if node.index in assumed:
            compared.append((args[0], args[1]))
            new[node.index] = graph.truth(False)
        else:
            new[node.index] = graph.apply(node.op, *args) if args else node
        if node.name:
            new[node.index].label(node.name)
    return [new[x.index] for x in outputs], compared


def _upright(boxes: list[tuple[Node, ...]], *, strictly: bool) -> list[Comparison]:
    """Along an edge without length the cost of inversion has half of its slope: with a gradient such a box is not tame."""
    return [("<" if strictly else "<=", box[k], box[k + 2]) for box in boxes for k in (0, 1)]


def _moderate_hull(boxes: list[tuple[Node, ...]]) -> list[Comparison]:
    graph, (a, b) = boxes[0][0].graph, boxes
    size = graph.maximum(*(graph.maximum(a[k + 2], b[k + 2]) - graph.minimum(a[k], b[k]) for k in (0, 1)))
    return [("<=", graph.constant(SMALLEST), size), ("<=", size, graph.constant(LARGEST))]


def _moderate_boxes(boxes: list[tuple[Node, ...]]) -> list[Comparison]:
    """Where each box is near the origin and not small, the hull of any two is moderate."""
    graph = boxes[0][0].graph
    low, high, smallest = graph.constant(-LARGEST / 2), graph.constant(LARGEST / 2), graph.constant(SMALLEST)
    found: list[Comparison] = []
    for left, top, right, bottom in boxes:
        found += [("<=", low, left), ("<=", low, top), ("<=", right, high), ("<=", bottom, high)]
        found.append(("<=", smallest, graph.maximum(right - left, bottom - top)))
    return found


def _apart(x: Node, y: Node, divisors: set[int]) -> list[tuple[Node, Node]]:
    """Pairs of numbers: where no pair is of equal ones, `x` and `y` differ. The same few pairs stand behind most comparisons of a formula."""
    if y.op == "const":
        x, y = y, x
    if x.op == "const" and x.value == 0:
        if y.index in divisors:
            return []  # which is looked at as such
        if y.op == "sub":  # p - q is 0 for p = q alone: what is below the smallest normal number is kept
            p, q = y.args
            return _apart(p, q, divisors)
    for one, other in ((x, y), (y, x)):
        if one.op in ("min", "max") and all(part is not other for part in one.args) and not any(part.op == "const" for part in (*one.args, other)):
            return [pair for part in one.args for pair in _apart(part, other, divisors)]
    return [(x, y)]


def _pair(x: Node, y: Node) -> frozenset[int]:
    """By number: nodes make a node of `==`."""
    return frozenset((x.index, y.index))


def _is_moderate(x: Node) -> bool:
    """Whether it can be no number that is too small or too large, whatever the pair."""
    if x.op == "where":
        return all(map(_is_moderate, x.args[1:]))
    if x.op == "neg":
        return _is_moderate(x.args[0])
    return x.op == "const" and (1 / MOST <= abs(x.value) <= MOST)
