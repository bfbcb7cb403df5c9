"""A box's way as the film shows it: the figures of the page, and the exact way by the loss's own gradient."""

import numpy as np
import pytest

import boxloss as bl
from boxloss.draw import film
from boxloss.draw.style import to_png
from close import as_printed, close
from lecture_page import table_with

ROWS = table_with("largest area")


@pytest.fixture(scope="module")
def ways():
    return {(row["loss"], row["gradient"]): film.way(row["loss"], row["gradient"] == "as released") for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['loss']}, {row['gradient']}")
def test_the_figures_of_the_page(row, ways):
    way = ways[row["loss"], row["gradient"]]
    as_printed(way.areas.max(), row["largest area"])
    assert way.largest == int(row["after step"])
    assert way.meets == int(row["meets the target after step"])
    for side, printed in zip(way.boxes[-1, 2:], row["final size"].split(" × "), strict=True):
        as_printed(side, printed)
    as_printed(way.ious[-1], row["final IoU"])


def test_what_the_page_says_of_them(ways):
    exact, released = ({loss: ways[loss, gradient] for loss in ("giou", "diou")} for gradient in ("exact", "as released"))
    assert exact["diou"].areas.max() > exact["giou"].areas.max() > 2, "both grow, DIoU's more"
    assert exact["giou"].meets < exact["diou"].meets
    assert released["diou"].meets < released["giou"].meets
    assert released["giou"].ious[-1] < 0.5 < min(way.ious[-1] for way in exact.values())


@pytest.mark.parametrize("loss", ["giou", "diou"])
def test_the_exact_way_is_down_the_losss_gradient(loss, ways):
    """Up to where edges begin to meet: from there on the last digit decides on which side of a kink a step ends."""
    box, target, found = np.array(film.START), np.array(film.TARGET), ways[loss, "exact"].boxes
    for step in range(12):
        _, slopes = bl.loss(loss).value_and_gradient(box, target, format="cxcywh", reduction="none")
        box = box - 0.1 * (2 - bl.iou(box, target, format="cxcywh")) * slopes
        close(box, found[step + 1], "float64", "sum")


def test_both_start_where_the_page_says(ways):
    for way in ways.values():
        assert tuple(way.boxes[0]) == film.START
        assert len(way.boxes) == 201
    start, target = ({row[f"{what} (centre, size)"] for row in table_with("pull on x")} for what in ("box", "target"))
    assert (start, target) == ({"(12.4, 11.2, 1, 1)"}, {"(10, 10, 1, 1)"})
    assert film.START == (12.4, 11.2, 1, 1)
    assert film.TARGET == (10, 10, 1, 1)


def test_each_frame_shows_the_box_of_its_step(ways):
    shown = [ways["giou", "exact"], ways["diou", "exact"]]
    figure = film.film_figure(shown)
    assert to_png(figure, 40).startswith(b"\x89PNG")
    frames = np.array(figure.axes).reshape(2, len(film.FRAMES))
    for way, row in zip(shown, frames, strict=True):
        for step, axes in zip(film.FRAMES, row, strict=True):
            moved = axes.patches[-1]
            close(np.array([moved.get_width(), moved.get_height()]), way.boxes[step, 2:], "float64", "coded")
            assert f"{way.boxes[step, 2]:.2f} × {way.boxes[step, 3]:.2f}" in axes.texts[0].get_text()
    assert [axes.get_title(loc="center") for axes in frames[0]] == [f"step {step}" for step in film.FRAMES]
