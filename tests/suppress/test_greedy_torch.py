"""Tensors on a GPU: by Triton's interpreter what the CPU gives."""

import numpy as np
import pytest

from boxloss.errors import ParameterError
from boxloss.suppress import nms
from boxloss.suppress.inputs import Measure
from suppress.scenes import SCENES

torch = pytest.importorskip("torch")
pytest.importorskip("triton")


@pytest.fixture(autouse=True)
def interpreter(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    for name, value in (("ROWS", 64), ("ACROSS", 1)):  # it goes through programs one by one
        monkeypatch.setattr(f"boxloss.kernels.gpu.masks.{name}", value)
    with np.errstate(all="ignore"):
        yield


@pytest.fixture
def greedy():
    from boxloss.suppress.greedy_torch import greedy

    return greedy


@pytest.mark.parametrize("scene", ["clutter", "inverted", "not finite", "integers"])
def test_the_rows_are_those_of_the_cpu(scene, greedy):
    boxes = SCENES[scene](30, 2, "float32")
    scores, labels = np.random.default_rng(0).choice([-0.0, 0.0, 0.2, 0.9, 0.95], len(boxes)).astype(np.float32), np.arange(len(boxes)) % 2
    for measure, given in (("iou", labels), ("giou", None)):
        tensors = (None if x is None else torch.from_numpy(x) for x in (boxes, scores, given))
        got = greedy("nms", *tensors, Measure("nms", measure, {}, nms), 0.3)
        assert got.tolist() == nms(boxes, scores, given, threshold=0.3, measure=measure).tolist()


def test_nan_scores_are_refused(greedy):
    with pytest.raises(ParameterError, match=r"nms: scores\[1\] is NaN"):
        greedy("nms", torch.zeros((2, 4)), torch.tensor([0.5, torch.nan]), None, Measure("nms", "iou", {}, nms), 0.3)
