"""From a formula to its graph: the formula is run once, on a pair whose coordinates are symbols."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any

import boxloss.pair as pair_module
from boxloss.boxes import corners
from boxloss.calculus.derivative import derivative, without_holds
from boxloss.calculus.graph import Graph, Node, reachable
from boxloss.errors import BoxLossError, FormulaError, UnknownNameError
from boxloss.formulas import Formula
from boxloss.pair import Pair
from boxloss.pair.axis import Axis

SIDES = {
    "xyxy": ("left", "top", "right", "bottom"),
    "xywh": ("left", "top", "width", "height"),
    "cxcywh": ("x", "y", "width", "height"),
    "ltrb": ("left", "top", "right", "bottom"),
    "xx": ("start", "end"),
    "xw": ("start", "length"),
    "cxw": ("x", "length"),
    "lr": ("left", "right"),
    "xyzxyz": ("left", "top", "front", "right", "bottom", "back"),
    "xyzwhd": ("left", "top", "front", "width", "height", "depth"),
    "cxcyczwhd": ("x", "y", "z", "width", "height", "depth"),
}
_ENDS = {2: SIDES["xx"], 4: SIDES["xyxy"], 6: SIDES["xyzxyz"]}
"""What the ends of a box of so many columns are called."""


@dataclass(frozen=True)
class Traced:
    """A formula as a graph: the coordinates of two boxes in, eight for rectangles; the value, and the slopes along the coordinates of `wrt`, out."""

    name: str
    inputs: tuple[Node, ...]
    value: Node
    slopes: tuple[Node, ...]

    @property
    def outputs(self) -> list[Node]:
        return [self.value, *self.slopes]

    @property
    def dtype(self) -> str:
        return str(self.value.graph.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as rows of operations, one after another: another process need not have the formula's file, nor the stack for so deep a nest."""
        nodes = reachable([*self.inputs, *self.outputs])
        rows = [(node.op, [x.index for x in node.args], node.value, node.name, node.index) for node in nodes]
        return _from_rows, (self.name, self.dtype, rows, [x.index for x in self.inputs], [x.index for x in self.outputs])


def _from_rows(name: str, dtype: str, rows: list[tuple[str, list[int], Any, str | None, int]], inputs: list[int], outputs: list[int]) -> Traced:
    graph = Graph(dtype)
    nodes: dict[int, Node] = {}
    for op, args, value, label, index in rows:
        nodes[index] = graph._new(op, tuple(nodes[k] for k in args), value)
        nodes[index].name = label
    value, *slopes = (nodes[k] for k in outputs)
    return Traced(name, tuple(nodes[k] for k in inputs), value, tuple(slopes))


def trace(
    formula: Formula, parameters: dict[str, Any], *, dtype: str = "float32", format: str = "xyxy", wrt: str = "", similarity: bool = False, tame: bool = False
) -> Traced:
    """`formula` as a graph.

    `wrt`: whose coordinates to differentiate by: "" for none, "a", "b", or "ab". `similarity`: the measure rather than the loss.
    `tame`: for boxes that are upright and of a moderate size (see `Pair`).
    Raises `FormulaError`, naming the line, for what a formula cannot do.
    """
    value, inputs = value_node(formula, parameters, dtype=dtype, format=format, similarity=similarity, tame=tame)
    half = len(inputs) // 2
    along = [x for box, columns in (("a", inputs[:half]), ("b", inputs[half:])) if box in wrt for x in columns]
    slopes = derivative(value, along)
    for slope, x in zip(slopes, along, strict=True):
        slope.label(f"d_{x.name}")
    value, *slopes = without_holds([value, *slopes])
    return Traced(formula.name, inputs, value, tuple(slopes))


def value_node(
    formula: Formula, parameters: dict[str, Any], *, dtype: str = "float32", format: str = "xyxy", similarity: bool = False, tame: bool = False
) -> tuple[Node, tuple[Node, ...]]:
    """The formula's value and its inputs, as it was run: with what it holds, and elementary functions as one operation each."""
    graph = Graph(dtype)
    inputs = tuple(graph.input(f"{box}_{side}") for box in "ab" for side in SIDES[format])
    half = len(inputs) // 2
    a, b = corners(inputs[:half], format), corners(inputs[half:], format)
    pair = Pair(a, b, tame=tame)
    function = formula.measure if similarity else formula

    def run() -> Any:
        if format not in ("ltrb", "lr"):  # whose distances are called like sides
            _name_corners(pair, a, b)
        return function(pair, **parameters)

    try:
        value = _with_names(run, formula)
    except BoxLossError:
        raise
    except Exception as error:
        raise FormulaError(f"{_line_of(error, formula)}: {_what(error)}") from error
    if not isinstance(value, Node):
        raise FormulaError(f"{formula.name}: returned {type(value).__name__}, expected a number made of the pair's quantities")
    if value.is_truth:
        raise FormulaError(f"{formula.name}: returned a truth (a comparison), expected a number: use where(condition, 1.0, 0.0)")
    value = graph.apply("carry", value, value) if value.op in ("input", "const") else value  # a node of its own, to be named
    value.label("similarity" if similarity else "loss")
    return value, inputs


def _name_corners(pair: Pair, a: tuple[Node, ...], b: tuple[Node, ...]) -> None:
    """Names the sides of both boxes: as they came, in the pair's unit, and upright."""
    ends, n = _ENDS[len(a)], len(a) // 2
    for name, corner in zip((f"{box}_{side}" for box in "ab" for side in ends), (*a, *b), strict=True):
        corner.label(name)
    for axis, sides in zip(pair.axes, zip(ends[:n], ends[n:], strict=True), strict=True):
        names = [f"{box}_{side}" for box in "ab" for side in sides]
        for name, scaled, upright in zip(names, axis.raw, (axis.a_low, axis.a_high, axis.b_low, axis.b_high), strict=True):
            scaled.label(f"scaled_{name}")
            upright.label(f"upright_{name}")


_PAIR = str(Path(pair_module.__file__).parent)


def _with_names(work: Callable[[], Any], formula: Formula) -> Any:
    """`work()`, with the variables of the formula, and of the pair's geometry, naming their nodes in the generated text."""
    if sys.getprofile() is not None:
        return work()  # somebody is measuring this thread: names are not worth to disturb that
    file = formula.function.__code__.co_filename

    def on_return(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "return" or not (code.co_filename == file or code.co_filename.startswith(_PAIR)):
            return
        # What is handed to a function of the geometry (`low`, `high`) has a better name where it comes from.
        passed = code.co_varnames[: code.co_argcount] if code.co_filename != file else ()
        for name, value in frame.f_locals.items():
            if isinstance(value, Node) and name not in passed:
                value.label(name)

    sys.setprofile(on_return)
    try:
        return work()
    finally:
        sys.setprofile(None)


def _line_of(error: Exception, formula: Formula) -> str:
    """The formula's line that `error` came from."""
    lines = [frame.f_lineno for frame, _ in walk_tb(error.__traceback__) if frame.f_code.co_filename == formula.function.__code__.co_filename]
    return f"{formula.function.__code__.co_filename}:{lines[-1] if lines else formula.function.__code__.co_firstlineno}, in {formula.name}"


def _what(error: Exception) -> str:
    if isinstance(error, AttributeError) and isinstance(error.obj, (Pair, Axis)):
        known = (name for name in dir(type(error.obj)) if not name.startswith("_"))
        return str(UnknownNameError("quantity of a pair", str(error.name), known))
    return f"{type(error).__name__}: {error}"
