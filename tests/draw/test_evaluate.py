"""The figures of an examination: what is on them, and that they stand where nothing was found or defined."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

pytest.importorskip("faster_coco_eval")

from boxloss.draw.evaluate import EXPLAINED, LABELS, figures
from boxloss.draw.style import to_png
from boxloss.evaluate import Examination, examine
from boxloss.evaluate.kinds import KINDS

TRUTH = {
    "images": [{"id": 1}],
    "categories": [{"id": 1}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [20 * k, 0, 10, 10]} for k in range(4)],
}
FOUND = [{"image_id": 1, "category_id": 1, "bbox": [20 * k, 0, 10, 10 - k], "score": 0.9} for k in range(3)]


def examined(truth=TRUTH, found=FOUND, nms=("greedy",)) -> Examination:
    return examine(truth, found, nms=nms)


def texts(figure: Figure) -> str:
    written = [figure.get_suptitle()]
    for axes in figure.axes:
        words = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
        written += [word.get_text() for word in words]
    return "\n".join(written)


def test_figures_have_their_numbers():
    drawn = figures(examined(), "mine")
    assert list(drawn) == ["iou", "ap-by-threshold", "mistakes", "nms"]
    assert all("mine" in texts(figure) for figure in drawn.values())
    assert "3 found objects are boxed (of 4)" in texts(drawn["iou"])
    assert "half below 0.90" in texts(drawn["iou"])
    assert "AP50  0.752" in texts(drawn["ap-by-threshold"])
    assert "+0.248" in texts(drawn["mistakes"])  # the fourth object, missed
    assert "greedy\n3.0 a picture" in texts(drawn["nms"])


def test_nms_is_drawn_where_it_was_asked_for():
    assert "nms" not in figures(examined(nms=()), "mine")


@pytest.mark.parametrize("truth", [TRUTH, {**TRUTH, "annotations": []}])
def test_figures_of_nothing_are_drawn(truth):
    for figure in figures(examined(truth, []), "a$b_{").values():
        pixels = np.array(Image.open(io.BytesIO(to_png(figure, 40))).convert("L"))
        assert pixels.min() < pixels.max()


def test_every_kind_has_its_words():
    assert set(LABELS) == set(EXPLAINED) == set(KINDS)
