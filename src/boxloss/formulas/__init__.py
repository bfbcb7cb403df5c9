"""The losses, one file each or each family. A file in this folder is found by itself: there is no list to add it to."""

import importlib
import pkgutil

from boxloss.errors import UnknownNameError
from boxloss.formulas.record import Formula, formula

__all__ = ["Formula", "catalogue", "find", "formula"]


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


def find(name: str | Formula) -> Formula:
    """The formula of that name; a `Formula` is itself. Raises `UnknownNameError`, which suggests the nearest names."""
    if isinstance(name, Formula):
        return name
    if name not in catalogue():
        raise UnknownNameError("loss", name, catalogue())
    return catalogue()[name]
