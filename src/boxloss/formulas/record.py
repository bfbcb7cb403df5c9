"""What a formula is: a function of a pair of boxes, and a record of what is claimed of it. The tests hold it to each claim."""

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.ops import Array
from boxloss.pair import Pair

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Formula:
    """A loss, 0 at a match, as a function of a `Pair`; its parameters are keyword-only."""

    name: str
    function: Callable[..., Array]
    title: str
    paper: str
    """Authors, year, arXiv, equation."""
    bounds: str
    """The range of values for boxes, `"[0, 2.5)"`: a square bracket where the end is attained."""
    symmetric: bool
    """Is the value the same, to the bit, when the two boxes change places?"""
    scale_free: bool
    """Is the value the same, to the bit, when all coordinates are multiplied by a power of two?"""
    held: tuple[str, ...] = ()
    """Terms that are held constant in the gradient."""
    coordinates: bool = False
    """Does it compare coordinates one by one? Then any four numbers will do, and an inverted box needs no rule of its own."""
    similarity: Callable[..., Array] | None = None
    """1 - loss, where that has a form of its own which is exact near 0."""
    cases: tuple[tuple[Box, Box, float], ...] = ()
    """Pairs whose value can be checked with a pencil: prediction, target, value."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its place: the module that defines it, and its name there."""
        return _defined_in, (self.function.__module__, self.name)

    def __copy__(self) -> "Formula":
        return self

    def __deepcopy__(self, memo: Any) -> "Formula":
        """Itself: a formula does not change, and copies of a model may hold one that is defined inside a function."""
        return self

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, with their defaults."""
        signature = inspect.signature(self.function)
        return {p.name: p.default for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The two ends of `bounds`."""
        low, high = self.bounds[1:-1].split(",")
        return float(low), float(high)

    def check_parameters(self, given: dict[str, Any]) -> None:
        for name in given:
            if name not in self.parameters:
                if not self.parameters:
                    raise ParameterError(f"{self.name} has no parameters, but {name!r} was given")
                raise UnknownNameError(f"parameter of {self.name}", name, self.parameters)

    def __call__(self, p: Pair, **parameters: Any) -> Array:
        """The loss of the pair `p`. An inverted box costs its inversion on top, except where coordinates are compared as they are."""
        loss = self.function(p, **parameters)
        return loss if self.coordinates else loss + p.inversion

    def measure(self, p: Pair, **parameters: Any) -> Array:
        """The similarity of the pair `p`: 1 - loss."""
        if self.similarity is None:
            return 1.0 - self(p, **parameters)
        return self.similarity(p, **parameters) - p.inversion


def _defined_in(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def formula(
    *,
    title: str,
    paper: str,
    bounds: str,
    symmetric: bool,
    scale_free: bool,
    held: tuple[str, ...] = (),
    coordinates: bool = False,
    similarity: Callable[..., Array] | None = None,
    cases: tuple[tuple[Box, Box, float], ...] = (),
) -> Callable[[Callable[..., Array]], Formula]:
    """Makes a `Formula` of a function of a pair of boxes; the function's name is the loss's name.

    >>> import boxloss as bl
    >>> @bl.formula(title="Half GIoU", paper="mine", bounds="[0, 1)", symmetric=True, scale_free=True)
    ... def half_giou(p):
    ...     return (p.jaccard + bl.ops.ratio(p.waste, p.hull)) * 0.5
    >>> float(bl.loss(half_giou)([0, 0, 1, 1], [1, 0, 2, 1]))
    0.5
    """
    if not re.fullmatch(r"[\[(]\s*[-+\w.]+\s*,\s*[-+\w.]+\s*[\])]", bounds):
        raise ParameterError(f"formula: bounds is {bounds!r}, expected an interval such as '[0, 2)'")

    def decorate(function: Callable[..., Array]) -> Formula:
        return Formula(function.__name__, function, title, paper, bounds, symmetric, scale_free, held, coordinates, similarity, cases)

    return decorate
