"""What anchors are worth: against the plain definition, and by pencil."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.anchors import quality
from boxloss.errors import ParameterError, ShapeError
from close import close

sizes = st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=1, max_size=20)


# Properties


@settings(max_examples=40, deadline=None)  # the first compiles
@given(sizes, sizes)
def test_it_is_what_the_definitions_say(boxes, anchors):
    def centred(shapes):
        half = np.array(shapes, np.float64) / 2
        return np.concatenate([-half, half], axis=1)

    best = bl.pairwise("iou", centred(boxes), centred(anchors)).max(axis=1)
    ratio = np.array(boxes)[:, None] / np.array(anchors)[None]
    fits = np.minimum(ratio, 1 / ratio).min(axis=2).max(axis=1) > 1 / 4
    found = quality(boxes, anchors)
    close(found.mean_iou, best.mean(), "float32", "sum")
    assert found.recall_iou == (best >= 0.5).mean()
    assert found.recall_ratio == fits.mean()


@settings(max_examples=20)
@given(sizes, sizes, sizes)
def test_more_anchors_are_never_worse(boxes, anchors, more):
    assert all(a <= b for a, b in zip(quality(boxes, anchors), quality(boxes, anchors + more), strict=True))


# Pencil cases


def test_a_factor_of_four_is_too_much():
    assert [quality([[4, 4]], [shape]).recall_ratio for shape in ([1, 4], [1.01, 4], [16, 4], [15.9, 4])] == [0, 1, 0, 1]


def test_no_boxes_have_no_quality():
    assert np.isnan(quality(np.zeros((0, 2)), [[1, 1]])).all()


# Errors


def test_what_is_refused():
    with pytest.raises(ShapeError, match="there are no anchors"):
        quality([[1, 1]], np.zeros((0, 2)))
    with pytest.raises(ParameterError, match="1 of 1 boxes have a width"):
        quality([[1, 1]], [[0, 1]])
