"""The oracle: every loss in its text-book form, on exact rational numbers.

Written apart from the package, from the papers' formulas, with areas and centres as on paper: nothing is rounded here, so nothing needs care.
Where a formula leaves the rationals (an arctangent, a logarithm) it goes on with mpmath at 80 digits.

`value` and `gradient` take two boxes of any numbers that `Fraction` takes (float32 and float64 are rationals). The gradient is exact too: the same
formulas run on dual numbers, with the rule of the contract for ties: `minimum`, `maximum` and |x| share the slope half and half.

What 0/0 means: a ratio is 0; the Jaccard distance of a thing to itself is 0, and of two different things without area it is 1 (they share nothing);
a point has no aspect ratio; a line has one, whose arctangent is pi/2 or 0.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from oracle import forms
from oracle.arithmetic import Dual, Pair, as_real, held, real

_files = [importlib.import_module(f"oracle.forms.{found.name}") for found in pkgutil.iter_modules(forms.__path__)]
LOSSES: dict[str, Callable[..., Any]] = {form.__name__: form for file in _files for form in file.FORMS}
NOT_DERIVATIVES: tuple[str, ...] = tuple(name for file in _files for name in getattr(file, "NOT_DERIVATIVES", ()))
IN_COORDINATES: tuple[str, ...] = tuple(name for file in _files for name in getattr(file, "IN_COORDINATES", ()))
EXTREMES: dict[str, Any] = {name: pairs for file in _files for name, pairs in getattr(file, "EXTREMES", {}).items()}
VARIANTS: dict[str, tuple[Any, ...]] = {name: given for file in _files for name, given in getattr(file, "VARIANTS", {}).items()}
HELD: dict[str, Callable[[Pair], Any]] = {name: term for file in _files for name, term in getattr(file, "HELD", {}).items()}


def pair(a: Sequence[Any], b: Sequence[Any]) -> Pair:
    for box in (a, b):
        if box[0] > box[2] or box[1] > box[3]:
            raise ValueError(f"an inverted box: {tuple(box)}")
    return Pair([Fraction(x) for x in a], [Fraction(x) for x in b])


def duals(a: Sequence[Any], b: Sequence[Any]) -> tuple[list[Dual], list[Dual]]:
    """The eight coordinates as the variables to differentiate by."""
    coordinates = [Dual(Fraction(x), {i: Fraction(1)}) for i, x in enumerate([*a, *b])]
    return coordinates[:4], coordinates[4:]


def dual_pair(a: Sequence[Any], b: Sequence[Any]) -> Pair:
    return Pair(*duals(a, b))


def value(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Any:
    """The loss of box `a` against box `b`, a `Fraction` or an 80-digit mpmath number."""
    return LOSSES[name](pair(a, b), **parameters)


def slopes(x: Any) -> list[Any]:
    return [x.slopes.get(i, Fraction(0)) for i in range(8)] if isinstance(x, Dual) else [Fraction(0)] * 8


def gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> list[Any]:
    """The derivative of `value` along the four coordinates of `a`, then of `b`."""
    return slopes(LOSSES[name](dual_pair(a, b), **parameters))


def inverted_gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> Dual:
    """The loss of boxes whose edges may be crossed, with its gradient, as `docs/decisions/inverted-boxes.md` has it.

    An axis along which a box is inverted counts as the point in its middle, and costs how far the edges have crossed, over the extent of the
    pair's four coordinates there, which is held. Losses in coordinates take the four numbers as they are.
    """
    first, second = duals(a, b)
    if name in IN_COORDINATES:
        return as_real(LOSSES[name](Pair(first, second), **parameters))
    crossed = Dual(Fraction(0))
    for low, high in ((0, 2), (1, 3)):
        coordinates = [held(box[k]) for box in (first, second) for k in (low, high)]
        for box in (first, second):
            if held(box[low]) > held(box[high]):
                crossed = crossed + (box[low] - box[high]) / (max(coordinates) - min(coordinates))
                box[low] = box[high] = (box[low] + box[high]) / 2
    return as_real(crossed) + as_real(LOSSES[name](Pair(first, second), **parameters))


def numeric_gradient(name: str, a: Sequence[Any], b: Sequence[Any], **parameters: Any) -> list[Any]:
    """`gradient` again, by central differences of `value`: right to some 25 digits on pairs with no two coordinates equal."""
    at = [Fraction(x) for x in [*a, *b]]
    if name in HELD:
        parameters["held_at"] = HELD[name](pair(a, b))
    step = min(at[i + 2] - at[i] for i in (0, 1, 4, 5)) / 2**60

    def moved(i: int, by: Fraction) -> Any:
        there = [x + (by if k == i else 0) for k, x in enumerate(at)]
        return value(name, there[:4], there[4:], **parameters)

    return [real(moved(i, step) - moved(i, -step)) / real(2 * step) for i in range(8)]
