"""The lecture's pictures show the pairs of its page, with the figures that stand there."""

import re
from fractions import Fraction

import pytest
from matplotlib.patches import Rectangle

from boxloss.draw import film, gallery
from close import as_printed, close
from lecture_page import PAGE, table_with

# The picture's file, its pairs, and columns that the page's table alone has.
SHOWN = {
    "l2": (gallery.SAME_L2, ("right L2 loss", "pair")),
    "scales": (gallery.SCALES, ("scale", "right L2 loss")),
    "giou-paper": (gallery.GIOU_PAPER, ("l1 of centre and size",)),
    "same-iou": (gallery.SAME_IOU, ("right CIoU", "right GIoU", "pair")),
    "waste": (gallery.WASTES, ("waste",)),
    "distance": (gallery.DISTANCES, ("ρ²",)),
    "aspect": (gallery.ASPECTS, ("v",)),
}
COLUMNS = {"L2 loss": "right L2 loss", "l1 of centre, size": "l1 of centre and size"} | {name: f"right {name}" for name in ("IoU", "GIoU", "DIoU", "CIoU")}


def exactly(sides):
    """As the decimals that stand in the code, not as the nearest binary numbers."""
    return tuple(Fraction(str(side)) for side in sides)


@pytest.fixture(scope="module")
def figures():
    return gallery.figures()


@pytest.mark.parametrize("name", SHOWN)
def test_the_pairs_are_those_of_the_page(name):
    cases, columns = SHOWN[name]
    rows = table_with(*columns)
    assert [(row["prediction"], row["target"]) for row in rows] == [
        tuple(f"({', '.join(f'{x:g}' for x in side)})" for side in (c.prediction, c.target)) for c in cases
    ]
    (first,) = {next(iter(row)) for row in rows}
    assert [row[first] for row in rows] == [case.title for case in cases]


@pytest.mark.parametrize("name", SHOWN)
def test_the_figures_are_those_of_the_page(name, figures):
    rows = table_with(*SHOWN[name][1])
    below = [[text.get_text() for text in axes.texts] for axes in figures[name].axes if axes.texts and not axes.get_xlabel()]
    assert len(below) == len(rows)
    for texts, row in zip(below, rows, strict=True):
        for what, figure in zip(texts[::2], texts[1::2], strict=True):
            figure, printed = figure.replace("−", "-"), row[COLUMNS.get(what, what)]
            fewer, more = sorted((figure, printed), key=lambda text: len(text.partition(".")[2]))
            as_printed(Fraction(more), fewer)


@pytest.mark.parametrize("name", SHOWN)
def test_the_pairs_are_drawn(name, figures):
    scenes = [axes for axes in figures[name].axes if axes.patches]
    for axes, case in zip(scenes, SHOWN[name][0], strict=True):
        boxes = [(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in axes.patches if isinstance(p, Rectangle)]
        assert case.target in boxes
        assert case.prediction in boxes


def test_every_picture_is_on_the_page_and_the_other_way_round(figures):
    linked = set(re.findall(r"\]\(lecture/([\w-]+)\.png\)", PAGE.read_text(encoding="utf-8")))
    assert linked == {*figures, *film.figures(), "cell", "grid", "matches"}
    assert {file.stem for file in (PAGE.parent / "lecture").iterdir()} == linked


@pytest.mark.parametrize("case", [case for cases, _ in SHOWN.values() for case in cases], ids=lambda case: f"{case.prediction}, {case.target}")
def test_parts_of_a_pair(case):
    """What the page's tables check exactly, in another way: overlap and union make IoU, waste makes GIoU, and so on."""
    overlap, union, hull = gallery.areas(case)
    offset2, diagonal2 = gallery.distances2(case)
    iou, v = overlap / union, gallery.aspect_term(case)
    alpha = v / (1 - iou + v) if v else 0
    right = {"iou": iou, "giou": iou - (hull - union) / hull, "diou": iou - offset2 / diagonal2, "ciou": iou - offset2 / diagonal2 - alpha * v}
    for name, want in right.items():
        close(gallery.value(name, case), want, "float64", "sum", scale=[1])
