"""Where in a data set something is wrong: the one place that words a `DataError`."""

import importlib
import reprlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from boxloss.errors import DataError, MissingExtraError

# Long enough for a path or a class name, short enough that a broken megabyte stays one line.
LONGEST_VALUE = 100


class _Missing:
    """Stands for a value that is not there."""


MISSING = _Missing()

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = LONGEST_VALUE
_repr.maxlevel = 2
_repr.maxlong = LONGEST_VALUE
_repr.maxlist = _repr.maxdict = _repr.maxtuple = 5


def show(value: object) -> str:
    """The value as it stands in a message: one line, at most a few dozen characters."""
    if value is MISSING:
        return "missing"
    try:
        text = _repr.repr(value)
    except ValueError:  # Python refuses to print an integer of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 3 * LONGEST_VALUE else text[: 3 * LONGEST_VALUE] + "..."


def one_line(text: str) -> str:
    """The text with everything that could break the line, or the terminal, escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


@dataclass(frozen=True)
class Where:
    """A place in a data set: a file, and a record in it (`object 3`, `line 12`, `annotation id 7`).

    `refuse` raises the `DataError` that names it, on one line:

    >>> Where("a.xml", "object 2").refuse("xmin", "abc", "must be a number", "write digits, like 12 or 12.5")
    Traceback (most recent call last):
    ...
    boxloss.errors.DataError: a.xml: object 2: xmin = 'abc': must be a number; hint: write digits, like 12 or 12.5
    """

    file: str | Path
    record: str = "whole file"

    def at(self, record: str) -> "Where":
        return Where(self.file, record)

    def refuse(self, field: str, value: object, rule: str, hint: str) -> NoReturn:
        raise DataError(one_line(f"{self.file}: {self.record}: {field} = {show(value)}: {rule}; hint: {hint}")) from None


def need(module: str, package: str) -> ModuleType:
    """An optional package of the `data` extra, or the error that says how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(package, "data", "reading data sets") from error
