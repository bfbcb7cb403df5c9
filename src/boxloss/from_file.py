"""A formula in a user's own file, by `FILE.py:NAME`; and a loss as it is written anywhere, of the catalogue or of a file."""

import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from boxloss.errors import FormulaError, UnknownNameError
from boxloss.formulas import Formula, find
from boxloss.written import read_parameters


def is_place(text: str) -> bool:
    """Does `text` name a file, rather than a loss of the catalogue?"""
    return text.endswith(".py") or ".py:" in text


def from_file(place: str) -> Formula:
    """The formula at `place`, "FILE.py:NAME"; the file is run for it, and may import what lies beside it.

    Raises `FormulaError` for a file that is not there or that raises, and for what is no formula; `UnknownNameError` for a name that it does not have.
    """
    file, _, name = place.rpartition(":") if not place.endswith(".py") else (place, "", "")
    path = Path(file)
    if not path.is_file():
        raise FormulaError(f"{file}: no such file; expected FILE.py:NAME")
    names = vars(_run(path))
    formulas = [key for key, value in names.items() if isinstance(value, Formula)]
    if not name:
        raise FormulaError(f"{file}: which formula of it? {_choices(file, formulas)}")
    if name not in names:
        raise UnknownNameError(f"formula in {file}", name, formulas) if formulas else FormulaError(f"{file}: has no {name!r}, and no formula at all")
    found = names[name]
    if not isinstance(found, Formula):
        hint = f"put @boxloss.formula(title=..., ...) above def {name}" if callable(found) and not isinstance(found, type) else _choices(file, formulas)
        raise FormulaError(f"{file}: {name} is a {type(found).__name__}, expected a formula: {hint}")
    return found


def read_loss(text: str) -> tuple[str, Formula, dict[str, Any]]:
    """Of `NAME` or `FILE.py:NAME`, with parameters after colons: the one spelling of what it names, its formula, and the parameters given.

    Raises `UnknownNameError`, `ParameterError` or `FormulaError` for what is none.

    >>> name, formula, given = read_loss("eiou:inner=0.75")
    >>> name, given
    ('efficient_iou', {'inner': 0.75})
    """
    name, *parts = [part.strip() for part in text.split(":")]
    if name.endswith(".py"):
        place = ":".join([os.path.normpath(name), *parts[:1]])
        formula = from_file(place)
        return place, formula, read_parameters(text, parts[1:], formula)
    formula = find(name)
    return formula.name, formula, read_parameters(text, parts, formula)


def _choices(file: str, formulas: list[str]) -> str:
    return "there is " + ", ".join(f"{file}:{name}" for name in formulas) if formulas else "it has none"


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_boxloss_file_{path.stem}", path.resolve())
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses, for one, look there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        # Not the loader: Python takes a file of the same size and second for unchanged, and would run what it compiled before.
        exec(compile(path.read_bytes(), str(path.resolve()), "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        where = path if error.filename in (None, str(path.resolve())) else error.filename  # or what it imports
        raise FormulaError(f"{where}:{error.lineno}: is not Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()]
        line = f":{lines[-1]}" if lines else ""
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise FormulaError(f"{path}{line}: the file raises {message}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module
