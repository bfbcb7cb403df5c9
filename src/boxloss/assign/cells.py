"""Which priors' points lie near an object, or inside it, without asking every prior: the points of each level stand in cells, and a window opens on some.

The pairs come in parts, so that memory grows with priors plus objects, whatever the windows hold.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from boxloss.assign.inputs import Floats, Inputs, Integers, centres
from boxloss.assign.ranking import Ranking
from boxloss.losses.inputs import check_number

PAIRS = 2**18
"""Of a part, but for the last row of cells that is opened, whose pairs stay together."""
WIDTH = 2**20
"""Cells of a row, at most: points further off share the last one."""

Pairs = tuple[Integers, Integers]


class Level:
    """The points of one stride. `xy`: (P, 2), of which those in `rows` are the level's."""

    def __init__(self, xy: Floats, rows: Integers, stride: float):
        x, y = (column.take(rows) for column in in_columns(xy))
        finite = np.isfinite(x) & np.isfinite(y)
        if not finite.all():
            rows, x, y = rows[finite], x[finite], y[finite]
        self.stride, self.n = stride, len(rows)
        self._least = (x.min(), y.min()) if len(rows) else (0.0, 0.0)
        key = self._cell(y, 1) * WIDTH + self._cell(x, 0)
        order = np.argsort(key, kind="stable")  # which is quick where they are in order, as the points of a grid are
        self._key, self._priors = key[order], rows[order]
        row = self._key // WIDTH
        self._rows = row[np.diff(row, prepend=-1) > 0]
        """Of cells: those that hold a point."""

    def _cell(self, at: Floats, axis: int) -> Integers:
        # Rounding keeps order: a point between two others has no cell outside of theirs. NaN gets one, and whoever has NaN asks for none.
        with np.errstate(over="ignore", invalid="ignore"):
            steps = (at - self._least[axis]) / self.stride
        cell: Integers = np.fmax(np.fmin(steps, WIDTH - 1), 0).astype(np.int64)
        return cell

    def around(self, centres: Floats, reach: float) -> Iterator[Pairs]:
        """As `pairs`, for windows that reach so far from their centres, (N, 2), and a little farther: what a distance is rounded to is the caller's affair."""
        centres, reach = centres.astype(np.float64), reach * (1 + 2.0**-10)
        with np.errstate(over="ignore"):
            return self.pairs(centres - reach, centres + reach)

    def pairs(self, low: Floats, high: Floats) -> Iterator[Pairs]:
        """Pairs of a window, numbered from 0, and a prior: every prior whose point lies in the window from `low` to `high`, (N, 2), sides included, and some
        that lie outside by less than a cell. Windows with NaN have none."""
        (left, top), (right, bottom) = in_columns(low), in_columns(high)
        first = np.searchsorted(self._rows, self._cell(top, 1), "left")
        n_rows = np.searchsorted(self._rows, self._cell(bottom, 1), "right") - first
        n_rows = np.where((left <= right) & (top <= bottom), n_rows, 0)  # none for NaN, and none below 0
        first_cell, last_cell = self._cell(left, 0), self._cell(right, 0)
        for some in _parts(n_rows, PAIRS):
            window, row = _opened(first[some], n_rows[some])
            window += some.start
            start = self._rows.take(row) * WIDTH
            begin = np.searchsorted(self._key, start + first_cell.take(window), "left")
            count = np.searchsorted(self._key, start + last_cell.take(window), "right") - begin
            for few in _parts(count, PAIRS):
                of, place = _opened(begin[few], count[few])
                yield window[few].take(of), self._priors.take(place)


def in_columns(xy: Floats) -> npt.NDArray[np.float64]:
    """(N, 2) as (2, N): along an axis of two NumPy is slow."""
    return np.ascontiguousarray(xy.T, np.float64)


def levels(xy: Floats, strides: Floats | None) -> list[Level]:
    """The levels of points (P, 2), finest first. Without strides they are one, and its cells hold about one point each."""
    if strides is None:
        finite = xy[np.isfinite(xy).all(axis=1)].astype(np.float64)
        extent = float(np.ptp(finite, axis=0).max()) if len(finite) else 0.0
        return [Level(xy, np.arange(len(xy)), extent / max(len(finite), 1) ** 0.5 or 1.0)]
    return [Level(xy, np.flatnonzero(strides == stride), float(stride)) for stride in np.unique(strides)]


def central_pairs(asked: Inputs, radius: float) -> Iterator[Pairs]:
    """Objects and priors, part by part, whose point lies within `radius` strides of the object's centre."""
    check_number(asked.call, "radius", radius, 0, above_low=True)
    points, middles = asked.centres, centres(asked.objects)
    (x, y), (middle_x, middle_y) = (np.ascontiguousarray(xy.T) for xy in (points, middles))
    for level in levels(points, asked.needed("strides")):
        reach = radius * level.stride
        for of, prior in level.around(middles, reach):
            near = (np.abs(x.take(prior) - middle_x.take(of)) < reach) & (np.abs(y.take(prior) - middle_y.take(of)) < reach)
            yield of[near], prior[near]


def nearest_points(level: Level, xy: Floats, to: Floats, k: int) -> Integers:
    """The `k` priors of the level whose points, in `xy` (P, 2), are nearest to each of `to`, (N, 2): (N, k), nearest first, of equally near ones the first,
    and -1 where the level has fewer."""
    found = Ranking(len(to), k)
    wanted = min(k, level.n)
    open_ones = np.flatnonzero(np.isfinite(to).all(axis=1)) if wanted else np.empty(0, np.int64)
    radius = level.stride * 0.75 * k**0.5  # where every cell has a point, this circle holds k in most cases
    while len(open_ones) and radius < np.inf:
        centre = to[open_ones].astype(np.float64)
        found.forget(open_ones)
        for of, priors in level.around(centre, radius):
            with np.errstate(over="ignore"):
                away = xy[priors] - centre[of]
                distance2 = away[:, 0] * away[:, 0] + away[:, 1] * away[:, 1]
                near = distance2 <= radius * radius
            found.offer(open_ones[of[near]], priors[near], -distance2[near])
        open_ones = open_ones[found.items[open_ones, wanted - 1] < 0]
        radius *= 2
    return found.items


def _parts(counts: Integers, most: int) -> Iterator[slice]:
    """Slices of the counts whose sums are below `most`, or that have one count only."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + most, "right")))
        yield slice(start, stop)
        start = stop


def _opened(begin: Integers, counts: Integers) -> Pairs:
    """Ranges of so many numbers from `begin` on, one after the other: whose they are, and the numbers."""
    whose = np.repeat(np.arange(len(counts)), counts)
    skipped = np.cumsum(counts) - counts
    return whose, np.arange(len(whose)) + (begin - skipped).take(whose)
