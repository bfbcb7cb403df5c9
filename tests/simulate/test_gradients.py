"""What moves a box: the exact slopes against autograd and differences, and the released update, slip by slip."""

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.calculus.evaluate import evaluate
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.simulate.gradients import FAULTS, RELEASED, as_released, exact
from close import as_printed, close
from each import each_loss


def random_pairs(n=400, seed=0):
    """Upright boxes in cxcywh, no two edges on a line, about a third of the pairs apart."""
    rng = np.random.default_rng(seed)
    at, side = rng.uniform(0, 2.5, (2, n, 2)), rng.uniform(0.2, 3, (2, n, 2))
    return tuple(np.concatenate(box, 1) for box in zip(at, side, strict=True))


def factor_and_slopes(traced, a, b):
    factor, *slopes = evaluate(traced, [*a.T, *b.T])
    return factor, np.stack(slopes, 1)


def exactly(name, a, b, format="cxcywh", tame=False):
    return factor_and_slopes(exact(bl.catalogue()[name], {}, dtype="float64", format=format, tame=tame), a, b)


def released(name, a, b, faults=tuple(FAULTS)):
    return factor_and_slopes(as_released(name, faults, dtype="float64"), a, b)


@pytest.mark.parametrize("format", ["cxcywh", "xyxy"])
@pytest.mark.parametrize("name", each_loss())
def test_exact_slopes_are_autograds(name, format):
    a, b = (bl.boxes.convert(box, "cxcywh", format) for box in random_pairs())
    factor, slopes = exactly(name, a, b, format)
    x, y = torch.from_numpy(a).requires_grad_(), torch.from_numpy(b)
    with bl.plain():
        (want,) = torch.autograd.grad(bl.loss(name)(x, y, reduction="sum", format=format), x)
        close(factor, 2 - bl.iou(a, b, format=format), scale=np.ones(len(a)))
    # Beside the largest slope of the pair: a slope is a sum of terms of that size.
    want = want.numpy()
    close(slopes, want, "float64", "gradient", scale=np.broadcast_to(np.abs(want).max(1, keepdims=True) + 1, want.shape))


@pytest.mark.parametrize("name", ["iou", "giou", "diou"])  # which hold nothing
def test_exact_slopes_are_the_differences_quotients(name):
    a, b = random_pairs(100)
    _, slopes = exactly(name, a, b)
    step = 2.0**-20
    for k in range(4):
        move = step * np.eye(4)[k]
        with bl.plain():
            above, below = (bl.loss(name)(a + sign * move, b, reduction="none", format="cxcywh") for sign in (1, -1))
        close(slopes[:, k], (above - below) / (2 * step), "float64", "finite differences", scale=np.ones(len(a)))


@pytest.mark.parametrize("name", RELEASED)
def test_tame_pairs_have_the_same_slopes(name):
    a, b = random_pairs()
    assert (exactly(name, a, b, tame=True)[1] == exactly(name, a, b)[1]).all()


@pytest.mark.parametrize("name", RELEASED)
def test_without_faults_the_released_update_is_the_gradient(name):
    a, b = random_pairs()
    for got, want in zip(released(name, a, b, faults=()), exactly(name, a, b), strict=True):
        close(got, want, "float64", "textbook", scale=np.ones(want.shape))


OF_LOSSES = {
    "doubled sizes": {"iou", "giou", "diou", "ciou"},
    "unclamped overlap": {"giou"},
    "diagonal's sign": {"diou", "ciou"},
    "cross-axis": {"diou", "ciou"},
    "shrinking hull": {"diou", "ciou"},
    "angle's scale": {"ciou"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", RELEASED)
def test_a_fault_changes_its_losses_and_no_other(name, fault):
    a, b = random_pairs()
    changed = (released(name, a, b, (fault,))[1] != released(name, a, b, ())[1]).any()
    assert changed == (name in OF_LOSSES[fault])


def test_each_fault_does_what_it_says():
    a, b = random_pairs()
    apart = bl.iou(a, b, format="cxcywh") == 0
    assert 0 < apart.sum() < len(a)
    for name in RELEASED:
        right = released(name, a, b, ())[1]
        for fault in (fault for fault, losses in OF_LOSSES.items() if name in losses):
            wrong = released(name, a, b, (fault,))[1]
            along_centre, along_sides = (wrong[:, :2] == right[:, :2]).all(1), (wrong[:, 2:] == right[:, 2:]).all(1)
            # What stays as it is: where the box is moved to, or how it grows, or all of the pairs that overlap.
            stays = {"unclamped overlap": ~apart & along_centre & along_sides, "diagonal's sign": along_sides, "cross-axis": np.ones(len(a), bool)}
            assert stays.get(fault, along_centre).sum() == ((~apart).sum() if fault == "unclamped overlap" else len(a))
    doubled, right = released("iou", a, b, ("doubled sizes",))[1], released("iou", a, b, ())[1]
    assert (doubled[:, 2:] == 2 * right[:, 2:]).all()


def test_a_box_around_its_target_shrinks_where_the_hull_is_taken_to_shrink():
    # A hull that is the prediction itself: its diagonal grows with the width, and DIoU's penalty falls. The slip turns that round.
    around, inside = np.array([[0.5, 0.0, 9.0, 9.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
    wrong, right = (released("diou", around, inside, faults)[1][0, 2:] - exactly("iou", around, inside)[1][0, 2:] for faults in (("shrinking hull",), ()))
    close(wrong, -right, "float64", "textbook", scale=abs(right))
    assert (right < 0).all()


def test_the_shrinking_hull_is_not_copied_to_the_other_axis():
    # Pencil: a hull of 9 x 9 that is the prediction. Its width shrinks by 1 and, by the other slip, its height grows by 1: the diagonal stays.
    around, inside = np.array([[0.5, 0.0, 9.0, 9.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
    both = released("diou", around, inside, ("shrinking hull", "cross-axis"))[1][0, 2:]
    close(both, released("iou", around, inside, ())[1][0, 2:], "float64", "textbook")


# Equal boxes side by side, 3 apart, worked out by hand in the reference: rises of the similarity along x, y, width and height.
SIDE_BY_SIDE = np.array([[13.0, 10.0, 1.0, 1.0]]), np.array([[10.0, 10.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "faults", "rises"),
    [
        ("giou", tuple(FAULTS), ["0", "0", "0", ".5"]),
        ("giou", (), ["-.125", "0", ".1875", ".25"]),
        ("diou", tuple(FAULTS), ["-.664", "0", ".156", "0"]),
        ("diou", (), ["-.104", "0", ".125", "0"]),
    ],
)
def test_boxes_side_by_side(name, faults, rises):
    factor, slopes = released(name, *SIDE_BY_SIDE, faults)
    assert factor == 2
    for slope, rise in zip(slopes[0], rises, strict=True):
        as_printed(-slope, rise)


@pytest.mark.parametrize(("name", "rises"), [("giou", ["-.125", "0", ".1875"]), ("diou", ["-.104", "0", ".125"])])
def test_boxes_side_by_side_exactly(name, rises):
    """Along the height there is a tie, which the exact gradient shares half and half."""
    for slope, rise in zip(exactly(name, *SIDE_BY_SIDE)[1][0], rises, strict=False):
        as_printed(-slope, rise)


def test_a_match_stays_where_it_is():
    box = np.array([[1.0, 2.0, 3.0, 4.0]])
    for name in RELEASED:
        for _, slopes in (exactly(name, box, box), released(name, box, box)):
            assert np.isfinite(slopes).all()


def test_errors():
    with pytest.raises(ParameterError, match="no released update of 'eiou', only of iou, giou, diou, ciou"):
        as_released("eiou", dtype="float64")
    with pytest.raises(UnknownNameError, match="unknown fault 'cross axis': did you mean cross-axis"):
        as_released("diou", ("cross axis",), dtype="float64")


def test_released_ciou_takes_the_arctangent_of_the_quotient():
    """Where a step has made a side negative that is another angle than the two sides', and it is what the released rates of 0.2 and more end in."""
    w, h = 0.7, -0.4
    numbers = [np.array([x]) for x in (13.0, 10.0, w, h, 10.0, 10.0, 1.0, 2.0)]
    _, *ciou = evaluate(as_released("ciou", dtype="float64"), numbers)
    _, *diou = evaluate(as_released("diou", dtype="float64"), numbers)
    angle = np.arctan(1 / 2) - np.arctan(w / h)
    v = 4 / np.pi**2 * angle**2
    pull = v / (1 + v) * 8 / np.pi**2 * angle
    close(diou[2][0] - ciou[2][0], pull * h, "float64", "sum")
    close(diou[3][0] - ciou[3][0], -pull * w, "float64", "sum")
