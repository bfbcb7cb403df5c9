"""What the properties are asked of: a loss, with the claims made for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from strategies import CLASSES


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
    accuracy: str = "value"  # rows of close.ROUNDOFFS
    gradient_accuracy: str = "gradient"
    inverted_accuracy: str = "inverted"

    def __str__(self) -> str:
        return self.name + "".join(f"({k}={v:.4g})" for k, v in self.parameters.items())

    def values(self, pred: Any, target: Any) -> Any:
        return self.loss(pred, target, reduction="none")


def catalogue() -> list[Subject]:
    """Every loss of the catalogue, and some with other than the default parameters."""
    import boxloss as bl

    subjects = []
    for name, record in bl.catalogue().items():
        for parameters in ({}, *VARIANTS.get(name, ())):
            subjects.append(
                Subject(
                    name=name,
                    loss=bl.loss(name, **parameters),
                    pairwise=lambda a, b, name=name, parameters=parameters: bl.pairwise(name, a, b, **parameters),
                    elementwise=similarity(name, parameters),
                    symmetric=record.symmetric,
                    scale_free=record.scale_free,
                    bounds=record.bounds,
                    parameters=parameters,
                )
            )
    return subjects


def similarity(name: str, parameters: dict[str, Any]) -> Callable[[Any, Any], Any]:
    import boxloss as bl

    return lambda a, b: getattr(bl, name)(a, b, **parameters)


VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {"smooth_l1": ({"beta": 0.0}, {"beta": 1 / 9})}
