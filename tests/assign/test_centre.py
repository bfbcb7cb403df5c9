"""Centre sampling: which point learns from which box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.anchors import points
from boxloss.assign import BACKGROUND, Priors, centre_sampling
from boxloss.errors import ParameterError

XY, STRIDES = points(96, 64)


def learners(xy, strides, boxes):
    """For each point the box that it learns from."""
    return centre_sampling(Priors(np.hstack([xy - 4, xy + 4]), strides), boxes).index


@st.composite
def scenes(draw, most=8, least_side=1):
    """Boxes with integer and quarter-pixel coordinates (ties!) in a picture of 96 x 64."""
    rows = []
    for _ in range(draw(st.integers(0, most))):
        x, y = draw(st.integers(0, 95 - least_side)), draw(st.integers(0, 63 - least_side))
        w, h = draw(st.integers(least_side, 96 - x)), draw(st.integers(least_side, 64 - y))
        quarter = draw(st.integers(0, 3)) / 4
        rows.append((x, y, x + w - quarter * (w > 1), y + h))
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


# Properties


@given(scenes())
def test_every_box_has_a_point(boxes):
    matched = learners(XY, STRIDES, boxes)
    assert set(range(len(boxes))) <= set(matched.tolist())
    assert matched.min() >= BACKGROUND
    assert matched.max() < max(len(boxes), 1)


@given(scenes(most=1, least_side=9))
def test_a_box_larger_than_the_finest_cell_learns_at_points_inside_only(boxes):
    matched = learners(XY, STRIDES, boxes)
    rows = matched[matched >= 0]
    assert ((boxes[rows, :2] < XY[matched >= 0]) & (XY[matched >= 0] < boxes[rows, 2:])).all()


@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_decides_only_between_equal_areas(boxes, random):
    _, first = np.unique(area(boxes), return_index=True)
    boxes = boxes[first]
    order = list(range(len(boxes)))
    random.shuffle(order)
    one = learners(XY, STRIDES, boxes)
    other = learners(XY, STRIDES, boxes[order])
    assert np.array_equal(one, np.array([*order, BACKGROUND])[other])


@given(scenes())
def test_a_mirror_mirrors_what_the_first_rule_gives(boxes):
    # Nearest free points may tie, and the first is taken: compare only where no box needed one.
    xy, strides = points(96, 64)
    flipped = np.stack([96 - boxes[:, 2], boxes[:, 1], 96 - boxes[:, 0], boxes[:, 3]], axis=1)
    one, other = learners(xy, strides, boxes), learners(xy, strides, flipped)
    where = {(x, y, s): row for (x, y), s, row in zip(xy.tolist(), strides, one, strict=True)}
    mirrored = [where[96 - x, y, s] for (x, y), s in zip(xy.tolist(), strides, strict=True)]
    if all((one == n).sum() > 1 for n in range(len(boxes))):
        assert other.tolist() == mirrored


@given(scenes())
@settings(max_examples=30)
def test_scaling_everything_by_two_changes_nothing(boxes):
    assert np.array_equal(learners(XY, STRIDES, boxes), learners(2 * XY, 2 * STRIDES, 2 * boxes))


@given(scenes())
@settings(max_examples=30)
def test_nothing_given_is_changed(boxes):
    before = boxes.copy()
    learners(XY, STRIDES, boxes)
    assert np.array_equal(before, boxes)


# Oracle


@given(scenes(most=5))
@settings(max_examples=40)
def test_the_first_rule_point_by_point(boxes):
    matched = learners(XY, STRIDES, boxes)
    for (x, y), stride, got in zip(XY.astype(float), STRIDES.astype(float), matched, strict=True):
        best = None
        for n, (x1, y1, x2, y2) in enumerate(boxes):
            ltrb = (x - x1, y - y1, x2 - x, y2 - y)
            fits = (stride == 8 or max(ltrb) > 2 * stride) and (stride == 32 or max(ltrb) <= 4 * stride)
            central = abs(x - (x1 + x2) / 2) < 1.5 * stride and abs(y - (y1 + y2) / 2) < 1.5 * stride
            if min(ltrb) > 0 and fits and central and (best is None or area(boxes)[n] < area(boxes)[best]):
                best = n
        if best is not None:
            assert got == best
        else:
            assert got == BACKGROUND or (matched == got).sum() == 1  # background, or a box's only point


def test_a_point_that_is_not_a_number_is_nobodys_last_resort():
    boxes = np.array([[1.0, 1, 7, 7], [2, 2, 6, 6], [3, 3, 5, 5]])
    matched = learners(np.array([[np.nan, 4.0], [4, 4], [12, 4]]), np.full(3, 8.0), boxes)
    assert matched.tolist() == [BACKGROUND, 2, 1]


# Pencil cases


def test_a_box_around_a_point_has_the_three_by_three_around_its_centre():
    xy, strides = points(96, 96, (8,))
    matched = learners(xy, strides, np.array([[32.0, 32.0, 64.0, 64.0]])).reshape(12, 12)
    # Centre 48: points at 36, 44, 52, 60 are 12, 4, 4, 12 away; 12 is not less than 1.5 strides.
    assert np.argwhere(matched == 0).tolist() == [[5, 5], [5, 6], [6, 5], [6, 6]]


def test_the_smaller_box_wins():
    boxes = np.array([[0, 0, 64, 64], [24, 24, 40, 40]], dtype=float)
    matched = learners(*points(64, 64, (8,)), boxes).reshape(8, 8)
    assert matched[3:5, 3:5].tolist() == [[1, 1], [1, 1]]


def test_large_boxes_belong_to_coarse_levels():
    xy, strides = points(192, 192)
    assert set(strides[learners(xy, strides, np.array([[60.0, 60, 90, 90]])) == 0]) == {8}
    assert set(strides[learners(xy, strides, np.array([[10.0, 10, 180, 180]])) == 0]) == {32}


def test_a_box_between_the_points_takes_the_nearest():
    xy, strides = points(16, 16, (8,))
    assert learners(xy, strides, np.array([[6.0, 5, 8, 7]])).tolist() == [0, -1, -1, -1]


def test_more_boxes_than_points():
    matched = learners(*points(8, 8, (8,)), np.array([[1.0, 1, 7, 7], [2, 2, 6, 6]]))
    assert matched.tolist() == [1]


@pytest.mark.parametrize("n", [0, 3])
def test_no_boxes(n):
    assert learners(XY[:n], STRIDES[:n], np.zeros((0, 4))).tolist() == [BACKGROUND] * n


# Errors


@pytest.mark.parametrize("options", [{"radius": -1}, {"radius": np.nan}, {"reach": 0}, {"reach": "4"}])
def test_radius_and_reach_are_above_0(options):
    (name,) = options
    with pytest.raises(ParameterError, match=f"centre_sampling: {name} is .*, expected a number > 0"):
        centre_sampling(Priors(np.hstack([XY - 4, XY + 4]), STRIDES), np.zeros((1, 4)), **options)


def test_strides_are_needed():
    with pytest.raises(ParameterError, match="centre_sampling: no strides were given"):
        centre_sampling(np.zeros((1, 4)), np.zeros((1, 4)))
