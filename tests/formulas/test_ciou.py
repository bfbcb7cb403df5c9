"""What is special about CIoU's four forms: two values and four gradients."""

import numpy as np
import pytest
import torch

import boxloss as bl
from close import as_printed, close
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")

FORMS = ("ciou", "ciou_attached", "ciou_simplified", "ciou_gated")


def slopes(name, pred, target):
    pred = torch.tensor(pred, dtype=torch.float64, requires_grad=True)
    values = getattr(bl, f"{name}_loss")(pred, torch.as_tensor(target, dtype=torch.float64), reduction="sum")
    return torch.autograd.grad(values, pred)[0].numpy()


@pytest.mark.parametrize("name", ["ciou_attached", "ciou_simplified"])
@pytest.mark.parametrize("kind", ["coco", "near equal", "slim", "points", "1e25"])
def test_one_value_and_another_gradient(name, kind):
    pred, target = hazard(kind, 60, "float64")
    same = getattr(bl, f"{name}_loss")(pred, target, reduction="none")
    close(same, bl.ciou_loss(pred, target, reduction="none"), "float64")
    if kind != "points":
        assert (slopes(name, pred, target) != slopes("ciou", pred, target)).any()


def test_the_simplified_gradient_of_v_is_the_true_one_times_the_squared_diagonal():
    pred, target = [0.0, 0, 3, 4], [1.0, 2, 9, 4]  # the diagonal is 5
    of_v, simplified = (slopes(name, pred, target) - slopes("diou", pred, target) for name in ("ciou", "ciou_simplified"))
    close(simplified, 25 * of_v, "float64", "gradient", scale=np.full(4, abs(simplified).max()))


def test_the_simplified_gradient_depends_on_the_unit():
    pred, target = np.array([0.0, 0, 3, 4]), np.array([1.0, 2, 9, 4])
    of_v = [slopes("ciou_simplified", unit * pred, unit * target) - slopes("diou", unit * pred, unit * target) for unit in (1, 64)]
    close(of_v[1], 64 * of_v[0], "float64", "gradient", scale=np.full(4, abs(of_v[1]).max()))


def test_alpha_attached_pulls_the_aspect_harder_and_the_overlap_less():
    """The aspect of (0, 0, 40, 10) is that of neither side of the square; the derivative of v^2 / (j + v) along v is alpha (2 - alpha)."""
    pred, target = [0.0, 0, 40, 10], [0.0, 0, 10, 10]
    pair = [bl.ciou_loss(pred, target) - bl.diou_loss(pred, target), bl.iou_loss(pred, target)]
    term, jaccard = map(float, pair)
    # alpha v = v^2 / (j + v) = term, so v = (term + sqrt(term^2 + 4 j term)) / 2
    v = (term + (term**2 + 4 * jaccard * term) ** 0.5) / 2
    alpha = v / (jaccard + v)
    held, attached, plain, overlap = (slopes(name, pred, target) for name in ("ciou", "ciou_attached", "diou", "iou"))
    want = (2 - alpha) * (held - plain) - alpha**2 * overlap
    close(attached - plain, want, "float64", "gradient", scale=np.full(4, abs(want).max()))


def test_a_clamp_would_take_the_gradient_of_a_far_box_of_another_shape():
    """Released code clamps CIoU to [-1, 1]. The survey's pair and its slope along the width."""
    pred, target = [0.0, 0, 1, 40], [500.0, 0, 540, 1]
    assert float(bl.ciou(pred, target)) < -1
    left, _, right, _ = slopes("ciou", pred, target)
    as_printed((right - left) / 2, "-0.0166")


def test_one_centre_and_one_aspect_are_told_apart_by_iou():
    """MPDIoU's abstract says that such boxes cannot be optimised."""
    pred, target = [-5.0, -5, 5, 5], [-10.0, -10, 10, 10]
    left, _, right, _ = slopes("ciou", pred, target)
    as_printed((right - left) / 2, "-0.025")
