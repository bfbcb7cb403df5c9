"""What is asked and what is right: the tests' boxes, and the tests' exact reference, which is written apart from the package.

They are imported from `tests`, as `benchmarks/precision.py` does: they need hypothesis and mpmath, which `pip install -e '.[dev]'` brings.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "tests") not in sys.path:
    sys.path.insert(0, str(ROOT / "tests"))

from close import LARGEST, ROUNDOFF, SMALLEST, error, same_kind  # noqa: E402
from oracle import exact  # noqa: E402
from strategies import HAZARDS, hazard  # noqa: E402

__all__ = ["ALL_CLASSES", "EVERYDAY", "EXTREME", "FLAT", "LARGEST", "ROUNDOFF", "SMALLEST", "Question", "Truth", "error", "questions", "same_kind"]

Array = np.ndarray

FLAT = ("points", "lines")  # here 0/0 is everywhere, and what it means is a convention
EXTREME = ("1e-12", "subnormal", "1e18", "1e25")
EVERYDAY = tuple(name for name in HAZARDS if name not in FLAT + EXTREME)
ALL_CLASSES = EVERYDAY + EXTREME + FLAT

UNIT_SMALL = "unit coordinates, sides of 1e-4"
IDENTICAL = ("coco", UNIT_SMALL, *FLAT)
SCALES = (-20, -10, 10, 20)  # powers of two


@dataclass(frozen=True, eq=False)
class Question:
    """Pairs of boxes that every function is asked about."""

    name: str
    a: Array  # (n, 4)
    b: Array
    dtype: str
    gradient: bool = False
    singly: bool = False  # one pair a call

    def spec(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "gradient": self.gradient, "singly": self.singly}

    @cached_property
    def ties(self) -> Array:
        """(n,) where two edges that a minimum or maximum compares are equal, so that any slope between two is one of the loss's."""
        pairs = ((self.a, self.b), (self.a, self.a), (self.b, self.b))
        return np.any([(x[:, i] == y[:, j]) for x, y in pairs for i, j in ((0, 2), (1, 3))], axis=0) | np.any(
            [self.a[:, i] == self.b[:, j] for i, j in ((0, 0), (1, 1), (2, 2), (3, 3), (2, 0), (3, 1))], axis=0
        )

    @cached_property
    def flat_twins(self) -> Array:
        """(n,) where a box without area is against itself: there IoU is 0/0, and what that is is a convention."""
        return no_area(self.a) & (self.a == self.b).all(axis=1)

    @cached_property
    def too_steep(self) -> Array:
        """(n,) where 1 / side, which slopes are as large as, is beyond the type."""
        sides = np.concatenate([x[:, 2:].astype(float) - x[:, :2] for x in (self.a, self.b)], axis=1)
        return np.where(sides > 0, sides, np.inf).min(axis=1) < 8 / float(LARGEST[self.dtype])


def questions(n: int, seed: int = 0) -> dict[str, Question]:
    """All that a function is asked, by name; `n` pairs a class."""
    asked = []
    for dtype in ("float32", "float64"):
        asked += [Question(f"{dtype}/{name}", *hazard(name, n, dtype, seed), dtype, gradient=True) for name in ALL_CLASSES]
    for name in ("coco", UNIT_SMALL):
        a, b = hazard(name, n, "float32", seed)
        asked += [
            Question(f"swapped/{name}", b, a, "float32"),
            Question(f"transposed/{name}", a[:, [1, 0, 3, 2]], b[:, [1, 0, 3, 2]], "float32"),
            Question(f"singly/{name}", a, b, "float32", singly=True),
        ]
    a, b = hazard("coco", n, "float32", seed)
    asked += [Question(f"scaled/{k}", np.ldexp(a, k), np.ldexp(b, k), "float32") for k in SCALES]
    for name in IDENTICAL:
        a, _ = hazard(name, n, "float32", seed)
        a = a[no_area(a)] if name in FLAT else a
        asked.append(Question(f"identical/{name}", a, a.copy(), "float32", gradient=True))
    asked.append(Question("float16/coco", *hazard("coco", n, "float16", seed), "float16", gradient=True))
    asked.append(Question("bfloat16/coco", *(to_bfloat16(x) for x in hazard("coco", n, "float32", seed)), "bfloat16", gradient=True))
    return {question.name: question for question in asked}


def no_area(boxes: Array) -> Array:
    return (boxes[:, 0] == boxes[:, 2]) | (boxes[:, 1] == boxes[:, 3])


def to_bfloat16(x: Array) -> Array:
    """float32 numbers of which bfloat16 has each: the low 16 bits are rounded off, half to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


@dataclass
class Truth:
    """Exact values and slopes, computed once for all peers."""

    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @staticmethod
    def has(measure: str) -> bool:
        return measure in exact.LOSSES

    def values(self, measure: str, question: Question, parameters: Mapping[str, Any]) -> list[Any]:
        """n exact losses."""
        key = ("value", measure, question.name, *sorted(parameters.items()))
        if key not in self.kept:
            rows = zip(question.a.tolist(), question.b.tolist(), strict=True)
            self.kept[key] = [exact.value(measure, a, b, **parameters) for a, b in rows]
        return self.kept[key]

    def slopes(self, measure: str, question: Question, parameters: Mapping[str, Any]) -> dict[int, list[Any]]:
        """For each pair without ties the eight slopes of the loss, by the first box's coordinates and then the second's."""
        key = ("slopes", measure, question.name, *sorted(parameters.items()))
        if key not in self.kept:
            rows = np.flatnonzero(~question.ties & ~question.too_steep)
            a, b = question.a.tolist(), question.b.tolist()
            self.kept[key] = {int(i): exact.gradient(measure, a[i], b[i], **parameters) for i in rows}
        return self.kept[key]


def similarity(loss: Any) -> Any:
    return (Fraction(1) if isinstance(loss, Fraction) else 1) - loss
