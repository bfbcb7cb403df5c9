"""Anchors on grids: where they lie, how many there are, and that peers have the same, to the last digit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxloss.anchors import YOLOV3, faster_rcnn, grid, retinanet, shapes, strides_of, yolo
from boxloss.anchors.grid import RATIOS
from boxloss.errors import ParameterError, ShapeError, UnknownNameError
from close import as_printed, close
from torchvision_peer import digest, torchvision

sides = st.integers(1, 200)
lists = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=5)


# Properties


@settings(max_examples=30)
@given(sides, sides, lists, st.sampled_from([0, 0.5]))
def test_every_anchor_has_its_shape_and_its_cells_centre(width, height, given_shapes, offset):
    found = grid(width, height, [16], [given_shapes], offset=offset).reshape(-(-height // 16), -(-width // 16), len(given_shapes), 4)
    for row, column, k in np.ndindex(found.shape[:3]):
        left, top, right, bottom = found[row, column, k].tolist()
        assert (right - left, bottom - top) == given_shapes[k]
        assert (left + right, top + bottom) == (2 * (column + offset) * 16, 2 * (row + offset) * 16)


@settings(max_examples=30)
@given(sides, sides, lists)
def test_transposing_the_picture_transposes_the_anchors(width, height, given_shapes):
    one = grid(width, height, [8, 32], [given_shapes] * 2)
    other = grid(height, width, [8, 32], [[(h, w) for w, h in given_shapes]] * 2)
    assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, other[:, [1, 0, 3, 2]].tolist()))


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=4), st.lists(st.floats(0.1, 10), min_size=1, max_size=4))
def test_shapes_have_their_area_and_ratio(sizes, ratios):
    width, height = shapes(sizes, ratios).reshape(len(sizes), len(ratios), 2).transpose(2, 0, 1)
    close(width * height, np.broadcast_to(np.square(sizes)[:, None], width.shape))
    close(height / width, np.broadcast_to(ratios, width.shape))


def test_strides_are_those_of_the_anchors_cells():
    found, strides = yolo(100, 70), strides_of(100, 70, (8, 16, 32), 3)
    assert len(found) == len(strides)
    middle = (found[:, :2] + found[:, 2:]) / 2
    assert (middle % strides[:, None] == strides[:, None] / 2).all()


# Pencil cases


def test_the_lectures_nine_anchors():
    """400 x 400, ratios 2, 1, 0.5, scales 0.5, 0.25, 0.125; the slide has 35.3 where 35.36 is right."""
    found = shapes([400 * scale for scale in (0.5, 0.25, 0.125)], [2, 1, 0.5])
    printed = [("141.42", "282.84"), ("200", "200"), ("282.84", "141.42"), ("70.71", "141.42"), ("100", "100"), ("141.42", "70.71")]
    printed += [("35.36", "70.71"), ("50", "50"), ("70.71", "35.36")]
    for got, want in zip(found.tolist(), printed, strict=True):
        as_printed(got[0], want[0])
        as_printed(got[1], want[1])
    assert len(grid(400, 400, [400], [found])) == 9


def test_how_many_there_are():
    # (160^2 + 80^2 + 40^2 + 20^2 + 10^2) cells of three; 40^2 of nine; (80^2 + ... + 5^2) of nine; (52^2 + 26^2 + 13^2) of three
    assert [len(x) for x in (faster_rcnn(640, 640), faster_rcnn(640, 640, fpn=False), retinanet(640, 640), yolo(416, 416))] == [102300, 14400, 76725, 10647]


def test_yolo_starts_with_the_smallest_stride():
    assert yolo(64, 64)[0].tolist() == [4 - 5, 4 - 6.5, 4 + 5, 4 + 6.5]
    assert yolo(64, 64)[-1].tolist() == [48 - 186.5, 48 - 163, 48 + 186.5, 48 + 163]
    assert len(YOLOV3) == 3


# Oracles


def as_detectron2_says(width, height, strides, sizes, ratios):
    """detectron2's published scheme: in float64, for each size and each ratio h / w; then a float32 sum with the cell's corner (offset 0)."""
    found = []
    for stride, level in zip(strides, sizes, strict=True):
        base = []
        for size in level:
            for ratio in ratios:
                w = math.sqrt(size**2.0 / ratio)
                h = ratio * w
                base.append([-w / 2.0, -h / 2.0, w / 2.0, h / 2.0])
        for y in range(-(-height // stride)):
            for x in range(-(-width // stride)):
                corner = np.float32([x * stride, y * stride] * 2)
                found.append(corner + np.array(base).astype(np.float32))
    return np.concatenate(found)


def test_detectron2_has_the_same_to_the_last_digit():
    sizes = [[x, x * 2 ** (1.0 / 3), x * 2 ** (2.0 / 3)] for x in (32, 64, 128, 256, 512)]
    assert (retinanet(333, 200) == as_detectron2_says(333, 200, (8, 16, 32, 64, 128), sizes, RATIOS)).all()
    assert (faster_rcnn(333, 200) == as_detectron2_says(333, 200, (4, 8, 16, 32, 64), [[32], [64], [128], [256], [512]], RATIOS)).all()
    assert (faster_rcnn(333, 200, fpn=False) == as_detectron2_says(333, 200, (16,), [[128, 256, 512]], RATIOS)).all()


IN_TORCHVISION = {"faster_rcnn": ((4, 8, 16, 32, 64), ((32,), (64,), (128,), (256,), (512,))), "retinanet": ((8, 16, 32, 64, 128), None)}
DIGESTS = {"faster_rcnn": "6031f330fbfb2132", "retinanet": "a189efd0a6162e4a"}
"""Of torchvision 0.28.0's anchors at 640 x 384, CPU."""


def ours(name):
    return {"faster_rcnn": faster_rcnn, "retinanet": retinanet}[name](640, 384, like="torchvision")


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_torchvision_has_the_same_to_the_last_digit(name):
    torch, anchor_utils = pytest.importorskip("torch"), torchvision("models.detection.anchor_utils")
    strides, sizes = IN_TORCHVISION[name]
    sizes = sizes or tuple((x, int(x * 2 ** (1.0 / 3)), int(x * 2 ** (2.0 / 3))) for x in (32, 64, 128, 256, 512))  # as its retinanet.py has them
    generator = anchor_utils.AnchorGenerator(sizes, (RATIOS,) * len(sizes))
    levels = generator.grid_anchors([(384 // s, 640 // s) for s in strides], [(torch.tensor(s), torch.tensor(s)) for s in strides])
    theirs = torch.cat(levels).numpy()
    assert theirs.dtype == np.float32
    assert (ours(name) == theirs).all()
    assert digest(theirs) == DIGESTS[name]


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_torchvisions_digests(name):
    assert digest(ours(name)) == DIGESTS[name]


# Errors


def test_what_is_refused():
    with pytest.raises(ParameterError, match="shapes for 1 levels and 2 strides"):
        grid(8, 8, [8, 16], [[(1, 1)]])
    with pytest.raises(ShapeError, match="the shapes of stride 8 have shape"):
        grid(8, 8, [8], [[1, 2, 3]])
    with pytest.raises(ParameterError, match="ratios is"):
        shapes([1], [0])
    with pytest.raises(ParameterError, match="sizes is"):
        shapes([], [1])
    with pytest.raises(UnknownNameError, match="did you mean detectron2"):
        retinanet(8, 8, like="detectron")


def test_strides_are_a_list_and_sides_are_above_0():
    with pytest.raises(ParameterError, match=r"anchors.grid: strides is 8, expected one for each level: try strides=\(8,\)"):
        grid(64, 64, 8, [[(8, 8)]])
    with pytest.raises(ParameterError, match=r"the shapes of stride 8 are \[\[8.0, 0.0\]\], expected widths and heights above 0"):
        grid(64, 64, [8], [[(8, 0)]])
