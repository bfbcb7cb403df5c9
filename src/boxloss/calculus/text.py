"""From a graph to source text: assignments that a person can read and a compiler takes.

A quantity that the formula names (`overlap`, `union`, `alpha`, and `d_overlap` for the loss's slope along it) keeps its name, what is needed once is
written where it is needed, and what is needed twice without a name is `t1`, `t2`, ...
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from boxloss.calculus.graph import Node, reachable
from boxloss.calculus.trace import Traced
from boxloss.formulas import Formula

LINE = 110
"""An expression that is longer than this has parts of it named and written before it."""

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "eq": "==", "ne": "!=", "and": "&", "or": "|"}


@dataclass(frozen=True)
class Language:
    """How a language writes what an expression is made of."""

    calls: dict[str, str]
    """Operation -> a pattern of its arguments."""
    number: Callable[[float, str], str]
    """A constant, given its value and number type."""
    assign: str = "{name} = {value}"
    truths: tuple[str, str] = ("False", "True")
    signs: dict[str, str] = field(default_factory=lambda: SIGNS)
    reserved: frozenset[str] = frozenset()
    """Names that mean something else there."""


def assignments(traced: Traced, language: Language, taken: frozenset[str] = frozenset()) -> tuple[list[str], list[str]]:
    """The lines that compute `traced`'s outputs from variables named like its inputs, and the outputs' names. `taken` are names that they may not use."""
    outputs = traced.outputs
    nodes = reachable(outputs)
    uses = _uses(nodes, outputs)
    names = _Names(language.reserved | taken | {x.name for x in traced.inputs if x.name})
    written: dict[int, str] = {x.index: str(x.name) for x in traced.inputs}
    lines: list[str] = []

    def named(node: Node, text: str) -> str:
        name = names.new(node.name)
        lines.append(language.assign.format(name=name, value=_bare(text)))
        return name

    for node in nodes:
        if node.index in written:
            continue
        text = _expression(node, written, language, traced.dtype)
        while len(text) > LINE:
            longest = max(node.args, key=lambda x: len(written[x.index]))
            if not longest.args or written[longest.index].isidentifier():
                break
            written[longest.index] = named(longest, written[longest.index])
            text = _expression(node, written, language, traced.dtype)
        worth_a_name = uses[node.index] > 1 or node.name is not None
        written[node.index] = named(node, text) if node.args and worth_a_name else text
    return lines, [written[x.index] for x in outputs]


def heading(formula: Formula, parameters: dict[str, Any]) -> list[str]:
    """What stands above a formula's text: name and title, paper, the docstring's line with the formula, and the parameters' values."""
    stated = next((line.strip() for line in formula.doc.splitlines() if "loss = " in line), "")
    given = ", ".join(f"{name} = {value!r}" for name, value in {**formula.parameters, **parameters}.items())
    lines = (f"{formula.name}: {formula.title}", formula.paper, stated, f"with {given}" if given else "")
    return [" ".join(line.split()) for line in lines if line]


def constants(traced: Traced) -> list[float]:
    """The constants that the text of `traced` holds, in the order of their first use."""
    return list(dict.fromkeys(float(x.value) for x in reachable(traced.outputs) if x.op == "const"))


def _uses(nodes: list[Node], outputs: list[Node]) -> dict[int, int]:
    uses = dict.fromkeys((x.index for x in nodes), 0)
    for x in [*outputs, *(argument for node in nodes for argument in node.args)]:
        uses[x.index] += 1
    return uses


def _expression(node: Node, written: dict[int, str], language: Language, dtype: str) -> str:
    if node.op == "const":
        return language.number(float(node.value), dtype)
    if node.op == "truth":
        return language.truths[bool(node.value)]
    args = [written[x.index] for x in node.args]
    if node.op in language.calls:
        pattern = language.calls[node.op]
        # Between a call's own brackets an argument needs none; behind a sign it does: -(x + y), !(x && y).
        return pattern.format(*(args if pattern.startswith("(") else map(_bare, args)))
    return f"({args[0]} {language.signs[node.op]} {args[1]})"


def _bare(text: str) -> str:
    """An expression without the brackets around the whole of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if i == len(text) - 1 else text
    return text


_LIKE_A_CONSTANT = re.compile(r"c(_.*)?")
"""A variable `c` would be told from its namesakes as `c_2`, which is what the number 2 may be called."""


class _Names:
    def __init__(self, taken: frozenset[str] | set[str]):
        self._taken, self._count = set(taken), 0

    def new(self, wish: str | None) -> str:
        if wish is None:
            self._count += 1
            wish = f"t{self._count}"
        if _LIKE_A_CONSTANT.fullmatch(wish):
            wish = f"v_{wish}"
        name, n = wish, 1
        while name in self._taken:
            n += 1
            name = f"{wish}_{n}"
        self._taken.add(name)
        return name


# ---- the three languages

_PYTHON_CALLS = {
    "neg": "(-{0})",
    "min": "minimum({0}, {1})",
    "max": "maximum({0}, {1})",
    "where": "where({0}, {1}, {2})",
    "power_of_two": "power_of_two({0})",
    "exponent": "exponent({0})",
    "two_to_the": "two_to_the({0})",
}
_NAMED = {0.0: "zero", 1.0: "one", 2.0: "two", 0.5: "half", 0.25: "quarter"}


def named_constant(value: float, dtype: str) -> str:
    """A constant's name: `half`, or `c_` and its digits, which are enough to tell it from every other of its type."""
    if value in _NAMED and not (value == 0 and np.signbit(value)):
        return _NAMED[value]
    digits = repr(np.dtype(dtype).type(value).item() if dtype == "float64" else np.float32(value).item())
    return "c_" + digits.replace("-", "m").replace("+", "").replace(".", "_")


NUMBA = Language(
    calls=_PYTHON_CALLS | {"abs": "absolute({0})", "sqrt": "sqrt({0})", "floor": "floor({0})", "not": "(not {0})"},
    number=named_constant,
    reserved=frozenset({"minimum", "maximum", "where", "sqrt", "floor", "absolute", "exponent", *_NAMED.values()}),
)
TRITON = Language(
    calls={
        **_PYTHON_CALLS,
        "abs": "tl.abs({0})",
        "sqrt": "square_root({0})",
        "floor": "tl.floor({0})",
        "not": "(~{0})",
        "where": "tl.where({0}, {1}, {2})",
        "div": "divide({0}, {1})",
    },
    number=named_constant,
    reserved=NUMBA.reserved | {"tl"},
)


def _javascript_number(value: float, dtype: str) -> str:
    text = {np.inf: "Infinity", -np.inf: "-Infinity"}.get(value, "NaN" if value != value else repr(value))
    return f"({text})" if text.startswith("-") else text


_JAVASCRIPT_WORDS = (
    "abstract arguments await boolean break byte case catch char class const continue debugger default delete do double else enum eval export extends "
    "false final finally float for function goto if implements import in instanceof int interface let long native new null package private protected public "
    "return short static super switch synchronized this throw throws transient true try typeof undefined var void volatile while with yield "
    "Array Infinity Math NaN Number bits exponent powerOfTwo twoToThe"
)
JAVASCRIPT = Language(
    calls={
        "neg": "(-{0})",
        # They hand a NaN on, unlike a comparison.
        "min": "Math.min({0}, {1})",
        "max": "Math.max({0}, {1})",
        "where": "({0} ? {1} : {2})",
        "abs": "Math.abs({0})",
        "sqrt": "Math.sqrt({0})",
        "floor": "Math.floor({0})",
        "power_of_two": "powerOfTwo({0})",
        "exponent": "exponent({0})",
        "two_to_the": "twoToThe({0})",
        "not": "(!{0})",
    },
    number=_javascript_number,
    assign="const {name} = {value};",
    truths=("false", "true"),
    signs=SIGNS | {"eq": "===", "ne": "!==", "and": "&&", "or": "||"},
    reserved=frozenset(_JAVASCRIPT_WORDS.split()),
)
