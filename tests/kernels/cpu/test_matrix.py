"""The loops that fill a matrix: every place of it, from memory of any layout, each tile by the text that it needs."""

from typing import Any

import numpy as np
import pytest

import boxloss as bl
from boxloss.kernels.cpu.matrix import ROWS, TILE, Matrix, matrix
from boxloss.kernels.switch import plain
from each import each_loss

Array = np.ndarray
GIOU = bl.catalogue()["giou"]
KEPT = -12345.0


def boxes(seed: int, n: int, dtype: str = "float32", size: float = 60) -> Array:
    rng = np.random.default_rng(seed)
    centre, side = rng.uniform(0, 640, (n, 2)), rng.uniform(size / 2, size, (n, 2))
    return np.hstack([centre - side / 2, centre + side / 2]).astype(dtype)


def filled(a: Array, b: Array, **how: Any) -> Array:
    """The matrix, with memory around it that keeps what it holds."""
    guard = 100
    memory = np.full(len(a) * len(b) + 2 * guard, KEPT, a.dtype)
    inside = memory[guard : len(memory) - guard].reshape(len(a), len(b))
    Matrix(GIOU, {}, number=a.dtype.name, format="xyxy", similarity=True, **how)(a, b, inside)
    assert (memory[:guard] == KEPT).all()
    assert (memory[len(memory) - guard :] == KEPT).all()
    assert (inside != KEPT).all()
    return inside


def wanted(a: Array, b: Array) -> Array:
    with plain():
        return np.asarray(bl.pairwise("giou", a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, ROWS - 1, ROWS, ROWS + 1])
@pytest.mark.parametrize("m", [1, TILE - 1, TILE, TILE + 1])
def test_every_place_is_filled(n: int, m: int, dtype: str) -> None:
    a, b = boxes(0, n, dtype), boxes(1, m, dtype)
    np.testing.assert_array_equal(filled(a, b), wanted(a, b))


WILD = {
    "nan": [np.nan, 0, 1, 1],
    "inverted": [5, 5, 1, 1],
    "far away": [1e6, 1e6, 1e6 + 10, 1e6 + 10],
    "a point": [0, 0, 0, 0],
    "small": [0, 0, 1e-5, 1e-4],
    "infinite": [np.inf, 1, 2, 3],
}


@pytest.mark.parametrize("kind", WILD)
def test_boxes_that_need_the_whole_text(kind: str) -> None:
    """One on either side, among many that do not: in the first tile, in the last, and against each other."""
    a, b = boxes(0, 70), boxes(1, TILE + 40)
    for row, column in ((3, 5), (69, TILE + 39), (0, TILE)):
        x, y = a.copy(), b.copy()
        x[row] = WILD[kind]
        np.testing.assert_array_equal(filled(x, b), wanted(x, b))
        y[column] = WILD[kind]
        np.testing.assert_array_equal(filled(a, y), wanted(a, y))
        np.testing.assert_array_equal(filled(x, y), wanted(x, y))


@pytest.mark.parametrize("name", each_loss())
def test_every_loss(name: str) -> None:
    a, b = boxes(0, 20), boxes(1, 30)
    a[3], b[5] = WILD["inverted"], a[4]
    with plain():
        want = np.asarray(bl.pairwise(name, a, b))
    np.testing.assert_array_equal(np.asarray(bl.pairwise(name, a, b)), want)


def test_memory_of_any_layout() -> None:
    a, b = boxes(0, 30), boxes(1, 50)
    want = wanted(a, b)
    packed = np.zeros(50, [("tag", "i1"), ("box", "4f4")])
    packed["box"] = b
    for x in (a, np.asfortranarray(a), np.repeat(a, 2, 0)[::2], a[::-1].copy()[::-1], np.hstack([a, a])[:, :4]):
        for y in (b, np.asfortranarray(b), packed["box"]):
            np.testing.assert_array_equal(filled(x, y), want)


def test_loops_are_kept() -> None:
    asked = (GIOU, (), "float32", "xyxy", True)
    matrix(*asked)  # of threads that ask for the first time at once, each may make its own, and one of these is kept
    assert matrix(*asked) is matrix(*asked)
