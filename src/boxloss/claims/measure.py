"""Measuring one loss: seeded, in float64, with the gradients that training sees."""

from typing import Any

import numpy as np

from boxloss.claims import sample, search
from boxloss.claims.asking import Asked, by_sides
from boxloss.claims.differences import differences
from boxloss.claims.measured import Box, Measured
from boxloss.claims.sample import Floats, Pairs
from boxloss.formulas import Formula, find

N = 20_000  # random pairs
N_TRIPLES, N_SEARCHES = 240_000, 4
LEAST_SLOPE = 1e-9  # a slope that is smaller is rounding
LEAST_FALL = 1e-9


def measure(loss: str | Formula, **parameters: Any) -> Measured:
    """All figures of a loss, a name of the catalogue or a formula, with these parameters.

    >>> measured = measure("iou")
    >>> measured.match[:2], measured.apart
    ((2.0, 1.0), (0.0, 0.0, 0.0))
    """
    formula = find(loss)
    asked = Asked(formula, parameters)
    with np.errstate(all="ignore"):
        found = _bounds(asked) | _hazards(asked) | _symmetries(asked) | _triangle(asked) | _repulsion(asked) | _fall(asked)
        found |= _slopes(asked) | _shift(asked)
        off = differences(asked, _tame(sample.random_pairs(600, seed=5)))
    return Measured(name=formula.name, parameters=parameters, **found, gradient_error=_float(off.held), value_error=_float(off.moving))


def _float(x: Any) -> float:
    """Short enough to read, and to keep: ten digits."""
    return float(f"{float(x):.10g}")


def _box(box: Floats) -> Box:
    return tuple(float(f"{x:.12g}") for x in box)


def _bounds(asked: Asked) -> dict[str, Any]:
    upright = {name: pairs for name, pairs in sample.hazards().items() if "inverted" not in name and "subnormal" not in name}
    parts = [sample.random_pairs(N), sample.extremes(), *sample.kinds(2000).values(), *upright.values()]
    a, b = (np.vstack([part[side] for part in parts]) for side in (0, 1))
    values = asked.values(a, b)
    ends: dict[str, Any] = {}
    for name, sign in (("least", -1.0), ("most", 1.0)):
        order = np.argsort(-sign * np.nan_to_num(values, nan=-sign * np.inf))
        # The best, and as many of the random ones: the best are often all of one kind.
        rows = np.concatenate([order[:64], order[order < N][:64]])
        sets = np.stack([a[rows], b[rows]], axis=1)
        reach = 1e7 if asked.formula.interval[1] == np.inf else 1e3
        sets = np.clip(sets, -1e9, 1e9)
        found, score = search.climb(lambda s, sign=sign: sign * asked.values(s[:, 0], s[:, 1]), sets, sample.generator(7), 400, reach)  # type: ignore[misc]
        best = int(score.argmax())
        first = sign * values[order[0]]
        ends[name] = _float(sign * max(score[best], first)) + 0.0 if np.isfinite(first) else _float(values[order[0]])
        if sign > 0:
            at = (found[best, 0], found[best, 1]) if score[best] > first else (a[order[0]], b[order[0]])
            ends["most_at"] = (_box(at[0]), _box(at[1]))
    return ends


def _hazards(asked: Asked) -> dict[str, Any]:
    from boxloss.kernels.switch import plain

    trouble, own = "", 0.0
    # Without kernels in float32: to compile another takes longer than these few pairs.
    for dtype in ("float64", "float32"):
        for name, (a, b) in sample.hazards(dtype).items():
            with plain():
                value, by_a, by_b = asked.all(a, b)
                same = np.abs(asked.values(b, b)) if "inverted" not in name else np.zeros(1)
            own = max(own, float(np.nan_to_num(same, nan=np.inf).max()))
            # What exceeds the type may be infinite, and never NaN.
            large = name.startswith(("boxes of 1e", "subnormal"))
            for what, x in (("value", value), ("gradient", np.hstack([by_a, by_b]))):
                bad = np.isnan(x) if large and not asked.formula.scale_free else ~np.isfinite(x)
                if name.startswith("subnormal") and what == "gradient":
                    bad = np.isnan(x)
                if bad.any() and not trouble:
                    row = int(np.argmax(bad.reshape(len(a), -1).any(axis=1)))
                    trouble = f"the {what} is {np.ravel(x[row][bad[row]])[0]} in {dtype} for {name}, such as {a[row].tolist()} against {b[row].tolist()}"
    return {"self_cost": _float(own), "not_finite": trouble}


def _symmetries(asked: Asked) -> dict[str, Any]:
    parts = [sample.random_pairs(N), *sample.kinds(1000).values(), sample.hazards()["whole coordinates"], sample.hazards()["a line and a box"]]
    a, b = (np.vstack([part[side] for part in parts]) for side in (0, 1))
    values = asked.values(a, b)
    size = np.maximum(np.abs(values), 1e-300)

    def change(factor: float) -> float:
        return float((np.abs(asked.values(a * factor, b * factor) - values) / size).max())

    return {
        "swap": _float(np.abs(asked.values(b, a) - values).max()),
        "sevenfold": _float(change(7.0)),
        "doubled": _float(max(change(2.0**power) for power in (-11, 1, 30))),
    }


def _triangle(asked: Asked) -> dict[str, Any]:
    """The worst triple among random ones, then among those that climbing makes of the worst and of oddly shaped ones: in several searches side by side, for
    each finds another top."""

    def score(sets: Floats) -> Floats:
        a, b, c = sets[:, 0], sets[:, 1], sets[:, 2]
        return asked.values(a, c) - asked.values(a, b) - asked.values(b, c)

    def slope(sets: Floats) -> Floats:
        a, b, c = sets[:, 0], sets[:, 1], sets[:, 2]
        (_, direct_a, direct_c), (_, there_a, there_b), (_, on_b, on_c) = asked.all(a, c), asked.all(a, b), asked.all(b, c)
        return np.stack([direct_a - there_a, -there_b - on_b, direct_c - on_c], axis=1)

    rng = sample.generator(3)
    usual = np.stack([sample.boxes(rng, N_TRIPLES) for _ in range(3)], axis=1)
    odd = np.stack([_odd_boxes(rng, N_SEARCHES * 4096) for _ in range(3)], axis=1)
    found = np.nan_to_num(score(usual), nan=-np.inf)
    starts = [_best(usual, found, 1024), _best(odd, np.nan_to_num(score(odd), nan=-np.inf), 1024)]
    sets = np.concatenate(starts, axis=1).reshape(-1, 3, 4)
    for keep, rounds in ((512, 80), (128, 200), (64, 600)):
        sets, worst = search.climb(score, sets, rng, rounds, reach=8.0)
        sets = _best(sets, worst, keep).reshape(-1, 3, 4)
    sets, worst = search.follow(score, slope, sets, 300, reach=16.0)
    best_random, best = float(found.max()), float(worst.max())
    at = sets[worst.argmax()] if best >= best_random else usual[found.argmax()]
    best = max(best, best_random)
    return {
        "triangle": _float(best),
        "triangle_size": _float(asked.values(at[None, 0], at[None, 2])[0]),
        "triangle_random": _float(best_random),
        "triangle_at": tuple(_box(box) for box in at),
    }


def _best(sets: Floats, scores: Floats, n: int) -> Floats:
    """(N_SEARCHES, n, k, 4): the best `n` of each search, which are as many parts of `sets`."""
    order = np.argsort(-scores.reshape(N_SEARCHES, -1), axis=1)[:, :n]
    rows = order + np.arange(N_SEARCHES)[:, None] * (len(sets) // N_SEARCHES)
    return np.asarray(sets[rows])


def _odd_boxes(rng: np.random.Generator, n: int) -> Floats:
    """Boxes of sides from 0.005 to 5, so that many are slim."""
    centre, half = rng.uniform(-2, 2, (n, 2)), np.exp(rng.uniform(np.log(0.005), np.log(5), (n, 2))) / 2
    return np.hstack([centre - half, centre + half])


def _away(a: Floats, b: Floats) -> Floats:
    """(n, 2): the unit vector from the target's centre to the prediction's."""
    way = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    length = np.hypot(way[:, 0], way[:, 1])[:, None]
    return np.asarray(way / np.where(length > 0, length, 1.0))


def _along(gradient: Floats, way: Floats) -> Floats:
    return np.asarray(((gradient[:, :2] + gradient[:, 2:]) * way).sum(axis=1))


def _repulsion(asked: Asked) -> dict[str, Any]:
    worst, at = np.inf, (sample.UNIT, sample.UNIT)
    shares = {}
    shifts = np.linspace(0.0, 8.0, 1001)[1:]
    moved = sample.UNIT + shifts[:, None] * np.array([1.0, 0.0, 1.0, 0.0])
    groups = sample.kinds(4000) | {"": (moved, np.broadcast_to(sample.UNIT, moved.shape))}
    for kind, (a, b) in groups.items():
        slope = _along(asked.slopes(a, b), _away(a, b))
        if kind:
            shares[kind] = _float((slope < -LEAST_SLOPE).mean())
        row = int(np.nan_to_num(slope, nan=np.inf).argmin())
        if slope[row] < worst:
            worst, at = float(slope[row]), (a[row], b[row])
    return {"repulsion": _float(worst), "repulsion_at": (_box(at[0]), _box(at[1])), "repulsive": shares}


def _fall(asked: Asked) -> dict[str, Any]:
    """Paths away from the target along the line of centres: how far the value falls below the highest it had before."""
    parts = list(sample.kinds(500, seed=11).values())
    a, b = (np.vstack([part[side] for part in parts]) for side in (0, 1))
    ways = 8.0 * np.linspace(0.0, 1.0, 97) ** 2
    step = ways[:, None, None] * np.tile(_away(a, b), 2)
    paths = a + step  # (ways, n, 4)
    values = asked.values(paths.reshape(-1, 4), np.broadcast_to(b, paths.shape).reshape(-1, 4)).reshape(len(ways), -1)
    highest = np.maximum.accumulate(values, axis=0)
    falls = np.nan_to_num(highest - values, nan=0.0)
    row = int(falls.max(axis=0).argmax())
    end = int(falls[:, row].argmax())
    peak = int(values[: end + 1, row].argmax())
    return {"fall": _float(falls.max()), "fall_at": (_box(paths[peak, row]), _box(b[row]))}


def _slopes(asked: Asked) -> dict[str, Any]:
    unit = sample.UNIT[None]
    apart = by_sides(asked.slopes(unit + np.array([3.0, 0.0, 3.0, 0.0]), unit))[0]
    h = 2.0**-26
    leaving = unit + h * np.array([[1, 0, 1, 0], [-0.5, 0, 0.5, 0], [0.5, 0, -0.5, 0]])
    match = asked.values(leaving, np.broadcast_to(unit, leaving.shape)) / h
    flat, unmoved, enlarging = {}, 0.0, 0.0
    for kind, (a, b) in sample.kinds(4000).items():
        gradient = asked.slopes(a, b)
        flat[kind] = _float((gradient == 0).all(axis=1).mean())
        sides = by_sides(gradient)
        if kind == "nested":
            unmoved = float((np.abs(sides[:, :2]).max(axis=1) <= 1e-12 * np.abs(gradient).max(axis=1)).mean())
        if kind == "apart":
            enlarging = _enlarging(asked, b, (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2)
    return {
        "apart": tuple(_float(apart[k]) + 0.0 for k in (0, 2, 3)),
        "match": tuple(_float(f"{x:.7g}") for x in match),
        "flat": flat,
        "unmoved": _float(unmoved),
        "enlarging": _float(enlarging),
    }


def _enlarging(asked: Asked, b: Floats, way: Floats) -> float:
    """The share of targets whose copies, moved by `way` and now apart, would cost less if they were larger."""
    # On a grid, so that the copies have the targets' sides to the bit: |difference| has no slope at 0, and one of rounding has.
    b, way = (np.round(x * 2.0**20) / 2.0**20 for x in (b, way))
    side = b[:, 2:] - b[:, :2]
    apart = (np.abs(way) > side).any(axis=1)
    a = b + np.tile(way, 2)
    sides = by_sides(asked.slopes(a[apart], b[apart]))
    grown = (sides[:, 2:] * side[apart]).sum(axis=1)
    return float((grown < -LEAST_SLOPE).mean())


def _shift(asked: Asked) -> dict[str, Any]:
    shifts = np.arange(8 * 512 + 1) / 512
    moved = sample.UNIT + shifts[:, None] * np.array([1.0, 0.0, 1.0, 0.0])
    values = asked.values(moved, np.broadcast_to(sample.UNIT, moved.shape))
    rounding = 1e-12 * max(float(np.abs(values).max()), 1e-300)
    falls = np.flatnonzero(np.diff(values) < -rounding)
    fall = float((np.maximum.accumulate(values) - values).max())
    constant = np.flatnonzero(np.abs(values - values[-1]) > rounding)
    return {
        "shift_top": _float(shifts[falls[0]]) if len(falls) else 8.0,
        "shift_fall": _float(fall if len(falls) else 0.0),
        "shift_flat": _float(shifts[min(constant[-1] + 1, len(shifts) - 1)]) if len(constant) else 0.0,
        "shift_end": _float(values[-1]),
    }


def _tame(pairs: Pairs) -> Pairs:
    """Those whose edges are apart by more than a step of differences: no kink lies between."""
    a, b = pairs
    gaps = np.abs(a[:, [0, 0, 1, 1, 2, 2, 3, 3]] - b[:, [0, 2, 1, 3, 0, 2, 1, 3]]).min(axis=1)
    centres = np.abs((a[:, :2] + a[:, 2:]) - (b[:, :2] + b[:, 2:])).min(axis=1)
    kept = (gaps > 1e-3) & (centres > 1e-3)
    return a[kept], b[kept]
