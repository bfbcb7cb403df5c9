"""Points of an anchor-free detector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.anchors import points
from boxloss.errors import ParameterError

sides = st.integers(1, 300)


# Properties


@given(sides, sides)
def test_every_pixel_is_within_half_a_stride_of_a_point_of_each_level(width, height):
    found = points(width, height)
    for stride in (8, 16, 32):
        xy = found.xy[found.strides == stride]
        for corner in ((0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)):
            assert np.abs(xy - corner).max(axis=1).min() <= stride / 2


@given(sides, sides)
def test_no_cell_lies_wholly_outside_the_picture(width, height):
    found = points(width, height)
    assert (found.xy - found.strides[:, None] / 2 < (width, height)).all()
    assert (found.xy > 0).all()


@given(sides, sides)
def test_transposing_the_picture_transposes_the_points(width, height):
    one, other = points(width, height), points(height, width)
    assert {(*xy, s) for xy, s in zip(one.xy.tolist(), one.strides, strict=True)} == {
        (y, x, s) for (x, y), s in zip(other.xy.tolist(), other.strides, strict=True)
    }


# Pencil cases


def test_192_x_144_has_570_points():
    # 24 x 18 + 12 x 9 + 6 x 5: the last row of the coarsest level reaches beyond the picture.
    found = points(192, 144)
    assert [int((found.strides == s).sum()) for s in (8, 16, 32)] == [432, 108, 30]
    assert found.xy[:2].tolist() == [[4, 4], [12, 4]]
    assert found.xy[-1].tolist() == [176, 144]
    assert found.xy.dtype == found.strides.dtype == np.float32


# Errors


@pytest.mark.parametrize("arguments", [(0, 5), (5, -1), (5, 5, ()), (5, 5, (0,))])
def test_sizes_below_1_are_refused(arguments):
    with pytest.raises(ParameterError, match="expected numbers >= 1"):
        points(*arguments)


def test_one_stride_is_a_list_of_one():
    with pytest.raises(ParameterError, match=r"points: strides is 8, expected one for each level: try strides=\(8,\)"):
        points(64, 64, 8)
