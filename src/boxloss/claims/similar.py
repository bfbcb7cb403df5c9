"""Which losses of the catalogue are most like a loss: on a fixed sample, by where they pull and by how they rank the pairs."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.claims import sample
from boxloss.claims.asking import Asked
from boxloss.claims.sample import Floats, Pairs
from boxloss.formulas import Formula, catalogue
from boxloss.kernels.switch import plain


@dataclass(frozen=True)
class Likeness:
    """`direction`: the mean cosine of the two gradients, by the prediction's coordinates. `rank`: Spearman's correlation of the values."""

    name: str
    direction: float
    rank: float

    @property
    def mean(self) -> float:
        return (self.direction + self.rank) / 2


Print = tuple[Floats, Floats]
"""Directions (n, 4) of the gradients, 0 where there is none, and the ranks (n,) of the values."""


def similar(formula: Formula, parameters: dict[str, Any] | None = None, n: int = 3) -> tuple[Likeness, ...]:
    """The `n` losses of the catalogue, other than `formula`, that agree with it most."""
    own = _print(formula, parameters or {})
    others = [Likeness(name, *_agreement(own, of)) for name, of in _prints(tuple(catalogue().values())).items() if catalogue()[name] is not formula]
    return tuple(sorted(others, key=lambda likeness: -likeness.mean)[:n])


def _agreement(one: Print, other: Print) -> tuple[float, float]:
    cosine = (one[0] * other[0]).sum(axis=1)
    neither = ~one[0].any(axis=1) & ~other[0].any(axis=1)
    ranks = np.corrcoef(one[1], other[1])[0, 1] if np.ptp(one[1]) and np.ptp(other[1]) else 0.0
    return float(np.where(neither, 1.0, cosine).mean()), float(ranks)


@functools.cache
def _prints(formulas: tuple[Formula, ...]) -> dict[str, Print]:
    return {formula.name: _print(formula, {}) for formula in formulas}


def _print(formula: Formula, parameters: dict[str, Any]) -> Print:
    a, b = _pairs()
    # Without kernels: to compile one takes a hundred times longer than these pairs.
    with plain(), np.errstate(all="ignore"):
        values, gradient, _ = Asked(formula, parameters).all(a, b)
    size = np.abs(gradient).max(axis=1, keepdims=True)
    gradient = gradient / np.where(size > 0, size, 1.0)
    length = np.sqrt((gradient * gradient).sum(axis=1, keepdims=True))
    return np.nan_to_num(gradient / np.where(length > 0, length, 1.0)), _ranks(values)


def _ranks(values: Floats) -> Floats:
    """Equal values, to ten digits, share their mean rank."""
    _, place, count = np.unique([float(f"{x:.10g}") for x in values], return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


@functools.cache
def _pairs() -> Pairs:
    """Pairs apart, nested and overlapping, and predictions near their target."""
    kinds = sample.kinds(100, seed=21)
    rng = sample.generator(22)
    target = sample.boxes(rng, 100)
    side = np.tile(target[:, 2:] - target[:, :2], 2)
    near = target + 0.15 * side * rng.uniform(-1, 1, target.shape)
    return np.vstack([*(a for a, _ in kinds.values()), near]), np.vstack([*(b for _, b in kinds.values()), target])
