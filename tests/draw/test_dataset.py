"""The two figures of a data set: what is on them, on odd data sets too."""

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from boxloss.datasets import Dataset, Picture
from boxloss.draw.dataset import CLASS_COLOURS, choose, class_look, distributions_figure, samples_figure
from boxloss.draw.style import to_png


def picture(name: str, boxes: list[list[float]], labels: list[int], pixels: bool = True) -> Picture:
    array = np.full((60, 80, 3), 200, dtype=np.uint8) if pixels else None
    ignore = np.array([k == 1 for k in range(len(boxes))], dtype=bool)
    return Picture(name, 80, 60, np.array(boxes, dtype=np.float64).reshape(-1, 4), np.array(labels, dtype=np.int64), ignore, array=array)


BOXES = [[5, 5, 30, 40], [20, 10, 60, 50], [70, 50, 70, 50]]
USUAL = Dataset("usual", "voc", ("cat", "dog $x$"), {"train": tuple(picture(f"p{k}", BOXES, [0, 1, 0]) for k in range(9)), "val": (picture("v", [], []),)})
ODD = {
    "usual": USUAL,
    "no pictures": Dataset("none", "voc", ("cat",), {"train": ()}),
    "no boxes": Dataset("bare", "voc", ("cat",), {"train": (picture("a", [], []),)}),
    "flat boxes only": Dataset("flat", "voc", ("cat",), {"train": (picture("a", [[1, 1, 1, 5], [2, 2, 2, 2]], [0, 0]),)}),
    "no pixels": Dataset("blind", "coco", ("cat",), {"train": (picture("a", BOXES, [0, 0, 0], pixels=False),)}),
    "many classes": Dataset(
        "many", "coco", tuple(f"class {k}" for k in range(60)), {"all": tuple(picture(f"p{k}", BOXES, [k, k + 20, k + 40]) for k in range(20))}
    ),
    "one huge box": Dataset("huge", "coco", ("cat",), {"all": (picture("a", [[0, 0, 1e6, 1e-6]], [0]),)}),
}


def drawn(figure: Figure) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(to_png(figure, 60))).convert("RGB"))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("error")
def test_both_figures_are_drawn_for_any_data_set(name: str) -> None:
    for figure in (samples_figure(ODD[name]), distributions_figure(ODD[name])):
        assert len(np.unique(drawn(figure).reshape(-1, 3), axis=0)) > 10


def test_every_box_is_on_its_picture_in_its_classs_colour() -> None:
    figure = samples_figure(USUAL, n=4)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        rectangles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        corners = [[*patch.get_xy(), patch.get_x() + patch.get_width(), patch.get_y() + patch.get_height()] for patch in rectangles]
        assert corners == BOXES[:2]  # the third has no size: a cross stands for it
        assert [line.get_marker() for line in axes.lines] == ["None", "None", "x"]  # two diagonals: ignored; a cross: no size
        assert Image.new("RGB", (1, 1), class_look(0).colour).getpixel((0, 0)) == tuple(round(255 * part) for part in rectangles[0].get_edgecolor()[:3])
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["cat", r"dog \$x\$", "crossed: ignored"]


def test_samples_are_the_same_for_the_same_seed_and_show_boxes_first() -> None:
    first = [one.name for _, one in choose(USUAL, 5, seed=1)]
    assert first == [one.name for _, one in choose(USUAL, 5, seed=1)]
    assert len({tuple(one.name for _, one in choose(USUAL, 5, seed=seed)) for seed in range(9)}) > 1
    assert "v" not in [one.name for _, one in choose(USUAL, 9)]
    assert len(choose(USUAL, 99)) == 10


def test_no_two_of_the_first_28_classes_look_alike() -> None:
    assert len({class_look(label) for label in range(28)}) == 28
    assert len(set(CLASS_COLOURS)) == len(CLASS_COLOURS)


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    samples_figure(USUAL)
    distributions_figure(USUAL)
    assert dict(matplotlib.rcParams) == before
