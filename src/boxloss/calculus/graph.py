"""A formula's expression graph: nodes that stand for numbers, made by running the formula on them.

A node is made once: the same operation on the same nodes is the same node, so what two parts of a formula share is worked out once. Operations
on constants are carried out in the graph's own number type, and what leaves a number as it is (x + 0, x * 1) leaves no node.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from boxloss.errors import FormulaError
from boxloss.ops import Symbol

COMMUTATIVE = frozenset({"add", "mul", "min", "max", "eq", "ne", "and", "or"})
TRUTHS = frozenset({"lt", "le", "eq", "ne", "and", "or", "not"})
_OWN = str(__file__).rsplit("calculus", 1)[0]


class Graph:
    """The nodes of one formula in one number type, float32 or float64."""

    def __init__(self, dtype: Any):
        self.dtype = np.dtype(dtype)
        self.nodes: list[Node] = []
        self.writes_out = False  # elementary functions as what they are made of, once the derivative is there
        self._made: dict[tuple[Any, ...], Node] = {}

    def input(self, name: str) -> "Node":
        node = self._new("input", (), name)
        node.label(name)
        return node

    def constant(self, value: float) -> "Node":
        # Rounded to the graph's type once, as an array library does with a Python number; 0 for -0, which no formula tells apart.
        with np.errstate(over="ignore"):
            return self._new("const", (), float(self.dtype.type(value)) + 0.0)

    def truth(self, value: bool) -> "Node":
        return self._new("truth", (), value)

    def _new(self, op: str, args: tuple["Node", ...], value: Any = None) -> "Node":
        key = (op, value, *(a.index for a in args))
        found = self._made.get(key)
        if found is None and op in COMMUTATIVE:
            found = self._made.get((op, value, args[1].index, args[0].index))
        if found is None:
            found = Node(self, op, args, value, len(self.nodes))
            self.nodes.append(found)
            self._made[key] = found
        return found

    def apply(self, op: str, *args: "Node") -> "Node":
        """The node of an operation, or a simpler one that is the same number."""
        from boxloss.calculus.simplify import simplify

        known = simplify(self, op, args)
        return known if known is not None else self._new(op, args)

    def node(self, x: Any) -> "Node":
        """`x` as a node: a node is itself, a Python or NumPy number is a constant."""
        if isinstance(x, Node):
            return x
        if isinstance(x, (bool, np.bool_)):
            return self.truth(bool(x))
        if isinstance(x, (int, float, np.integer, np.floating)):
            return self.constant(float(x))
        return _refuse(f"a {type(x).__name__} met a quantity of the pair; expected a number or another quantity")

    # What `boxloss.ops` asks an array library for.

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "clip", "clamp", "sum", "mean", "any", "all", "stack", "concat"):
            _refuse(f"{name} is not an operation of formulas, which see one pair at a time")
        raise AttributeError(name)

    def minimum(self, x: Any, y: Any) -> "Node":
        return self.apply("min", self.node(x), self.node(y))

    def maximum(self, x: Any, y: Any) -> "Node":
        return self.apply("max", self.node(x), self.node(y))

    def where(self, condition: Any, x: Any, y: Any) -> "Node":
        return self.apply("where", self.node(condition), self.node(x), self.node(y))

    def full_like(self, x: Any, value: float) -> "Node":
        return self.constant(value)

    def abs(self, x: "Node") -> "Node":
        return self.apply("abs", x)

    def sqrt(self, x: "Node") -> "Node":
        return self.apply("sqrt", x)

    def floor(self, x: "Node") -> "Node":
        return self.apply("floor", x)

    def finfo(self, dtype: Any) -> Any:
        return np.finfo(dtype)


class Node(Symbol):
    """A number, or a truth, of the graph: an operation on other nodes, an input, or a constant."""

    __slots__ = ("args", "graph", "index", "name", "op", "value")

    def __init__(self, graph: Graph, op: str, args: tuple["Node", ...], value: Any, index: int):
        self.graph, self.op, self.args, self.value, self.index = graph, op, args, value, index
        self.name: str | None = None

    def label(self, name: str) -> None:
        """Names the node for whoever reads the generated text; the first name stays."""
        if self.name is None and self.op not in ("const", "truth"):
            self.name = name

    @property
    def is_truth(self) -> bool:
        return self.op in TRUTHS or self.op == "truth"

    @property
    def dtype(self) -> Any:
        return self.graph.dtype

    def __array_namespace__(self, api_version: str | None = None) -> Graph:
        return self.graph

    def __repr__(self) -> str:
        return f"<{self.name or self.op} of a formula>"

    # Arithmetic

    def _with(self, op: str, other: Any, turned: bool = False) -> "Node":
        other = self.graph.node(other)
        return self.graph.apply(op, other, self) if turned else self.graph.apply(op, self, other)

    def __add__(self, other: Any) -> "Node":
        return self._with("add", other)

    def __sub__(self, other: Any) -> "Node":
        return self._with("sub", other)

    def __mul__(self, other: Any) -> "Node":
        return self._with("mul", other)

    def __truediv__(self, other: Any) -> "Node":
        return self._with("div", other)

    def __radd__(self, other: Any) -> "Node":
        return self._with("add", other, turned=True)

    def __rsub__(self, other: Any) -> "Node":
        return self._with("sub", other, turned=True)

    def __rmul__(self, other: Any) -> "Node":
        return self._with("mul", other, turned=True)

    def __rtruediv__(self, other: Any) -> "Node":
        return self._with("div", other, turned=True)

    def __neg__(self) -> "Node":
        return self.graph.apply("neg", self)

    def __abs__(self) -> "Node":
        return self.graph.apply("abs", self)

    def __pow__(self, exponent: Any) -> "Node":
        # As products; from the third power on an array library may be a roundoff off that.
        if isinstance(exponent, (int, float)) and exponent == int(exponent) and 1 <= exponent <= 64:
            half = self ** (int(exponent) // 2) if exponent > 1 else self
            return half if exponent == 1 else half * half * self if exponent % 2 else half * half
        return _refuse(f"** {exponent!r}: a power is a whole number from 1 to 64; for a root there is boxloss.ops.sqrt, and exp(p * log(x)) for any other")

    # Comparisons and truths

    def __lt__(self, other: Any) -> "Node":
        return self._with("lt", other)

    def __le__(self, other: Any) -> "Node":
        return self._with("le", other)

    def __gt__(self, other: Any) -> "Node":
        return self._with("lt", other, turned=True)

    def __ge__(self, other: Any) -> "Node":
        return self._with("le", other, turned=True)

    def __eq__(self, other: object) -> "Node":  # type: ignore[override]
        return self._with("eq", other)

    def __ne__(self, other: object) -> "Node":  # type: ignore[override]
        return self._with("ne", other)

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> "Node":
        return self._with("and", other)

    def __or__(self, other: Any) -> "Node":
        return self._with("or", other)

    def __invert__(self) -> "Node":
        return self.graph.apply("not", self)

    # What `boxloss.ops` asks of a symbol

    def hold(self) -> "Node":
        return self if self.graph.writes_out else self.graph.apply("hold", self)

    def with_slope(self, carrier: "Node") -> "Node":
        return self if self.graph.writes_out else self.graph.apply("carry", self, carrier)

    def power_of_two(self) -> "Node":
        return self.graph.apply("power_of_two", self)

    def exponent(self) -> "Node":
        return self.graph.apply("exponent", self)

    def two_to_the(self) -> "Node":
        return self.graph.apply("two_to_the", self)

    def elementary(self, function: Callable[..., Any], *args: Any) -> "Node":
        """`function` of `args` as one operation, until the derivative is made."""
        nodes = tuple(map(self.graph.node, args))
        return function(*nodes) if self.graph.writes_out else self.graph._new("call", nodes, function)

    # What a formula cannot do: it is run once, for all boxes

    def __bool__(self) -> bool:
        _refuse(
            f"`if`, `and`, `or`, `not`, min(), max() or a chained comparison asks whether a quantity{self._called} is true, which differs from pair to "
            "pair: use where(condition, x, y), minimum, maximum, & and |"
        )

    def __float__(self) -> float:
        _refuse(f"a quantity{self._called} was made a plain number, by float() or by a function of `math` perhaps: use the functions of boxloss.ops")

    __int__ = __index__ = __float__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        _refuse(f"numpy.{ufunc.__name__} was called: a formula uses + - * / ** and the functions of boxloss.ops")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(f"a quantity{self._called} has no .{name}: a formula uses + - * / ** and the functions of boxloss.ops")

    @property
    def _called(self) -> str:
        return f" ({self.name})" if self.name else ""


def _refuse(why: str) -> NoReturn:
    """Raises `FormulaError`, naming the formula's line: the innermost one outside of boxloss's own machinery."""
    raise FormulaError(f"{_formula_line(sys._getframe(1))}: {why}")


def _formula_line(frame: FrameType | None) -> str:
    machinery = (_OWN + "calculus", _OWN + "ops", _OWN + "pair", _OWN + "kernels")
    while frame is not None and frame.f_code.co_filename.startswith(machinery):
        frame = frame.f_back
    return "formula" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


def reachable(outputs: list[Node]) -> list[Node]:
    """The nodes that `outputs` are made of, each after those that it needs."""
    wanted: set[int] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node.index not in wanted:
            wanted.add(node.index)
            stack.extend(node.args)
    nodes = outputs[0].graph.nodes if outputs else []
    return [node for node in nodes if node.index in wanted]
