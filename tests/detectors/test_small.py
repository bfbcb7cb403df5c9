"""The small detector's shape, start and outputs."""

import numpy as np
import pytest
import torch

from boxloss.anchors import points
from boxloss.detectors.small import PRIOR, SmallDetector
from close import close


@pytest.fixture(scope="module")
def detector():
    torch.set_num_threads(1)
    return SmallDetector(3)


def some_images(n=2, height=48, width=80):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, height, width), dtype=np.uint8))


# Properties


@pytest.mark.parametrize(("height", "width"), [(48, 80), (33, 65), (144, 192), (20, 20)])
def test_one_output_a_point_at_any_size(detector, height, width):
    outputs = detector(some_images(1, height, width))
    n = len(points(width, height).xy)
    assert outputs.logits.shape == (1, n, 3)
    assert outputs.boxes.shape == (1, n, 4)


def test_every_box_contains_its_point(detector):
    boxes = detector(some_images()).boxes
    xy = torch.from_numpy(points(80, 48).xy)
    assert (boxes[..., :2] < xy).all()
    assert (xy < boxes[..., 2:]).all()


def test_a_prediction_depends_on_its_picture_alone(detector):
    images = some_images(3)
    together, alone = detector(images), detector(images[1:2])
    for got, want in ((together.logits[1], alone.logits[0]), (together.boxes[1], alone.boxes[0])):
        close(got, want.tolist(), "float32", "sum", scale=torch.full_like(want, want.abs().max().item()).tolist())


def test_the_start_depends_on_the_seed_alone_and_takes_nothing_from_the_global_generator():
    torch.manual_seed(1)
    one = SmallDetector(3, seed=7).state_dict()
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(2)
    two = SmallDetector(3, seed=7).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["stem.0.0.weight"], SmallDetector(3, seed=8).state_dict()["stem.0.0.weight"])


def test_bytes_and_floats_are_the_same_picture(detector):
    images = some_images(1)
    assert torch.equal(detector(images).boxes, detector(images.float()).boxes)


def test_every_weight_learns(detector):
    outputs = detector(some_images())
    (outputs.logits.square().sum() + outputs.boxes.square().sum()).backward()
    silent = [name for name, p in detector.named_parameters() if p.grad is None or not p.grad.any()]
    detector.zero_grad()
    assert silent == []


# Pencil cases


def test_it_has_about_a_million_parameters(detector):
    assert 0.7e6 < sum(p.numel() for p in detector.parameters()) < 1.2e6


def test_scores_start_at_the_prior(detector):
    scores = torch.sigmoid(detector(some_images()).logits)
    assert (scores > PRIOR / 3).all()
    assert (scores < PRIOR * 3).all()
