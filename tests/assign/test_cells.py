"""Points in cells: windows find all points that lie in them, in parts of any size, and the nearest points are the nearest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.assign import cells
from boxloss.assign.cells import Level, levels, nearest_points

COORDINATES = st.one_of(st.integers(-3, 40).map(float), st.floats(-1e3, 1e3, width=32), st.sampled_from([np.nan, np.inf, -np.inf, 1e30, 0.1]))


def places(least=0, most=12):
    rows = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=least, max_size=most)
    return rows.map(lambda rows: np.array(rows, np.float32).reshape(-1, 2))


@settings(deadline=None)
@given(places(), places(), places(), st.sampled_from([0.3, 1.0, 8.0]), st.sampled_from([1, 5, 2**18]))
def test_windows_find_every_point_in_them_once(xy, low, high, stride, part):
    n = min(len(low), len(high))
    low, high = low[:n], high[:n]
    before, cells.PAIRS = cells.PAIRS, part
    try:
        found = [pair for some in Level(xy, np.arange(len(xy)), stride).pairs(low, high) for pair in zip(*some, strict=True)]
    finally:
        cells.PAIRS = before
    assert len(set(found)) == len(found)
    inside = {(w, p) for w in range(n) for p in range(len(xy)) if np.isfinite(xy[p]).all() and (low[w] <= xy[p]).all() and (xy[p] <= high[w]).all()}
    assert inside <= set(found)


@settings(deadline=None)
@given(places(), places(), st.sampled_from([0.3, 8.0]), st.integers(1, 5))
def test_the_nearest_points_are_the_nearest(xy, to, stride, k):
    found = nearest_points(Level(xy, np.arange(len(xy)), stride), xy, to, k)
    assert found.shape == (len(to), k)
    for row, at in zip(found, to, strict=True):
        with np.errstate(invalid="ignore"):
            distance2 = ((xy.astype(float) - at) ** 2).sum(axis=1)
        known = np.flatnonzero(np.isfinite(xy).all(axis=1)) if np.isfinite(at).all() else []
        want = sorted(known, key=lambda p, d=distance2: (d[p], p))[:k]
        assert row.tolist() == want + [-1] * (k - len(want))


def test_points_far_from_the_origin_where_roundoff_is_a_cell():
    xy = np.float32(2**24) + np.arange(0, 64, 2, dtype=np.float32)[:, None].repeat(2, axis=1)
    for of, point in Level(xy, np.arange(len(xy)), 1.0).around(xy, 2.0):
        assert {(p, p) for p in range(len(xy))} <= set(zip(of.tolist(), point.tolist(), strict=True))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_levels_are_the_strides_finest_first(n):
    xy, strides = np.zeros((n, 2), np.float32), np.resize(np.array([16, 8, 32], np.float32), n)
    found = levels(xy, strides)
    assert [level.stride for level in found] == sorted(set(strides.tolist()))
    assert sum(level.n for level in found) == n
    assert [level.n for level in levels(xy, None)] == [n]
