"""Which losses a comparison compares: names of the catalogue, or FILE.py:NAME for a user's own, possibly with parameters (see `boxloss.written`)."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boxloss as bl
from boxloss.compare import files
from boxloss.errors import BoxLossError, CompareError, FormulaError, ParameterError
from boxloss.formulas import Formula
from boxloss.from_file import is_place, read_loss
from boxloss.written import slug, split_names, write_parameters


@dataclass(frozen=True)
class Choice:
    """A loss with the parameters that the user gave, sorted by name; the others keep their defaults."""

    name: str
    """Of the catalogue, or FILE.py:NAME."""
    given: tuple[tuple[str, Any], ...]
    formula: Formula = field(compare=False)

    def __str__(self) -> str:
        """The one spelling of this choice, which names it everywhere: in the plan, in tables, and (see `slug_of`) in folders."""
        return ":".join([self.name, *write_parameters(self.given)])

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, defaults included, and the modifiers that are on: what tells whether two choices are the same loss."""
        defaults = self.formula.parameters
        return defaults | {key: value for key, value in self.given if key in defaults or value is not False}

    def build(self) -> Callable[..., Any]:
        """The loss itself, `loss(pred, target, reduction=..., weight=...)`."""
        built: Callable[..., Any] = bl.loss(self.formula, **dict(self.given))
        return built


def slug_of(choice: Choice | str) -> str:
    """A choice, or its spelling, as a part of a folder's name, in characters that every file system takes. Two choices never share one."""
    return slug(str(choice).split(":"), "@")


def choose(text: str) -> Choice:
    """Reads one choice.

    Raises:
        UnknownNameError: no such loss, or no such parameter of this loss.
        FormulaError: a file that is not there, does not run, or has no such formula.
        CompareError: a parameter that cannot be read, or that the loss refuses.

    >>> str(choose("smooth_l1:beta=.5"))
    'smooth_l1:beta=0.5'
    >>> str(choose("diou:wise=true:focaler=0..0.95"))
    'diou:focaler=0..0.95:wise=true'
    """
    try:
        name, formula, given = read_loss(text)
    except ParameterError as error:
        raise CompareError(str(error)) from error
    choice = Choice(name, tuple(sorted(given.items())), formula)
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


# ---- formulas in a user's own files


def formulas_of(choices: Iterable[Choice]) -> dict[str, dict[str, str]]:
    """What a plan keeps of each loss that lies in a file, by its spelling: title, paper, and the file's digest, which knows nothing of what it imports."""
    own = {str(choice): choice.formula for choice in choices if is_place(choice.name)}
    return {loss: {"title": formula.title, "paper": formula.paper, "file_sha256": _digest(loss)} for loss, formula in own.items()}


def refuse_changed(loss: str, kept: dict[str, str]) -> None:
    """Raises `CompareError` where the loss's file is no longer the one that `kept`, of `formulas_of`, tells of."""
    if _digest(loss) != kept["file_sha256"]:
        raise CompareError(changed(loss))


def changed(loss: str) -> str:
    """What to say where the file of this loss is another one."""
    return f"{_file(loss)} has changed since the run was begun, and a loss with it: put the file back as it was, or give the new formula a file of its own"


def _digest(loss: str) -> str:
    return files.digest_of(Path(_file(loss))) or "no file"


def _file(loss: str) -> str:
    return loss.split(":")[0]
