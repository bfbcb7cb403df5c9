"""Training of a detector with a box loss; everything but the box loss is held fixed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.nn import functional

from boxloss.anchors import points
from boxloss.assign import BACKGROUND, IGNORED, Objects, Predictions, from_points, within
from boxloss.detectors.assigning import find_assigner
from boxloss.detectors.loader import Batch, TrainingLoader
from boxloss.detectors.small import STRIDES, Outputs

BoxLoss = Callable[..., torch.Tensor]
"""loss(pred, target, reduction="mean"): boxes (N, 4) xyxy in pixels of the input, one number with a gradient path, also for N = 0."""


@dataclass(frozen=True)
class Recipe:
    """How a detector is trained, but for the box loss."""

    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    warm_up: float = 0.15
    """Share of the steps during which the learning rate rises."""
    gradient_clip: float = 10.0


@dataclass
class Epoch:
    """Sums over the steps of an epoch."""

    n_steps: int = 0
    class_loss: float = 0.0
    box_loss: float = 0.0
    positives: int = 0
    disjoint: int = 0

    def summary(self, box_weight: float) -> dict[str, float]:
        steps, positives = max(self.n_steps, 1), max(self.positives, 1)
        class_loss, box_loss = self.class_loss / steps, self.box_loss / steps
        return {
            "train_loss": class_loss + box_weight * box_loss,
            "class_loss": class_loss,
            "box_loss": box_loss,
            "positives": float(self.positives),
            "disjoint_share": self.disjoint / positives,
        }


class Learner(lightning.LightningModule):
    """Trains `detector` with the loss: focal classification + `box_weight` * mean of `box_loss` over the positive points, which `assigner` chooses.

    Bits: on one thread the same detector, data, seed and loss give the same weights, and so does a training that was stopped after any epoch and
    continued: all state is in the weights, the optimiser and the step count (see `boxloss.compare.fit`).

    `last_epoch` tells of the epoch that runs or ended last: train_loss, class_loss and box_loss (means over the steps; box_loss before its weight),
    positives (how many), and disjoint_share (of the positives, those whose prediction did not overlap its target).
    """

    def __init__(
        self,
        detector: nn.Module,
        box_loss: BoxLoss,
        n_steps: int,
        *,
        box_weight: float = 1.0,
        assigner: str = "centre_sampling",
        recipe: Recipe | None = None,
    ):
        super().__init__()
        self.detector, self.box_loss, self.box_weight, self.n_steps = detector, box_loss, box_weight, n_steps
        self.assigner = assigner
        self.recipe = recipe or Recipe()
        self._sums = Epoch()

    @property
    def last_epoch(self) -> dict[str, float]:
        # Not a field set at the epoch's end: callbacks hear of that end before the module does.
        return self._sums.summary(self.box_weight)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        outputs = self.detector(batch.images)
        matched, classes = match(batch, outputs, self.assigner)
        class_loss = focal_loss(outputs.logits, classes)
        pred, target = matched_boxes(outputs, batch, matched)
        box_loss = self.box_loss(pred, target, reduction="mean")
        self._count(class_loss, box_loss, pred.detach(), target)
        return class_loss + self.box_weight * box_loss

    def _count(self, class_loss: torch.Tensor, box_loss: torch.Tensor, pred: torch.Tensor, target: torch.Tensor) -> None:
        sums = self._sums
        sums.n_steps += 1
        sums.class_loss += class_loss.item()
        sums.box_loss += box_loss.item()
        sums.positives += len(pred)
        sums.disjoint += int(disjoint(pred, target).sum())

    def on_train_epoch_start(self) -> None:
        self._sums = Epoch()
        loader = self.trainer.train_dataloader
        if isinstance(loader, TrainingLoader):
            loader.epoch = self.current_epoch

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        decay = [p for p in self.detector.parameters() if p.ndim > 1]
        plain = [p for p in self.detector.parameters() if p.ndim <= 1]
        groups = [{"params": decay, "weight_decay": self.recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=self.recipe.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: one_cycle(step, self.n_steps, self.recipe.warm_up))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        nn.utils.clip_grad_norm_(self.detector.parameters(), self.recipe.gradient_clip)


def one_cycle(step: int, n_steps: int, warm_up: float) -> float:
    """The learning rate at `step`, as a share of its maximum: up on a half cosine from 1/25, then down on one to 0."""
    rise = max(1.0, warm_up * n_steps)
    if step < rise:
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * step / rise)) / 2
    return (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1.0, n_steps - rise)))) / 2


def match(batch: Batch, outputs: Outputs, assigner: str = "centre_sampling") -> tuple[list[np.ndarray], torch.Tensor]:
    """For each picture and point the row of its boxes that it learns from, and the class (B, P): `BACKGROUND`, `IGNORED` or a label.

    `outputs` are what the detector says of the batch now, for an `assigner` that looks at it; no gradient flows through the choice.
    """
    height, width = batch.images.shape[-2:]
    xy, strides = points(width, height, STRIDES)
    priors = from_points(xy, strides)
    assign = find_assigner(assigner)
    scores, boxes = torch.sigmoid(outputs.logits.detach()).numpy(), outputs.boxes.detach().numpy()
    matched, classes = [], []
    for k, ignored in enumerate(batch.ignored):
        labels = batch.labels[k]
        rows = assign(priors, Objects(batch.boxes[k], labels, size=(width, height)), Predictions(boxes[k], scores[k])).index
        rest = np.where(within(xy, ignored) | (rows == IGNORED), IGNORED, BACKGROUND)
        matched.append(rows)
        classes.append(np.where(rows >= 0, labels[np.maximum(rows, 0)] if len(labels) else BACKGROUND, rest))
    return matched, torch.from_numpy(np.stack(classes))


def matched_boxes(outputs: Outputs, batch: Batch, matched: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """The boxes that positive points predict, and those that they learn from: two (N, 4) xyxy in pixels of the input."""
    positive = torch.from_numpy(np.stack(matched) >= 0)
    target = np.concatenate([boxes[rows[rows >= 0]] for boxes, rows in zip(batch.boxes, matched, strict=True)])
    return outputs.boxes[positive], torch.from_numpy(target)


def disjoint(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Which rows of `a` and `b`, (N, 4) xyxy, share no area."""
    return (torch.maximum(a[:, :2], b[:, :2]) >= torch.minimum(a[:, 2:], b[:, 2:])).any(dim=1)


def focal_loss(logits: torch.Tensor, classes: torch.Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> torch.Tensor:
    """The focal loss of class logits (B, P, C), summed, and divided by the number of positive points (at least 1).

    `classes`: (B, P), a label, `BACKGROUND` or `IGNORED`. Each class is a question of its own: alpha weighs the yes, 1 - alpha the no.

    Reference: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002, equation 5.
    """
    yes = functional.one_hot(classes.clamp(min=0), logits.shape[-1]).bool() & (classes >= 0)[..., None]
    # -log of the probability given to the right answer, and that probability's complement, both without cancellation.
    signed = torch.where(yes, logits, -logits)
    values = functional.softplus(-signed) * torch.sigmoid(-signed) ** gamma * torch.where(yes, alpha, 1 - alpha)
    values = values * (classes != IGNORED)[..., None]
    return values.sum() / (classes >= 0).sum().clamp(min=1)
