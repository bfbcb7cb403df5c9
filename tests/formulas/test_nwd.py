"""What is special about NWD, DotD, RFD, MPDIoU and Bounded IoU."""

import numpy as np
import pytest
import torch

import boxloss as bl
from close import as_printed, close
from oracle import exact
from oracle.arithmetic import mp, real
from strategies import CLASSES, hazard

pytestmark = pytest.mark.usefixtures("by_formula")

BOX = [0.0, 0, 8, 8]


@pytest.mark.parametrize(("shift", "printed"), [(8, ".535"), (1, ".925"), (0, "1.000")])
def test_nwd_of_an_eight_pixel_box_that_is_shifted(shift, printed):
    """By its own side, where IoU is 0, and by one pixel."""
    as_printed(bl.nwd(BOX, [shift, 0, 8 + shift, 8]), printed)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_wasserstein_distance_is_the_root_of_l2(kind):
    """Exactly: centres and half sides differ by a half of what the four edges do, squared and summed."""
    a, b = hazard(kind, 40, "float64")
    for p, t in zip(a.tolist(), b.tolist(), strict=True):
        pair = exact.pair(p, t)
        (x, y), (w, h) = (pair.a.x - pair.b.x, pair.a.y - pair.b.y), (pair.a.width - pair.b.width, pair.a.height - pair.b.height)
        assert x * x + y * y + (w * w + h * h) / 4 == exact.value("l2", p, t)


def test_nwd_is_a_function_of_l2():
    a, b = hazard("coco", 300, "float64")
    l2 = bl.l2_loss(a, b, reduction="none")
    near = l2 < 1e5  # the exponential of a distance that is off a little is off by that times the distance
    close(bl.nwd(a, b)[near], np.exp(-np.sqrt(l2) / 12.8)[near], "float64", 256)
    assert (np.argsort(l2[near]) == np.argsort(-bl.nwd(a, b)[near])).all()


def test_nwd_is_exactly_1_at_a_match_and_not_scale_free():
    assert bl.nwd(BOX, BOX) == 1
    assert bl.nwd([0.0, 0, 80, 80], [8.0, 0, 88, 80]) == bl.nwd(BOX, [8.0, 0, 16, 8])
    assert bl.nwd([0.0, 0, 16, 16], [16.0, 0, 32, 16], constant=25.6) == bl.nwd(BOX, [8.0, 0, 16, 8])


@pytest.mark.parametrize("name", ["nwd", "dotd"])
@pytest.mark.parametrize(("dtype", "farthest"), [("float32", 80), ("float64", 700)])
def test_slopes_fade_as_far_as_the_type_goes(name, dtype, farthest):
    """To 4 x roundoffs, with x the distance over the constant."""
    rng = np.random.default_rng(7)
    a, _ = hazard("coco", 60, dtype)
    shift = 12.8 * rng.uniform(1, farthest / 1.5, (60, 2))
    b = (a + np.tile(shift, 2)).astype(dtype)
    pred = torch.from_numpy(a).requires_grad_()
    bl.loss(name)(pred, torch.from_numpy(b), reduction="sum").backward()
    for got, p, t, x in zip(pred.grad.tolist(), a.tolist(), b.tolist(), np.hypot(*shift.T) / 12.8, strict=True):
        want = [real(s) for s in exact.gradient(name, p, t)[:4]]
        close(got, want, dtype, int(16 + 4 * x), scale=[max(map(abs, want))] * 4)


def test_dotd_sees_no_shape():
    assert bl.dotd([0.0, 0, 4, 4], [1.0, 1, 3, 3]) == 1
    a, b = (torch.tensor(box, requires_grad=True) for box in ([0.0, 0, 4, 4], [9.0, 1, 11, 3]))
    gradient = torch.autograd.grad(bl.dotd_loss(a, b), a)[0]
    assert gradient[0] == gradient[2] < 0
    assert gradient[1] == gradient[3] == 0  # the centres are at one height


def test_rfd_divides_by_the_first_boxs_sides():
    """K = 4 d^2 / (2 w^2) for a shift d, so a larger receptive field is nearer; the exchange is another loss."""
    small, large = [4.0, 4, 6, 6], [0.0, 0, 10, 10]
    close([bl.rfd(small, [6.0, 4, 8, 6]), bl.rfd(large, [10.0, 0, 20, 10])], [1 / 3, 1 / 3], "float64")
    # r = 5 or 1/5 along both axes: K = r^2 - 1 - 2 ln r
    close([bl.rfd_loss(small, large), bl.rfd_loss(large, small)], [1 - 1 / (25 - 2 * mp.log(5)), 1 - 1 / (mp.mpf(1) / 25 + 2 * mp.log(5))], "float64")


@pytest.mark.parametrize(
    ("pred", "target", "cost"),
    [
        ((2, 3, 2, 3), (2, 3, 2, 3), 0),  # a point and itself
        ((2, 3, 2, 3), (2, 3, 2, 4), 1),  # a point inside a line
        ((0, 0, 1, 1), (0, 0, 1, 0), 1),  # a target without height has no density
        ((0, 0, 4, 0), (2, 0, 6, 0), 1 / 3),  # lines on one line differ along it alone
        ((0, 0, 4, 0), (0, 1, 4, 1), 1),  # lines beside each other
    ],
)
def test_rfd_of_points_and_lines(pred, target, cost):
    close([bl.rfd_loss(list(map(float, pred)), list(map(float, target)))], [cost], "float64")


def test_rfd_is_exact_near_a_match():
    """Its terms are of the order of 1 and cancel to 4 e^2: for boxes of 100 that are 1e-6 wider, 2e-16 in a type of 1e-16."""
    a, b = [0.0, 0, 100, 100], [0.0, 0, 100 * (1 + 2.0**-20), 100]
    e = mp.mpf(2) ** -20
    k = (e * e + 2 * (e - mp.log1p(e)) + e * e) / 2
    close([bl.rfd_loss(a, b)], [k / (1 + k)], "float64")


def test_mpdiou_needs_the_images_size_in_the_boxes_unit():
    """The same boxes in pixels and over the picture's size cost the same where the size is given in the same unit."""
    a, b = np.array([0.0, 0, 64, 64]), np.array([320.0, 128, 640, 256])
    close([bl.mpdiou_loss(a / 512, b / 512, image_width=1.25, image_height=1.25)], [bl.mpdiou_loss(a, b)], "float64")
    # opposite corners of the picture: both distances are its diagonal
    close([bl.mpdiou_loss([0.0, 0, 0, 0], [640.0, 640, 640, 640])], [3.0], "float64")


def test_mpdiou_is_no_metric():
    a, b, c = ([float(x), 0, x + 1.0, 1] for x in (0, 1000, 2000))
    assert bl.mpdiou_loss(a, c) > bl.mpdiou_loss(a, b) + bl.mpdiou_loss(b, c)


def test_mpdiou_takes_modifiers():
    a, b = [0.0, 0, 2, 1], [0.0, 0, 1, 1]
    far = 1 / (2 * 640**2)
    close([bl.loss("mpdiou", squared=True)(a, b)], [0.75 + far], "float64")


@pytest.mark.parametrize("shift", [2.0, 2.5, 3.5])
def test_bounded_iou_has_no_pull_from_half_a_side_on(shift):
    """Boxes of 4, whose IoU is above 0 up to a shift of 4."""
    a = torch.tensor([shift + 0.001, 0, 4 + shift + 0.001, 4], requires_grad=True)
    value = bl.bounded_iou_loss(a, torch.tensor([0.0, 0, 4, 4]))
    close([value], [0.9], "float32")
    assert float(torch.autograd.grad(value, a)[0] @ torch.tensor([1.0, 0, 1, 0])) == 0
    assert bl.iou_loss(a.detach().numpy(), [0.0, 0, 4, 4]) < 1
