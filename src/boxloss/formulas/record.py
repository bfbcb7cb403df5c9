"""What a formula is: a function of a pair of boxes, and a record of what is claimed of it. The tests hold it to each claim."""

import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from boxloss.errors import DimensionError, ParameterError, UnknownNameError
from boxloss.formulas import modify
from boxloss.ops import Array, as_array
from boxloss.pair import Pair

Box = tuple[float, float, float, float]
Terms = tuple[Array, ...]
"""What a loss is the sum of."""


@dataclass(frozen=True, eq=False)
class Formula:
    """A loss, 0 at a match, as a function of a `Pair`; its parameters are keyword-only.

    The function returns the loss, or its terms, whose sum the loss is. Where the first term is the pair's `jaccard`, it is an overlap loss, and takes the
    modifiers of `boxloss.formulas.modify` (`power`, `inner`, ...) as further parameters.
    """

    name: str
    function: Callable[..., Array | Terms]
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
    math: str = ""
    """The loss as a mathematician writes it, in the LaTeX that Matplotlib draws too."""
    aliases: tuple[str, ...] = ()
    """Other names that the field has for it."""
    metric: bool | None = None
    """Does the triangle inequality hold? None where nobody claims it."""
    roundoffs: int = 8
    """How far a value may be from the exact one, in roundoffs of its type; above the contract's 8 with a reason in `accuracy`."""
    gradient_roundoffs: int = 64
    """The same of a slope, beside the largest term that it is the sum of."""
    floor: float = 0.0
    """A smaller value may be as far off as if it were this large; with a reason in `accuracy`."""
    accuracy: str = ""
    """Why more than the contract's roundoffs are needed."""
    wild: tuple[str, ...] = ()
    """What goes wrong with it in the wild: in papers, in released code, in other people's ports."""
    unsure: str = ""
    """What has yet to be checked against the paper."""

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

    @cached_property
    def is_overlap(self) -> bool:
        """Is it a sum of terms of which the first is 1 - IoU? Then modifiers know what to modify."""
        p = _unit_pair(2)
        terms = self.function(p)
        return isinstance(terms, tuple) and terms[0] is p.jaccard

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """Of how many dimensions its boxes may be: (1, 2, 3), or (2,) where it asks for what rectangles alone have."""
        return tuple(n for n in (1, 2, 3) if self._goes_in(n))

    def _goes_in(self, dimension: int) -> bool:
        try:
            self(_unit_pair(dimension))
        except DimensionError:
            return False
        return True

    def check_parameters(self, given: dict[str, Any]) -> None:
        """Raises `UnknownNameError` or `ParameterError` for what is neither a parameter of the formula nor a modifier that it can take."""
        modifiers = {name: value for name, value in given.items() if name in modify.MODIFIERS and name not in self.parameters}
        for name in given:
            if name not in self.parameters and name not in modifiers:
                known = (*self.parameters, *(modify.MODIFIERS if self.is_overlap else ()))
                if not known:
                    raise ParameterError(f"{self.name} has no parameters, but {name!r} was given")
                raise UnknownNameError(f"parameter of {self.name}", name, known)
        if modifiers and not self.is_overlap:
            raise ParameterError(
                f"{self.name} takes no modifier, but {', '.join(modifiers)} was given: modifiers change the IoU of losses that are 1 - IoU plus other terms, "
                "and return these as a tuple, p.jaccard first"
            )
        modify.check(self.name, modifiers)

    def try_parameters(self, given: dict[str, Any]) -> None:
        """`check_parameters`, and the values of the formula's own: it says which it takes where it is computed. Raises `ParameterError` for others."""
        self.check_parameters(given)
        own = {name: value for name, value in given.items() if name in self.parameters}
        if not own:
            return
        try:
            self._asked(self.function, _unit_pair(2), own)
        except TypeError as error:
            values = ", ".join(f"{name}={value!r}" for name, value in own.items())
            raise ParameterError(f"{self.name} cannot be computed with {values}: {error}") from error

    def __call__(self, p: Pair, **parameters: Any) -> Array:
        """The loss of the pair `p`. An inverted box costs its inversion on top, except where coordinates are compared as they are."""
        own = {name: value for name, value in parameters.items() if name in self.parameters}
        found = self._asked(self.function, p, own)
        # A parameter of its own may be called like a modifier.
        modifiers = {name: value for name, value in parameters.items() if name not in own}
        loss = modify.total(p, found, modifiers) if isinstance(found, tuple) else found
        return loss if self.coordinates else loss + p.inversion

    def _asked(self, function: Callable[..., Any], p: Pair, own: dict[str, Any]) -> Any:
        """`function(p)`, one of the formula's two; of what it cannot do in one or three dimensions the message names the loss."""
        if p.dimension == 2:
            return function(p, **own)
        try:
            return function(p, **own)
        except DimensionError as error:
            why = str(error)
        except ValueError as error:
            if "unpack" not in str(error):
                raise
            why = f"it asks for the four edges of a rectangle ({error})"
        raise DimensionError(f"{self.name} has no meaning in {p.dimension}-D: {why}. {INSTEAD}")

    def measure(self, p: Pair, **parameters: Any) -> Array:
        """The similarity of the pair `p`: 1 - loss."""
        if self.similarity is None or not parameters.keys() <= self.parameters.keys():
            return 1.0 - self(p, **parameters)
        similarity = self._asked(self.similarity, p, parameters)
        return similarity if self.coordinates else similarity - p.inversion


INSTEAD = "iou, giou, diou, efficient_iou and l1 have one"


def _unit_pair(dimension: int) -> Pair:
    unit = tuple(as_array([x], "unit") for x in (0.0, 1.0) for _ in range(dimension))
    return Pair(unit, unit)


def _defined_in(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def formula(
    *,
    title: str,
    paper: str,
    bounds: str,
    symmetric: bool,
    scale_free: bool,
    **claims: Any,
) -> Callable[[Callable[..., Array | Terms]], Formula]:
    """Makes a `Formula` of a function of a pair of boxes; the function's name is the loss's name. Further claims are the fields of `Formula`.

    >>> import boxloss as bl
    >>> @bl.formula(title="GIoU with half its penalty", paper="mine", bounds="[0, 1.5]", symmetric=True, scale_free=True)
    ... def mild_giou(p):
    ...     return p.jaccard, 0.5 * bl.ops.ratio(p.waste, p.hull)
    >>> float(bl.loss(mild_giou)([0, 0, 1, 1], [2, 0, 3, 1]))
    1.1666666666666667
    >>> float(bl.loss(mild_giou, power=2)([0, 0, 1, 1], [2, 0, 3, 1]))
    1.0277777777777777
    """
    if not re.fullmatch(r"[\[(]\s*[-+\w.]+\s*,\s*[-+\w.]+\s*[\])]", bounds):
        raise ParameterError(f"formula: bounds is {bounds!r}, expected an interval such as '[0, 2)'")
    for name in claims:
        if name not in _CLAIMS:
            raise UnknownNameError("claim of a formula", name, _CLAIMS)

    def decorate(function: Callable[..., Array | Terms]) -> Formula:
        return Formula(function.__name__, function, title, paper, bounds, symmetric, scale_free, **claims)

    return decorate


_CLAIMS = tuple(field.name for field in fields(Formula))[7:]
