"""Figures of anchors: what is on them, on odd data too."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from boxloss.anchors.study import study
from boxloss.draw.anchors import A_ROW, anchors_figure, cell_figure, curve_figure, grid_figure, matches_figure, sizes_figure
from boxloss.draw.style import to_png

PIXELS = np.full((96, 96, 3), 90, np.uint8)
SIZES = {
    "usual": np.exp(np.random.Generator(np.random.PCG64(0)).normal(4, 0.7, (300, 2))),
    "one size": np.full((4, 2), 17.0),
    "slim": np.array([[1.0, 900.0], [900.0, 1.0], [3.0, 500.0], [2.0, 2.0]]),
}


def rectangles(axes):
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [[one.get_x(), one.get_y(), one.get_x() + one.get_width(), one.get_y() + one.get_height()] for one in found]


@pytest.mark.parametrize(("name", "k"), [("usual", 1), ("usual", 3), ("one size", 1), ("slim", 1), ("slim", 3)])
@pytest.mark.filterwarnings("error")
def test_all_three_are_drawn_for_any_boxes(name, k):
    found = study(SIZES[name], (640, 640), k, restarts=1)
    for figure in (sizes_figure(SIZES[name], found), anchors_figure(found), curve_figure(found)):
        assert to_png(figure, 40).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def found():
    return study(SIZES["usual"], (640, 640), A_ROW + 2, restarts=1)


def test_every_anchor_is_drawn_to_scale_with_its_sides(found):
    (axes,) = anchors_figure(found).axes
    sides = [[x2 - x1, y2 - y1] for x1, y1, x2, y2 in rectangles(axes)]
    np.testing.assert_array_equal(np.round(sides), np.round(found.clusters.shapes))
    words = [text.get_text() for text in axes.texts]
    assert [word.splitlines()[0] for word in words] == [f"{w:.0f} × {h:.0f}" for w, h in found.clusters.shapes.tolist()]


def test_no_two_labels_overlap(found):
    figure = anchors_figure(found)
    to_png(figure)
    places = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for k, one in enumerate(places) for other in places[:k])


def test_the_anchors_are_numbered_among_the_boxes(found):
    (axes,) = sizes_figure(SIZES["usual"], found).axes
    assert [text.get_text() for text in axes.texts] == [str(number + 1) for number in range(A_ROW + 2)]


def test_a_cells_anchors_have_their_scales_colour():
    boxes = np.array([[10, 10, 30, 30], [15, 5, 25, 35]], np.float32)
    figure = cell_figure(PIXELS, 40, {"large": boxes, "small": boxes[:1] / 2})
    assert len({patch.get_edgecolor() for patch in figure.axes[0].patches}) == 2
    assert figure.legends[0].get_texts()[0].get_text() == "large\n  20 × 20\n  10 × 30"


def test_a_grid_has_a_dot_for_each_cell():
    from boxloss.anchors import grid

    levels = {stride: (grid(96, 96, [stride], [[(stride, stride), (9, 9)]]), 2) for stride in (16, 32)}
    figure = grid_figure(PIXELS, 96, levels)
    assert [len(axes.lines[0].get_xdata()) for axes in figure.axes] == [36, 9]
    assert [len(axes.patches) for axes in figure.axes] == [2, 2]


def test_matches_have_their_objects_colour():
    objects = np.array([[0, 0, 10, 10], [50, 50, 80, 90]], np.float64)
    anchors = np.array([[1, 1, 11, 11], [0, 2, 10, 12], [50, 50, 80, 80], [30, 0, 40, 10]], np.float32)
    left, right = matches_figure(PIXELS, 96, objects, anchors, np.array([0, 0, 1, -1]), 0.5).axes
    assert rectangles(left) == objects.tolist()
    assert rectangles(right) == anchors[:3].tolist()
    colours = [patch.get_edgecolor() for patch in left.patches]
    assert [patch.get_edgecolor() for patch in right.patches] == [colours[0], colours[0], colours[1]]
    assert [text.get_text() for text in left.texts] == ["2", "1"]
