"""The best partners of every box, and the pairs above a threshold: the searches as functions of arrays, spread over threads."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.calculus.bounds import Bound, upper_bound
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.trace import value_node
from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import LARGEST, Bodies, bodies, box_kinds, has_tame
from boxloss.kernels.cpu.neighbours import Floats, Integers, keys, order
from boxloss.kernels.cpu.program import Once, packer
from boxloss.kernels.cpu.run import elementwise
from boxloss.kernels.cpu.search import ABOVE, BLOCK, NEAREST, above_program, nearest_program
from boxloss.kernels.threads import run_parts

PART = 32
"""Blocks that a thread takes at a time."""
WORTH_THREADS = 2**21
"""Pairs: with fewer of them one thread has found the best before others would have woken, begun lists of their own, and merged them."""
FLOORS = 256
"""Columns whose floors are worked out at a time: each takes a kilobyte, which stays in the cache, and there is too little to do to wake a thread."""
WORTH_SORTING = 2**16
"""Pairs: with fewer of them all are looked at, in the order that they came in."""

Best = tuple[Floats, Integers]


@dataclass(frozen=True)
class Asked:
    """A formula with all that its loops depend on."""

    formula: Formula
    parameters: tuple[tuple[str, Any], ...]
    number: str
    format: str
    similarity: bool

    @property
    def has_tame(self) -> bool:
        return has_tame(self.formula)


class Kernels:
    """One formula's searches, with the rows on one side: for pairs that a bound holds for, and for all."""

    def __init__(self, asked: Asked, rows: str):
        def texts() -> Bodies:
            return bodies(asked.formula, dict(asked.parameters), number=asked.number, format=asked.format, similarity=asked.similarity)

        def bound() -> Bound | None:
            value, inputs = value_node(
                asked.formula, dict(asked.parameters), dtype=asked.number, format=asked.format, similarity=asked.similarity, tame=asked.has_tame
            )
            return upper_bound(value, inputs, rows)

        def kernel(make: Callable[..., Any], bounded: bool) -> Callable[[bytes], object]:
            return Once(lambda: make(texts(), bound() if bounded else None, rows=rows, tame=bounded and asked.has_tame).load())

        self.nearest = {bounded: kernel(nearest_program, bounded) for bounded in (True, False)}
        self.above = {bounded: kernel(above_program, bounded) for bounded in (True, False)}


@functools.lru_cache(maxsize=256)
def kernels(asked: Asked, rows: str) -> Kernels:
    return Kernels(asked, rows)


@dataclass(frozen=True)
class Piece:
    """Some of the rows against some of the columns: all pairs are in one piece, except for those with NaN, which are in none."""

    rows: Integers
    others: Integers
    bounded: bool


def pieces(asked: Asked, rows: Floats, others: Floats) -> Iterator[Piece]:
    """Bounds and the shorter text hold for most boxes; inverted or huge ones, and rows that are as good as points, are taken by themselves."""
    if len(rows) * len(others) < WORTH_SORTING:
        if len(rows) and len(others):
            yield Piece(np.arange(len(rows)), np.arange(len(others)), bounded=False)
        return
    wild_rows, small_rows = _kinds(asked, rows)
    wild_others, _ = _kinds(asked, others)
    fast_rows, fast_others = ~(wild_rows | small_rows), ~wild_others
    if fast_rows.all() and fast_others.all():  # as in most cases
        yield Piece(np.arange(len(rows)), np.arange(len(others)), bounded=True)
        return
    slow_rows = ~fast_rows & ~np.isnan(rows).any(1)
    all_others = fast_others | ~np.isnan(others).any(1)
    for row, other, bounded in ((fast_rows, fast_others, True), (slow_rows, all_others, False), (fast_rows, all_others & ~fast_others, False)):
        if row.any() and other.any():
            yield Piece(np.flatnonzero(row), np.flatnonzero(other), bounded)


def _kinds(asked: Asked, boxes: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Which boxes are wild, and which small."""
    if asked.has_tame:
        wild, small = evaluate(box_kinds(("left", "top", "right", "bottom"), asked.format, asked.number), list(boxes.T))
        return wild, small
    return np.any(~(np.abs(boxes) <= LARGEST / 2), axis=1), np.zeros(len(boxes), bool)  # NaN is not near


@dataclass(frozen=True)
class Sides:
    """A piece as the kernels take it."""

    n: int
    rows: Floats
    order: Integers
    width: int
    others: Floats
    index: Integers
    begin: int
    floor: Floats

    @property
    def n_blocks(self) -> int:
        return -(-self.n // BLOCK)

    def arguments(self, first: int, last: int, highest: Floats) -> tuple[int, ...]:
        places = self.rows.ctypes.data, self.order.ctypes.data, self.width, self.others.ctypes.data, self.index.ctypes.data, highest.ctypes.data
        return first, last, self.n, *places


def sides(asked: Asked, piece: Piece, rows: Floats, others: Floats, side: str, *, seeds: int = 0) -> Sides:
    """`seeds`: how many of each column's best are wanted, for a floor below them; 0 for none."""
    row_index, other_index = piece.rows, piece.others
    dtype = rows.dtype
    floor = np.full(len(other_index), -np.inf, dtype)
    if piece.bounded:
        row_keys, other_keys = keys([_columns(rows, row_index), _columns(others, other_index)], asked.format)
        by_row, by_other = order(row_keys), order(other_keys)
        row_index, other_index = row_index[by_row], other_index[by_other]
        if 0 < seeds <= BLOCK <= len(row_index):
            middles = np.searchsorted(row_keys[by_row], other_keys[by_other])
            begin = np.clip(middles - BLOCK // 2, 0, len(row_index) - BLOCK)
            for start in range(0, len(begin), FLOORS):
                some = slice(start, start + FLOORS)
                near = row_index.take(begin[some, None] + np.arange(BLOCK))
                floor[some] = _floor(asked, rows, others, near, other_index[some], side, seeds)
    width = -(-len(other_index) // BLOCK) * BLOCK
    at = np.zeros((4, width), dtype)
    at[:, : len(other_index)] = others.take(other_index, 0).T
    index = np.full(width, -1)
    index[: len(other_index)] = other_index
    padded_floor = np.full(width, np.inf, dtype)
    padded_floor[: len(floor)] = floor
    return Sides(len(row_index), np.ascontiguousarray(rows), row_index, width, at, index, int(np.argmin(other_index)), padded_floor)


def _columns(boxes: Floats, index: Integers) -> Floats:
    return boxes.T if len(index) == len(boxes) else boxes.take(index, 0).T


def _floor(asked: Asked, rows: Floats, others: Floats, near: Integers, of: Integers, side: str, k: int) -> Floats:
    """What the k-th best of each column `of` is not below: the k-th best among the rows `near` it, (m, BLOCK)."""
    m, width = near.shape
    a, b = rows.take(near.reshape(-1), 0), others.take(of, 0).repeat(width, 0)  # `take` is ten times as quick as brackets, for rows of four
    a, b = (a, b) if side == "a" else (b, a)
    values = np.empty(m * width, rows.dtype)
    loop = elementwise(asked.formula, asked.parameters, asked.number, asked.format, "", asked.similarity)
    loop(m * width, a.ctypes.data, 4, 1, b.ctypes.data, 4, 1, losses=values.ctypes.data)
    values = values.reshape(m, width)
    floor: Floats = np.partition(np.fmax(values, -np.inf), width - k, axis=1)[:, width - k]  # a NaN is as good as nothing
    return floor


class Slots:
    """Memory that one thread at a time works in; as many as there are threads at work."""

    def __init__(self, make: Callable[[], Any]):
        self.all: list[Any] = []
        self._make, self._free = make, []  # type: ignore[var-annotated]

    @contextmanager
    def one(self) -> Iterator[Any]:
        try:
            slot = self._free.pop()
        except IndexError:
            slot = self._make()
            self.all.append(slot)
        yield slot
        self._free.append(slot)


def nearest(asked: Asked, a: Floats, b: Floats, k: int, *, of_a: bool, of_b: bool) -> tuple[Best | None, Best | None]:
    """The `k` best for each of `a`, (n, k), and for each of `b`, (m, k), where they are wanted: values and indices, best first; -infinity and -1 where
    there are fewer."""
    side = "a" if len(a) >= len(b) else "b"
    rows, others = (a, b) if side == "a" else (b, a)
    for_rows, for_others = (of_a, of_b) if side == "a" else (of_b, of_a)
    k_rows, k_others = k if for_rows else 1, k if for_others else 1
    values, indices = _empty((len(rows), k_rows) if for_rows else (0, 1), rows.dtype)
    found: list[tuple[Floats, Integers, Integers]] = []
    for piece in pieces(asked, rows, others):
        found += _search(asked, piece, rows, others, side, values, indices, k_rows, k_others, for_rows, for_others)
    best_rows = (values, indices) if for_rows else None
    best_others = _merged(found, len(others), k_others, rows.dtype) if for_others else None
    return (best_rows, best_others) if side == "a" else (best_others, best_rows)


def _search(
    asked: Asked, piece: Piece, rows: Floats, others: Floats, side: str, values: Floats, indices: Integers, k: int, others_k: int,
    for_rows: bool, for_others: bool,
) -> list[tuple[Floats, Integers, Integers]]:  # fmt: skip
    """Goes on with the rows' best in `values` and `indices`, and gives what each thread found for the columns."""
    at = sides(asked, piece, rows, others, side, seeds=others_k if for_others else 0)
    number = rows.dtype
    kernel = kernels(asked, side).nearest[piece.bounded]

    def slot() -> tuple[Any, ...]:
        best_values, best_indices = _empty((others_k, at.width), number)
        best_values[:, at.index < 0] = np.inf
        if not for_others:
            best_values[:] = np.inf
        highest = np.empty(at.width, number)
        return best_values, best_indices, highest, np.empty((k, BLOCK), number), np.empty((k, BLOCK), np.int64)

    if not for_rows:
        values, indices = np.full((len(rows), 1), np.inf, number), np.full((len(rows), 1), -1)
    slots = Slots(slot)

    def part(p: int) -> None:
        with slots.one() as (best_values, best_indices, highest, best, best_index):
            places = [x.ctypes.data for x in (values, indices, best, best_index)]
            of_others = [x.ctypes.data for x in (best_values, best_indices, at.floor)]
            blocks = p * size, min((p + 1) * size, at.n_blocks)
            kernel(_pack_nearest(*at.arguments(*blocks, highest), at.begin, k, int(for_rows), *places, others_k, *of_others))

    size = PART if at.n * at.width >= WORTH_THREADS else at.n_blocks
    run_parts(part, -(-at.n_blocks // size))
    known = at.index >= 0
    return [(slot[0][:, known], slot[1][:, known], at.index[known]) for slot in slots.all] if for_others else []


def _empty(shape: tuple[int, int], number: npt.DTypeLike) -> Best:
    return np.full(shape, -np.inf, number), np.full(shape, -1)


def _merged(found: list[tuple[Floats, Integers, Integers]], m: int, k: int, number: npt.DTypeLike) -> Best:
    """The best of what several threads and pieces found: each (k, some columns), with the columns' numbers."""
    values, indices = _empty((m, k), number)
    for part, (some_values, some_indices, columns) in enumerate(found):
        if part == 0:  # in order as it is, and often the only one
            values[columns], indices[columns] = some_values.T, some_indices.T
            continue
        both_values = np.concatenate([values[columns], some_values.T], axis=1)
        both_indices = np.concatenate([indices[columns], some_indices.T], axis=1)
        # Best first; of equal ones the lowest index; what is nothing last.
        ranks = np.lexsort((both_indices, -both_values))[:, :k]
        values[columns], indices[columns] = np.take_along_axis(both_values, ranks, 1), np.take_along_axis(both_indices, ranks, 1)
    return values, indices


def above(asked: Asked, a: Floats, b: Floats, threshold: float) -> tuple[Integers, Integers, Floats]:
    """The pairs whose value is above `threshold`: indices of `a` and of `b`, and values, sorted by the indices."""
    side = "a" if len(a) >= len(b) else "b"
    rows, others = (a, b) if side == "a" else (b, a)
    found = [x for piece in pieces(asked, rows, others) for x in _above(asked, piece, rows, others, side, threshold)]
    of_rows = np.concatenate([np.empty(0, np.int64), *(x[0] for x in found)])
    of_others = np.concatenate([np.empty(0, np.int64), *(x[1] for x in found)])
    values = np.concatenate([np.empty(0, rows.dtype), *(x[2] for x in found)])
    of_a, of_b = (of_rows, of_others) if side == "a" else (of_others, of_rows)
    ranks = np.lexsort((of_b, of_a))
    return of_a[ranks], of_b[ranks], values[ranks]


def _above(asked: Asked, piece: Piece, rows: Floats, others: Floats, side: str, threshold: float) -> list[tuple[Integers, Integers, Floats]]:
    at = sides(asked, piece, rows, others, side)
    kernel = kernels(asked, side).above[piece.bounded]
    slots = Slots(lambda: np.empty(at.width, rows.dtype))
    found: list[tuple[Integers, Integers, Floats]] = []

    def part(p: int) -> None:
        room, count = 4 * PART * BLOCK, np.zeros(1, np.int64)
        with slots.one() as highest:
            while True:
                of_rows, of_others, values = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, rows.dtype)
                count[0] = 0
                places = [x.ctypes.data for x in (of_rows, of_others, values, count)]
                kernel(_pack_above(*at.arguments(p * PART, min((p + 1) * PART, at.n_blocks), highest), threshold, room, *places))
                if count[0] <= room:
                    break
                room = int(count[0])
        n = int(count[0])
        found.append((of_rows[:n].copy(), of_others[:n].copy(), values[:n].copy()))

    run_parts(part, -(-at.n_blocks // PART))
    return found


_pack_nearest, _pack_above = packer(NEAREST), packer(ABOVE)
