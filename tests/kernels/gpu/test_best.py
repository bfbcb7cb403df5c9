"""The best of every box's partners: what argmax finds in the matrix, ties and NaN included."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.kernels import gpu
from boxloss.kernels.gpu.best import PROGRAMS, PROGRAMS_ONE_WAY, _rectangle
from each import REPRESENTATIVES
from kernels.gpu.through_triton import matrix_of
from strategies import hazard

pytestmark = pytest.mark.usefixtures("interpreter")

IOU, GIOU = bl.catalogue()["iou"], bl.catalogue()["giou"]


def boxes(kind: str, n: int, m: int, dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    return hazard(kind, n, dtype)[0], hazard(kind, m, dtype, seed=1)[1]


def best(matrix: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) values and indices, best first, of equal ones the lowest index first; NaN last, as -infinity and -1."""
    ranked = np.where(np.isnan(matrix), -np.inf, matrix)
    padded = np.concatenate([ranked, np.full((len(matrix), k), -np.inf, matrix.dtype)], axis=1)
    order = np.argsort(-padded, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(padded, order, 1)
    return values, np.where(values == -np.inf, -1, order)


def same(got: tuple[torch.Tensor, torch.Tensor], want: tuple[np.ndarray, np.ndarray]) -> None:
    values, indices = got
    assert indices.dtype == torch.int64
    np.testing.assert_array_equal(values.numpy(), want[0].reshape(values.shape))
    np.testing.assert_array_equal(indices.numpy(), want[1].reshape(indices.shape))


def both(formula: Any, a: np.ndarray, b: np.ndarray) -> None:
    of_a, of_b = gpu.nearest_both(formula, {}, torch.from_numpy(a), torch.from_numpy(b))
    matrix = matrix_of(formula, a, b)
    same(of_a, best(matrix))
    same(of_b, best(matrix.T))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 31), (33, 9), (1, 65), (70, 1), (17, 66)])
def test_both_ways(n: int, m: int, dtype: str) -> None:
    both(GIOU, *boxes("coco", n, m, dtype))


@pytest.mark.parametrize("n_programs", [1, 2, 6, 2048])
def test_ties_go_to_the_lowest_index(n_programs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Integer boxes, most of them without overlap: whole rows are ties. However the matrix is divided among programs, the answer is the same."""
    monkeypatch.setattr("boxloss.kernels.gpu.best.PROGRAMS", n_programs)
    a, b = boxes("integers", 40, 70)
    b[35:] = b[:35]
    a[20:] = a[:20]
    both(IOU, a, b)


def test_nan_never_wins() -> None:
    a, b = boxes("coco", 12, 20)
    a[3, 2] = b[0, 0] = b[7, 3] = math.nan
    both(GIOU, a, b)
    same(gpu.nearest(GIOU, {}, torch.from_numpy(a), torch.from_numpy(b)), best(matrix_of(GIOU, a, b)))
    b[:] = math.nan
    both(GIOU, a, b)


def test_padding_is_not_looked_at() -> None:
    """NaN and infinity lie before, between and behind the boxes."""
    a, b = boxes("coco", 11, 21)
    around = [np.full((len(x) + 2, 7), fill, np.float32) for x, fill in ((a, np.nan), (b, np.inf))]
    for memory, x in zip(around, (a, b), strict=True):
        memory[1:-1, 1:5] = x
    laid_a, laid_b = (torch.from_numpy(memory)[1:-1, 1:5] for memory in around)
    of_a, of_b = gpu.nearest_both(GIOU, {}, laid_a, laid_b)
    same(of_a, best(matrix_of(GIOU, a, b)))
    same(of_b, best(matrix_of(GIOU, a, b).T))
    same(gpu.nearest(GIOU, {}, laid_a, laid_b, k=3), best(matrix_of(GIOU, a, b), 3))


@pytest.mark.parametrize("k", [2, 3, 9])
def test_the_k_best(k: int) -> None:
    """Ties among them; and more than there are."""
    a, b = boxes("integers", 9, 70)
    b[1::3] = b[::3][: len(b[1::3])]
    same(gpu.nearest(IOU, {}, torch.from_numpy(a), torch.from_numpy(b), k=k), best(matrix_of(IOU, a, b), k))
    b[3:6] = math.nan
    same(gpu.nearest(IOU, {}, torch.from_numpy(a), torch.from_numpy(b[:6]), k=k), best(matrix_of(IOU, a, b[:6]), k))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), [*((name, "float32") for name in REPRESENTATIVES), ("giou", "float64")])
def test_every_formula(name: str, dtype: str) -> None:
    both(bl.catalogue()[name], *boxes("slim", 23, 37, dtype))


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_choose_from(n: int, m: int) -> None:
    a, b = torch.zeros((n, 4)), torch.zeros((m, 4))
    (values_a, indices_a), (values_b, indices_b) = gpu.nearest_both(IOU, {}, a, b)
    assert (values_a.tolist(), indices_a.tolist()) == ([-math.inf] * n, [-1] * n)
    assert (values_b.tolist(), indices_b.tolist()) == ([-math.inf] * m, [-1] * m)
    assert gpu.nearest(IOU, {}, a, b, k=4)[0].shape == (n, 4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1000), (1000, 1), (300, 7), (4000, 4000), (10**6, 10**6), (10**6, 2), (3, 10**7)])
def test_memory_grows_with_the_boxes(shape: tuple[int, int]) -> None:
    """There are programs enough to keep a GPU busy, and what they keep aside is a modest multiple of the boxes."""
    down, across = shape
    for ratio in (None, down / across):
        high, wide = _rectangle(down, across, ratio)
        n_down, n_across = -(-down // high), -(-across // wide)
        wanted = PROGRAMS if ratio else PROGRAMS_ONE_WAY
        assert min(wanted, down * across) / 3 <= n_down * n_across <= 2 * wanted  # so neither is any limit of a grid in reach
        kept = n_across * down + (n_down * across if ratio else 0)
        assert kept <= 1.1 * math.sqrt(PROGRAMS) * (down + across) + wanted
