"""Formulas that Hypothesis writes: lists of operations on three numbers, run on symbols, NumPy arrays and tensors alike."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from boxloss import ops
from boxloss.calculus.derivative import without_holds
from boxloss.calculus.graph import Graph, Node
from boxloss.calculus.trace import Traced

NAMES = ("x", "y", "z")
OPERATIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": lambda x, y: -x,
    "minimum": ops.minimum,
    "maximum": ops.maximum,
    "hold": lambda x, y: ops.hold(x) * y,
    "ratio": ops.ratio,
    "positive": lambda x, y: ops.positive(x),
    "absolute": lambda x, y: ops.absolute(x),
    "root": lambda x, y: ops.sqrt(ops.absolute(x)),
    "exp": lambda x, y: ops.exp(ops.minimum(x, 3.0 + 0.0 * x)),
    "log": lambda x, y: ops.log(1.0 + ops.absolute(x)),
    "log1p": lambda x, y: ops.log1p(ops.absolute(x)),
    "expm1": lambda x, y: ops.expm1(ops.minimum(x, 3.0 + 0.0 * x)),
    "power": lambda x, y: ops.power(ops.absolute(x), 1.7),
    "product": lambda x, y: ops.power(ops.absolute(x), 2.5),
    "norm": ops.norm,
    "sin": lambda x, y: ops.sin(x),
    "cos": lambda x, y: ops.cos(x),
    "atan2": ops.atan2,
    "less": lambda x, y: ops.where(x < y, x, y * 2.0),
    "not equal": lambda x, y: ops.where((x != y) & ~(y > 1.0), x * y, 0.5),
    "either": lambda x, y: ops.where((x <= 0.0) | (x == y), y, x),
    "square": lambda x, y: x**2 - 0.25 * y**2,  # from ** 3 on NumPy rounds in another way than a product
    "constants": lambda x, y: (1.0 - x) / 3.0 + y * 0.1,
    "over": lambda x, y: x / (1.0 + y * y),
    "growth": lambda x, y: ops.exp(ops.sin(x)) * ops.log(2.0 + y * y),
    "angle": lambda x, y: ops.atan2(x, 1.0 + y * y),
    "decay": lambda x, y: ops.expm1(ops.sin(x)) * ops.power(1.0 + y * y, 0.7),
    "length": lambda x, y: ops.norm(x, 1.0 + y * y),
}
SMOOTH = ("add", "sub", "mul", "neg", "sin", "cos", "square", "constants", "over", "growth", "angle", "decay", "length")
Program = list[tuple[str, int, int]]


def programs_of(names: Iterable[str]) -> st.SearchStrategy[Program]:
    return st.lists(st.tuples(st.sampled_from(sorted(names)), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


programs = programs_of(OPERATIONS)
# Whole numbers among them, for ties
numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-3, 3, width=32))
points = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=6)


def run(program: Program, inputs: Any) -> list[Any]:
    """All numbers that the program makes, the inputs first."""
    made = list(inputs)
    for name, i, j in program:
        # Counted from the end: what was made last is what is used most.
        made.append(OPERATIONS[name](made[-1 - i % len(made)], made[-1 - j % len(made)]))
    return made


def symbols(dtype: str) -> tuple[Graph, tuple[Node, ...]]:
    graph = Graph(dtype)
    return graph, tuple(graph.input(name) for name in NAMES)


def traced(program: Program, dtype: str) -> Traced:
    """The program's last number as a graph, without slopes."""
    _, inputs = symbols(dtype)
    (value,) = without_holds([run(program, inputs)[-1]])
    return Traced("program", inputs, value, ())


def columns(rows: list[tuple[float, ...]], dtype: str) -> list[np.ndarray]:
    return [np.array(column, dtype) for column in zip(*rows, strict=True)]


def is_moderate(made: list[Any]) -> bool:
    """Whether nothing overflowed on the way: there NaN and 0 x inf are the graph's own business."""
    return all(np.isfinite(x).all() and (np.abs(x) < 1e6).all() for x in made)
