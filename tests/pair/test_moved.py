"""Pairs whose boxes were scaled or moved: right beside exact arithmetic on every class of boxes, with the symmetries of a pair to the bit."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.pair import Pair
from close import close
from oracle import exact, moved
from strategies import CLASSES, hazard

DTYPES = ("float32", "float64")
MOVES = [("scaled", ratio) for ratio in (0.5, 0.75, 0.8, 1.25, 1.5, 2.0)] + [("towards", share) for share in (0.3, 0.6, 0.98)]
QUANTITIES = ("overlap", "difference", "union", "iou", "jaccard", "hull", "waste", "offset2", "hull_diagonal2")
WAYS = ("a_side", "b_side", "low_way", "high_way", "ahead", "behind", "overlap", "gap", "hull", "a_excess", "b_excess", "side_difference", "double_offset")


def pair_of(a, b):
    return Pair(tuple(a[..., i] for i in range(4)), tuple(b[..., i] for i in range(4)))


def waste_share(p):
    return np.where(p.hull == 0, 0, p.waste / np.where(p.hull == 0, 1, p.hull))


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("how", "by"), MOVES)
def test_moved_boxes_are_those_of_exact_arithmetic(how, by, dtype, kind):
    a, b = hazard(kind, 40, dtype, 11)
    want = [getattr(moved, how)(exact.pair(p, q), Fraction(by)) for p, q in zip(a.tolist(), b.tolist(), strict=True)]
    with np.errstate(all="ignore"):
        p = getattr(pair_of(a, b), how)(by)
        cases = list(zip(a.tolist(), b.tolist(), strict=True))
        close(p.jaccard, [w.jaccard for w in want], dtype, where=cases)
        close(p.iou, [1 - w.jaccard for w in want], dtype, scale=[1] * len(want), where=cases)
        # Beside the hull: a corner that moving has brought to a touch is a difference that cancels.
        close(waste_share(p), [w.waste_share for w in want], dtype, scale=[1] * len(want), where=cases)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scale_of_1_and_a_share_of_0_are_the_pair_itself_to_the_bit(dtype, kind):
    a, b = hazard(kind, 100, dtype, 12)
    with np.errstate(all="ignore"):
        p = pair_of(a, b)
        for same in (p.scaled(1), p.scaled(1.0), p.towards(0.0)):
            for quantity in QUANTITIES:
                assert np.array_equal(getattr(same, quantity), getattr(p, quantity)), quantity
            for mine, its in zip((same.x, same.y), (p.x, p.y), strict=True):
                for way in WAYS:
                    assert np.array_equal(getattr(mine, way), getattr(its, way)), way
        arrived = p.towards(1.0)
        assert (arrived.offset2 == 0).all()
        assert (arrived.jaccard[(a[:, 2:] > a[:, :2]).all(1) & (b[:, 2:] > b[:, :2]).all(1)] == 0).all()


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_exchanged_and_transposed_boxes(dtype, kind):
    a, b = hazard(kind, 100, dtype, 13)
    turned = [1, 0, 3, 2]
    with np.errstate(all="ignore"):
        for how, by in MOVES:
            p = getattr(pair_of(a, b), how)(by)
            transposed = getattr(pair_of(a[:, turned], b[:, turned]), how)(by)
            exchanged = getattr(pair_of(b, a), how)(by)
            for quantity in QUANTITIES:
                assert np.array_equal(getattr(p, quantity), getattr(transposed, quantity)), quantity
                if how == "scaled":  # of two boxes one moves towards the other
                    assert np.array_equal(getattr(p, quantity), getattr(exchanged, quantity)), quantity


def slopes(function, a, b):
    a, b = (torch.tensor(box, dtype=torch.float64, requires_grad=True) for box in (a, b))
    return torch.cat(torch.autograd.grad(function(pair_of(a, b)), (a, b))).tolist()


TIES = [
    ((0, 0, 8, 8), (0, 0, 8, 16)),  # one interval twice
    ((0, 0, 8, 8), (0, 1, 8, 12)),
    ((0, 0, 16, 8), (0, 1, 8, 12)),  # a low edge twice
    ((1, 0, 9, 8), (2, 4, 6, 12)),  # scaled by a half: [3, 7] and [3, 5]
    ((0, 0, 8, 8), (6, 0, 14, 12)),  # scaled by 3/4: both 6 long, touching
    ((0, 0, 0.1, 0.7), (0, 0.3, 0.1, 0.9)),  # one interval twice, of sides that are rounded
]


@pytest.mark.parametrize(("how", "by"), [("scaled", 0.5), ("scaled", 0.75), ("scaled", 0.8), ("scaled", 1.5), ("towards", 0.5), ("towards", 0.98)])
@pytest.mark.parametrize(("a", "b"), TIES)
def test_ties_share_their_slope_half_and_half(a, b, how, by):
    for quantity, form in (("jaccard", lambda p: p.jaccard), ("waste_share", lambda p: p.waste_share)):
        want = exact.slopes(form(getattr(moved, how)(exact.dual_pair(a, b), Fraction(by))))

        def value(p, quantity=quantity):
            p = getattr(p, how)(by)
            return p.jaccard if quantity == "jaccard" else bl.ops.ratio(p.waste, p.hull)

        close(slopes(value, a, b), want, "float64", "gradient", scale=[max(map(abs, want)) or 1] * 8)


@pytest.mark.parametrize("kind", CLASSES)
def test_scaling_twice_is_scaling_by_the_product(kind):
    a, b = hazard(kind, 40, "float64", 14)
    with np.errstate(all="ignore"):
        p = pair_of(a, b)
        close(p.scaled(0.5).scaled(1.5).jaccard, p.scaled(0.75).jaccard, "float64", scale=[1] * 40)


def test_a_moved_pair_has_its_own_inversion_and_edges():
    a, b = np.array([[3.0, 0, 1, 4]]), np.array([[0.0, 0, 4, 4]])
    p = pair_of(a, b)
    for other in (p.scaled(0.5), p.towards(0.5)):
        assert np.array_equal(other.inversion, p.inversion)
        assert np.array_equal(other.edges, p.edges)
        assert other.inversion > 0


def test_a_share_may_differ_from_pair_to_pair():
    a, b = hazard("coco", 20, "float64", 15)
    p = pair_of(a, b)
    shares = np.resize([0.3, 0.6], 20)
    got = p.towards(shares).jaccard
    assert np.array_equal(got[::2], p.towards(0.3).jaccard[::2])
    assert np.array_equal(p.towards(shares, 1 - shares).jaccard, got)
