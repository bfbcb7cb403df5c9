"""The boxes that the tests try are what they are said to be."""

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings

from strategies import CLASSES, HAZARDS, SHAPES, boxes, hazard, inverted, pairs


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype("float64"), b.astype("float64")
    return ((np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])) > 0).all(1)


def test_there_are_eleven_hazard_classes() -> None:
    assert len(HAZARDS) == 11


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CLASSES)
def test_boxes_are_finite_ordered_and_of_the_type(name: str, dtype: str) -> None:
    for box in hazard(name, 100, dtype):
        assert box.dtype == dtype
        assert box.shape == (100, 4)
        assert np.isfinite(box).all()
        assert (box[:, 2:] >= box[:, :2]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in HAZARDS if name not in ("points", "lines")])
def test_a_hazard_class_has_overlapping_and_disjoint_pairs_and_no_squares(name: str, dtype: str) -> None:
    a, b = hazard(name, 100, dtype)
    share = overlaps(a, b).mean()
    assert 0.2 < share < 0.95
    size = a[:, 2:] - a[:, :2]
    assert (size[:, 0] != size[:, 1]).mean() > 0.8


@pytest.mark.parametrize("name", CLASSES)
def test_drawing_is_a_pure_function_of_its_seed(name: str) -> None:
    first, again, other = hazard(name, 20, "float32", 1), hazard(name, 20, "float32", 1), hazard(name, 20, "float32", 2)
    assert (np.stack(first) == np.stack(again)).all()
    assert (np.stack(first) != np.stack(other)).any()


@pytest.mark.parametrize("name", ["points", "lines"])
def test_points_and_lines_are_flat_in_one_box_or_both_and_some_are_equal(name: str) -> None:
    a, b = hazard(name, 120, "float32")
    n_flat = 2 if name == "points" else 1
    flat_a, flat_b = ((box[:, 2:] == box[:, :2]).sum(1) >= n_flat for box in (a, b))
    assert (flat_a | flat_b).mean() > 0.9
    assert (flat_a & flat_b).any()
    assert (flat_a ^ flat_b).any()
    assert (a == b).all(1).any()
    assert (a != b).any(1).any()
    assert np.ptp(np.log2(np.abs(a).max(1).clip(1e-30))) > 60


def test_subnormal_numbers_are_below_the_smallest_normal_one() -> None:
    for dtype in ("float32", "float64"):
        assert np.abs(np.stack(hazard("subnormal", 100, dtype))).max() < np.finfo(dtype).smallest_normal


def test_shapes() -> None:
    within = {name: hazard(name, 60) for name in SHAPES}
    a, b = within["nested"]
    assert ((b[:, :2] >= a[:, :2]) & (b[:, 2:] <= a[:, 2:])).all() or ((a[:, :2] >= b[:, :2]) & (a[:, 2:] <= b[:, 2:])).all()
    a, b = within["touching"]
    assert ((a[:, 2] == b[:, 0]) | (a[:, 3] == b[:, 1])).all()
    assert not overlaps(*within["touching"]).any()
    assert not overlaps(*within["disjoint"]).any()
    assert (within["identical"][0] == within["identical"][1]).all()
    sides = within["slim"][0][:, 2:] - within["slim"][0][:, :2]
    assert (sides.min(1) <= 1).all()
    assert np.ptp(sides.argmin(1)) == 1


def test_inverted_boxes_are_inverted_along_either_axis_in_either_box() -> None:
    a, b = inverted(90)
    upside = [box[:, 2:] < box[:, :2] for box in (a, b)]
    assert (upside[0] | upside[1]).any(1).all()
    for box in upside:
        assert {tuple(row) for row in box.tolist()} == {(False, False), (True, False), (False, True), (True, True)}


@settings(max_examples=50, derandomize=True, database=None)
@given(boxes("float32"))
def test_hypothesis_draws_boxes(box: np.ndarray) -> None:
    assert box.dtype == "float32"
    assert (box[2:] >= box[:2]).all()


@pytest.mark.parametrize(
    "case",
    [
        lambda a, b: (a == b).all(),
        lambda a, b: 0 < (a == b).sum() < 4,
        lambda a, b: a[0] == a[2],
        lambda a, b: overlaps(a[None], b[None]).all() and (a != b).all(),
        lambda a, b: a[2] < b[0],
    ],
    ids=["equal", "sharing some coordinates", "a line", "overlapping", "apart"],
)
def test_hypothesis_finds_pairs_of_every_kind(case: object) -> None:
    find(
        pairs("float32"),
        lambda pair: case(*pair),
        settings=settings(max_examples=5000, phases=[Phase.generate], derandomize=True, database=None),
    )  # type: ignore[operator]
