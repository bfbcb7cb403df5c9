"""Figures by where boxes started: means over the right cases, one scale of colours, every case counted once."""

import numpy as np
import pytest

import boxloss as bl
from boxloss.draw.style import to_png
from boxloss.draw.surfaces import AXES, FEWEST, start_figure, start_rows, starts, surface_figure, surface_rows
from boxloss.simulate import PRESETS, Result, simulate
from close import close

PLAN = PRESETS["quick"].with_(n_centres=12, steps=3)


@pytest.fixture(scope="module")
def found():
    with bl.plain():  # three steps: done before a kernel would be compiled
        return {loss: simulate(loss, PLAN) for loss in ("iou", "giou")}


def test_a_centre_has_the_mean_of_its_cases(found):
    columns, rows = surface_rows(found)
    assert columns == ("loss", "x", "y", "mean_error")
    assert len(rows) == 2 * PLAN.n_centres
    per = PLAN.cases_per_centre
    close([row[3] for row in rows[:12]], [found["iou"].errors[k * per : (k + 1) * per].mean() for k in range(12)], "float64", "sum")
    assert [list(row[1:3]) for row in rows[:12]] == PLAN.centres().tolist()


@pytest.mark.parametrize("three_d", [False, True])
def test_a_panel_a_loss_to_one_scale(found, three_d):
    figure = surface_figure(found, three_d)
    *panels, bar = figure.axes
    assert [panel.get_title(loc="center") for panel in panels] == ["iou", "giou"]
    assert bar.get_ylabel() == "mean final error of a case"
    norms = {(drawn.norm.vmin, drawn.norm.vmax) for panel in panels for drawn in panel.collections}
    assert len(norms) == 1
    assert to_png(figure, 40)[1:4] == b"PNG"


def test_how_cases_start(found):
    by = starts(found["iou"])
    anchors, targets = PLAN.cases(0, PLAN.n_cases)
    assert (by["overlap"] == np.asarray(bl.iou(anchors, targets, format="cxcywh"))).all()
    assert set(by["scale"]) == {round(scale, 6) for scale in PLAN.scales}
    assert by["aspect"].min() == 1
    assert by["aspect"].max() == 16
    close(by["distance"].max(), np.linalg.norm(PLAN.centres() - PLAN.centre, axis=1).max(), "float64", "sum")


def test_every_case_is_in_one_part_of_each_kind(found):
    _, rows = start_rows(found)
    for by in AXES:
        parts = [(n, iou) for loss, what, _, _, n, iou in rows if loss == "giou" and what == by]
        n_left_out = PLAN.n_cases - sum(n for n, _ in parts)
        assert 0 <= n_left_out < FEWEST * 3, "in parts with too few cases for a mean"
        if not n_left_out:
            close([sum(n * iou for n, iou in parts)], [found["giou"].ious.sum()], "float64", "sum")


def test_four_panels_with_a_line_a_loss(found):
    figure = start_figure(found)
    assert [axes.get_xlabel() for axes in figure.axes] == list(AXES.values())
    assert {len(axes.lines) for axes in figure.axes} == {2}


def test_a_loss_that_leads_to_no_number_is_drawn_beside_others():
    plan = PRESETS["quick"].with_(n_centres=2, steps=2)
    n = plan.n_cases
    good, lost = (Result(plan, np.ones(3), np.full((n, 4), value), np.full(n, value), np.full(n, value)) for value in (0.5, np.nan))
    for results in ({"giou": good, "mine": lost}, {"mine": lost}):
        to_png(surface_figure(results))
        to_png(start_figure(results))
