"""What is special about SIoU."""

import math

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import ParameterError
from close import close
from oracle import exact

pytestmark = pytest.mark.usefixtures("by_formula")

UNIT = [0.0, 0, 1, 1]


def slopes(name, pred, target):
    pred = torch.tensor([pred], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(getattr(bl, f"{name}_loss")(pred, torch.tensor([target], dtype=torch.float64)), pred)[0][0].tolist()


@pytest.mark.parametrize("name", ["siou", "siou_mmdet"])
@pytest.mark.parametrize("target", [[0.0, 0, 4, 4], [1.0, 1, 3, 3], [2.0, 2, 2, 2], [0.0, 1, 4, 3]])
def test_one_centre_has_no_angle_and_is_no_nan(name, target):
    """PaddleDetection's port divides by the centres' distance: NaN."""
    assert np.isfinite([*slopes(name, [0.0, 0, 4, 4], target), float(getattr(bl, name)([0.0, 0, 4, 4], target))]).all()


def test_the_angle_cost_is_the_papers_sine():
    # centres (2, 1) apart in a hull 3 x 2, equal boxes: sin a = 1 / sqrt 5, 1 - 2 sin^2(asin(sin a) - pi / 4) = 4 / 5
    angle = 1 - 2 * math.sin(math.asin(1 / math.sqrt(5)) - math.pi / 4) ** 2
    distance = 2 - math.exp(-(2 - angle) * 4 / 9) - math.exp(-(2 - angle) / 4)
    close([bl.siou_loss(UNIT, [2.0, 1, 3, 2])], [1 + distance / 2], "float64")


@pytest.mark.parametrize("name", ["siou", "siou_mmdet"])
def test_the_angle_of_slim_boxes_whose_centres_hardly_differ(name):
    """In float32 the centres' way along the long side was off by a thousandth, and so was the angle: 9,746 roundoffs here."""
    rng = np.random.default_rng(0)
    long, short = rng.uniform(0.01, 1, (2, 500)) * [[1], [3e-6]]
    centre, way = rng.uniform(-1, 1, (2, 2, 500))
    (x, y), (dx, dy) = centre * [[1], [1e-6]], way * 4e-6
    pred = np.stack([x - long, y - short, x + long, y + short], 1).astype("float32")
    target = np.stack([x + dx - long / 2, y + dy - short / 2, x + dx + long / 2, y + dy + short / 2], 1).astype("float32")
    for order in ([0, 1, 2, 3], [1, 0, 3, 2]):
        want = [exact.value(name, a, b) for a, b in zip(pred[:, order].tolist(), target[:, order].tolist(), strict=True)]
        got = getattr(bl, f"{name}_loss")(pred[:, order], target[:, order], reduction="none")
        close(got, want, "float32", scale=[max(1, w) for w in want])


def test_a_scaled_pair_has_an_angle_too():
    pred, target = torch.tensor([UNIT]), torch.tensor([[2.0, 1, 3, 2]])
    assert bl.nn.UnifiedIoULoss(name="siou")(pred, target).item() > 1


def test_a_larger_theta_forgives_small_differences_of_shape():
    values = [float(bl.siou_loss([0.0, 0, 4, 4], [1.0, 1, 3, 3], theta=theta)) for theta in (2, 4, 6)]
    assert values == sorted(values, reverse=True)


def test_siou_costs_more_the_farther_the_box():
    far = np.array([[d, 0, d + 1, 1] for d in range(1, 60)], float)
    assert (np.diff(bl.siou_loss(UNIT, far, reduction="none")) > 0).all()


def test_mmdets_sign_rewards_distance_until_a_far_box_costs_nothing():
    far = np.array([[d, 0, d + 1, 1] for d in range(1, 60)], float)
    costs = bl.siou_mmdet_loss(UNIT, far, reduction="none")
    assert (np.diff(costs) <= 0).all()
    assert costs[0] > 0 == costs[-1]
    # a box to the left of its target, and apart: descent takes both of its edges further to the left
    left, _, right, _ = slopes("siou_mmdet", UNIT, [2.0, 0, 3, 1])
    assert left + right > 0
    left, _, right, _ = slopes("siou", UNIT, [2.0, 0, 3, 1])
    assert left + right < 0


@pytest.mark.parametrize("theta", [0, -1, math.inf, math.nan])
def test_theta_is_a_positive_number(theta):
    with pytest.raises(ParameterError, match="expected a finite number > 0"):
        bl.siou_loss(UNIT, UNIT, theta=theta)
