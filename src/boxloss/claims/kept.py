"""Measurements are kept: those of the catalogue in `measured.json` beside this file, a user's own in the folder for caches.

Each lies under the digest of the operations that the formula and its gradient are made of, and of the source of whatever measures: when one of these
changes, it is measured again, and an old figure is never shown.
"""

import contextlib
import functools
import json
from pathlib import Path
from typing import Any

from boxloss.calculus.graph import reachable
from boxloss.calculus.trace import trace
from boxloss.claims.measure import measure
from boxloss.claims.measured import Measured, from_dict
from boxloss.formulas import Formula
from boxloss.kernels import cache

FILE = Path(__file__).parent / "measured.json"
_OWN = ("asking", "differences", "measure", "measured", "sample", "search")


def digest(formula: Formula, parameters: dict[str, Any] | None = None) -> str:
    """What a measurement of the formula depends on, in 20 characters."""
    traced = trace(formula, parameters or {}, dtype="float64", wrt="ab")
    nodes = reachable(traced.outputs)
    place = {node.index: k for k, node in enumerate(nodes)}
    operations = [(node.op, repr(node.value), *(place[x.index] for x in node.args)) for node in nodes]
    outputs = [place[x.index] for x in traced.outputs]
    given = (formula.name, repr(sorted((parameters or {}).items())), formula.bounds, repr(formula.scale_free))
    return cache.key(repr(operations), repr(outputs), *given, _own_text())[:20]


@functools.cache
def _own_text() -> str:
    return "".join((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8") for name in _OWN)


def kept(formula: Formula, parameters: dict[str, Any] | None = None) -> Measured | None:
    """The measurement of the formula as it is now; None where it was never measured."""
    key = digest(formula, parameters)
    shipped = _shipped().get(key)
    if shipped is not None:
        return from_dict(shipped)
    try:
        found = cache.read(f"claims-{key}")
    except ImportError:  # without platformdirs there is no folder for caches
        return None
    return None if found is None else from_dict(json.loads(found))


def remembered(formula: Formula, parameters: dict[str, Any] | None = None) -> Measured:
    """The measurement of the formula as it is now: the one that was kept, or a new one, which is kept from now on."""
    found = kept(formula, parameters)
    if found is None:
        found = measure(formula, **parameters or {})
        with contextlib.suppress(ImportError, TypeError):  # TypeError: a parameter that JSON does not know
            cache.write(f"claims-{digest(formula, parameters)}", json.dumps(found.as_dict()).encode())
    return found


@functools.cache
def _shipped() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def ship(measurements: dict[str, Measured]) -> None:
    """Writes `measured.json`: measurements by digest, a line each."""
    lines = [f"{json.dumps(key)}: {json.dumps(measured.as_dict())}" for key, measured in measurements.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    _shipped.cache_clear()
