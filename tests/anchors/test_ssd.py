"""SSD's default boxes: 8,732 and 24,564 of them, where they lie, and that torchvision has the same."""

import numpy as np
import pytest

from boxloss.anchors import ssd, ssd_shapes
from boxloss.anchors.ssd import CELLS, RATIOS, SCALES, STEPS
from boxloss.errors import ParameterError, UnknownNameError
from close import close
from torchvision_peer import digest, torchvision

SETS = list(SCALES)


# Properties


@pytest.mark.parametrize(("size", "data"), SETS)
def test_centres_lie_half_a_step_inside_and_sides_in_the_picture(size, data):
    found, start = ssd(size, data).astype(np.float64), 0
    for level, step, n in zip(ssd_shapes(size, data), STEPS[size], CELLS[size], strict=True):
        boxes = found[start : start + n * n * len(level)].reshape(n, n, len(level), 4)
        start += n * n * len(level)
        centre = (np.arange(n) + 0.5) * step
        for at, axis in ((boxes[..., [0, 2]].mean(-1), 1), (boxes[..., [1, 3]].mean(-1), 0)):
            want = np.broadcast_to(np.expand_dims(centre, (1 - axis, 2)), at.shape)
            some = slice(None, None, 97)  # of thousands that are alike
            close(at.ravel()[some], want.ravel()[some], "float32", scale=np.full(at.size, float(size))[some])
    assert start == len(found)
    assert ((found[:, 2:] - found[:, :2]).max(0) <= size + 1).all()


def test_an_upright_box_for_each_lying_one():
    for size, data in SETS:
        for level, ratios in zip(ssd_shapes(size, data), RATIOS[size], strict=True):
            assert len(level) == 2 + 2 * len(ratios)
            assert (level[2::2] == level[3::2, ::-1]).all()
            assert (level[:2, 0] == level[:2, 1]).all()


# Pencil cases


def test_8732_and_24564():
    assert [n * n * len(level) for n, level in zip(CELLS[300], ssd_shapes(300), strict=True)] == [5776, 2166, 600, 150, 36, 4]
    assert [len(ssd(size)) for size in (300, 512)] == [8732, 24564]


def test_the_papers_first_scale():
    """VOC at 300: the first square has sides of 30 pixels, the second of sqrt(30 * 60)."""
    close(ssd_shapes(300)[0][:2] * 300, [[30, 30], [1800**0.5] * 2])


def test_without_clipping_the_last_level_is_wider_than_the_picture():
    widths = [np.ptp(ssd(300, clip=clip)[-2, [0, 2]]) for clip in (True, False)]
    close(widths, [300, 300 * 0.88 * 2**0.5], "float32")


# Oracle

DIGESTS = {300: "aee73ce50ce5a499", 512: "41619b329eec1a1e"}
"""Of torchvision 0.28.0's DefaultBoxGenerator with COCO's scales, CPU."""


@pytest.mark.parametrize("size", DIGESTS)
def test_torchvision_has_the_same_to_the_last_digit(size):
    torch, anchor_utils = pytest.importorskip("torch"), torchvision("models.detection.anchor_utils")
    image_list = torchvision("models.detection.image_list")
    generator = anchor_utils.DefaultBoxGenerator([list(r) for r in RATIOS[size]], scales=list(SCALES[size, "coco"]), steps=list(STEPS[size]))
    images = image_list.ImageList(torch.zeros(1, 3, size, size), [(size, size)])
    theirs = generator(images, [torch.zeros(1, 1, n, n) for n in CELLS[size]])[0].numpy()
    assert (ssd(size, "coco") == theirs).all()
    assert digest(theirs) == DIGESTS[size]


@pytest.mark.parametrize("size", DIGESTS)
def test_torchvisions_digests(size):
    assert digest(ssd(size, "coco")) == DIGESTS[size]


# Errors


def test_other_sizes_and_scales_are_refused():
    with pytest.raises(ParameterError, match="size is 321, expected 300 or 512"):
        ssd(321)
    with pytest.raises(UnknownNameError, match="did you mean coco"):
        ssd(300, "coc")
