"""A search by hill climbing: many sets of boxes at once, each moved at random, by steps that grow with success and shrink with failure."""

from collections.abc import Callable

import numpy as np

from boxloss.claims.sample import Floats

Score = Callable[[Floats], Floats]
"""Sets of boxes (n, k, 4) -> (n,): what is to be made large."""


def climb(score: Score, sets: Floats, rng: np.random.Generator, rounds: int, reach: float) -> tuple[Floats, Floats]:
    """The sets (n, k, 4) after `rounds` of climbing, and their scores. Coordinates and sides stay within `reach`.

    A box is moved in units of its own sides and of the set's extent, and scaled by factors, so that points stay points.
    """
    n, k, _ = sets.shape
    best = _number(score(sets))
    step = np.full(n, 0.3)
    for index in range(rounds):
        low, high = sets[..., :2], sets[..., 2:]
        centre, side = low / 2 + high / 2, high - low
        extent = (sets[..., 2:].max(axis=1) - sets[..., :2].min(axis=1))[:, None, :]
        size = step[:, None, None]
        chosen = rng.random((n, k, 2, 2)) < (0.3 if index % 2 else 0.7)
        unit = np.where(rng.random((n, k, 2)) < 0.5, side, extent)
        moved = centre + chosen[..., 0] * size * unit * rng.standard_normal((n, k, 2))
        grown = side * np.exp(np.clip(chosen[..., 1] * size * rng.standard_normal((n, k, 2)) * 2, -8, 8))
        grown = np.clip(grown, 0.0, 2 * reach)
        moved = np.clip(moved, -reach, reach)
        trial = np.concatenate([moved - grown / 2, moved + grown / 2], axis=-1)
        found = _number(score(trial))
        better = found > best
        sets = np.where(better[:, None, None], trial, sets)
        best = np.where(better, found, best)
        step = np.clip(np.where(better, step * 1.6, step * 0.93), 1e-9, 3.0)
    return sets, best


def follow(score: Score, slope: Callable[[Floats], Floats], sets: Floats, rounds: int, reach: float) -> tuple[Floats, Floats]:
    """As `climb`, along the slope (n, k, 4) of the score."""
    best = _number(score(sets))
    step = np.full(len(sets), 0.05)
    for _ in range(rounds):
        along = slope(sets)
        length = np.sqrt((along * along).sum(axis=(1, 2), keepdims=True))
        trial = sets + step[:, None, None] * along / np.where(length > 0, length, 1.0)
        low, high = np.minimum(trial[..., :2], trial[..., 2:]), np.maximum(trial[..., :2], trial[..., 2:])
        trial = np.clip(np.concatenate([low, high], axis=-1), -reach, reach)
        found = _number(score(trial))
        better = found > best
        sets = np.where(better[:, None, None], trial, sets)
        best = np.where(better, found, best)
        step = np.clip(np.where(better, step * 1.5, step * 0.5), 1e-12, 1.0)
        step = np.where(step <= 1e-12, 0.05, step)
    return sets, best


def _number(x: Floats) -> Floats:
    return np.where(np.isnan(x), -np.inf, x)
