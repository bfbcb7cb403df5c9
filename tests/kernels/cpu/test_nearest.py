"""What the searches are put together from. What they find is asked in `losses/test_pairs.py`, with the matrix as the reference."""

import threading

import numpy as np
import pytest

import boxloss as bl
from boxloss.kernels.cpu import nearest
from boxloss.kernels.cpu.nearest import Asked, Piece, Slots, _merged, pieces, sides
from boxloss.kernels.cpu.search import BLOCK
from kernels.cpu.test_matrix import WILD, boxes

IOU = Asked(bl.catalogue()["iou"], (), "float32", "xyxy", True)
L1 = Asked(bl.catalogue()["l1"], (), "float32", "xyxy", True)


@pytest.mark.parametrize("asked", [IOU, L1], ids=["iou", "l1"])
@pytest.mark.parametrize(("n", "m"), [(50, 40), (900, 300)])
def test_every_pair_is_in_one_piece(n: int, m: int, asked: Asked) -> None:
    """Except for those with NaN, which may be in none."""
    rows, others = boxes(0, n), boxes(1, m)
    for k, box in enumerate(WILD.values()):
        rows[3 * k], others[5 * k + 1] = box, box
    count = np.zeros((n, m), int)
    for piece in pieces(asked, rows, others):
        count[np.ix_(piece.rows, piece.others)] += 1
    numbers = np.isfinite(rows).all(1)[:, None] & np.isfinite(others).all(1)
    assert (count[numbers] == 1).all()
    assert (count <= 1).all()


def test_bounds_are_for_boxes_that_they_hold_for() -> None:
    rows, others = boxes(0, 900), boxes(1, 300)
    rows[:6], others[:6] = list(WILD.values()), list(WILD.values())
    (bounded,) = [piece for piece in pieces(IOU, rows, others) if piece.bounded]
    assert bounded.rows.min() == 6
    assert set(range(6)) - set(bounded.others.tolist()) == {list(WILD).index(kind) for kind in ("nan", "inverted", "far away", "infinite")}


@pytest.mark.parametrize("seeds", [1, 5])
def test_a_floor_is_not_above_what_will_be_found(seeds: int) -> None:
    rows, others = boxes(0, 3000), boxes(1, 200)
    rows[1::2] = rows[::2]  # the same value twice is two of the best
    at = sides(IOU, Piece(np.arange(3000), np.arange(200), True), rows, others, "a", seeds=seeds)
    matrix = bl.pairwise("iou", rows, others)
    known = at.index >= 0
    best = np.sort(matrix, axis=0)[-seeds][at.index[known]]
    assert (at.floor[known] <= best).all()
    assert (at.floor[known] > 0).mean() > 0.5  # and it is of use
    assert (at.floor[~known] == np.inf).all()


def test_columns_are_padded_and_numbered() -> None:
    rows, others = boxes(0, 3000), boxes(1, 70)
    chosen = np.arange(5, 70)
    at = sides(IOU, Piece(np.arange(3000), chosen, True), rows, others, "a")
    assert at.width == 2 * BLOCK
    assert sorted(at.index[at.index >= 0].tolist()) == chosen.tolist()
    assert at.index[at.begin] == 5
    known = at.index >= 0
    assert np.array_equal(at.others[:, known].T, others[at.index[known]])
    assert sorted(at.order.tolist()) == list(range(3000))


def test_what_threads_found_is_merged() -> None:
    def found(values: list[list[float]], indices: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array(values, "float32"), np.array(indices), np.array([2, 0])

    none = -np.inf
    parts = [found([[0.5, 0.1], [none, none]], [[7, 9], [-1, -1]]), found([[0.5, 0.3], [0.2, 0.1]], [[4, 1], [0, 3]])]
    values, indices = _merged(parts, 3, 2, "float32")
    assert values.tolist() == [[np.float32(0.3), np.float32(0.1)], [none, none], [0.5, 0.5]]
    assert indices.tolist() == [[1, 3], [-1, -1], [4, 7]]


def test_slots_are_as_many_as_are_in_use() -> None:
    slots = Slots(object)
    with slots.one() as a, slots.one() as b:
        assert a is not b
    with slots.one() as again:
        assert again in (a, b)
    assert len(slots.all) == 2


def test_searches_from_many_threads_at_once() -> None:
    rows, others = boxes(0, 4000), boxes(1, 100)
    (want, indices), _ = nearest.nearest(IOU, rows, others, 1, of_a=True, of_b=True)
    got: list[bool] = []

    def one() -> None:
        (values, found), _ = nearest.nearest(IOU, rows, others, 1, of_a=True, of_b=True)
        got.append(np.array_equal(values, want) and np.array_equal(found, indices))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [True] * 8
