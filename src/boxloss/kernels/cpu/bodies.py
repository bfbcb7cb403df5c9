"""A formula's text for CPUs, as the loops need it: for any pair, and for a tame one, with the test that tells them apart."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from boxloss.boxes import corners
from boxloss.calculus.graph import Graph, Node
from boxloss.calculus.text import NUMBA, assignments, constants, named_constant
from boxloss.calculus.trace import SIDES, Traced, trace
from boxloss.formulas import Formula

Text = tuple[list[str], list[str]]
"""Lines that compute, and the names or expressions of what they computed."""

SMALLEST, LARGEST = 2.0**-10, 2.0**20
"""The longer side of a tame pair's hull: pixels and shares of a picture are. Areas and their quotients then stay well inside of float32."""


@dataclass(frozen=True)
class Bodies:
    traced: Traced
    traced_tame: Traced | None
    """None where the formula depends on the unit, or is the same for all pairs."""
    format: str
    wrt: str

    @property
    def number(self) -> str:
        return self.traced.dtype

    @property
    def inputs(self) -> list[str]:
        """The names of the eight coordinates."""
        return [str(x.name) for x in self.traced.inputs]

    def text(self, tame: bool, taken: frozenset[str]) -> Text:
        traced = self.traced_tame if tame else self.traced
        assert traced is not None
        return assignments(traced, NUMBA, taken)

    def value_text(self, tame: bool, taken: frozenset[str]) -> tuple[list[str], str]:
        """The lines and the value alone, which is NaN where a coordinate is. A tame pair has none."""
        lines, (value, *_) = self.text(tame, taken)
        return (lines, value) if tame else ([*lines, f"ill = {ill(self)}"], f"where(ill, nan, {value})")

    @functools.cached_property
    def test(self) -> Traced:
        return tame_test(self.format, self.number, self.wrt)

    def tame_test(self, taken: frozenset[str]) -> Text:
        return assignments(self.test, NUMBA, taken)


def has_tame(formula: Formula) -> bool:
    """Whether it has a text for tame pairs: what compares coordinates has no unit to do without, and a loss that depends on the unit has another value with
    another unit."""
    return formula.scale_free and not formula.coordinates


def bodies(formula: Formula, parameters: dict[str, Any], *, number: str, format: str, wrt: str = "", similarity: bool = False) -> Bodies:
    def traced(tame: bool) -> Traced:
        return trace(formula, parameters, dtype=number, format=format, wrt=wrt, similarity=similarity, tame=tame)

    full = traced(tame=False)
    return Bodies(full, traced(tame=True) if has_tame(formula) else None, format, wrt)


def tame_test(format: str, number: str, wrt: str = "") -> Traced:
    """Whether both boxes of a pair are upright, and their hull is of a moderate size. False for NaN.

    A box without width or height is on the edge to an inverted one, where the cost of inversion has half of its slope: along the boxes `wrt` it is not tame.
    """
    graph = Graph(number)
    inputs = tuple(graph.input(f"{box}_{side}") for box in "ab" for side in SIDES[format])
    boxes = {"a": corners(inputs[:4], format), "b": corners(inputs[4:], format)}
    (a, b), upright = boxes.values(), graph.truth(True)
    for name, (left, top, right, bottom) in boxes.items():
        upright = upright & ((left < right) & (top < bottom) if name in wrt else (left <= right) & (top <= bottom))
    size = graph.maximum(*(graph.maximum(a[k + 2], b[k + 2]) - graph.minimum(a[k], b[k]) for k in (0, 1)))
    tame: Node = upright & (size >= SMALLEST) & (size <= LARGEST)
    return Traced("tame", inputs, tame, ())


@functools.lru_cache(maxsize=64)
def box_kinds(inputs: tuple[str, ...], format: str, number: str) -> Traced:
    """Of one box, whether it is wild and whether it is small. A pair is tame where neither box is wild and not both are small: both are upright and near
    the origin then, and their hull is of a moderate size."""
    graph = Graph(number)
    box = tuple(graph.input(name) for name in inputs)
    left, top, right, bottom = corners(box, format)
    reach = LARGEST / 2
    near = (left >= -reach) & (top >= -reach) & (right <= reach) & (bottom <= reach)
    small = graph.maximum(right - left, bottom - top) < SMALLEST
    # Comparisons with NaN are false, and so NaN is wild.
    return Traced("kinds", box, ~((left <= right) & (top <= bottom) & near), (small,))


def indented(lines: Iterable[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)


def loads(places: list[str], names: list[str]) -> list[str]:
    """The lines that read coordinates from their places."""
    return [f"{name} = {place}" for name, place in zip(names, places, strict=True)]


def ill(bodies: Bodies) -> str:
    """Whether a coordinate is NaN: `minimum`, `maximum` and comparisons may pass it over."""
    return " | ".join(f"unordered({p}, {q})" for p, q in zip(bodies.inputs[:4], bodies.inputs[4:], strict=True))


def taken(*shapes: str) -> frozenset[str]:
    """The loops' own names, and those of the words: a formula's variables that are called so get a number behind."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", " ".join(shapes))) | {"arguments", "nan", "number", "float64", "unordered"}


def named_constants(bodies: Bodies, *others: Traced) -> tuple[tuple[str, str, float], ...]:
    """Name, number type and value of each constant in the texts of `bodies` and of `others`, and of those that the loops need."""
    values = {0.0, 1.0}
    for traced in (bodies.traced, bodies.traced_tame, bodies.test, *others):
        values |= set(constants(traced)) if traced is not None else set()
    named = {named_constant(value, bodies.number): value for value in sorted(values)}
    return (*((name, bodies.number, value) for name, value in named.items()), ("nan", bodies.number, float("nan")))
