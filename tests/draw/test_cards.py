"""A loss's card: its numbers are those of the loss, its text says what the record claims."""

import numpy as np
import pytest

import boxloss as bl
from boxloss.draw import cards, probe, style, terminal
from boxloss.errors import UnknownNameError
from close import close

ALL = sorted(bl.catalogue())


@pytest.mark.parametrize("name", ALL)
def test_every_loss_has_a_card(name):
    card = cards.card_text(name)
    record = bl.catalogue()[name]
    text = str(card)
    assert text.startswith(f"{name}: {record.title}")
    assert record.paper in text
    assert record.bounds in text
    assert record.doc.splitlines()[0] in text
    assert len(card.curves) == 3
    assert len(style.to_png(cards.card_figure(name), 30)) > 0


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_are(name):
    figure = cards.card_figure(name)
    assert [bool(axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")) for axes in figure.axes] == [True] * 4


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


@pytest.mark.parametrize("name", [name for name in ALL if not bl.catalogue()[name].held])
def test_without_torch_central_differences_give_the_same_slopes(name, monkeypatch):
    boxes = np.array([[0.3, 0.1, 1.2, 0.9], [-0.4, -0.3, 1.6, 1.2], [0.2, 0.3, 0.7, 0.9]])
    value, gradient = probe.value_and_gradient(name, boxes)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    same_value, differences = probe.value_and_gradient(name, boxes)
    close(same_value, value, "float64")
    close(differences, gradient, "float64", "finite differences", scale=np.maximum(np.abs(gradient), np.abs(gradient).max()))


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


def test_terminal_curve_by_hand():
    assert terminal.blocks([0, 1, 2, 4], width=4, height=2) == ["   █", " ▄██"]
    assert terminal.blocks([0, 0], width=2, height=1) == ["  "]
    assert terminal.blocks([-1, 9], width=2, height=1, top=3) == [" █"]


@pytest.mark.parametrize("width", [1, 20, 48, 100])
def test_terminal_curves_are_as_wide_as_asked(width):
    assert {len(line) for line in terminal.blocks(np.linspace(0, 1, 300).tolist(), width=width)} == {width}
