"""Drawn shapes: masks, coverage and exact boxes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.datasets.sprites import FINE, IN_FILL, IN_RIM, SHAPES, SIDE, Placed, cover, mask_of
from close import close


@st.composite
def placements(draw):
    turn_rad = draw(st.floats(0, 2 * math.pi))
    thousandths = st.integers(4_000, 30_000).map(lambda n: n / 1000)
    x, y = draw(st.integers(-5000, 90_000)) / 1000, draw(st.integers(-5000, 90_000)) / 1000
    return Placed(draw(st.sampled_from(SHAPES)), x, y, draw(thousandths), draw(thousandths), round(math.cos(turn_rad), 6), round(math.sin(turn_rad), 6))


# Properties


@given(placements())
@settings(max_examples=50)
def test_boxes_are_tight_to_a_quarter_of_a_pixel(placed):
    coverage = cover(placed)
    x1, y1, x2, y2 = coverage.box
    assert all((side * FINE).is_integer() for side in coverage.box)
    covered = coverage.fill + coverage.rim
    rows, columns = np.nonzero(covered)
    # The outermost pixels with coverage are those that the box's sides lie in.
    assert [columns.min() + coverage.left, rows.min() + coverage.top] == [math.floor(x1), math.floor(y1)]
    assert [columns.max() + 1 + coverage.left, rows.max() + 1 + coverage.top] == [math.ceil(x2), math.ceil(y2)]
    assert covered.max() <= FINE * FINE
    reach_x, reach_y = placed.reach
    assert placed.x - reach_x - 1 / FINE <= x1 < x2 <= placed.x + reach_x + 1 / FINE
    assert placed.y - reach_y - 1 / FINE <= y1 < y2 <= placed.y + reach_y + 1 / FINE


@given(placements(), st.integers(-20, 20), st.integers(-20, 20))
@settings(max_examples=30)
def test_whole_pixels_move_a_shape_without_change(placed, right, down):
    # Centres on eighths: the sums are exact.
    placed = Placed(placed.shape, round(placed.x) + 0.125, round(placed.y) + 0.375, placed.half_width, placed.half_height, placed.cos, placed.sin)
    moved = Placed(placed.shape, placed.x + right, placed.y + down, placed.half_width, placed.half_height, placed.cos, placed.sin)
    one, other = cover(placed), cover(moved)
    assert (other.left - one.left, other.top - one.top) == (right, down)
    assert np.array_equal(one.fill, other.fill)
    assert np.array_equal(one.rim, other.rim)


@pytest.mark.parametrize("shape", SHAPES)
def test_masks_reach_all_four_sides_within_an_empty_frame(shape):
    mask = mask_of(shape)
    assert mask.shape == (SIDE + 2, SIDE + 2)
    inner = mask[1:-1, 1:-1]
    assert np.array_equal(mask, np.pad(inner, 1))
    rows, columns = np.nonzero(mask)
    assert max(rows.min(), columns.min()) < 5  # a pointed tip may end between the middles of the outermost cells
    assert min(rows.max(), columns.max()) > SIDE - 4
    assert set(np.unique(mask)) == {0, IN_RIM, IN_FILL}


# Pencil cases


def test_a_circle_that_is_not_turned_has_the_box_of_its_diameters():
    assert cover(Placed("ring", 20.0, 20.0, 8.0, 4.0, 1.0, 0.0)).box == (12, 16, 28, 24)


def test_a_quarter_turn_exchanges_the_sides():
    assert cover(Placed("ring", 20.0, 20.0, 8.0, 4.0, 0.0, 1.0)).box == (16, 12, 24, 28)


def test_the_rings_area():
    coverage = cover(Placed("ring", 40.0, 40.0, 30.0, 30.0, 1.0, 0.0))
    area = (coverage.fill + coverage.rim).sum() / FINE**2
    close([area], [math.pi * 30**2 * (1 - 0.25)], "float64", "counted pixels")  # the hole has half the diameter


def test_an_arrow_points_to_the_right():
    # Its head: the rightmost column is one point in the middle, and the widest column is right of the centre.
    columns = (mask_of("arrow") > 0).sum(axis=0)
    assert columns[1 : SIDE // 2].max() < SIDE // 2
    assert columns.argmax() > SIDE // 2
