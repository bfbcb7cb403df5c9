"""Landscapes: their numbers are the loss's and its gradient's, their panels share a scale, and what the page says of them is so."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.draw import landscapes
from boxloss.draw.colours import look
from boxloss.draw.landscapes import FOUR, PLANES, field, landscape, sample, save_data
from boxloss.draw.style import to_png
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.kernels.switch import plain
from boxloss.losses import Loss
from close import close
from shared_data import ROOT


@bl.formula(title="Half the IoU loss", paper="none", bounds="[0, 0.5]", symmetric=True, scale_free=True)
def halved(p):
    """Half the IoU loss.

    loss = jaccard / 2
    """
    return p.jaccard * 0.5


def box(plane, across, up):
    """The box at a place of a plane, as the page's words have it, in corners."""
    ways = dict.fromkeys(("x", "y", "scale", "aspect"), 0.0) | {plane.across: across, plane.up: up}
    width, height = (plane.side * 2.0 ** (ways["scale"] + sign * ways["aspect"] / 2) for sign in (1, -1))
    x, y = 0.5 + ways["x"], 0.5 + ways["y"]
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


# Not ciou, whose alpha is held in the gradient: differences of its values cannot do that.
OF = {"giou": "giou", "ciou_attached": "ciou_attached", "l2": "l2", "inner": bl.loss("diou", inner=0.75), "own": halved}


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("of", OF)
def test_value_and_pull_are_the_losss(plane, of):
    seen, by = sample(OF[of], plane, 8, midpoints=True), 1e-6
    places = [(across, up) for up in seen.up for across in seen.across]
    loss = OF[of] if isinstance(OF[of], Loss) else bl.loss(OF[of])

    def values(i, j):
        return loss(np.array([box(seen.plane, across + i * by, up + j * by) for across, up in places]), np.array([0.0, 0, 1, 1]), reduction="none")

    with plain():
        here, right, left, above, below = (values(i, j) for i, j in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)))
    close(seen.value, here, "float64", "sum")
    for got, want in ((seen.pull_across, left - right), (seen.pull_up, below - above)):
        close(got, want / (2 * by), "float64", "finite differences", scale=np.ones(got.size), where=places)


@given(st.sampled_from(sorted(PLANES)), st.sampled_from(sorted(bl.catalogue())))
@settings(max_examples=12, deadline=None)
def test_the_planes_middle_is_a_match_where_sides_are_equal(plane, name):
    seen = sample(name, plane, 3)
    assert np.isfinite(seen.value).all()
    assert np.isfinite(seen.pull_across).all()
    if seen.plane.side == 1:
        assert seen.value[1, 1] == 0
        assert (seen.value >= 0).all()


def test_overlap_is_below_0_where_iou_is_0():
    for plane in PLANES:
        seen = sample("iou", plane, 40, midpoints=True)
        assert ((seen.value == 1) == (seen.overlap <= 0)).all()


def test_panels_share_one_scale_of_colours_and_show_the_values():
    figure = landscape(["iou", "giou", halved], "shift")
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 3
    assert len({(image.norm.vmin, image.norm.vmax) for image in images}) == 1
    for image, name in zip(images, ("iou", "giou", halved), strict=True):
        np.testing.assert_array_equal(image.get_array(), sample(name, "shift").value)
    assert (images[0].norm.vmin, images[0].norm.vmax) == (0.375, sample("giou", "shift").value.max())


def test_one_far_plateau_does_not_hide_the_others():
    figure = landscape(["iou", "iou_log"], "shift")
    assert figure.axes[0].images[0].norm.vmax < 20 < sample("iou_log", "shift").value.max()


def test_arrows_are_the_pull_in_the_losss_colour_by_one_rule():
    figure = field(["iou", "diou"], "shift")
    scales = []
    for axes, name in zip(figure.axes, ("iou", "diou"), strict=True):
        (arrows,) = (found for found in axes.collections if hasattr(found, "U"))
        seen = sample(name, "shift", landscapes.ARROWS, midpoints=True)
        size = np.hypot(seen.pull_across, seen.pull_up)
        pulled = size > landscapes.STILL
        drawn = np.hypot(arrows.U, arrows.V)
        close(arrows.U * size[pulled], seen.pull_across[pulled] * drawn, "float64", "sum", scale=np.ones(pulled.sum()))
        scales.append(drawn.max())
        order = np.argsort(size[pulled])
        assert (np.diff(drawn[order]) >= -landscapes.STILL).all(), "longer is stronger"
        assert len(axes.lines[0].get_xdata()) == (~pulled).sum(), "a dot where nothing pulls"
        assert tuple(arrows.get_facecolor()[0][:3]) == tuple(int(look(name).colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    assert max(scales) < 1.5 * 2 * PLANES["shift"].reach / landscapes.ARROWS


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("draw", [landscape, field])
@pytest.mark.filterwarnings("error")
def test_any_number_of_losses_is_drawn_and_named(draw, plane):
    losses = ["iou", bl.loss("iou", focaler=(0.0, 0.95)), halved, "l2", "nwd"]
    figure = draw(losses, plane)
    figure.canvas.draw()
    panels = [axes for axes in figure.axes if axes.get_title(loc="center")]
    assert [axes.get_title(loc="center") for axes in panels] == ["iou", "iou, focaler = (0.0, 0.95)", "halved", "l2", "nwd"]
    for axes in panels:
        words = [axes.title, axes.xaxis.label, axes.yaxis.label]
        places = [word.get_window_extent() for word in words if word.get_text()]
        assert all(place.x0 >= 0 and place.y0 >= 0 and place.x1 <= figure.bbox.x1 and place.y1 <= figure.bbox.y1 for place in places)


@pytest.mark.filterwarnings("error")
def test_a_flat_loss_is_drawn_too():
    @bl.formula(title="Nothing", paper="none", bounds="[0, 0]", symmetric=True, scale_free=True)
    def nothing(p):
        """Nothing.

        loss = 0
        """
        return p.jaccard * 0.0

    for figure in (landscape([nothing], "scale"), field([nothing], "scale")):
        assert to_png(figure, 40).startswith(b"\x89PNG")


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_the_numbers_can_be_had(suffix, tmp_path):
    path = tmp_path / f"numbers{suffix}"
    save_data(["iou", "giou"], "scale", path, n=5)
    right = [sample(name, "scale", 5) for name in ("iou", "giou")]
    if suffix == ".npz":
        found = np.load(path)
        assert found["losses"].tolist() == ["iou", "giou"]
        np.testing.assert_array_equal(found["x"], right[0].across)
        for k, one in enumerate(right):
            for name, want in (("value", one.value), ("pull_x", one.pull_across), ("pull_scale", one.pull_up)):
                np.testing.assert_array_equal(found[name][k], want)
    else:
        head, *rows = csv.reader(path.open(newline=""))
        assert head == ["loss", "x", "scale", "value", "pull_x", "pull_scale"]
        assert [row[0] for row in rows] == ["iou"] * 25 + ["giou"] * 25
        across, up = np.meshgrid(right[1].across, right[1].up)
        want = np.stack([across, up, right[1].value, right[1].pull_across, right[1].pull_up], axis=-1).reshape(25, 5)
        np.testing.assert_array_equal(np.array([row[1:] for row in rows[25:]], float), want)


def test_refusals(tmp_path):
    with pytest.raises(UnknownNameError, match="plane"):
        landscape(["iou"], "shifted")
    with pytest.raises(UnknownNameError, match="loss"):
        field(["no_such_loss"], "shift")
    for losses in ("iou", []):
        with pytest.raises(ParameterError, match="expected a list of at least one"):
            landscape(losses)
    with pytest.raises(ParameterError, match=r"not \.csv or \.npz"):
        save_data(["iou"], "shift", tmp_path / "numbers.txt", n=3)


PAGE = ROOT / "docs" / "landscapes.md"


def test_the_table_of_the_page_is_what_is_counted():
    assert landscapes.table() in PAGE.read_text(encoding="utf-8")


def test_what_the_page_says():
    iou, diou, ciou = (sample(name, "aspect") for name in ("iou", "diou", "ciou"))
    np.testing.assert_array_equal(iou.value, diou.value)
    most = float((ciou.value - diou.value).max())
    assert f"never more than {most:.3f}".replace("0.", ".") in PAGE.read_text(encoding="utf-8").replace("\n", " ")
    np.testing.assert_array_equal(sample("ciou", "shift").value, sample("diou", "shift").value)
    giou, nested = sample("giou", "aspect"), np.abs(iou.up) > 1
    close(giou.value[nested], iou.value[nested], "float64", "sum")
    assert sample("iou_log", "shift").value.max().round() == 87


@pytest.mark.slow
def test_the_pages_pictures_are_drawn(tmp_path):
    landscapes.draw(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in (PAGE.parent / "landscapes").iterdir()}
    assert len(list(tmp_path.iterdir())) == 2 * len(PLANES)
    assert FOUR == ("iou", "giou", "diou", "ciou")


@bl.formula(title="t", paper="p", bounds="[0, inf)", symmetric=True, scale_free=True)
def undefined(p):
    return (p.jaccard - p.jaccard) / (p.jaccard - p.jaccard)


@bl.formula(title="t", paper="p", bounds="[0, 0]", symmetric=True, scale_free=True)
def level(p):
    return 0 * p.jaccard


def test_what_is_not_finite_is_said_and_what_is_level_has_a_scale():
    for draw in (landscape, field):
        first, second = draw([level, undefined]).axes[:2]
        assert [text.get_text() for text in second.texts] == ["white: not finite"]
        assert not first.texts
    assert landscape([level]).axes[-1].get_ylim() == (0.0, 1.0)
