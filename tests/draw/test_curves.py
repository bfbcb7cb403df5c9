"""The comparison's figures: every number that goes in is where it belongs."""

import numpy as np
import pytest

from boxloss.draw.colours import look
from boxloss.draw.curves import Row, epoch_figure, interval_figure
from boxloss.draw.style import to_png, to_svg

ROWS = [Row("giou", [0.01, -0.01, 0.03], 0.01, -0.04, 0.06), Row("ciou", [0.02, 0.03, 0.04], 0.03, 0.02, 0.04, shown=True)]


def lines_of(figure, loss):
    return [line for axes in figure.axes for line in axes.lines if line.get_color() == look(loss).colour]


def test_interval_figure_has_a_dot_a_seed_the_mean_and_the_interval():
    figure = interval_figure({"AP": ROWS}, "iou")
    bar, dots, mean = lines_of(figure, "giou")
    assert list(bar.get_xdata()) == [-0.04, 0.06]
    assert list(dots.get_xdata()) == [0.01, -0.01, 0.03]
    assert list(mean.get_xdata()) == [0.01]


def test_the_mean_is_filled_only_where_the_difference_is_shown():
    figure = interval_figure({"AP": ROWS}, "iou")
    faces = [lines_of(figure, loss)[-1].get_markerfacecolor() for loss in ("giou", "ciou")]
    assert faces == ["white", look("ciou").colour]


def test_an_interval_beyond_the_axis_ends_in_arrows():
    figure = interval_figure({"AP": [Row("giou", [0.01, 0.02], 0.015, -1.0, 1.0)]}, "iou")
    (axes,) = figure.axes
    assert axes.get_xlim()[1] < 0.1  # the dots stay apart
    assert [line.get_marker() for line in lines_of(figure, "giou")][1:3] == ["<", ">"]


def test_zero_is_in_the_middle_and_axes_say_what_they_are():
    (axes,) = interval_figure({"AP": ROWS}, "iou").axes
    low, high = axes.get_xlim()
    assert low == -high
    assert axes.get_xlabel() == "AP minus iou's AP"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["giou", "ciou"]


@pytest.mark.parametrize("rows", [[Row("giou", [0.0], 0.0, None, None)], [Row("giou", [0.0, 0.0], 0.0, 0.0, 0.0)]])
def test_interval_figure_without_any_difference(rows):
    to_svg(interval_figure({"AP": rows}, "iou"), "a")


def test_epoch_figure_draws_each_seed_and_their_mean():
    figure = epoch_figure({"giou": {0: [(1, 0.1), (2, 0.3)], 1: [(1, 0.3), (2, 0.5), (3, 0.9)]}}, "AP")
    one, two, mean = lines_of(figure, "giou")
    assert list(one.get_ydata()) == [0.1, 0.3]
    assert list(two.get_ydata()) == [0.3, 0.5, 0.9]
    assert list(mean.get_xdata()) == [1, 2]  # the epochs that both have
    assert list(mean.get_ydata()) == [0.2, 0.4]
    assert figure.axes[0].get_ylabel() == "AP"
    assert figure.axes[0].get_xlabel() == "epoch"


def test_every_line_is_named_at_its_end():
    figure = epoch_figure({loss: {0: [(1, 0.1), (2, 0.3)]} for loss in ("iou", "giou", "diou")}, "AP")
    assert {text.get_text() for text in figure.axes[0].texts} == {"iou", "giou", "diou"}


@pytest.mark.parametrize("options", [{}, {"percent": True}, {"log": True}, {"mark": True}])
@pytest.mark.parametrize("points", [[(1, 0.5)], [(1, 0.5), (2, 0.5)], [(epoch, 0.9**epoch) for epoch in range(1, 200)]])
def test_epoch_figure_of_any_length(options, points):
    to_png(epoch_figure({"iou": {0: points}, "ciou": {0: points, 1: points}}, "x", **options), 40)


def test_epoch_figure_of_nothing():
    assert np.size(to_png(epoch_figure({}, "AP"), 40)) > 0
