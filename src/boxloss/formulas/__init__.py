"""The losses, one file each or each family. A file in this folder is found by itself: there is no list to add it to."""

import importlib
import pkgutil
from typing import Any

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas.record import Formula, formula

__all__ = ["Formula", "aliases", "catalogue", "find", "formula"]


# Kept in a plain dict: `torch.compile` would look through a cache of functools, and into the folder.
_found: dict[str, Formula] | None = None


def catalogue() -> dict[str, Formula]:
    """Every loss there is, by name, in the order of the alphabet.

    >>> catalogue()["giou"].bounds
    '[0, 2]'
    """
    global _found
    if _found is not None:
        return _found
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    formulas = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Formula)}
    _found = dict(sorted(formulas.items()))
    return _found


def aliases() -> dict[str, str]:
    """Other names that the field has for losses, each with the catalogue's.

    >>> aliases()["eiou"]
    'efficient_iou'
    """
    return {alias: formula.name for formula in catalogue().values() for alias in formula.aliases}


def find(name: str | Formula) -> Formula:
    """The formula of that name or alias; a `Formula` is itself. Raises `UnknownNameError`, which suggests the nearest names, and
    `ParameterError` for what is neither."""
    if isinstance(name, Formula):
        return name
    given: Any = name
    if not isinstance(given, str):
        if isinstance(getattr(given, "formula", None), Formula):
            raise ParameterError(f"measure or loss is {given!r}, expected its name, {given.formula.name!r}, with its parameters beside it")
        raise ParameterError(f"measure or loss is a {type(given).__name__}, expected a name of boxloss.catalogue(), or a formula, which @boxloss.formula makes")
    if name in catalogue():
        return catalogue()[name]
    if name in aliases():
        return catalogue()[aliases()[name]]
    raise UnknownNameError("loss", name, [*catalogue(), *aliases()])
