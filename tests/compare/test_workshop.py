"""Seeds are paired, pixels are checked, and undefined figures are no numbers."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch

from boxloss.compare import workshop as module
from boxloss.errors import CompareError
from compare.bench import deaf, workshop
from compare.test_chosen import MINE
from compare.tiny import tiny

pytestmark = pytest.mark.usefixtures("one_thread")


def beginnings(out, key, monkeypatch):
    """The weights that a trial starts from, and the batches of its first two epochs."""
    caught = {}

    def catch(loader, keeper):
        caught["weights"] = {name: tensor.clone() for name, tensor in keeper.learner.detector.state_dict().items()}
        caught["batches"] = []
        for epoch in (0, 1):
            loader.epoch = epoch
            caught["batches"] += [(batch.images.clone(), np.concatenate(batch.boxes)) for batch in loader]
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(module, "fit", catch)
        with pytest.raises(InterruptedError):
            workshop(out).train(key, 1.0, deaf)
    return caught


def same(one, two):
    return [
        all(torch.equal(one["weights"][name], two["weights"][name]) for name in one["weights"]),
        all(torch.equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(one["batches"], two["batches"], strict=True)),
    ]


def test_one_seed_has_the_same_start_and_the_same_pictures_for_every_loss(tmp_path, monkeypatch):
    iou, l1, other = (beginnings(tmp_path, key, monkeypatch) for key in (("iou", 0), ("l1", 0), ("iou", 1)))
    assert same(iou, l1) == [True, True]
    assert same(iou, other) == [False, False], "another seed is another start and another order"


def test_epochs_differ_in_their_order(tmp_path, monkeypatch):
    batches = beginnings(tmp_path, ("iou", 0), monkeypatch)["batches"]
    assert len(batches) == 4
    assert not torch.equal(batches[0][0], batches[2][0])


def test_other_pixels_under_the_same_boxes_are_refused(tmp_path):
    workshop(tmp_path)
    workshop(tmp_path)
    data = tiny()
    first, *rest = data.splits["train"]
    changed = dataclasses.replace(first, array=255 - first.array)
    other = dataclasses.replace(data, splits={**data.splits, "train": (changed, *rest)})
    assert other.fingerprint == data.fingerprint
    with pytest.raises(CompareError, match="other pixels"):
        workshop(tmp_path, other)


def test_a_formula_s_file_that_has_changed_is_not_trained_with(tmp_path):
    file = tmp_path / "my_loss.py"
    file.write_text(MINE)
    place = workshop(tmp_path, losses=f"iou,{file}:mine")
    assert place.choice(f"{file}:mine").formula.title == "Half the distance"
    file.write_text(MINE.replace("0.5", "0.25"))
    with pytest.raises(CompareError, match=r"my_loss\.py has changed"):
        place.train((f"{file}:mine", 0), 1.0, deaf)
    with pytest.raises(CompareError, match=r"my_loss\.py has changed"):
        place.weigh(("iou", f"{file}:mine"))


def test_one_thread(tmp_path):
    torch.set_num_threads(2)
    workshop(tmp_path)
    assert torch.get_num_threads() == 1
    assert torch.tensor([1e-310], dtype=torch.float64).mul(1.0).item() == 0.0, "subnormal numbers are flushed"
