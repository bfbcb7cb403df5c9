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
    best = _number(score(sets))
    step = np.full(len(sets), 0.3)
    for index in range(rounds):
        snaps = index % 4 == 3
        trial = _snapped(sets, rng) if snaps else _moved(sets, step, rng, 0.3 if index % 2 else 0.7, reach)
        found = _number(score(trial))
        better = found > best
        sets = np.where(better[:, None, None], trial, sets)
        best = np.where(better, found, best)
        if not snaps:
            step = np.clip(np.where(better, step * 1.6, step * 0.93), 1e-9, 3.0)
    return sets, best


def _moved(sets: Floats, step: Floats, rng: np.random.Generator, share: float, reach: float) -> Floats:
    """A `share` of the boxes' places and sides changed at random, by steps of the size `step`."""
    n, k, _ = sets.shape
    low, high = sets[..., :2], sets[..., 2:]
    centre, side = low / 2 + high / 2, high - low
    extent = (high.max(axis=1) - low.min(axis=1))[:, None, :]
    size = step[:, None, None]
    chosen = rng.random((n, k, 2, 2)) < share
    unit = np.where(rng.random((n, k, 2)) < 0.5, side, extent)
    moved = centre + chosen[..., 0] * size * unit * rng.standard_normal((n, k, 2))
    grown = side * np.exp(np.clip(chosen[..., 1] * size * rng.standard_normal((n, k, 2)) * 2, -8, 8))
    half = np.clip(grown, 0.0, 2 * reach) / 2
    moved = np.clip(moved, -reach, reach)
    return np.concatenate([moved - half, moved + half], axis=-1)


def _snapped(sets: Floats, rng: np.random.Generator) -> Floats:
    """An edge of one box laid on an edge of another: tops often lie where edges meet, and no random step leads there."""
    n, k, _ = sets.shape
    rows = np.arange(n)
    one, axis = rng.integers(k, size=n), rng.integers(2, size=n)
    other = (one + rng.integers(1, k, size=n)) % k
    edge, to = axis + 2 * rng.integers(2, size=n), axis + 2 * rng.integers(2, size=n)
    trial = sets.copy()
    trial[rows, one, edge] = sets[rows, other, to]
    return np.concatenate([np.minimum(trial[..., :2], trial[..., 2:]), np.maximum(trial[..., :2], trial[..., 2:])], axis=-1)


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
