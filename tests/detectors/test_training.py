"""Training: bits, resuming, what is counted, what is learned."""

import math
from dataclasses import replace

import lightning.pytorch as lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback

import boxloss as bl
from boxloss.anchors import points
from boxloss.assign import ASSIGNERS, BACKGROUND, IGNORED, Assignment
from boxloss.detectors.loader import Batch, Resized, TrainingLoader
from boxloss.detectors.predicting import predict
from boxloss.detectors.small import STRIDES, Outputs, SmallDetector
from boxloss.detectors.training import Learner, disjoint, focal_loss, match, matched_boxes, one_cycle
from boxloss.evaluate import evaluate_pictures
from close import close
from detectors.scenes import rectangle, rectangles

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning advises more loader processes, a logger ...


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Notes(Callback):
    """Keeps each epoch's summary, and saves a checkpoint at an epoch's end."""

    def __init__(self, path=None, epoch=None):
        self.path, self.epoch, self.epochs = path, epoch, []

    def on_train_epoch_end(self, trainer, pl_module):
        self.epochs.append(pl_module.last_epoch)

    def on_train_epoch_start(self, trainer, pl_module):
        if self.path and trainer.current_epoch == self.epoch:
            trainer.save_checkpoint(self.path)


def trainer(epochs, *callbacks):
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    return lightning.Trainer(accelerator="cpu", devices=1, max_epochs=epochs, callbacks=list(callbacks), **quiet)


def learner_of(loader, epochs, loss="giou", **options):
    return Learner(SmallDetector(2, seed=3), bl.loss(loss), epochs * len(loader), **options)


def fit(epochs=2, n=8, loss="giou", stop_after=None, ckpt_path=None, notes=None, seed=0):
    loader = TrainingLoader(Resized(rectangles(n), (64, 48)), 4, seed)
    learner = learner_of(loader, epochs, loss)
    trainer(stop_after or epochs, *([notes] if notes else [])).fit(learner, loader, ckpt_path=ckpt_path)
    return learner


def same_bits(one, two):
    a, b = one.detector.state_dict(), two.detector.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


# Properties


def test_the_same_seed_gives_the_same_weights_to_the_bit():
    one = fit()
    torch.rand(5)
    assert same_bits(one, fit())
    assert not same_bits(one, fit(seed=1))
    assert not same_bits(one, fit(loss="iou"))


def test_a_checkpoint_at_an_epochs_end_goes_on_to_the_same_weights_to_the_bit(tmp_path):
    class Save(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            trainer.save_checkpoint(tmp_path / f"{trainer.current_epoch}.ckpt")

    loader = TrainingLoader(Resized(rectangles(8), (64, 48)), 4)
    whole, notes = learner_of(loader, 3), Notes()
    trainer(3, Save(), notes).fit(whole, loader)
    rest = Notes()
    resumed = fit(epochs=3, ckpt_path=tmp_path / "0.ckpt", notes=rest)
    assert same_bits(whole, resumed)
    assert rest.epochs[-2:] == notes.epochs[-2:]


def test_losses_see_the_same_pictures_in_the_same_order():
    seen = []

    class Spy(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            seen[-1].append(batch.images.clone())

    for loss in ("giou", "l1"):
        seen.append([])
        loader = TrainingLoader(Resized(rectangles(8), (64, 48)), 4)
        trainer(2, Spy()).fit(learner_of(loader, 2, loss), loader)
    assert len(seen[0]) == 4
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


def test_it_learns_rectangles():
    data = Resized(rectangles(24), (64, 48))
    loader = TrainingLoader(data, 4)
    learner, notes = learner_of(loader, 8), Notes()
    trainer(8, notes).fit(learner, loader)
    held = Resized(rectangles(24, seed=1), (64, 48))
    assert notes.epochs[-1]["train_loss"] < notes.epochs[0]["train_loss"] / 2
    assert evaluate_pictures(held.pictures, ("a", "b"), predict(learner.detector, held)).ap50 > 0.7


def test_the_box_weight_multiplies_the_box_loss():
    loader = TrainingLoader(Resized(rectangles(4), (64, 48)), 4)
    (batch,) = loader
    one, three = learner_of(loader, 1), learner_of(loader, 1, box_weight=3.0)
    parts = []
    for learner in (one, three):
        value = learner.training_step(batch, 0).item()
        last = learner.last_epoch
        close([value], [last["train_loss"]], "float32", "sum")
        parts.append((last["class_loss"], last["box_loss"]))
        close([value], [last["class_loss"] + learner.box_weight * last["box_loss"]], "float32", "sum")
    assert parts[0] == parts[1]


def test_pictures_without_objects_can_be_trained_on():
    empty = replace(rectangle(0), boxes=np.zeros((0, 4)), labels=np.zeros(0, dtype=int), ignore=np.zeros(0, dtype=bool))
    loader = TrainingLoader(Resized([empty], (64, 48)))
    for loss in ("l1", "giou", "ciou"):
        learner = learner_of(loader, 1, loss)
        trainer(1).fit(learner, loader)
        assert learner.last_epoch["positives"] == learner.last_epoch["box_loss"] == learner.last_epoch["disjoint_share"] == 0
        assert all(p.isfinite().all() for p in learner.detector.parameters())


# Oracle


def test_focal_loss_against_its_formula():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 3, dtype=torch.float64) * 4
    classes = torch.tensor([[0, 2, BACKGROUND, IGNORED, 1], [BACKGROUND] * 5])
    expected = 0.0
    for b in range(2):
        for p in range(5):
            for c in range(3):
                if classes[b, p] == IGNORED:
                    continue
                score = 1 / (1 + math.exp(-logits[b, p, c]))
                yes = classes[b, p] == c
                expected += -0.25 * (1 - score) ** 2 * math.log(score) if yes else -0.75 * score**2 * math.log(1 - score)
    close([focal_loss(logits, classes).item()], [expected / 3], "float64", "sum")


def test_focal_loss_is_finite_with_its_gradient_far_out():
    logits = torch.tensor([[[1e4, -1e4]]], requires_grad=True)
    value = focal_loss(logits, torch.tensor([[1]]))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


# Pencil cases


def says(batch, n_classes=2):
    """Outputs for a batch: class 0 is likelier, each box is its point's index."""
    height, width = batch.images.shape[-2:]
    n = len(points(width, height, STRIDES).xy)
    logits = torch.tensor([2.0, -2.0])[:n_classes].expand(len(batch.images), n, n_classes).clone().requires_grad_()
    boxes = torch.arange(float(n))[:, None].expand(len(batch.images), n, 4).clone().requires_grad_()
    return Outputs(logits, boxes)


def test_an_assigner_sees_points_objects_and_what_the_detector_says_of_each_picture(monkeypatch):
    boxes = [np.array([[0, 0, 8, 8]], dtype=np.float32), np.zeros((0, 4), dtype=np.float32)]
    batch = Batch(torch.zeros(2, 3, 8, 16, dtype=torch.uint8), boxes, [np.array([1]), np.array([], dtype=np.int64)], [np.zeros((0, 4))] * 2)
    seen = []

    def last_point_takes_the_first_object(priors, objects, predictions):
        seen.append((priors.strides.tolist(), objects.boxes.tolist(), objects.labels.tolist(), predictions))
        rows = np.array([BACKGROUND, IGNORED, BACKGROUND, 0 if len(objects.boxes) else BACKGROUND])
        return Assignment(rows, np.zeros(4), rows >= 0)

    monkeypatch.setitem(ASSIGNERS, "mine", last_point_takes_the_first_object)
    outputs = says(batch)
    matched, classes = match(batch, outputs, "mine")
    assert [rows.tolist() for rows in matched] == [[-1, -2, -1, 0], [-1, -2, -1, -1]]
    assert classes.tolist() == [[BACKGROUND, IGNORED, BACKGROUND, 1], [BACKGROUND, IGNORED, BACKGROUND, BACKGROUND]]
    assert [picture[:3] for picture in seen] == [([8, 8, 16, 32], [[0, 0, 8, 8]], [1]), ([8, 8, 16, 32], [], [])]
    for *_, predictions in seen:
        assert predictions.boxes.tolist() == outputs.boxes[0].tolist()
        assert predictions.scores.tolist() == torch.sigmoid(outputs.logits[0]).tolist()
    pred, target = matched_boxes(outputs, batch, matched)
    assert (pred.tolist(), target.tolist()) == ([[3.0] * 4], [[0, 0, 8, 8]])


def test_a_learner_asks_its_assigner(monkeypatch):
    asked = []

    def nobody(priors, objects, predictions):
        asked.append(1)
        n = len(priors.boxes)
        return Assignment(np.full(n, BACKGROUND), np.zeros(n), np.zeros(n, bool))

    monkeypatch.setitem(ASSIGNERS, "mine", nobody)
    loader = TrainingLoader(Resized(rectangles(4), (64, 48)), 4, 0)
    learner = learner_of(loader, 1, assigner="mine")
    trainer(1).fit(learner, loader)
    assert len(asked) == 4
    assert learner.last_epoch["positives"] == 0


def test_matched_boxes_are_rows_of_the_same_points():
    boxes = [np.array([[0, 0, 16, 16]], dtype=np.float32), np.zeros((0, 4), dtype=np.float32)]
    batch = Batch(torch.zeros(2, 3, 16, 16, dtype=torch.uint8), boxes, [np.array([1]), np.array([], dtype=np.int64)], [np.zeros((0, 4))] * 2)
    matched, classes = match(batch, says(batch))
    # 16 x 16: four points of stride 8, one each of 16 and 32.
    assert matched[0].tolist() == [0, 0, 0, 0, -1, -1]
    assert classes.tolist() == [[1, 1, 1, 1, -1, -1], [-1] * 6]
    given = torch.arange(48.0).reshape(2, 6, 4)
    pred, target = matched_boxes(Outputs(torch.zeros(2, 6, 2), given), batch, matched)
    assert torch.equal(pred, given[0, :4])
    assert target.tolist() == [[0, 0, 16, 16]] * 4


def test_points_in_ignored_regions_learn_nothing_unless_an_object_is_theirs():
    boxes = [np.array([[0, 0, 8, 8]], dtype=np.float32)]
    batch = Batch(torch.zeros(1, 3, 8, 16, dtype=torch.uint8), boxes, [np.array([0])], [np.array([[0, 0, 16, 5]], dtype=np.float32)])
    # Points: (4, 4), (12, 4) of stride 8; (8, 8) of 16; (16, 16) of 32.
    assert match(batch, says(batch))[1].tolist() == [[0, IGNORED, BACKGROUND, BACKGROUND]]


def test_disjoint_pairs():
    a = torch.tensor([[0.0, 0, 2, 2]] * 4)
    b = torch.tensor([[1.0, 1, 3, 3], [2, 0, 4, 2], [5, 5, 6, 6], [0, 0, 2, 2]])
    assert disjoint(a, b).tolist() == [False, True, True, False]  # touching shares no area


def test_the_learning_rate_goes_up_and_down():
    rates = [one_cycle(step, 100, 0.2) for step in range(101)]
    assert rates[0] == 1 / 25
    assert rates[20] == 1
    assert rates[100] == 0
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)


@pytest.mark.parametrize("assigner", ASSIGNERS)
def test_every_assigner_can_train(assigner):
    loader = TrainingLoader(Resized(rectangles(4), (64, 48)), 2, 0)
    learner = learner_of(loader, 1, assigner=assigner)
    trainer(1).fit(learner, loader)
    assert np.isfinite(list(learner.last_epoch.values())).all()
    assert learner.last_epoch["positives"] > 0
