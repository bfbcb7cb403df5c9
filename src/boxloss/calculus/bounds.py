"""How large a formula can be, at most, between one box and a block of boxes: what lets a search pass over most pairs without looking at them.

Interval arithmetic on the graph: each number has a lowest and a highest value over the block, and what cannot be bounded has none. The other box is known,
and so is what depends on the block's boxes alone, each by each. Rounding is monotone, so ends that are worked out in the formula's own type and
order hold for what the formula computes, to the bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from boxloss.calculus.derivative import without_holds
from boxloss.calculus.graph import Graph, Node, reachable
from boxloss.calculus.trace import Traced
from boxloss.formulas import Formula
from boxloss.pair import Pair

REACH = 20
"""Coordinates are below 2^20."""
LARGEST_DEGREE = 6
"""A product of that many lengths is finite in float32."""


@dataclass(frozen=True)
class Interval:
    low: Node | None
    high: Node | None
    degree: int | None
    """How many lengths are multiplied in it; None for what may be infinite. No end is ever NaN."""

    @property
    def known(self) -> bool:
        return self.low is self.high and self.low is not None


@dataclass(frozen=True)
class Possible:
    """Whether a comparison may be true, and whether it may be false."""

    true: Node
    false: Node


@dataclass(frozen=True)
class Bound:
    block: Traced
    """What is to be known of each box of the block: its value and "slopes" are numbers whose lowest and highest are asked for."""
    highest: Traced
    """From those, `NAME_low` and `NAME_high` of each, and the other box's coordinates: the highest value of the formula."""


def upper_bound(value: Node, inputs: tuple[Node, ...], block: str) -> Bound | None:
    """What bounds `value`, a graph before `without_holds`, over the boxes `block`, "a" or "b", of `inputs`; None where nothing does.

    Every coordinate is below 2^20, without NaN.
    """
    of_block = inputs[:4] if block == "a" else inputs[4:]
    work = _Bounds(value, of_block, [x for x in inputs if x not in set(of_block)])
    high = work.of(value).high
    if high is None or not work.frontier:
        return None
    # A node of its own, to be named
    high = high if high.args else high.graph.apply("carry", high, high)
    high.label("highest")
    asked = without_holds(list(work.frontier))
    for name, node in zip(work.names, asked, strict=True):
        if node.op != "input":
            node.label(name)
    ends = [x for node in work.frontier for x in (work.of(node).low, work.of(node).high)]
    (written,) = without_holds([high])
    return Bound(
        Traced("block", of_block, asked[0], tuple(asked[1:])),
        Traced("highest", (*(x for x in ends if x is not None), *work.others), written, ()),
    )


class _Bounds:
    def __init__(self, value: Node, block: Sequence[Node], others: Sequence[Node]):
        self.graph = Graph(value.graph.dtype)
        self.others = [self.graph.input(str(x.name)) for x in others]
        self.frontier: list[Node] = []
        self.names: list[str] = []
        self._made: dict[int, Interval] = {}
        self._truths: dict[int, Possible] = {}
        for x, new in zip(others, self.others, strict=True):
            self._made[x.index] = Interval(new, new, 1)
        self._block_alone = {x.index for x in block}
        nodes = reachable([value])
        for node in nodes:
            if node.args and all(x.index in self._block_alone or x.op == "const" for x in node.args) and any(x.op != "const" for x in node.args):
                self._block_alone.add(node.index)
        self._not_negative = _not_negative(nodes)
        self._degree = _degrees(nodes)

    def of(self, node: Node) -> Interval:
        if node.index not in self._made:
            self._made[node.index] = self._work_out(node)
        return self._made[node.index]

    def _work_out(self, node: Node) -> Interval:
        degree = self._degree[node.index]
        if node.op == "const":
            known = self.graph.constant(node.value)
            return Interval(known, known, degree)
        if node.index in self._block_alone and degree is not None:
            return self._asked_of_the_block(node)
        args = [x for x in node.args if not x.is_truth]
        intervals = [self.of(x) for x in args]
        if args and all(x.known for x in intervals) and len(args) == len(node.args):
            known = self._same_on([x.low for x in intervals if x.low is not None], node)
            return (
                Interval(self._end(known, degree, -math.inf), self._end(known, degree, math.inf), degree) if degree is None else Interval(known, known, degree)
            )
        rule = getattr(self, f"_{node.op}", None)
        low, high = rule(node, *intervals) if rule else (None, None)
        low, high = self._end(low, degree, -math.inf), self._end(high, degree, math.inf)
        if self._not_negative[node.index] and low is None:
            low = self.graph.constant(0.0)
        return Interval(low, high, degree)

    def _asked_of_the_block(self, node: Node) -> Interval:
        name = node.name or f"part{len(self.frontier)}"
        while name in self.names:
            name += "_2"
        self.frontier.append(node)
        self.names.append(name)
        return Interval(self.graph.input(f"{name}_low"), self.graph.input(f"{name}_high"), self._degree[node.index])

    def _same_on(self, args: list[Node], node: Node) -> Node:
        if node.op in ("hold", "carry"):
            return args[0]
        return self.graph.elementary(node.value, *args) if node.op == "call" else self.graph.apply(node.op, *args)

    def _end(self, end: Node | None, degree: int | None, unknown: float) -> Node | None:
        """Without NaN: what infinities cancelled to may be anything."""
        if end is None or degree is not None or end.op == "const":
            return end
        return self.graph.where(self.graph.apply("eq", end, end), end, unknown)

    # One rule an operation: the two ends

    def _add(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        return _both("add", x.low, y.low), _both("add", x.high, y.high)

    def _sub(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        return _both("sub", x.low, y.high), _both("sub", x.high, y.low)

    def _neg(self, node: Node, x: Interval) -> tuple[Node | None, Node | None]:
        return None if x.high is None else -x.high, None if x.low is None else -x.low

    def _mul(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        p, q = node.args
        zero = self.graph.constant(0.0)
        if p is q and not self._not_negative[p.index]:
            if x.low is None or x.high is None:
                return zero, None
            least = self.graph.maximum(self.graph.maximum(x.low, -x.high), zero)
            most = self.graph.maximum(-x.low, x.high)
            return least * least, most * most
        if self._not_negative[p.index] and self._not_negative[q.index]:
            return _both("mul", x.low, y.low), _both("mul", x.high, y.high)
        if q.op == "const":
            ends = (_both("mul", x.low, y.low), _both("mul", x.high, y.low))
            return ends if q.value >= 0 else ends[::-1]
        if x.low is None or y.low is None:
            return None, None
        graph, product = self.graph, x.low * y.low
        if x.high is None or y.high is None or self._degree[node.index] is None:
            return graph.where((zero <= x.low) & (zero <= y.low), product, -math.inf), None
        least = most = product
        for r in (x.low * y.high, x.high * y.low, x.high * y.high):
            least, most = graph.minimum(least, r), graph.maximum(most, r)
        return least, most

    def _div(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        graph, zero = self.graph, self.graph.constant(0.0)
        not_negative = self._not_negative[node.args[1].index]
        if y.low is None:
            return None, None
        low = high = None
        if x.low is not None:
            far = zero if y.high is None else x.low / y.high
            low = graph.where(zero < x.low, far, graph.where(x.low == zero, zero, x.low / y.low))
            low = low if not_negative else graph.where(zero < y.low, low, -math.inf)
        if x.high is not None:
            near = zero if y.high is None else x.high / y.high
            high = graph.where(zero < x.high, x.high / y.low, graph.where(x.high == zero, zero, near))
            high = high if not_negative else graph.where(zero < y.low, high, math.inf)
        return low, high

    def _min(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        return _both("min", x.low, y.low), _either("min", x.high, y.high)

    def _max(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        return _either("max", x.low, y.low), _both("max", x.high, y.high)

    def _abs(self, node: Node, x: Interval) -> tuple[Node | None, Node | None]:
        if x.low is None or x.high is None:
            return None, None
        graph = self.graph
        return graph.maximum(graph.maximum(x.low, -x.high), 0.0), graph.maximum(-x.low, x.high)

    def _sqrt(self, node: Node, x: Interval) -> tuple[Node | None, Node | None]:
        if not self._not_negative[node.args[0].index]:
            return None, None
        return (None if end is None else self.graph.sqrt(end) for end in (x.low, x.high))  # type: ignore[return-value]

    def _hold(self, node: Node, x: Interval) -> tuple[Node | None, Node | None]:
        return x.low, x.high

    def _carry(self, node: Node, x: Interval, carrier: Interval) -> tuple[Node | None, Node | None]:
        return x.low, x.high

    def _where(self, node: Node, x: Interval, y: Interval) -> tuple[Node | None, Node | None]:
        may_be = self.possible(node.args[0])
        low = high = None
        if x.low is not None and y.low is not None:
            low = self.graph.minimum(self.graph.where(may_be.true, x.low, math.inf), self.graph.where(may_be.false, y.low, math.inf))
        if x.high is not None and y.high is not None:
            high = self.graph.maximum(self.graph.where(may_be.true, x.high, -math.inf), self.graph.where(may_be.false, y.high, -math.inf))
        return low, high

    # Truths

    def possible(self, node: Node) -> Possible:
        if node.index not in self._truths:
            self._truths[node.index] = self._possible(node)
        return self._truths[node.index]

    def _possible(self, node: Node) -> Possible:
        yes, no = self.graph.truth(True), self.graph.truth(False)
        if node.op == "truth":
            return Possible(yes if node.value else no, no if node.value else yes)
        if node.op == "not":
            of = self.possible(node.args[0])
            return Possible(of.false, of.true)
        if node.op in ("and", "or"):
            p, q = (self.possible(x) for x in node.args)
            return Possible(p.true & q.true, p.false | q.false) if node.op == "and" else Possible(p.true | q.true, p.false & q.false)
        x, y = (self.of(argument) for argument in node.args)

        def at_most(p: Node | None, q: Node | None, op: str) -> Node:
            return yes if p is None or q is None else self.graph.apply(op, p, q)

        if node.op == "eq":
            differ = self.graph.apply("not", self.graph.apply("eq", x.low, y.low)) if x.known and y.known and x.low is not None and y.low is not None else yes
            return Possible(at_most(x.low, y.high, "le") & at_most(y.low, x.high, "le"), differ)
        opposite = {"lt": "le", "le": "lt"}[node.op]
        return Possible(at_most(x.low, y.high, node.op), at_most(y.low, x.high, opposite))


def _both(op: str, x: Node | None, y: Node | None) -> Node | None:
    return None if x is None or y is None else x.graph.apply(op, x, y)


def _either(op: str, x: Node | None, y: Node | None) -> Node | None:
    return y if x is None else x if y is None else x.graph.apply(op, x, y)


def _not_negative(nodes: list[Node]) -> dict[int, bool]:
    """Whether a number is never negative, whatever the boxes: by how it is made."""
    known: dict[int, bool] = {}
    for node in nodes:
        args = [known[x.index] for x in node.args if not x.is_truth]
        if node.op == "const":
            known[node.index] = node.value >= 0
        elif node.op == "mul":
            known[node.index] = all(args) or node.args[0] is node.args[1]
        elif node.op in ("add", "div", "min", "where", "hold", "sqrt"):
            known[node.index] = all(args)
        elif node.op == "carry":
            known[node.index] = args[0]
        elif node.op == "max":
            known[node.index] = any(args)
        else:
            known[node.index] = node.op == "abs"
    return known


def _degrees(nodes: list[Node]) -> dict[int, int | None]:
    """How many lengths each number is a product of; None where it may be infinite or NaN."""
    known: dict[int, int | None] = {}
    for node in nodes:
        args = [known[x.index] for x in node.args if not x.is_truth]
        finite = [x for x in args if x is not None]
        degree: int | None = None
        if node.op == "input":
            degree = 1
        elif node.op == "const":
            degree = None if not math.isfinite(node.value) else max(0, math.ceil(math.frexp(node.value)[1] / REACH))
        elif len(finite) == len(args) and finite:
            if node.op == "mul":
                degree = sum(finite)
            elif node.op in ("add", "sub", "neg", "min", "max", "abs", "where", "hold", "carry", "floor"):
                degree = max(finite)
        known[node.index] = None if degree is None or degree > LARGEST_DEGREE else degree
    return known


def below_iou(formula: Formula, parameters: dict[str, Any], number: str) -> bool:
    """Whether the similarity is never above the IoU: it is 1 - IoU and terms that are never negative, as can be seen from how they are made, from 1."""
    if not formula.is_overlap or not parameters.keys() <= formula.parameters.keys():
        return False
    graph = Graph(number)
    corners = tuple(graph.input(f"corner_{k}") for k in range(8))
    _, *others = formula.function(Pair(corners[:4], corners[4:]), **parameters)
    known = _not_negative(reachable(others))
    return all(known[x.index] for x in others)
