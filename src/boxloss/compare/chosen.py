"""Which losses a comparison compares: names of the catalogue, possibly with parameters, as a user writes them (see `boxloss.written`)."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boxloss as bl
from boxloss.errors import BoxLossError, CompareError, FormulaError, ParameterError, UnknownNameError
from boxloss.written import read_parameters, slug, split_names, write_parameters


@dataclass(frozen=True)
class Choice:
    """A loss with the parameters that the user gave, sorted by name; the others keep their defaults."""

    name: str
    given: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        """The one spelling of this choice, which names it everywhere: in the plan, in tables, and (see `slug`) in folders."""
        return ":".join(self._parts)

    @property
    def _parts(self) -> list[str]:
        return [self.name, *write_parameters(self.given)]

    @property
    def slug(self) -> str:
        """The choice as a part of a folder's name, in characters that every file system takes. Two choices never share one."""
        return slug(self._parts, "@")

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, defaults included, and the modifiers that are on: what tells whether two choices are the same loss."""
        defaults = bl.catalogue()[self.name].parameters
        return defaults | {key: value for key, value in self.given if key in defaults or value is not False}

    def build(self) -> Callable[..., Any]:
        """The loss itself, `loss(pred, target, reduction=..., weight=...)`."""
        built: Callable[..., Any] = bl.loss(self.name, **dict(self.given))
        return built


def choose(text: str) -> Choice:
    """Reads one choice.

    Raises:
        UnknownNameError: no such loss, or no such parameter of this loss.
        CompareError: a parameter that cannot be read, or that the loss refuses.

    >>> str(choose("smooth_l1:beta=.5"))
    'smooth_l1:beta=0.5'
    >>> str(choose("diou:wise=true:focaler=0..0.95"))
    'diou:focaler=0..0.95:wise=true'
    """
    name, *parts = [part.strip() for part in text.split(":")]
    known = bl.catalogue()
    if name not in known:
        raise UnknownNameError("loss", name, known)
    try:
        given = read_parameters(text, parts, known[name])
    except ParameterError as error:
        raise CompareError(str(error)) from error
    choice = Choice(name, tuple(sorted(given.items())))
    _try_out(choice)
    return choice


def _try_out(choice: Choice) -> None:
    """A value that makes no sense is refused here, and not in the middle of a run."""
    try:
        values = [float(choice.build()([[0.0, 0.0, 4.0, 4.0]], target)) for target in ([[1.0, 1.0, 4.0, 5.0]], [[8.0, 8.0, 9.0, 9.0]])]
    except FormulaError as error:
        raise CompareError(f"loss {choice}: {error}") from error
    except BoxLossError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CompareError(f"loss {choice}: {error}") from error
    if not all(map(math.isfinite, values)):
        raise CompareError(f"loss {choice}: comes out as {values} for plain boxes; its parameters make no sense")


def choose_all(losses: str | Iterable[str]) -> tuple[Choice, ...]:
    """Reads several choices, and refuses one that comes twice, also in another spelling (`smooth_l1` is `smooth_l1:beta=1.0`)."""
    texts = split_names(losses) if isinstance(losses, str) else list(losses)
    choices: list[Choice] = []
    for choice in map(choose, texts):
        for other in choices:
            if (choice.name, choice.parameters) == (other.name, other.parameters):
                raise CompareError(f"losses: {other} and {choice} are the same loss; name it once")
        choices.append(choice)
    if not choices:
        raise CompareError("losses: none is named; give at least one, for instance iou,giou")
    return tuple(choices)
