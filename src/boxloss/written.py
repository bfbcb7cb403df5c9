"""Losses as a user writes them: `iou`, `smooth_l1:beta=0.5`, `diou:inner=0.75:focaler=0..0.95`.

A name, then parameters or modifiers, each after a colon. Values are Python literals; two numbers may have `..` between them, and true and false may be
small: no shell minds these.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula
from boxloss.formulas.modify import MODIFIERS

HOW = "write NAME or NAME:PARAMETER=VALUE, for instance smooth_l1:beta=0.5"


def split_names(text: str) -> list[str]:
    """Splits `a,b:x=(1, 2),c` at the commas that stand outside brackets."""
    return [part.strip() for part in re.split(r",(?![^(\[]*[)\]])", text) if part.strip()]


def read_parameters(text: str, parts: Iterable[str], formula: Formula) -> dict[str, Any]:
    """The parameters that `parts`, each `PARAMETER=VALUE`, give to `formula`; `text` is what they stand in, for messages.

    Raises `ParameterError` for what cannot be read, `UnknownNameError` for a parameter that the formula does not have.
    """
    given: dict[str, Any] = {}
    for part in parts:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value:
            raise ParameterError(f"loss {text!r}: cannot read {part!r}; {HOW}")
        if key not in formula.parameters and key not in MODIFIERS:
            raise UnknownNameError(f"parameter of {formula.name}", key, (*formula.parameters, *(MODIFIERS if formula.is_overlap else ())))
        if key in given:
            raise ParameterError(f"loss {text!r}: {key} is given twice")
        try:
            given[key] = _read(value)
        except (ValueError, SyntaxError) as error:
            raise ParameterError(f"loss {text!r}: {value!r} is not a number, or another Python literal; {HOW}") from error
    return given


def _read(text: str) -> Any:
    """The value that is written like this. Raises what `ast.literal_eval` raises."""
    if text in ("true", "false"):
        return text == "true"
    low, between, high = text.partition("..")
    if between and re.fullmatch(r"[-+.\w]+", text):
        return ast.literal_eval(low), ast.literal_eval(high)
    return ast.literal_eval(text)


def write_parameters(given: Iterable[tuple[str, Any]]) -> list[str]:
    """`PARAMETER=VALUE` of each, as `read_parameters` reads it."""
    return [f"{key}={_written(value)}" for key, value in given]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(number, (int, float)) for number in value):
        return f"{value[0]!r}..{value[1]!r}"
    return repr(value)


def slug(parts: Sequence[str], between: str) -> str:
    """`parts` as a file's name, in characters that every file system takes. Different parts never share one."""
    plain = re.sub(r"[^\w.=+@-]", "~", between.join(parts))
    # (1, 2) and [1, 2] both become ~1~~2~: where something was lost, the spelling's digest tells them apart
    return f"{plain}{hashlib.sha256(':'.join(parts).encode()).hexdigest()[:8]}" if "~" in plain else plain
