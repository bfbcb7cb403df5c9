"""Pairs of boxes as they are drawn: where they are, and that their figures can be read."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from boxloss.draw import scene
from boxloss.draw.colours import look
from boxloss.draw.scene import Panel, Row, hull, panels_figure
from close import close

PANELS = [
    Panel("one", (0, 0, 2, 1), (1, 0, 3, 4), (Row("IoU", "0.17", "iou"), Row("waste", "5"))),
    Panel("a longer name", (-50, 3, -40, 4), (1, 0, 3, 4), (Row("IoU", "0.00", "iou"),)),
]


def drawn(axes):
    return [[p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()] for p in axes.patches if isinstance(p, Rectangle)]


def test_each_panel_has_its_target_and_its_prediction_at_one_scale():
    figure = panels_figure(PANELS)
    scenes = [axes for axes in figure.axes if axes.patches]
    assert [drawn(axes) for axes in scenes] == [[list(panel.target), list(panel.prediction)] for panel in PANELS]
    spans = [np.ptp(axes.get_xlim()) for axes in scenes]
    close(spans[0], spans[1], "float64")
    assert all(low > high for low, high in (axes.get_ylim() for axes in scenes)), "y points down, as in pictures"


def test_the_figures_stand_below_in_the_colour_of_their_loss():
    figure = panels_figure(PANELS)
    below = [axes for axes in figure.axes if axes.texts]
    assert [[text.get_text() for text in axes.texts] for axes in below] == [["IoU", "0.17", "waste", "5"], ["IoU", "0.00"]]
    assert below[0].texts[1].get_color() == look("iou").colour
    assert below[0].texts[3].get_color() != look("iou").colour


def test_all_that_is_written_is_inside_and_apart():
    figure = panels_figure(PANELS)
    figure.canvas.draw()
    places = [text.get_window_extent() for axes in figure.axes for text in [*axes.texts, axes.title] if text.get_text()]
    assert all(place.x0 >= 0 and place.y0 >= 0 and place.x1 <= figure.bbox.x1 and place.y1 <= figure.bbox.y1 for place in places)
    assert not any(one.overlaps(other) for k, one in enumerate(places) for other in places[:k])


@pytest.mark.parametrize(("a", "b"), [((0, 0, 1, 1), (2, 3, 4, 5)), ((0, 0, 9, 9), (2, 3, 4, 5)), ((0, 4, 9, 5), (2, 0, 4, 9))])
def test_the_hull_is_around_both(a, b):
    around = hull(a, b)
    assert around == hull(b, a)
    assert [min(p, q) for p, q in zip(a[:2], b[:2], strict=True)] == list(around[:2])
    assert [max(p, q) for p, q in zip(a[2:], b[2:], strict=True)] == list(around[2:])


def test_the_target_is_told_by_more_than_its_colour():
    """DIoU's green is near the target's: only the target has a ground."""
    assert scene.TARGET_GROUND != "white"
    figure = panels_figure(PANELS[:1])
    target, prediction = (patch for axes in figure.axes for patch in axes.patches)
    assert target.get_fill()
    assert not prediction.get_fill()
