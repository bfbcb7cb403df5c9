"""The short text for tame pairs: the whole text's bits wherever it calls a pair tame, and most pairs are."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.boxes import convert
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.trace import Traced, trace
from boxloss.kernels import gpu
from boxloss.kernels.gpu import elementwise
from boxloss.kernels.gpu.tame import LEAST, MOST, NEAREST_TO_0, Short, short
from kernels.gpu.test_elementwise import words
from strategies import CLASSES, hazard

CIOU = bl.catalogue()["ciou"]
FORMULAS = {formula.name: formula for formula in (*bl.catalogue().values(), words)}
WITH_ONE = [name for name, formula in FORMULAS.items() if short(formula, {}, number="float32", format="xyxy") is not None]
BY_DEFAULT = ("ciou", "giou", "iou", "words")
MOSTLY = ("alpha_ciou", "powerful_iou", "powerful_iou2", "powerful_iou2_released")
"""Powers and exponentials: they divide what is nearly 0, and up to every tenth common pair needs the whole text."""
HOW = ("", "a", "ab", None)
SIGNS = {"<": np.less, "<=": np.less_equal, "!=": np.not_equal}


def of(formula: Any, wrt: str | None, format: str = "xyxy") -> tuple[Short, Traced]:
    tame = short(formula, {}, number="float32", format=format, wrt=wrt)
    assert tame is not None
    return tame, trace(formula, {}, wrt=wrt or "", format=format)


def run(tame: Short, a: np.ndarray, b: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """What the short text computes, and which pairs it takes for tame: the text's conditions as `tame.py` states them, on NumPy."""
    sides = [x for _, *pair in tame.comparisons for x in pair]
    every = Traced("", tame.traced.inputs, tame.traced.value, (*tame.traced.slopes, *tame.coordinates, *tame.numerators, *tame.divisors, *sides))
    outputs = evaluate(every, [*a.T, *b.T])
    known = {x.index: numbers for x, numbers in zip(every.outputs, outputs, strict=True)}
    holds = np.ones(len(a), bool)
    for sign, x, y in tame.comparisons:
        holds &= SIGNS[sign](known[x.index], known[y.index])
    for nodes, least, most, zero_may_be in (
        (tame.coordinates, NEAREST_TO_0, np.inf, True),
        (tame.numerators, LEAST, MOST, True),
        (tame.divisors, 1 / MOST, MOST, False),
    ):
        for x in nodes:
            size = np.abs(known[x.index])
            holds &= ((least <= size) & (size <= most)) | ((size == 0) & zero_may_be)
    return outputs[: 1 + len(tame.traced.slopes)], holds


def hard(n: int, format: str = "xyxy") -> tuple[np.ndarray, np.ndarray]:
    """Of each class; scaled, so that some are on either side of what is moderate; and with some coordinates as near to 0 as can be."""
    a, b = (np.concatenate(x) for x in zip(*(hazard(kind, n, "float32") for kind in CLASSES), strict=True))
    rng = np.random.default_rng(0)
    powers = np.float32(2.0) ** rng.integers(-14, 14, (len(a), 1)).astype(np.float32)
    a, b = (np.concatenate([x, x * powers, x]) for x in (a, b))
    for x in (a, b):
        rows = rng.integers(2 * len(powers), len(x), 2 * n)
        x[rows, rng.integers(0, 4, 2 * n)] = np.float32(2.0) ** rng.integers(-149, -15, 2 * n).astype(np.float32)
    a[rng.integers(0, len(a), 5), 1] = np.nan
    if format == "xyxy":
        return a, b
    with np.errstate(all="ignore"):
        a, b = (convert(x, "xyxy", format, points=np.zeros(2, np.float32)) for x in (a, b))
    return a, b


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in BY_DEFAULT else [pytest.mark.slow]) for name in WITH_ONE])
def test_the_bits_of_the_whole_text(name: str) -> None:
    """Value and slopes."""
    for wrt, format in (*((wrt, "xyxy") for wrt in HOW), ("a", "cxcywh")):
        a, b = hard(400, format)
        tame, whole = of(FORMULAS[name], wrt, format)
        got, holds = run(tame, a, b)
        want = evaluate(whole, [*a[holds].T, *b[holds].T])
        assert 0.1 < holds.mean() < 0.9
        for x, y in zip(got, want, strict=True):
            np.testing.assert_array_equal(x[holds], y)


@pytest.mark.parametrize("name", WITH_ONE)
def test_common_boxes_are_tame(name: str) -> None:
    """Of pictures, in pixels and as shares of a picture, whether they overlap or not."""
    a, b = hazard("coco", 3000, "float32")
    share = a / np.float32(640), b / np.float32(640)
    for wrt, (p, q) in product(("a", None), ((a, b), share, (a, b[::-1]))):
        _, holds = run(of(FORMULAS[name], wrt)[0], p, q)
        upright = ((p[:, :2] < p[:, 2:]) & (q[:, :2] < q[:, 2:])).all(1)
        assert holds[upright].mean() > (0.8 if name in MOSTLY else 0.98)


def test_ties_and_points_are_not_where_there_is_a_gradient() -> None:
    box, beside, edge, point = (np.float32([x]) for x in ((1, 2, 5, 7), (5, 3, 9, 9), (1, 3, 9, 9), (3, 3, 3, 3)))
    for x, other in ((box, box), (box, beside), (box, edge), (box, point)):
        assert not run(of(CIOU, "a")[0], x, other)[1].any()
    assert run(of(CIOU, None)[0], box, edge)[1].all()
    assert run(of(bl.catalogue()["iou"], "")[0], box, point)[1].all()
    assert not run(of(CIOU, None)[0], point, point)[1].any()


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e-30, 1e30])
def test_nothing_else_is(number: float, place: int) -> None:
    both = np.float32([1, 2, 5, 7, 3, 1, 8, 9])
    for wrt in HOW:
        assert run(of(CIOU, wrt)[0], both[None, :4], both[None, 4:])[1].all()
        wild = both.copy()
        wild[place] = number
        assert not run(of(CIOU, wrt)[0], wild[None, :4], wild[None, 4:])[1].any()


def test_no_text_for_a_formula_with_a_unit_nor_for_float64() -> None:
    assert short(bl.catalogue()["l1"], {}, number="float32", format="xyxy") is None
    assert short(CIOU, {}, number="float64", format="xyxy") is None


def test_half_of_the_operations() -> None:
    from boxloss.calculus.graph import reachable

    tame, whole = of(CIOU, "a")
    count = [sum(bool(x.args) for x in reachable(traced.outputs)) for traced in (tame.traced, whole)]
    assert count[0] < 0.6 * count[1]


@pytest.mark.usefixtures("interpreter")
def test_a_pair_that_is_not_tame_among_others() -> None:
    """All pairs of its block go the other way, to the same bits."""
    a, b = (torch.from_numpy(x) for x in hazard("coco", 3 * elementwise.BLOCK, "float32"))
    wild = a.clone()
    wild[elementwise.BLOCK + 3] = wild[elementwise.BLOCK + 3, [2, 3, 0, 1]]
    first = gpu.value_and_gradient(CIOU, {}, a, b, wrt="ab")
    second = gpu.value_and_gradient(CIOU, {}, wild, b, wrt="ab")
    others = torch.arange(len(a)) != elementwise.BLOCK + 3
    for x, y in zip(first, second, strict=True):
        assert x is not None
        assert y is not None
        assert torch.equal(x[others], y[others])
    assert second[0][~others] != first[0][~others]
    matrix = gpu.pairwise(CIOU, {}, wild, b[:40])
    assert torch.equal(matrix[others], gpu.pairwise(CIOU, {}, a, b[:40])[others])


@pytest.mark.usefixtures("interpreter")
def test_the_short_text_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a whole text there are right numbers where all pairs are tame, and none where one is not."""
    from boxloss.kernels.gpu import launch, program

    made = program._formula_texts

    def without_whole(*given: Any) -> list[str]:
        *others, whole = made(*given)
        return [*others, whole.replace("tl.where(ill, nan, loss)", "nan + tl.where(ill, nan, loss)").replace("ill = ", "ill = zero == ", 1)]

    a, b = (torch.from_numpy(x[:64]) for x in hazard("coco", 200, "float32"))
    good = torch.from_numpy(run(of(CIOU, "a")[0], a.numpy(), b.numpy())[1])
    a, b = a[good][: elementwise.BLOCK], b[good][: elementwise.BLOCK]
    want = gpu.value_and_gradient(CIOU, {}, a, b, wrt="a")
    monkeypatch.setattr(program, "_formula_texts", without_whole)
    launch._kernel_of.cache_clear()
    try:
        got = gpu.value_and_gradient(CIOU, {}, a, b, wrt="a")
        assert all(x is y or torch.equal(x, y) for x, y in zip(got, want, strict=True))  # type: ignore[arg-type]
        a[0, 0] = a[0, 2] + 1
        assert gpu.value_and_gradient(CIOU, {}, a, b, wrt="a")[0].isnan().any()
    finally:
        launch._kernel_of.cache_clear()
