"""Where trials are run: the pictures, resized once, and what is done with them. Lives in a worker, on one thread."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from boxloss.compare import files, trial, weights
from boxloss.compare.chosen import Choice, choose, refuse_changed
from boxloss.compare.events import Event, Finished, Key
from boxloss.compare.fit import Keeper, as_bytes, fit
from boxloss.compare.plan import Plan
from boxloss.compare.splits import share
from boxloss.datasets import Dataset
from boxloss.detectors.loader import Resized, TrainingLoader
from boxloss.detectors.predicting import Detections, predict
from boxloss.detectors.small import SmallDetector
from boxloss.detectors.training import Learner
from boxloss.errors import CompareError
from boxloss.evaluate import evaluate_pictures


def one_thread() -> None:
    """Sums come out the same to the bit only in a fixed order, which several threads do not keep. Subnormal numbers are flushed to zero: late in a
    training they cost much time.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


class Workshop:
    """One worker's pictures and tools. `record` is what plan.json holds."""

    def __init__(self, plan: Plan, dataset: Dataset, out: Path, record: dict[str, Any]) -> None:
        one_thread()
        self.plan, self.out, self.record = plan, out, record
        self.classes = dataset.classes
        train, held = share(dataset, plan.train, plan.evaluate)
        self.train_data, self.held_data = Resized(train, plan.image_size), Resized(held, plan.image_size)
        self._refuse_other_pixels()
        self.setup_cpu_seconds = time.process_time()

    def _refuse_other_pixels(self) -> None:
        """The fingerprint in plan.json covers boxes and names, but no pixels: those are known only here, at the size that is trained on."""
        pixels = {"pixels": files.digest(b"".join(data.images.numpy().tobytes() for data in (self.train_data, self.held_data)))}
        path = self.out / "pixels.json"
        before = files.read_record(path)
        if before is not None and before != pixels:
            raise CompareError(f"{self.out} was begun on the same boxes with other pixels; put the pictures back, or choose another --out")
        if before is None:
            files.write_record(path, pixels)

    def weigh(self, losses: tuple[str, ...]) -> dict[str, float]:
        """The mean gradient norm of each loss (see `weights`)."""
        for loss in losses:
            self.choice(loss)
        return weights.measure(losses, self.train_data, len(self.classes), self.plan.batch_size, self.plan.assigner)

    def choice(self, loss: str) -> Choice:
        """The loss; where it lies in a user's file, that is the file that the plan knows."""
        if loss in self.record["formulas"]:
            refuse_changed(loss, self.record["formulas"][loss])
        return choose(loss)

    def train(self, key: Key, weight: float, emit: Callable[[Event], None]) -> Finished:
        """Runs a trial to its end, from its last checkpoint on, and writes its folder."""
        loss, seed = key
        folder = trial.folder_of(self.out, loss, seed)
        config = trial.config_of(self.record, loss, seed, weight)
        trial.begin(folder, config)
        loader = TrainingLoader(self.train_data, self.plan.batch_size, seed)
        detector = SmallDetector(len(self.classes), seed=seed)
        steps = self.plan.epochs * len(loader)
        learner = Learner(detector, self.choice(loss).build(), n_steps=steps, box_weight=weight, assigner=self.plan.assigner)
        seen: dict[str, Detections] = {}

        def evaluate(epoch: int) -> dict[str, float | None] | None:
            if epoch % self.plan.eval_every and epoch != self.plan.epochs:
                return None
            seen.clear()
            seen.update(predict(detector, self.held_data, nms=self.plan.nms, threshold=self.plan.nms_threshold))
            return _without_nan(evaluate_pictures(self.held_data.pictures, self.classes, seen).as_dict())

        keeper = Keeper(key, folder, config, learner, evaluate, emit)
        fit(loader, keeper)
        files.write_bytes(folder / "predictions.json", files.encode({name: _detections(found) for name, found in seen.items()}, indent=None))
        files.write_bytes(folder / "weights.pt", as_bytes(detector.state_dict()))
        metrics = keeper.epochs[-1]["metrics"]
        result = {"loss": loss, "seed": seed, "metrics": metrics, "epochs": keeper.epochs, "box_weight": weight, "versions": self.record["versions"]}
        result |= {"cpu_seconds": (spent := keeper.cpu_seconds), "setup_cpu_seconds": self.setup_cpu_seconds}
        trial.finish(folder, config, {**result, "n_parameters": sum(parameter.numel() for parameter in detector.parameters())})
        ap = metrics["ap"]
        return Finished(key, float("nan") if ap is None else ap, spent)


def _without_nan(metrics: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN: an undefined figure is null."""
    return {name: None if value != value else value for name, value in metrics.items()}


def _detections(found: Detections) -> dict[str, list[Any]]:
    """Detections of one picture as JSON: each float32 in the fewest digits that read back to it."""
    boxes, scores, labels = found
    return {"boxes": [[float(str(side)) for side in box] for box in boxes], "scores": [float(str(score)) for score in scores], "labels": labels.tolist()}
