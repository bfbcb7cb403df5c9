"""One case's way: the boxes that are drawn are the simulation's, in every form, and the forms keep their promises."""

import itertools
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

import boxloss as bl
from boxloss.draw.colours import look
from boxloss.draw.paths import ANCHOR, TARGET, animate, moving_svg, path_rows, scene, strip_figure, ways
from boxloss.draw.scene import START_GROUND
from boxloss.errors import MissingExtraError, ParameterError
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS
from close import close

PLAN = PRESETS["diou-paper"].with_(n_centres=1, steps=12)


@pytest.fixture(scope="module")
def found():
    with bl.plain():  # twelve steps: done before a kernel would be compiled
        return ways(chosen("iou,giou"), PLAN)


def test_a_way_begins_at_the_anchor_and_follows_the_gradient(found):
    assert {label: boxes[0].tolist() for label, boxes in found.items()} == {"iou": list(ANCHOR), "giou": list(ANCHOR)}
    assert (found["iou"] == found["iou"][0]).all(), "apart, IoU has no gradient"
    box = np.array(ANCHOR)
    _, slopes = bl.loss("giou").value_and_gradient(box, np.array(TARGET), format="cxcywh", reduction="none")
    close(found["giou"][1], box - 0.1 * 2 * slopes, "float64", "sum")


@pytest.mark.parametrize("box", [(0, 0, 1), (0, 0, 1, 0), (0, 0, 1, float("nan"))])
def test_what_is_no_box_is_refused(box):
    with pytest.raises(ParameterError, match="anchor is"):
        ways(chosen("iou"), PLAN, box)


def test_rows_have_every_step(found):
    columns, rows = path_rows(found, TARGET)
    assert columns == ("loss", "step", "x", "y", "w", "h", "iou")
    assert [row[:2] for row in rows] == [(label, step) for label in found for step in range(13)]
    assert list(rows[-1][2:6]) == found["giou"][-1].tolist()


def test_the_strip_has_start_and_end_and_each_losss_iou(found):
    figure = strip_figure(found, TARGET, [0, 3, 12])
    assert [axes.get_title(loc="center") for axes in figure.axes] == ["start", "step 3", "step 12"]
    words = [text.get_text() for text in figure.axes[-1].texts]
    assert words == [f"{label} {float(bl.iou(boxes[-1], np.array(TARGET), format='cxcywh')):.2f}" for label, boxes in found.items()]


def test_a_start_that_no_box_leaves_is_still_seen(found):
    """IoU's box, black too, stays where the start is and hides its outline: the ground tells it."""
    axes = strip_figure({"iou": found["iou"]}, TARGET, [0, 12]).axes[-1]
    grounds = [patch for patch in axes.patches if patch.get_facecolor() == to_rgba(START_GROUND)]
    assert len(grounds) == 1
    close([grounds[0].get_width(), grounds[0].get_height()], ANCHOR[2:], "float64", "coded")


def test_a_gif_moves(found, tmp_path):
    animate(found, TARGET, tmp_path / "way.gif")
    with Image.open(tmp_path / "way.gif") as image:
        assert image.n_frames > 2


def test_the_page_stands_alone_and_has_the_boxes(found, tmp_path):
    animate(found, TARGET, tmp_path / "way.html", "a <b> & c")
    page = (tmp_path / "way.html").read_text()
    assert "a &lt;b&gt; &amp; c" in page
    assert not re.findall(r'(?:src|href)="', page)
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    assert [loss["name"] for loss in data["losses"]] == ["iou", "giou"]
    assert data["losses"][1]["boxes"] == found["giou"].round(4).tolist()
    assert "prefers-reduced-motion" in page


def test_a_name_cannot_leave_its_script():
    assert "</script><b>" not in scene({"</script><b>": np.ones((2, 4))}, TARGET)


def test_other_suffixes_are_refused(found, tmp_path, monkeypatch):
    with pytest.raises(ParameterError, match=r"its suffix is \.avi, expected \.gif, \.mp4 or \.html"):
        animate(found, TARGET, tmp_path / "way.avi")
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtraError, match=r"an \.mp4 .* needs ffmpeg, which is not installed: pip install 'boxloss\[mp4\]'"):
        animate(found, TARGET, tmp_path / "new" / "way.mp4")
    assert not list(tmp_path.iterdir())


def test_a_packages_ffmpeg_is_taken_where_the_machine_has_none(found, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    program = tmp_path / "ffmpeg-of-a-package"
    program.write_text('#!/bin/sh\ncat > /dev/null\nfor last; do :; done\necho a film > "$last"\n')
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", SimpleNamespace(get_ffmpeg_exe=lambda: str(program)))
    animate(found, TARGET, tmp_path / "way.mp4")
    assert (tmp_path / "way.mp4").read_text() == "a film\n"


def test_the_moving_picture_needs_no_script_and_rests_for_who_asks(found):
    text = moving_svg(found, TARGET, "one")
    assert 'svg:hover [class^="one-"],:focus>svg [class^="one-"]{animation-play-state:paused}' in text
    ElementTree.fromstring(text)  # well formed
    assert "<script" not in text
    assert "@media (prefers-reduced-motion:reduce),print{.one-0{animation:none}.one-1{animation:none}}" in text
    x, y, w, h = found["giou"][-1].tolist()
    assert f".one-1{{transform:translate({x:.6g}px,{y:.6g}px)scale({w:.6g},{h:.6g});" in text
    assert text.count(look("giou").colour) == 3
    assert text.index("0.0%{transform:translate(12.4px,11.2px)scale(1.5,0.6)}") > 0


def test_names_in_a_strip_stand_apart_and_no_two_losses_have_one_colour(found):
    labels = ["giou", "a_loss_with_a_very_long_name_of_its_own", "mine", "mine2", "mine3", "giou-inner=0.8", "giou-released"]
    figure = strip_figure(dict.fromkeys(labels, found["giou"]), TARGET)
    figure.canvas.draw()
    texts = [text.get_window_extent() for axes in figure.axes for text in (axes.title, *axes.texts)]
    texts.append(figure.legends[0].get_window_extent())
    assert not any(one.overlaps(two) for one, two in itertools.combinations(texts, 2))
    assert all(figure.bbox.x0 <= text.x0 and text.x1 <= figure.bbox.x1 for text in texts)
    colours = [text.get_color() for text in figure.axes[0].texts]
    assert len(set(colours)) == 6
    assert colours[0] == colours[-1] == look("giou").colour


def test_a_loss_that_leads_to_no_number_says_so(found):
    lost = np.array(found["giou"])
    lost[2:] = np.nan
    lost = {"iou": found["iou"], "lost": lost}
    assert strip_figure(lost, TARGET).axes[-1].texts[1].get_text() == "lost: no number"
    data = scene(lost, TARGET)
    assert "NaN" not in data
    assert "null" in data
