"""Which losses a test asks where all of them would take too long: the rest is left to the slow run, or to the contract, which is asked of every loss."""

from collections.abc import Iterable
from typing import Any

import pytest

import boxloss as bl
from oracle.exact import VARIANTS

REPRESENTATIVES = ("ciou", "giou", "iou_log", "smooth_l1")
"""A term that is held, a sum of two terms, a function with a polynomial, coordinates."""
CLASSIC = ("l1", "l2", "smooth_l1", "iou", "iou_log", "iou_squared", "giou", "diou", "ciou", "ciou_gated")
"""The losses of the lecture. Loops that know no formula are tried with these."""


def by_default(loss: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    """The marks of a test that the default run asks of the representatives alone, with their default parameters."""
    return [] if loss in REPRESENTATIVES and not parameters else [pytest.mark.slow]


def written(parameters: dict[str, Any]) -> str:
    """Parameters as a part of a test's name."""
    return "".join(f"({name}={value:.4g})" if isinstance(value, float) else f"({name}={value})" for name, value in parameters.items())


def each_loss() -> list[Any]:
    """Parameters of a test: the representatives by default, every other loss in the slow run."""
    return few(bl.catalogue())


def each_way() -> list[Any]:
    """Every loss in either number type, with its own and with other parameters: likewise. Other parameters are other numbers in one graph: mostly float32."""
    ways = [(name, parameters) for name in bl.catalogue() for parameters in ({}, *(given for given, _ in VARIANTS.get(name, ())))]
    return [
        pytest.param(name, parameters, dtype, marks=by_default(name), id=f"{name}{written(parameters)}-{dtype}")
        for name, parameters in ways
        for dtype in ("float32", "float64")
        if dtype == "float32" or not parameters or name in REPRESENTATIVES
    ]


def few(names: Iterable[str]) -> list[Any]:
    """The same of some losses."""
    return [pytest.param(name, marks=by_default(name)) for name in names]
