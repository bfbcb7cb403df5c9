"""One trial's training by Lightning, from its last intact checkpoint to the end, the same to the bit however often it was stopped."""

import contextlib
import io
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from boxloss.compare import files, trial
from boxloss.compare.events import Began, Epoch, Event, Key, Stepped
from boxloss.detectors.loader import TrainingLoader
from boxloss.detectors.training import Learner
from boxloss.errors import CompareError

Evaluate = Callable[[int], dict[str, float | None] | None]  # figures after an epoch (from 1), or None where it is not due
BLINK = 0.25  # seconds between two reports of a step


class Keeper(Checkpoint):
    """After each epoch: evaluates if it is due, and puts everything that the next epoch depends on into one sealed file.

    Lightning's own way of resuming at the end of an epoch differs from release to release (it may call the end of the epoch a second time). What a
    training depends on is little, so
    we keep it ourselves: weights, optimiser, schedule, and how many epochs are done. Order and flips of the pictures depend on seed and epoch alone,
    and nothing else is drawn.

    It derives from `Checkpoint` because Lightning calls those last, when the learner has summed up its epoch.
    """

    def __init__(self, key: Key, folder: Path, config: dict[str, Any], learner: Learner, evaluate: Evaluate, emit: Callable[[Event], None]) -> None:
        self.key, self.folder, self.config = key, folder, config
        self.learner, self.evaluate, self.emit = learner, evaluate, emit
        self.epochs: list[dict[str, Any]] = []
        self.state: dict[str, Any] | None = None
        self.spent = 0.0  # CPU seconds of this trial in processes that were stopped
        self.began = time.process_time()
        self.blinked = 0.0

    @property
    def cpu_seconds(self) -> float:
        return self.spent + time.process_time() - self.began

    def find(self) -> int:
        """Reads the latest intact checkpoint of this very trial; gives the number of epochs done."""
        for path in trial.checkpoints(self.folder):
            content = files.read_sealed(path)
            state = torch.load(io.BytesIO(content), weights_only=True) if content is not None else None
            if state is None or state["config"] != self.config:
                path.unlink()  # damaged, or another trial's: it must not be taken for one of the two that are kept
                continue
            self.state, self.epochs, self.spent = state, state["epochs"], state["cpu_seconds"]
            break
        return len(self.epochs)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.state is not None:
            self.learner.detector.load_state_dict(self.state["detector"])
            trainer.fit_loop.epoch_progress.current.processed = len(self.epochs)  # type: ignore[attr-defined]  # what Lightning's current_epoch reads

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.state is not None:
            trainer.optimizers[0].load_state_dict(self.state["optimiser"])
            trainer.lr_scheduler_configs[0].scheduler.load_state_dict(self.state["schedule"])
            self.state = None  # the optimiser owns those tensors now

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        now = time.monotonic()
        if now - self.blinked > BLINK:
            self.blinked = now
            self.emit(Stepped(self.key, len(self.epochs) + (batch_idx + 1) / trainer.num_training_batches, float(outputs["loss"])))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = len(self.epochs) + 1
        sums = self.learner.last_epoch
        if not math.isfinite(sums["train_loss"]):
            raise CompareError(f"the training diverged in epoch {epoch}: box loss {sums['box_loss']}, classification loss {sums['class_loss']}")
        metrics = self.evaluate(epoch)
        self.epochs.append({"epoch": epoch, **sums, "metrics": metrics})
        if epoch < self.config["epochs"]:  # the last epoch is followed by the result itself
            self._save(trainer)
        self.emit(Epoch(self.key, epoch, sums["train_loss"], metrics["ap"] if metrics else None))

    def _save(self, trainer: Trainer) -> None:
        state = {
            "config": self.config,
            "epochs": self.epochs,
            "cpu_seconds": self.cpu_seconds,
            "detector": self.learner.detector.state_dict(),
            "optimiser": trainer.optimizers[0].state_dict(),
            "schedule": trainer.lr_scheduler_configs[0].scheduler.state_dict(),
        }
        files.write_sealed(trial.checkpoint_path(self.folder, len(self.epochs)), as_bytes(state))
        trial.drop_old(self.folder)


def as_bytes(state: dict[str, Any]) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def fit(loader: TrainingLoader, keeper: Keeper) -> None:
    """Trains from the keeper's checkpoint, if it finds one, to the end of the plan."""
    n_done = keeper.find()
    keeper.emit(Began(keeper.key, n_done))
    with quiet_lightning():
        trainer = Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=keeper.config["epochs"],
            callbacks=[keeper],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=keeper.folder,
        )
        trainer.fit(keeper.learner, loader)


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Without Lightning's banners, tips and advice: what they advise (more loader processes, validation loops) is decided here."""
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
