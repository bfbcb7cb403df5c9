"""What can go wrong, one class a cause. All derive from `BoxLossError`, which is a `ValueError`."""

import difflib
from collections.abc import Iterable


class BoxLossError(ValueError):
    """Anything that boxloss refuses. The message names what came, what was expected, and the likely cause, on one line."""


class ShapeError(BoxLossError):
    """An array has the wrong shape, or two arrays' shapes do not fit each other."""


class DTypeError(BoxLossError):
    """An array holds something that is not a number, or two arrays come from different libraries or devices."""


class FormatError(BoxLossError):
    """A box format that does not exist, or that does not fit the data."""


class InvalidBoxError(BoxLossError):
    """Boxes whose values break a rule: not finite, inverted, without size, outside the picture."""


class DimensionError(BoxLossError):
    """A loss that has no meaning for boxes of so many dimensions, since it asks for something that they do not have."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Which of the names that there are may have been meant; nothing where none is like it."""
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=cutoff)
    return f"did you mean {' or '.join(near)}?" if near else ""


class UnknownNameError(BoxLossError):
    """A name that is not in a list of names; the message suggests the nearest ones, and has them all where there is none near, or where `listed`."""

    def __init__(self, what: str, name: object, known: Iterable[str], *, listed: bool = False):
        names = sorted(known)
        near = nearest(name, names) if isinstance(name, str) else ""
        there = f"there are: {', '.join(names)}"
        hint = f"{near} ({there})" if near and listed else near or there
        super().__init__(f"unknown {what} {name!r}: {hint}")


class ParameterError(BoxLossError):
    """A parameter's value, or its name, that a function does not take."""


class FormulaError(BoxLossError):
    """A formula does what a formula cannot; the message names its line."""


class DataError(BoxLossError):
    """A data file that breaks a rule: says file, record, field, value, rule and hint."""


class CompareError(BoxLossError):
    """A comparison that cannot be run, or cannot be continued."""


class MissingExtraError(BoxLossError, ImportError):
    """An optional dependency that is not installed; the message has the command that installs it."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'boxloss[{extra}]'")


def check_choice(option: str, given: str, known: Iterable[str]) -> None:
    """Raises `UnknownNameError` where what was given for this option of a command is none of what it takes."""
    if given not in (names := list(known)):
        raise UnknownNameError(option, given, names)
