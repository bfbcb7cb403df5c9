"""Error curves and ranks: the numbers that are drawn are those that were given, each line is a loss's own, and names stand at the ends."""

import numpy as np
import pytest

from boxloss.draw.colours import look
from boxloss.draw.curves_of_error import error_figure, error_rows, rank_figure, rank_rows
from boxloss.draw.style import to_png
from boxloss.simulate.protocol import PRESETS

PLAN = PRESETS["quick"].with_(n_centres=1, steps=4)
CURVES = {"giou": np.array([8.0, 4, 2, 1, 0.5]) * PLAN.n_cases, "giou-released": np.array([8.0, 7, 6, 5, 4]) * PLAN.n_cases, "l1": np.zeros(5)}


@pytest.fixture(scope="module")
def axes():
    return error_figure(CURVES, PLAN).axes[0]


def test_lines_are_mean_errors(axes):
    lines = [line for line in axes.lines if len(line.get_xdata()) == 5]
    assert [line.get_ydata().tolist()[:2] for line in lines[:2]] == [[8, 4], [8, 7]]
    assert (lines[2].get_ydata() > 0).all(), "0 has no place on a logarithmic axis, and is drawn at its foot"


def test_the_released_update_has_its_losss_colour_and_another_dash(axes):
    exact, released = [line for line in axes.lines if len(line.get_xdata()) == 5][:2]
    assert exact.get_color() == released.get_color() == look("giou").colour
    assert exact.get_linestyle() != released.get_linestyle()
    names = {text.get_text(): text.get_color() for text in axes.texts}
    assert names["giou-released"] == look("giou").colour


def test_rates_stand_where_they_begin(axes):
    said = {text.get_text(): text.get_position()[0] for text in axes.texts if text.get_text().startswith(("rate", "0.0"))}
    assert said == {"rate 0.1": 0, "0.01": round(0.8 * PLAN.steps), "0.001": round(0.9 * PLAN.steps)}


def test_rows_of_errors():
    columns, rows = error_rows(CURVES, PLAN.n_cases)
    assert columns == ("loss", "step", "mean_error")
    assert rows[:2] == [("giou", 0, 8.0), ("giou", 1, 4.0)]
    assert len(rows) == 15


def test_ranks_are_drawn_with_the_first_on_top():
    ranks, ways = {"giou": [1, 2], "l1": [2, 1]}, ["0.1", "Adam"]
    axes = rank_figure(ranks, ways).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines] == [[1, 2], [2, 1]]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert sorted(text.get_text() for text in axes.texts) == ["giou", "giou", "l1", "l1"]
    assert rank_rows(ranks, ways) == (("loss", "way", "rank"), [("giou", "0.1", 1), ("giou", "Adam", 2), ("l1", "0.1", 2), ("l1", "Adam", 1)])


def test_a_curve_that_leads_to_no_number_ends_where_it_was_one():
    plan = PRESETS["quick"].with_(steps=2)
    figure = error_figure({"giou": np.array([3.0, 2.0, 1.0]), "mine": np.array([3.0, np.nan, np.nan])}, plan)
    (ends,) = [text.xy for text in figure.axes[0].texts if text.get_text() == "mine"]
    assert ends[0] == 0.0
    to_png(figure)
