"""The oracle against pencil and paper, and its gradients against differences of its values."""

from fractions import Fraction

import pytest

from close import close
from oracle import exact
from oracle.arithmetic import as_real, mp, ratio, value_of
from oracle.forms.ciou import ciou_alpha, gated_alpha
from oracle.forms.overlap import IOU_LOG_CEILING, diou
from strategies import hazard

UNIT = (0, 0, 1, 1)
POINT, OTHER_POINT = (2, 3, 2, 3), (5, 7, 5, 7)
LINE, ACROSS = (0, 0, 4, 0), (2, -2, 2, 2)

RATIONAL_CASES = [
    # overlap 1, union 7, hull 9; centres (1, 1) apart, diagonal^2 18
    ("iou", (0, 0, 2, 2), (1, 1, 3, 3), Fraction(6, 7)),
    ("giou", (0, 0, 2, 2), (1, 1, 3, 3), Fraction(6, 7) + Fraction(2, 9)),
    ("diou", (0, 0, 2, 2), (1, 1, 3, 3), Fraction(6, 7) + Fraction(1, 9)),
    ("iou_squared", (0, 0, 2, 2), (1, 1, 3, 3), 1 - Fraction(1, 49)),
    # two units apart: hull 3 x 1, union 2; centres 2 apart, diagonal^2 10
    ("iou", UNIT, (2, 0, 3, 1), 1),
    ("giou", UNIT, (2, 0, 3, 1), Fraction(4, 3)),
    ("diou", UNIT, (2, 0, 3, 1), Fraction(7, 5)),
    # differences 1, 2, -3, 0.5
    ("l1", (1, 2, 5, 8.5), (0, 0, 8, 8), Fraction(13, 2)),
    ("l2", (1, 2, 5, 8.5), (0, 0, 8, 8), Fraction(57, 8)),
    ("smooth_l1", (1, 2, 5, 8.5), (0, 0, 8, 8), Fraction(1, 2) + Fraction(3, 2) + Fraction(5, 2) + Fraction(1, 8)),
    # a box inside another wastes nothing
    ("giou", (0, 0, 4, 4), (1, 1, 3, 3), Fraction(3, 4)),
    # 0/0: the same point costs nothing; two points share nothing
    *((name, POINT, POINT, 0) for name in exact.LOSSES),
    ("iou", POINT, OTHER_POINT, 1),
    ("giou", POINT, OTHER_POINT, 2),
    ("diou", POINT, OTHER_POINT, 2),
    ("giou", (0, 0, 0, 0), (3, 0, 3, 0), 1),
    # crossed lines: hull 4 x 4, the same centre
    ("iou", LINE, ACROSS, 1),
    ("giou", LINE, ACROSS, 2),
    ("diou", LINE, ACROSS, 1),
    # a line in a box
    ("iou", (0, 0, 4, 4), (1, 1, 3, 1), 1),
    ("giou", (0, 0, 4, 4), (1, 1, 3, 1), 1),
]


@pytest.mark.parametrize(("name", "a", "b", "want"), RATIONAL_CASES)
def test_pencil_cases(name: str, a: tuple[float, ...], b: tuple[float, ...], want: Fraction) -> None:
    assert exact.value(name, a, b) == want
    assert exact.value(name, b, a) == want


def test_aspect_of_crossed_lines_is_one_and_of_points_nothing() -> None:
    assert exact.pair(LINE, ACROSS).aspect == 1
    assert exact.pair(POINT, (0, 0, 1, 9)).aspect == 0
    # v = 1, alpha = 1 / (1 + 1)
    assert exact.value("ciou", LINE, ACROSS) == Fraction(3, 2)


def test_ciou_of_two_to_one_against_one_to_two() -> None:
    # overlap 100, union 300: IoU 1/3; centres (5, -5) apart, diagonal^2 800: 1/16; v = 4/pi^2 (atan 2 - atan 1/2)^2
    v = 4 / mp.pi**2 * (mp.atan(2) - mp.atan(0.5)) ** 2
    jaccard = mp.mpf(2) / 3
    want = jaccard + mp.mpf(1) / 16 + v**2 / (jaccard + v)
    assert abs(exact.value("ciou", (0, 0, 20, 10), (0, 0, 10, 20)) / want - 1) < mp.eps * 100


def test_the_gate_opens_above_one_half() -> None:
    half, more = exact.pair((0, 0, 2, 4), (0, 0, 2, 2)), exact.pair((0, 0, 2, 3), (0, 0, 2, 2))
    assert (half.jaccard, more.jaccard) == (Fraction(1, 2), Fraction(1, 3))
    assert gated_alpha(half) == 0 < ciou_alpha(half)
    assert gated_alpha(more) == ciou_alpha(more) > 0


def test_logarithm_has_a_ceiling() -> None:
    assert exact.value("iou_log", UNIT, (2, 0, 3, 1)) == IOU_LOG_CEILING == 126 * mp.ln(2)
    assert exact.value("iou_log", (0, 0, 2, 2), (0, 0, 1, 2)) == mp.ln(2)
    assert exact.value("iou_log", (0, 0, 2.0**127, 1), UNIT) == IOU_LOG_CEILING


def test_inverted_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match="inverted"):
        exact.value("iou", (2, 0, 1, 1), UNIT)


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0, 7.0])
def test_smooth_l1_with_beta(beta: float) -> None:
    a, b, differences = (0, 0, 10, 10), (3, 0.125, 10.5, 9), [Fraction(d) for d in (3, 0.125, 0.5, 1)]
    want = sum(d * d / Fraction(2 * beta) if d < beta else d - Fraction(beta) / 2 for d in differences)
    assert exact.value("smooth_l1", a, b, beta=beta) == want
    assert beta != 0 or want == exact.value("l1", a, b)


@pytest.mark.parametrize("name", exact.LOSSES)
@pytest.mark.parametrize("kind", ["coco", "near equal", "1e25", "slim", "nested"])
def test_gradient_is_the_limit_of_differences(name: str, kind: str) -> None:
    a, b = hazard(kind, 12, "float64", seed=5)
    for p, t in zip(a.tolist(), b.tolist(), strict=True):
        got, want = exact.gradient(name, p, t), exact.numeric_gradient(name, p, t)
        largest = max(abs(g) for g in want)
        if name in exact.NOT_DERIVATIVES:
            assert got != want
            continue
        scale = max(largest, mp.mpf(2) ** -200)  # the differences of 80 digits see no slope that is smaller
        close([float(g) for g in got], want, "float64", 2, scale=[scale] * 8, where=[(p, t)] * 8)


def test_slopes_at_ties_are_shared() -> None:
    assert exact.gradient("iou", UNIT, UNIT) == [0] * 8
    assert exact.gradient("l1", UNIT, UNIT) == [0] * 8
    # touching along x: the overlap grows one way only, at the rate 1; half of that, over a union of 2
    assert exact.gradient("iou", UNIT, (1, 0, 2, 1)) == [0, 0, Fraction(-1, 4), 0, Fraction(1, 4), 0, 0, 0]


def test_alpha_is_held() -> None:
    a, b = (0, 0, 20, 10), (3, 1, 12, 23)
    pair = exact.dual_pair(a, b)
    free = diou(pair) + ratio(pair.aspect * pair.aspect, as_real(pair.jaccard) + pair.aspect)
    assert value_of(free) == exact.value("ciou", a, b)
    assert exact.slopes(free) != exact.gradient("ciou", a, b)
