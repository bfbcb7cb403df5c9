"""The boxes that the checks try, and the oracle's answers for them, computed once for all losses, libraries and checks."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from oracle import exact
from strategies import hazard

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Sample:
    """Pairs of boxes with the class of each."""

    a: Array  # (n, 4)
    b: Array  # (n, 4)
    labels: Array  # (n,) names of classes

    def where(self, keep: Array) -> "Sample":
        return Sample(self.a[keep], self.b[keep], self.labels[keep])

    @property
    def cases(self) -> list[tuple[Any, ...]]:
        """For a message: class, pred, target."""
        return [(str(label), a.tolist(), b.tolist()) for label, a, b in zip(self.labels, self.a, self.b, strict=True)]

    def __len__(self) -> int:
        return len(self.a)


@lru_cache(maxsize=64)
def sample(classes: tuple[str, ...], n: int, dtype: str, seed: int = 0) -> Sample:
    """`n` pairs of each class."""
    drawn = [hazard(name, n, dtype, seed) for name in classes]
    return Sample(np.concatenate([a for a, _ in drawn]), np.concatenate([b for _, b in drawn]), np.repeat(classes, n))


@lru_cache(maxsize=10_000)
def exact_pair(a: tuple[float, ...], b: tuple[float, ...]) -> exact.Pair:
    return exact.pair(a, b)


@lru_cache(maxsize=2_000)
def dual_pair(a: tuple[float, ...], b: tuple[float, ...]) -> exact.Pair:
    return exact.dual_pair(a, b)


def exact_values(name: str, parameters: dict[str, Any], boxes: Sample) -> list[Any]:
    return cached_values(name, tuple(parameters.items()), boxes)


@lru_cache(maxsize=64)
def cached_values(name: str, items: tuple[tuple[str, Any], ...], boxes: Sample) -> list[Any]:
    formula, parameters = exact.LOSSES[name], dict(items)
    return [formula(exact_pair(tuple(a), tuple(b)), **parameters) for a, b in zip(boxes.a.tolist(), boxes.b.tolist(), strict=True)]


def exact_gradients(name: str, parameters: dict[str, Any], boxes: Sample) -> list[list[Any]]:
    """For each pair eight slopes: four of the first box, four of the second."""
    formula = exact.LOSSES[name]
    return [exact.slopes(formula(dual_pair(tuple(a), tuple(b)), **parameters)) for a, b in zip(boxes.a.tolist(), boxes.b.tolist(), strict=True)]


def no_ties(boxes: Sample) -> Array:
    """(n,) bool: pairs whose eight coordinates differ along each axis, so that the gradient is the only one."""
    both = np.hstack([boxes.a, boxes.b])
    along_x, along_y = np.sort(both[:, 0::2], axis=1), np.sort(both[:, 1::2], axis=1)
    return (np.diff(along_x) > 0).all(1) & (np.diff(along_y) > 0).all(1)


def have_area(boxes: Sample) -> Array:
    return np.logical_and.reduce([(box[:, 2:] > box[:, :2]).all(1) for box in (boxes.a, boxes.b)])
