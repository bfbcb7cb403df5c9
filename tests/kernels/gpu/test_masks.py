"""Greedy suppression by masks of bits: what the definition gives."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.kernels import gpu
from kernels.gpu.through_triton import matrix_of
from strategies import hazard

pytestmark = pytest.mark.usefixtures("interpreter")

IOU, GIOU = bl.catalogue()["iou"], bl.catalogue()["giou"]


@pytest.fixture(autouse=True)
def larger_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter goes through them one by one."""
    monkeypatch.setattr("boxloss.kernels.gpu.masks.ROWS", 64)
    monkeypatch.setattr("boxloss.kernels.gpu.masks.ACROSS", 2)


def definition(formula, boxes: np.ndarray, labels: np.ndarray, threshold: float) -> list[bool]:
    above = (matrix_of(formula, boxes, boxes) > boxes.dtype.type(threshold)) & (labels[:, None] == labels)
    stays: list[bool] = []
    for i in range(len(boxes)):
        stays.append(not any(stays[j] and above[j, i] for j in range(i)))
    return stays


def check(formula, boxes: np.ndarray, labels: np.ndarray, threshold: float) -> None:
    got = gpu.greedy(formula, {}, torch.from_numpy(boxes), torch.from_numpy(labels), threshold)
    assert got.tolist() == definition(formula, boxes, labels, threshold)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 70])
def test_any_number_of_boxes(n: int, dtype: str) -> None:
    boxes = hazard("integers", n, dtype)[0]
    check(IOU, boxes, np.zeros(n, np.int64), 0.3)


@pytest.mark.parametrize("chunk", [32, 96])
def test_chunks_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxloss.kernels.gpu.masks.CHUNK", chunk)
    boxes = np.vstack(hazard("integers", 50, "float32"))
    check(IOU, boxes, np.arange(100) % 2, 0.25)


@pytest.mark.parametrize("kind", ["coco", "identical", "points", "lines", "nested", "1e25"])
def test_kinds_of_boxes(kind: str) -> None:
    boxes = np.vstack(hazard(kind, 25, "float32"))
    boxes[7, 2] = np.nan
    for threshold in (0.0, 0.5):
        check(IOU, boxes, np.arange(50) % 3, threshold)


def test_another_measure_and_a_threshold_below_0() -> None:
    boxes = np.vstack(hazard("coco", 20, "float32"))
    check(GIOU, boxes, np.zeros(40, np.int64), -0.2)


def test_words_are_full() -> None:
    """Bit 31, the sign, as well as the others: each box drops all behind it, or none."""
    one = np.repeat(np.array([[0, 0, 1, 1]], np.float32), 66, axis=0)
    check(IOU, one, np.zeros(66, np.int64), 0.5)
    check(IOU, one, np.arange(66), 0.5)
    check(IOU, one, np.arange(66) // 32, 0.5)


def test_none() -> None:
    assert gpu.greedy(IOU, {}, torch.zeros((0, 4)), torch.zeros(0, dtype=torch.int64), 0.5).shape == (0,)


def test_any_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.vstack(hazard("integers", 25, "float32"))
    for rows, across in ((4, 64), (8, 1), (32, 1)):
        monkeypatch.setattr("boxloss.kernels.gpu.masks.ROWS", rows)
        monkeypatch.setattr("boxloss.kernels.gpu.masks.ACROSS", across)
        check(IOU, boxes, np.zeros(50, np.int64), 0.3)
