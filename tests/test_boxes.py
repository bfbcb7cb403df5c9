"""Formats, their conversion, and the check that names what is no box."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given

from boxloss import boxes
from boxloss.errors import DTypeError, FormatError, InvalidBoxError, ShapeError
from close import close
from strategies import boxes as box_strategy

PAIRS = list(itertools.permutations(boxes.FORMATS, 2))
BOX = {"xyxy": (10, 20, 30, 60), "xywh": (10, 20, 20, 40), "cxcywh": (20, 40, 20, 40), "ltrb": (5, 15, 15, 25)}  # seen from the point (15, 35)
POINT = [15.0, 35.0]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_one_box_in_every_format(source, target, kind):
    got = boxes.convert(kind([BOX[source]]), source, target, points=kind([POINT]))
    assert type(got) is type(kind([0]))
    assert got.tolist() == [list(BOX[target])]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_jax_in_jax_out(source, target):
    jax = pytest.importorskip("jax")
    got = boxes.convert(jax.numpy.asarray([BOX[source]]), source, target, points=jax.numpy.asarray([POINT]))
    assert isinstance(got, jax.Array)
    assert got.tolist() == [list(BOX[target])]


@pytest.mark.parametrize("middle", ["xywh", "cxcywh", "ltrb"])
def test_there_and_back_is_exact_for_integers_and_halves(middle):
    rng = np.random.default_rng(0)
    a = rng.integers(-(2**18), 2**18, (500, 4)).astype(np.float32) / 2
    points = rng.integers(-100, 100, (500, 2)).astype(np.float32) / 2
    assert np.array_equal(boxes.convert(boxes.convert(a, "xyxy", middle, points=points), middle, "xyxy", points=points), a)


@given(box_strategy("float64"))
def test_there_and_back_moves_an_edge_by_few_roundoffs_of_the_largest_coordinate(box):
    for middle in ("xywh", "cxcywh"):
        back = boxes.convert(boxes.convert(box, "xyxy", middle), middle, "xyxy")
        if np.isfinite(back).all():
            close(back, box.tolist(), "float64", scale=[float(np.abs(box).max())] * 4)


def test_integers_stay_integers_where_they_can():
    a = np.array([[1, 2, 4, 8]], dtype=np.int32)
    assert boxes.convert(a, "xyxy", "xywh").dtype == np.int64
    assert boxes.convert(a, "xyxy", "cxcywh").tolist() == [[2.5, 5.0, 3.0, 6.0]]


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_narrow_integers_do_not_wrap_around(kind):
    a = kind([[200, 0, 100, 10]])
    a = a.astype(np.uint8) if isinstance(a, np.ndarray) else a.to(torch.uint8)
    assert boxes.convert(a, "xywh", "xyxy").tolist() == [[200, 0, 300, 10]]


def test_points_must_fit():
    with pytest.raises(ShapeError, match=r"boxes has shape \(2, 2\) and points \(3, 2\), which do not broadcast"):
        boxes.convert(np.zeros((2, 4)), "xyxy", "ltrb", points=np.zeros((3, 2)))
    with pytest.raises(DTypeError, match="boxes is a torch array and points a numpy array"):
        boxes.convert(torch.zeros(2, 4), "xyxy", "ltrb", points=np.zeros((2, 2)))


def test_the_gradient_flows_through():
    a = torch.tensor([[5.0, 5.0, 4.0, 2.0]], requires_grad=True)
    (g,) = torch.autograd.grad(boxes.convert(a, "cxcywh", "xyxy")[0, 2], a)
    assert g.tolist() == [[1, 0, 0.5, 0]]


def test_pixels_and_shares():
    a = np.array([[10, 20, 30, 60]])
    shares = boxes.normalise(a, (100, 80))
    close(shares, [[0.1, 0.25, 0.3, 0.75]], "float64")
    close(boxes.denormalise(shares, (100, 80)), a.tolist(), "float64")
    with pytest.raises(InvalidBoxError, match=r"expected \(width, height\), both above 0"):
        boxes.normalise(a, (0, 80))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: boxes.convert([[1, 2, 3]], "xyxy", "xywh"), ShapeError, "boxes.convert: boxes has shape (1, 3), expected (..., 4)"),
        (
            lambda: boxes.convert(np.zeros((8, 5)), "xyxy", "xywh"),
            ShapeError,
            "boxes.convert: boxes has shape (8, 5), expected (..., 4). Five columns often mean a trailing score or angle: try boxes[..., :4]",
        ),
        (
            lambda: boxes.convert(np.zeros((4, 8)), "xyxy", "xywh"),
            ShapeError,
            "boxes.convert: boxes has shape (4, 8), expected (..., 4). Four rows often mean that the array is transposed: try boxes.T",
        ),
        (
            lambda: boxes.convert([[1, 2, 3, 4]], "xyxy", "cxywh"),
            FormatError,
            "boxes.convert: format is 'cxywh', expected one of xyxy, xywh, cxcywh, ltrb; for segments xx, xw, cxw, lr; "
            "for volumes xyzxyz, xyzwhd, cxcyczwhd. In boxloss `xywh` has the corner, `cxcywh` the centre",
        ),
        (
            lambda: boxes.convert([[1, 2, 3, 4]], "xyxy", "ltrb"),
            FormatError,
            "boxes.convert: ltrb are distances from points: pass points=..., shape (..., 2)",
        ),
    ],
)
def test_errors_name_what_came_and_what_was_expected(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


def test_check_names_the_first_offenders_and_why():
    a = np.array([[0, 0, 5, 5], [5, 0, 1, 5], [0, 0, np.nan, 1], [2, 2, 2, 4], [0, 9, 5, 1], [1, 1, 1, 1.0]])
    with pytest.raises(InvalidBoxError) as refusal:
        boxes.check(a)
    assert str(refusal.value) == (
        "5 of 6 boxes (xyxy): [1] (5.0, 0.0, 1.0, 5.0) is inverted: right < left; [2] (0.0, 0.0, nan, 1.0) is not finite; "
        "[3] (2.0, 2.0, 2.0, 4.0) has no width; and 2 more"
    )


def test_check_lets_boxes_pass():
    boxes.check([[0, 0, 1, 1]])
    boxes.check(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), size=(1, 1))
    boxes.check([[0, 0, 0, 1]], allow_empty=True)
    boxes.check([[-1, 2, 3, 4]], "ltrb")
    boxes.check(np.zeros((0, 4)))


@pytest.mark.parametrize(
    ("box", "format", "rule"),
    [
        ([0, 0, -1, 2], "xywh", "is inverted: right < left"),
        ([5, 5, 2, -1], "cxcywh", "is inverted: bottom < top"),
        ([-3, 0, 2, 1], "ltrb", "is inverted: right < left"),
        ([8, 0, 11, 2], "xyxy", "leaves the picture of 10 x 10"),
    ],
)
def test_check_knows_the_formats(box, format, rule):
    (fault,) = boxes.faults([box], format, size=(10, 10) if "leaves" in rule else None)
    assert fault.index == (0,)
    assert fault.rule == rule


SOLIDS = {"xx": (2, 6), "xw": (2, 4), "cxw": (4, 4), "lr": (1, 3)} | {
    "xyzxyz": (10, 20, 1, 30, 60, 5),
    "xyzwhd": (10, 20, 1, 20, 40, 4),
    "cxcyczwhd": (20, 40, 3, 20, 40, 4),
}


@pytest.mark.parametrize("source", SOLIDS)
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_a_segment_and_a_volume_in_every_format(source, kind):
    for target in boxes.SEGMENTS if source in boxes.SEGMENTS else boxes.VOLUMES:
        assert boxes.convert(kind([SOLIDS[source]]), source, target, points=kind([[3.0]])).tolist() == [list(SOLIDS[target])]


def test_formats_of_other_dimensions_are_refused():
    with pytest.raises(FormatError, match="xx has one dimension and xyxy two dimensions"):
        boxes.convert([[1, 2]], "xx", "xyxy")
    with pytest.raises(FormatError, match=r"lr are distances from points: pass points=..., shape \(..., 1\)"):
        boxes.convert([[1, 2]], "xx", "lr")


def test_segments_and_volumes_are_checked_and_made_shares():
    boxes.check([[0, 0, 0, 1, 1, 1]], "xyzxyz", size=(1, 1, 1))
    for box, format, size, rule in (
        ([2, 1], "xx", None, "is inverted: end < start"),
        ([1, 0], "xw", None, "has no length"),
        ([1, 1, 1, 2, 2, -1], "xyzwhd", None, "is inverted: back < front"),
        ([1, 1, 1, 2, 2, 0], "cxcyczwhd", None, "has no depth"),
        ([0, 9], "xx", (8,), "leaves the recording of 8"),
        ([0, 0, 0, 1, 1, 9], "xyzxyz", (8, 8, 8), "leaves the volume of 8 x 8 x 8"),
    ):
        assert [fault.rule for fault in boxes.faults([box], format, size=size)] == [rule]
    with pytest.raises(InvalidBoxError, match=r"size is \(8, 8\), expected \(length\) for xx"):
        boxes.check([[0, 1]], "xx", size=(8, 8))
    assert boxes.normalise([[1.0, 3.0]], (4,)).tolist() == [[0.25, 0.75]]
    assert boxes.denormalise(boxes.normalise(np.array([[1.0, 2, 3, 2, 4, 6]]), (4, 8, 16)), (4, 8, 16)).tolist() == [[1, 2, 3, 2, 4, 6]]
