"""What is special about the losses with other overlaps: published figures, and parameters that are refused."""

import math

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError
from close import as_printed, close

pytestmark = pytest.mark.usefixtures("by_formula")


def slope_at(name, shift, **parameters):
    """d loss / dx of a unit box `shift` to the right of another."""
    pred = torch.tensor([[shift, 0, 1, 1]], dtype=torch.float64, requires_grad=True)
    bl.loss(name, **parameters)(pred, torch.tensor([[0.0, 0, 1, 1]], dtype=torch.float64), format="cxcywh").backward()
    return pred.grad[0].tolist()


def test_powerful_iou_2_as_released_pushes_boxes_apart():
    """P = 3/2, where the slope of 1 - exp(-P^2) is 3/2 exp(-9/4) = .158, and u = .800. Another program found -.504 for what was released."""
    for name, figure in (("powerful_iou2_released", "-.504"), ("powerful_iou2", ".126"), ("powerful_iou", ".158")):
        x, *others = slope_at(name, 3.0)
        as_printed(x, figure)
        assert others == [0, 0, 0]


@pytest.mark.parametrize(("lam", "turn"), [(1.1, 0.8412), (1.3, 0.9433), (1.7, 1.1136)])
def test_where_it_turns(lam, turn):
    """P is half a shift in widths. Before the turn it pulls, behind it pushes; with the attention held it pulls on both sides."""
    for sign in (-1, 1):
        shift = 2 * (turn + sign * 2**-10)
        assert math.copysign(1, slope_at("powerful_iou2_released", shift, lam=lam)[0]) == -sign
        assert slope_at("powerful_iou2", shift, lam=lam)[0] > 0


def test_powerful_iou_of_a_target_without_a_side():
    """An axis along which the target has no length does not count; a thing against itself costs 0; far away the penalty is whole."""
    point, line, box = [3.0, 3, 3, 3], [0.0, 2, 4, 2], [0.0, 0, 4, 4]
    for name in ("powerful_iou", "powerful_iou2", "powerful_iou2_released"):
        assert float(bl.loss(name)(point, point)) == 0 == float(bl.loss(name)(line, line))
    assert float(bl.loss("powerful_iou")(box, point)) == 1
    close(bl.loss("powerful_iou")([1.0, 2, 5, 2], line), 1 + (1 - math.exp(-((2 / 4 / 4) ** 2))), "float64")
    assert float(bl.loss("powerful_iou")([0.0, 0, 1, 1], [1e30, 0, 1e30 + 1e16, 1])) == 2


@pytest.mark.parametrize(("name", "times"), [("alpha_iou", 3), ("alpha_giou", 3), ("alpha_diou", 3), ("alpha_ciou", 3)])
def test_alpha_iou_is_three_times_as_steep_at_a_match(name, times):
    plain = slope_at(name.removeprefix("alpha_"), 2.0**-44)[0]
    close(slope_at(name, 2.0**-44)[0], times * plain, "float64", "textbook")


def test_alpha_iou_powers_each_penalty_on_its_own():
    """The paper's (rho^2 / c^2)^a + (beta v)^a, and not the power of their sum."""
    a, b = [0.0, 0, 4, 1], [0.0, 0, 1, 4]
    iou, diou, ciou = (float(bl.loss(name)(a, b)) for name in ("iou", "diou", "ciou"))
    for alpha in (1, 2, 3):
        want = 1 - (1 - iou) ** alpha + (diou - iou) ** alpha + (ciou - diou) ** alpha
        close(bl.loss("alpha_ciou", alpha=alpha)(a, b), want, "float64")


def test_inner_boxes_part_earlier_and_larger_ones_later():
    a, b = [0.0, 0, 8, 8], [7.0, 0, 15, 8]
    assert float(bl.loss("inner_iou", ratio=0.75)(a, b)) == 1
    assert float(bl.loss("inner_iou", ratio=1.25)(a, b)) < float(bl.loss("iou")(a, b)) < 1
    assert float(bl.loss("inner_iou", ratio=1.0)(a, b)) == float(bl.loss("iou")(a, b))


def test_focaler_iou_has_no_gradient_above_its_mark():
    for shift, is_flat in ((0.02, True), (0.03, False)):  # IoU .961 and .942
        assert (slope_at("focaler_iou", shift)[0] == 0) == is_flat


def test_interp_iou_pulls_where_iou_does_not():
    """The pull is 1 - alpha of that of an IoU. The figures are another program's."""
    as_printed(slope_at("interp_iou", 3.0)[0], ".036")
    as_printed(slope_at("interp_iou_dynamic", 3.0)[0], ".019")
    assert slope_at("iou", 3.0)[0] == 0
    a, b = np.array([[0.0, 0, 1, 1]]), np.array([[0.4, 0, 1.5, 1]])
    close(bl.loss("interp_iou", alpha=0)(a, b), 2 * bl.loss("iou")(a, b), "float64")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("alpha_iou", {"alpha": 0}, "alpha_iou: alpha is 0, expected a finite number > 0"),
        ("alpha_ciou", {"alpha": -1.0}, "alpha_ciou: alpha is -1.0, expected a finite number > 0"),
        ("inner_ciou", {"ratio": float("inf")}, "inner_ciou: ratio is inf, expected a finite number > 0"),
        ("focaler_iou", {"low": 0.95}, "focaler_iou: low is 0.95 and high is 0.95, expected 0 <= low < high <= 1"),
        ("interp_iou", {"alpha": 1.0}, "interp_iou: alpha is 1.0, expected a number in [0, 1)"),
        ("interp_iou_dynamic", {"high": 1.0}, "interp_iou_dynamic: low is 0.6 and high is 1.0, expected 0 <= low < high < 1"),
        ("powerful_iou2", {"lam": 0}, "powerful_iou2: lam is 0, expected a finite number > 0"),
        ("powerful_iou2_released", {"lam": True}, "powerful_iou2_released: lam is True, expected a finite number > 0"),
    ],
)
def test_parameters_without_meaning_are_refused(name, given, message):
    with pytest.raises(ParameterError) as refusal:
        bl.loss(name, **given)([0, 0, 1, 1], [0, 0, 1, 1])
    assert str(refusal.value) == message
