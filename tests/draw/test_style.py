"""Figures become files without leaving anything behind."""

import itertools
import re

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.draw import style
from boxloss.errors import ParameterError


@style.styled
def small_figure(title: str = "t"):
    figure = style.new_figure(3, 2)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], marker="o")
    axes.set_title(style.literal(title))
    return figure


def test_no_global_state_is_left_changed():
    before = dict(matplotlib.rcParams)
    style.to_svg(small_figure(), "a")
    assert dict(matplotlib.rcParams) == before


def test_the_same_figure_gives_the_same_bytes():
    for to_file in (style.to_svg_file, style.to_png, style.to_jpeg):
        assert to_file(small_figure()) == to_file(small_figure())
    assert style.to_svg(small_figure(), "a") == style.to_svg(small_figure(), "a")


def test_svg_keeps_text_as_text():
    assert ">two words</text>" in style.to_svg(small_figure("two words"), "a")


def test_two_figures_share_no_id():
    one, two = (set(re.findall(r'\sid="([^"]*)"', style.to_svg(small_figure(), prefix))) for prefix in "ab")
    assert one
    assert not one & two


def test_svg_has_no_date_and_no_doctype():
    svg = style.to_svg(small_figure(), "a")
    assert svg.startswith("<svg")
    assert "<metadata" not in svg


@pytest.mark.parametrize("text", ["$", "$x$", "a$b$c", r"\$", "$\\frac{"])
def test_a_users_dollar_is_no_formula(text):
    style.to_svg(small_figure(text), "a")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_are_spread_in_order_and_apart(places):
    places, step = sorted(places), 0.1
    spread = style._spread(places, step)
    assert all(two - one >= step * (1 - 2**-40) for one, two in itertools.pairwise(spread))
    assert spread[0] >= 0.0
    assert spread[-1] <= 1.0 + 2**-40


def test_names_that_do_not_crowd_stay_where_they_are():
    assert style._spread([0.25, 0.5, 0.75], 0.125) == [0.25, 0.5, 0.75]


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.jpg", b"\xff\xd8"), ("a.pdf", b"%PDF")])
def test_save_goes_by_the_suffix(tmp_path, name, start):
    for _ in range(2):  # an existing file is replaced
        style.save(small_figure(), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["a.gif", "a"])
def test_save_refuses_other_suffixes(tmp_path, name):
    with pytest.raises(ParameterError, match=r"expected \.png, \.svg, \.jpg, \.jpeg or \.pdf"):
        style.save(small_figure(), tmp_path / name)
