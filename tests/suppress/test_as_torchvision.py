"""torchvision's C++ suppression gives the same rows: on real detections and on a million random boxes."""

import importlib
import sys

import numpy as np
import pytest

from boxloss.suppress import nms
from shared_data import shared
from suppress.crowds import DETECTORS, real
from suppress.scenes import clutter

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def theirs():
    sys.path.append(str(shared("tools")))
    try:
        helper = importlib.import_module("torchvision_cpu")
        torchvision = importlib.import_module("torchvision")
    except ImportError as error:
        pytest.skip(f"torchvision is not installed: {error}")
    if hasattr(helper, "_keep_alive"):
        pytest.skip("torchvision's C++ operators cannot be loaded: pip install nvidia-cuda-runtime==13.0.96, and gcc")
    return lambda boxes, scores, threshold: torchvision.ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).tolist()


@pytest.mark.parametrize("detector", DETECTORS)
def test_real_detections(detector, theirs):
    for boxes, scores, labels in real(detector, np.float32):
        for threshold in (0.3, 0.45, 0.5, 0.6, 0.65, 0.7):
            assert nms(boxes, scores, threshold=threshold).tolist() == theirs(boxes, scores, threshold)
            kept = nms(boxes, scores, labels, threshold=threshold)
            for label in np.unique(labels):
                rows = np.flatnonzero(labels == label)
                assert kept[labels[kept] == label].tolist() == rows[theirs(boxes[rows], scores[rows], threshold)].tolist()


def test_a_million_random_boxes(theirs):
    rng = np.random.default_rng(0)
    for k in range(1000):
        boxes = clutter(1000, k)
        if k % 2:  # corners anywhere: every box overlaps many
            corners = rng.uniform(0, 1000, (1000, 2, 2)).astype(np.float32)
            boxes = np.hstack([corners.min(1), corners.max(1)])
        scores = rng.random(1000).astype(np.float32)
        assert nms(boxes, scores).tolist() == theirs(boxes, scores, 0.5)
