"""A loss's card: its numbers are those of the loss, its text says what the record claims."""

import json
from math import inf, nan

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.draw import cards, probe, terminal
from boxloss.errors import UnknownNameError
from claims import formulas
from close import close

ALL = sorted(bl.catalogue())


USUAL = ("giou", "ciou", "l1")  # the slow tests draw the others


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in USUAL else [pytest.mark.slow]) for name in ALL])
def test_every_loss_has_a_card(name):
    card = cards.card_text(name)
    record = bl.catalogue()[name]
    text = str(card)
    assert text.startswith(f"{name}: {record.title}")
    for part in (record.paper, record.bounds, record.doc.splitlines()[0], *record.wild, record.unsure, *record.aliases, record.accuracy):
        assert part in text
    assert card.holds, [finding.sentence for finding in card.findings if finding.holds is False]
    assert len(card.curves) == 4
    json.dumps(card.as_dict(), allow_nan=False)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in USUAL else [pytest.mark.slow]) for name in ALL])
def test_the_picture_says_what_its_axes_are_and_clips_nothing(name):
    figure = cards.card_figure(name)
    drawn = figure.axes[:-1]  # the last has the measured figures
    assert [bool(axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")) for axes in drawn] == [True] * 5
    figure.canvas.draw()
    for text in [*figure.texts, *(axes.xaxis.label for axes in drawn), *(axes.yaxis.label for axes in drawn), *figure.axes[-1].texts]:
        box = text.get_window_extent()
        assert box.x0 >= 0, text.get_text()
        assert box.y0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()
        assert box.y1 <= figure.bbox.y1, text.get_text()
    facts = figure.axes[-1].texts
    for head, cell in zip(facts[::2], facts[1::2], strict=True):
        assert head.get_window_extent().x1 < cell.get_window_extent().x0, (head.get_text(), cell.get_text())


@pytest.mark.parametrize("name", [name for name in ALL if bl.catalogue()[name].math])
def test_every_formula_can_be_typeset(name):
    assert cards._draws(f"${cards._displayed(bl.catalogue()[name].math)}$")


def test_fractions_in_exponents_stay_small():
    assert cards._displayed(r"\frac{a}{b} e^{-\frac{c^2}{d_{e}}} + \frac{1}{2}") == r"\dfrac{a}{b} e^{-\frac{c^2}{d_{e}}} + \dfrac{1}{2}"


def test_a_formula_without_latex_and_one_with_a_mistake_have_a_card():
    for math in ("", r"\nothing{"):
        figure = cards.card_figure(bl.formula(**formulas.TRUE, math=math)(formulas.honest.function))
        assert any("loss = jaccard" in text.get_text() for text in figure.texts)


def test_moved_by_a_side_and_more_iou_is_flat_and_giou_is_not():
    # pencil: GIoU's loss of two unit boxes s >= 1 apart is 1 + (s - 1) / (s + 1) = 2 s / (s + 1), its slope 2 / (s + 1)^2
    iou, giou = probe.shift_trace("iou"), probe.shift_trace("giou")
    apart = iou.x > 1
    assert (iou.value[apart] == 1).all()
    assert (iou.slope[apart] == 0).all()
    close(giou.value[apart], 2 * giou.x[apart] / (giou.x[apart] + 1), "float64", "sum")
    close(giou.slope[apart], 2 / (giou.x[apart] + 1) ** 2, "float64", "textbook")


def test_scaled_by_f_iou_is_the_areas_ratio():
    # pencil: nested squares, IoU is f^2 below 1 and 1 / f^2 above
    trace = probe.scale_trace("iou")
    close(trace.value, 1 - np.minimum(trace.x**2, trace.x**-2), "float64", "textbook", scale=np.ones_like(trace.x))
    want = np.where(trace.x < 1, -2 * trace.x, 2 * trace.x**-3)
    close(trace.slope, want, "float64", "textbook")


def test_a_nested_box_is_not_pulled_by_iou_but_by_diou():
    iou, diou = probe.field("iou", n=21), probe.field("diou", n=21)
    inside = np.abs(iou.x) < 0.2
    nested = np.ix_(inside, inside)
    close(np.hypot(iou.pull_x, iou.pull_y)[nested].max(), 0.0, "float64", scale=[1.0])
    row, column = np.flatnonzero(inside)[0], np.flatnonzero(inside)[-1]
    assert diou.pull_x[row, column] < 0 < diou.pull_y[row, column]  # upper right: pulled left and down, y pointing down the page's rows


def test_stretched_iou_knows_only_the_areas():
    # pencil: r wide and 1/r high about one centre, r > 1: overlap 1/r, union 2 - 1/r; r is the root of the aspect
    trace = probe.aspect_trace("iou")
    root = np.sqrt(np.maximum(trace.x, 1 / trace.x))
    close(trace.value, 1 - (1 / root) / (2 - 1 / root), "float64", "textbook", scale=np.ones_like(root))
    # and its slope by the logarithm of the aspect: d(1 - q / (2 - q)) / dq = -2 / (2 - q)^2, dq / d ln aspect = -q / 2, q = 1 / r
    close(np.abs(trace.slope), root**-1 / (2 - 1 / root) ** 2, "float64", "gradient")
    assert (np.sign(trace.slope) == np.sign(trace.x - 1)).all()


def test_the_slopes_are_pytorchs():
    boxes = np.array([[0.3, 0.1, 1.2, 0.9], [-0.4, -0.3, 1.6, 1.2], [0.2, 0.3, 0.7, 0.9]])
    pred = torch.tensor(boxes, requires_grad=True)
    value = bl.loss("ciou")(pred, torch.tensor(probe.TARGET), reduction="none")
    value.sum().backward()
    got, gradient = probe.value_and_gradient("ciou", boxes)
    close(got, value.detach(), "float64")
    close(gradient, pred.grad, "float64", "gradient")


def test_parameters_reach_the_card():
    assert "beta=0.5" in str(cards.card_text("smooth_l1", beta=0.5))
    assert probe.shift_trace("smooth_l1", beta=0.5).value[-1] > probe.shift_trace("smooth_l1", beta=2.0).value[-1]


def test_an_unknown_loss_gets_a_hint():
    with pytest.raises(UnknownNameError, match="did you mean giou"):
        cards.card_text("gioo")


def test_a_far_plateau_is_cut_and_nothing_else():
    assert probe.ceiling([0, 1, 2, 3, 100, 100]) == 3 * 1.15
    assert probe.ceiling(np.linspace(0, 9, 50) ** 2) is None
    assert probe.ceiling([5, 5, 5]) is None


def test_a_third_of_the_values_is_not_cut_off():
    assert cards._top(np.r_[np.full(400, 1e-5), np.linspace(1, 2, 200)]) is None
    assert cards._top(np.r_[np.ones(595), np.geomspace(50, 1000, 5)]) == 10
    for name in ("mpdiou", "interp_iou_dynamic"):
        assert cards._top(probe.shift_trace(name).slope) is None


def test_terminal_curve_by_hand():
    assert terminal.blocks([0, 1, 2, 4], width=4, height=2) == ["   █", " ▄██"]
    assert terminal.blocks([0, 0], width=2, height=1) == ["  "]
    assert terminal.blocks([-1, 9], width=2, height=1, top=3) == [" █"]


@pytest.mark.parametrize("width", [1, 20, 48, 100])
def test_terminal_curves_are_as_wide_as_asked(width):
    assert {len(line) for line in terminal.blocks(np.linspace(0, 1, 300).tolist(), width=width)} == {width}


def test_a_curve_that_is_not_finite_is_drawn_all_the_same():
    """`boxloss check` of a formula that gives NaN, which it is to find, ended in a traceback."""
    for values in ([nan, inf, 2.0, 1.0], [nan] * 4):
        title, *lines, _, _ = terminal.labelled(values, "0", "1", "loss", width=4, height=1)
        assert title == "loss"
        assert lines[0].endswith("┤  █▄" if 2.0 in values else "┤    ")


@bl.formula(title="t", paper="p", bounds="[0, inf)", symmetric=True, scale_free=True)
def undefined(p):
    return (p.jaccard - p.jaccard) / (p.jaccard - p.jaccard)


def test_a_card_says_where_values_are_not_finite():
    assert "loss of a unit box moved sideways (0 where it is not finite)" in str(cards.card_text(undefined))
    words = [text.get_text() for axes in cards.card_figure(undefined).axes for text in axes.texts]
    assert words.count("no curve:\n100% of its values are not finite") == 4
