"""The geometry of two boxes: identities that hold to the bit, and what an inverted box means."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given

import boxloss as bl
from boxloss.pair import Pair
from close import close
from each import each_loss, few
from strategies import CLASSES, hazard, pairs


def columns(boxes):
    return tuple(boxes[..., i] for i in range(4))


def pair_of(a, b):
    return Pair(columns(a), columns(b))


QUANTITIES = ("overlap", "difference", "union", "iou", "jaccard", "hull", "waste", "offset2", "hull_diagonal2")


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_swapping_and_transposing_keep_every_quantity_to_the_bit(name, dtype):
    a, b = hazard(name, 200, dtype, 3)
    turned = [1, 0, 3, 2]
    with np.errstate(all="ignore"):
        p, swapped, transposed = pair_of(a, b), pair_of(b, a), pair_of(a[:, turned], b[:, turned])
        for quantity in QUANTITIES:
            assert np.array_equal(getattr(p, quantity), getattr(swapped, quantity)), quantity
            assert np.array_equal(getattr(p, quantity), getattr(transposed, quantity)), quantity
        assert np.array_equal(p.aspect_angle, -swapped.aspect_angle)
        assert np.array_equal(p.aspect_angle, -transposed.aspect_angle)


def unit(p, a):
    """The pair's unit of length: the width of `a` in pixels over the width in units."""
    return Fraction(float(a[2])) - Fraction(float(a[0])), Fraction(float(p.x.a_side))


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        ((0, 0, 4, 4), (2, 2, 6, 6), {"overlap": 4, "difference": 24, "union": 28, "hull": 36, "waste": 8, "offset2": 8, "hull_diagonal2": 72}),
        ((0, 0, 2, 2), (4, 0, 8, 1), {"overlap": 0, "difference": 8, "union": 8, "hull": 16, "waste": 8, "offset2": 25.25, "hull_diagonal2": 68}),
        ((0, 0, 8, 8), (2, 3, 4, 4), {"overlap": 2, "difference": 62, "union": 64, "hull": 64, "waste": 0, "offset2": 1.25, "hull_diagonal2": 128}),
        ((0, 0, 1, 1), (3, 3, 4, 4), {"overlap": 0, "difference": 2, "union": 2, "hull": 16, "waste": 14, "offset2": 18, "hull_diagonal2": 32}),
        ((0, 0, 6, 2), (2, 0, 4, 8), {"overlap": 4, "difference": 20, "union": 24, "hull": 48, "waste": 24, "offset2": 9, "hull_diagonal2": 100}),
    ],
)
def test_pencil_cases_of_every_area(a, b, want):
    a, b = np.array(a, float), np.array(b, float)
    p = pair_of(a, b)
    pixels, units = unit(p, a)
    scale = (pixels / units) ** 2
    for quantity, value in want.items():
        assert Fraction(float(getattr(p, quantity))) * scale == Fraction(value), quantity


@given(pairs("float64"))
def test_areas_add_up(boxes):
    a, b = boxes
    with np.errstate(all="ignore"):
        p = pair_of(a, b)
        close([p.iou + p.jaccard], [1], "float64")
        close([p.union + p.waste], [Fraction(float(p.hull))], "float64")


def test_points_and_lines():
    point, line = np.array([3.0, 4, 3, 4]), np.array([0.0, 4, 9, 4])
    assert (pair_of(point, point).jaccard, pair_of(line, line).jaccard, pair_of(point, line).jaccard) == (0, 0, 1)
    assert pair_of(point, line).aspect_angle == 0
    close([pair_of(line, line[[1, 0, 3, 2]]).aspect_angle], [-np.pi / 2], "float64")


def test_lines_that_differ_by_less_than_the_types_resolution_of_their_length_are_two_lines():
    a, b = np.array([0, 0, 0, 2.0]), np.array([5e-324, 0, 5e-324, 2.0])
    assert (pair_of(a, b).jaccard, pair_of(a, b).iou, pair_of(a, a).jaccard) == (1, 0, 0)


OVERLAP_LOSSES = [name for name, formula in bl.catalogue().items() if not formula.coordinates]
INVERTED = [[30.0, 5, 10, 25], [5.0, 30, 25, 10], [30.0, 40, 10, 10], [90.0, 0, 60, 10]]


@pytest.mark.parametrize("name", few(OVERLAP_LOSSES))
@pytest.mark.parametrize("box", INVERTED)
def test_steps_of_descent_turn_an_inverted_box_upright(name, box):
    target = torch.tensor([0.0, 0, 20, 20], dtype=torch.float64)
    pred = torch.tensor(box, dtype=torch.float64, requires_grad=True)
    before = (pred[2:] - pred[:2]).min().item()
    for _ in range(500):
        with bl.plain():  # one box, for which nothing is compiled
            (gradient,) = torch.autograd.grad(bl.loss(name)(pred, target), pred)
        assert gradient.isfinite().all()
        pred = (pred - 20.0 * gradient).detach().requires_grad_()
        if (pred[2:] >= pred[:2]).all():
            return
    pytest.fail(f"{name}: the smallest side went from {before} to {(pred[2:] - pred[:2]).min().item()}")


@pytest.mark.parametrize("name", few(OVERLAP_LOSSES))
def test_an_inverted_box_costs_more_than_any_box_the_more_it_is_inverted(name):
    target = np.array([0.0, 0, 20, 20])
    crossed = np.array([[10.0 + d, 0, 10 - d, 20] for d in (0, 1, 3, 6)])
    with bl.plain():
        values = bl.loss(name)(crossed, target, reduction="none")
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("name", each_loss())
def test_the_largest_numbers_of_the_type_give_finite_values_and_gradients(name):
    most = float(np.finfo(np.float32).max)
    pred = torch.tensor([[-most, -most, most, most], [0, 0, most, 1], [most, most, most, most]], requires_grad=True)
    target = torch.tensor([[most, most, most, most], [-most, 0, 0, 1], [0, 0, 1, 1]], requires_grad=True)
    values = bl.loss(name)(pred, target, reduction="none")
    assert values.isfinite().all()
    for gradient in torch.autograd.grad(values.double().sum(), (pred, target)):
        assert gradient.isfinite().all()
