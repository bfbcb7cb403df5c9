"""What the properties are asked of: a loss, with the claims made for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from close import exact as exact_number
from close import same_kind
from each import REPRESENTATIVES, written
from oracle import exact
from strategies import CLASSES

OF_THE_FORMULA = ("value", "gradient", "ties", "identical", "symmetric", "transpose", "scaling", "bounds", "finite", "inverted")
"""Checks whose outcome depends on the formula. The others ask of loops, batches and reductions, which know no formula, and are asked of the representatives."""
OF_THE_LIBRARY = ("value", "gradient", "ties", "inverted")
"""Those of them whose outcome may differ where only the array library does, which runs the same formula operation by operation."""


def is_asked(check: str, subject: "Subject", of_others: tuple[str, ...]) -> bool:
    """of_others: the checks that losses other than the representatives are asked."""
    return subject.name in REPRESENTATIVES or check in of_others


@dataclass(frozen=True)
class Subject:
    """A loss under test. The same checks judge the catalogue's losses and, in `tests/meta`, wrong ones."""

    name: str  # the loss it says it is: a name of the oracle's
    loss: Callable[..., Any]  # loss(pred, target, *, reduction="mean", weight=None)
    pairwise: Callable[[Any, Any], Any]  # (N, 4), (M, 4) -> (N, M)
    elementwise: Callable[[Any, Any], Any]  # the numbers that pairwise arranges in a matrix
    symmetric: bool
    scale_free: bool
    bounds: str
    parameters: dict[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = CLASSES  # the classes of boxes it is held to
    has_sides: bool = False  # are the terms of its slopes about 1 / side?
    accuracy: int | str = "value"  # a number of roundoffs, or a row of close.ROUNDOFFS
    gradient_accuracy: int | str = "gradient"
    floor: float = 0.0  # a smaller value may be off as if it were this large
    inverted_accuracy: str = "inverted"

    def __str__(self) -> str:
        return self.name + written(self.parameters)

    def scales(self, wanted: list[Any]) -> list[Any] | None:
        """What each value's error is counted in roundoffs of; None where that is the value itself."""
        if not self.floor:
            return None
        return [max(abs(want), same_kind(self.floor, want)) for want in map(exact_number, wanted)]

    def values(self, pred: Any, target: Any) -> Any:
        return self.loss(pred, target, reduction="none")


def catalogue() -> list[Subject]:
    """Every loss of the catalogue, and some with other than the default parameters."""
    import boxloss as bl

    subjects = []
    for name, record in bl.catalogue().items():
        for parameters, bounds in (({}, None), *exact.VARIANTS.get(name, ())):
            subjects.append(
                Subject(
                    name=name,
                    loss=bl.loss(name, **parameters),
                    pairwise=lambda a, b, name=name, parameters=parameters: bl.pairwise(name, a, b, **parameters),
                    elementwise=similarity(name, parameters),
                    symmetric=record.symmetric,
                    scale_free=record.scale_free,
                    bounds=bounds or record.bounds,
                    parameters=parameters,
                    has_sides=record.scale_free or record.is_overlap,
                    accuracy=record.roundoffs,
                    gradient_accuracy=record.gradient_roundoffs,
                    floor=record.floor,
                )
            )
    return subjects


def similarity(name: str, parameters: dict[str, Any]) -> Callable[[Any, Any], Any]:
    import boxloss as bl

    return lambda a, b: getattr(bl, name)(a, b, **parameters)
