"""What is special about the losses that compare coordinates."""

import math

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss import ops
from boxloss.errors import ParameterError
from boxloss.kernels import switch
from close import close
from oracle.arithmetic import mp, real
from strategies import hazard

pytestmark = pytest.mark.usefixtures("by_formula")

ZERO = [0.0, 0, 10, 10]


def moved(by: float) -> list[float]:
    """`ZERO` with its left edge moved: one difference, so that a loss is that of one number."""
    return [by, 0.0, 10, 10]


def slope(name: str, by: float, **parameters: float) -> float:
    a = torch.tensor(moved(by), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(bl.loss(name, **parameters)(a, torch.tensor(ZERO, dtype=torch.float64)), a)
    return float(gradient[0])


@pytest.mark.parametrize("delta", [0.125, 1.0, 4.0, 1000.0])
def test_huber_is_delta_times_smooth_l1(delta):
    a, b = hazard("coco", 200, "float64")
    huber = bl.huber_loss(a, b, delta=delta, reduction="none")
    smooth = bl.smooth_l1_loss(a, b, beta=delta, reduction="none")
    close(huber, delta * smooth, "float64", 16)


def test_huber_becomes_l2_above_all_differences_and_nothing_as_delta_vanishes():
    a, b = hazard("coco", 50, "float64")
    assert (bl.huber_loss(a, b, delta=1e6, reduction="none") == bl.l2_loss(a, b, reduction="none")).all()
    # 1 + 2 + 3 of differences, times delta
    close([bl.huber_loss(ZERO, [1.0, -2, 13, 10], delta=2.0**-60)], [6 * 2.0**-60], "float64")
    close([bl.smooth_l1_loss(ZERO, [1.0, -2, 13, 10], beta=2.0**-60)], [6.0], "float64")


@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_balanced_l1_and_its_gradient_are_continuous_at_beta(beta):
    below, above = (bl.balanced_l1_loss(ZERO, moved(d), beta=beta) for d in (np.nextafter(beta, 0), beta))
    close([below], [above], "float64", 16)
    close([slope("balanced_l1", np.nextafter(beta, 0), beta=beta), slope("balanced_l1", 2 * beta, beta=beta)], [1.5, 1.5], "float64", 16)


@pytest.mark.parametrize("d", [1e-9, 0.01, 0.3, 0.9])
def test_balanced_l1_has_the_gradient_that_its_paper_asks_for(d):
    """alpha ln(b |d| + 1)."""
    close([slope("balanced_l1", d)], [mp.log1p(mp.expm1(3) * real(d)) / 2], "float64", 16)


def test_balanced_l1_scales_with_its_beta_where_released_code_goes_below_0():
    values = [bl.balanced_l1_loss(np.array(ZERO) * s, np.array(moved(0.5)) * s, beta=s) / s for s in (0.5, 1.0, 2.0)]
    close(values, [values[1]] * 3, "float64")
    # (alpha / b) (b d + 1) ln(b d / beta + 1) - alpha d, at alpha = 0.5, gamma = 1.5
    b = math.expm1(3)

    def released(d: float, beta: float) -> float:
        return 0.5 / b * (b * d + 1) * math.log(b * d / beta + 1) - 0.5 * d

    close([bl.balanced_l1_loss(ZERO, moved(0.5))], [released(0.5, 1.0)], "float64", 16)
    assert released(0.01, 2.0) < 0 < bl.balanced_l1_loss(ZERO, moved(0.01), beta=2.0)


def test_corners_against_centre_and_size():
    """Along one axis |left| + |right| = max(2 |dx|, |dw|), and left^2 + right^2 = 2 dx^2 + dw^2 / 2."""
    a, b = hazard("integers", 300, "float64")
    b[:, [1, 3]] = a[:, [1, 3]]
    left, right = (a - b)[:, 0], (a - b)[:, 2]
    centre, width = np.abs(left + right) / 2, np.abs(right - left)
    assert (bl.l1_loss(a, b, reduction="none") == np.maximum(2 * centre, width)).all()
    assert (bl.l1_cxcywh_loss(a, b, reduction="none") == centre + width).all()
    assert (bl.l2_loss(a, b, reduction="none") == centre**2 + width**2 / 4).all()
    assert (bl.l2_cxcywh_loss(a, b, reduction="none") == (centre**2 + width**2) / 2).all()


def test_a_small_difference_of_centres_is_exact_though_the_edges_are_far_apart():
    """A tenth of a pixel between the centres of boxes of 1000 and 1: the edges' differences are rounded by a thousandth of it."""
    a, b = np.array([0.1, 0, 1000.1, 1], "float32"), np.array([499.6, 0, 500.4, 1], "float32")
    exact = [real(float(x)) for x in (a[0], a[2], b[0], b[2])]
    dx, dw = (exact[0] + exact[1] - exact[2] - exact[3]) / 2, exact[1] - exact[0] - exact[3] + exact[2]
    close([bl.l1_cxcywh_loss(a, b) - np.float32(dw), bl.dotd_loss(a, b)], [abs(dx), -mp.expm1(-abs(dx) / real(12.8))], "float32", scale=[real(1000), real(0.1)])


def test_centres_half_of_the_smallest_number_apart_are_not_one():
    step = float(np.finfo("float64").smallest_subnormal)
    a = torch.tensor([step, 0, 8 * step, 8 * step], dtype=torch.float64, requires_grad=True)
    value = bl.l1_cxcywh_loss(a, torch.tensor([0, 0, 8 * step, 8 * step], dtype=torch.float64))
    # dx is half a step and dw minus one: their slopes along the left edge are 1/2 and 1
    assert torch.autograd.grad(value, a)[0].tolist() == [1.5, 0, -0.5, 0]


@pytest.mark.parametrize("kernels", [True, False])
def test_a_difference_beyond_the_type_stays_finite(kernels, monkeypatch):
    monkeypatch.setattr(switch, "cpu_kernels", lambda: kernels)
    most = float(np.finfo("float32").max)
    a, b = (torch.tensor(box, dtype=torch.float32, requires_grad=True) for box in ([most / 2, 0, most, 1], [-most, 0, -most / 2, 1]))
    for name in ("l1_cxcywh", "l2_cxcywh", "smooth_l1_cxcywh", "huber", "balanced_l1", "nwd", "dotd", "mpdiou"):
        value = bl.loss(name)(a, b)
        assert torch.isfinite(value), name
        assert all(torch.isfinite(g).all() for g in torch.autograd.grad(value, (a, b))), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_logarithms_of_the_formulas(dtype):
    rng = np.random.default_rng(4)
    small = np.concatenate([s * 10.0 ** rng.uniform(-8, np.log10(abs(s)), 200) for s in (1.0, -0.5)])
    small = small.clip(-0.5, 1).astype(dtype)
    large = np.concatenate([10.0 ** rng.uniform(-8, 6, 300), rng.uniform(0, 20, 200)]).astype(dtype)
    for function, x, want in (
        (ops.x_less_log1p, small, lambda v: v - mp.log1p(v)),
        (ops.log1p_integral, large, lambda v: (1 + v) * mp.log1p(v) - v),
    ):
        close(function(x), [want(real(float(v))) for v in x], dtype, where=x.tolist())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bl.huber_loss(ZERO, ZERO, delta=0), "huber: delta is 0, expected a finite number > 0, in the boxes' unit"),
        (lambda: bl.balanced_l1_loss(ZERO, ZERO, alpha=-1), "balanced_l1: alpha is -1, expected a finite number > 0"),
        (lambda: bl.balanced_l1_loss(ZERO, ZERO, beta=math.inf), "balanced_l1: beta is inf, expected a finite number > 0, in the boxes' unit"),
        (lambda: bl.balanced_l1_loss(ZERO, ZERO, alpha=0.01), "balanced_l1: gamma / alpha is 150.0, expected at most 80"),
        (lambda: bl.smooth_l1_cxcywh_loss(ZERO, ZERO, beta=-1), "smooth_l1_cxcywh: beta is -1, expected a finite number >= 0, in the boxes' unit"),
        (lambda: bl.bounded_iou_loss(ZERO, ZERO, beta=2), "bounded_iou: beta is 2, expected a number in (0, 1]"),
        (lambda: bl.mpdiou_loss(ZERO, ZERO, image_height=0), "mpdiou: image_height is 0, expected a finite number > 0, in the boxes' unit"),
        (lambda: bl.nwd_loss(ZERO, ZERO, constant=math.nan), "nwd: constant is nan, expected a finite number > 0, in the boxes' unit"),
        (lambda: bl.dotd_loss(ZERO, ZERO, size=-2), "dotd: size is -2, expected a finite number > 0, in the boxes' unit"),
    ],
)
def test_errors_of_parameters(call, message):
    with pytest.raises(ParameterError) as refusal:
        call()
    assert str(refusal.value) == message
