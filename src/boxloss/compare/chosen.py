"""Which losses a comparison compares: a name, possibly with parameters, as a user writes it.

`smooth_l1`, `smooth_l1:beta=0.5`, `diou:inner=0.75:focaler=0..0.95`, `iou:log=true`: a name of the catalogue, then parameters or modifiers, each after
a colon. Values are Python literals; two numbers may have `..` between them, and true and false may be small: no shell minds these.
"""

import ast
import hashlib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boxloss as bl
from boxloss.errors import BoxLossError, CompareError, FormulaError, UnknownNameError
from boxloss.formulas.modify import MODIFIERS

HOW = "write NAME or NAME:PARAMETER=VALUE, for instance smooth_l1:beta=0.5"


@dataclass(frozen=True)
class Choice:
    """A loss with the parameters that the user gave, sorted by name; the others keep their defaults."""

    name: str
    given: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        """The one spelling of this choice, which names it everywhere: in the plan, in tables, and (see `slug`) in folders."""
        return ":".join([self.name, *(f"{key}={_written(value)}" for key, value in self.given)])

    @property
    def slug(self) -> str:
        """The choice as a part of a folder's name, in characters that every file system takes. Two choices never share one."""
        plain = re.sub(r"[^\w.=+@-]", "~", str(self).replace(":", "@"))
        # (1, 2) and [1, 2] both become ~1~~2~: where something was lost, the spelling's digest tells them apart
        return f"{plain}{hashlib.sha256(str(self).encode()).hexdigest()[:8]}" if "~" in plain else plain

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, defaults included, and the modifiers that are on: what tells whether two choices are the same loss."""
        defaults = bl.catalogue()[self.name].parameters
        return defaults | {key: value for key, value in self.given if key in defaults or value is not False}

    def build(self) -> Callable[..., Any]:
        """The loss itself, `loss(pred, target, reduction=..., weight=...)`."""
        built: Callable[..., Any] = bl.loss(self.name, **dict(self.given))
        return built


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(number, (int, float)) for number in value):
        return f"{value[0]!r}..{value[1]!r}"
    return repr(value)


def _read(text: str) -> Any:
    """The value that is written like this. Raises what `ast.literal_eval` raises."""
    if text in ("true", "false"):
        return text == "true"
    low, between, high = text.partition("..")
    if between and re.fullmatch(r"[-+.\w]+", text):
        return ast.literal_eval(low), ast.literal_eval(high)
    return ast.literal_eval(text)


def split_names(text: str) -> list[str]:
    """Splits `a,b:x=(1, 2),c` at the commas that stand outside brackets."""
    return [part.strip() for part in re.split(r",(?![^(\[]*[)\]])", text) if part.strip()]


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
    given: dict[str, Any] = {}
    for part in parts:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value:
            raise CompareError(f"loss {text!r}: cannot read {part!r}; {HOW}")
        if key not in known[name].parameters and key not in MODIFIERS:
            raise UnknownNameError(f"parameter of {name}", key, (*known[name].parameters, *(MODIFIERS if known[name].is_overlap else ())))
        if key in given:
            raise CompareError(f"loss {text!r}: {key} is given twice")
        try:
            given[key] = _read(value)
        except (ValueError, SyntaxError) as error:
            raise CompareError(f"loss {text!r}: {value!r} is not a number, or another Python literal; {HOW}") from error
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
