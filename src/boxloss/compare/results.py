"""Reading a run's folder: the plan, the weights and the finished trials, in one record for the report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxloss.compare import files
from boxloss.compare.plan import DEFAULTS
from boxloss.compare.trial import config_of, finished, folder_of
from boxloss.errors import CompareError

NAN = float("nan")


@dataclass(frozen=True)
class Results:
    """A run's outcome.

    plan: what plan.json holds: `data`, `dataset` (its name), `format`, `classes`, `pictures` {split: count}, `losses`, `seeds`, `epochs`,
        `image_size` [width, height], `batch_size`, `weights` (the mode, or the file), `baseline`, `train`, `evaluate`, `eval_every`, `assigner`,
        `nms`, `nms_threshold`, `formulas` (of losses in a user's file: {loss: {`title`, `paper`, `file_sha256`}}), `notes`, `fingerprint`,
        `versions`, `command`.
    trials: what each finished trial's result.json holds, in the order of the plan (seed by seed): `loss`, `seed`, `metrics` {name: float, NaN where
        undefined}, `epochs` [{`epoch`, `train_loss`, `box_loss`, `class_loss`, `disjoint_share`, `positives`, `metrics` or None}], `box_weight`,
        `versions`, `cpu_seconds`, `setup_cpu_seconds` (imports and pictures: spent once by a worker for all its trials), `n_parameters`.
    weights: the weight of each loss, by name.
    gradients: the mean gradient norms that weights were set by, by name; empty where weights were not measured.
    missing: the trials of the plan that are not finished, as (loss, seed).
    """

    plan: dict[str, Any]
    trials: list[dict[str, Any]]
    weights: dict[str, float]
    gradients: dict[str, float]
    missing: list[tuple[str, int]]

    @property
    def losses(self) -> list[str]:
        """The losses compared, in the order of the plan."""
        return list(self.plan["losses"])

    def folder(self, out: Path, loss: str, seed: int) -> Path:
        """Where a trial's files lie, `predictions.json` and `weights.pt` among them."""
        return folder_of(out, loss, seed)


def read(out: str | Path) -> Results:
    """Reads a run's folder, finished or not.

    Raises:
        CompareError: there is no run in it, or its plan or weights are damaged.
    """
    out = Path(out)
    plan = files.read_record(out / "plan.json")
    if plan is None:
        raise CompareError(f"{out}: no run here (plan.json is missing or damaged); the folder is the one given as --out")
    plan = {**DEFAULTS, **plan}
    weights = files.read_record(out / "weights.json")
    if weights is None:
        raise CompareError(f"{out}: weights.json is missing or damaged; the command that began the run writes it anew: {plan['command']}")
    trials, missing = [], []
    for seed in plan["seeds"]:
        for loss in plan["losses"]:
            weight = weights["weights"].get(loss)
            result = finished(folder_of(out, loss, seed), config_of(plan, loss, seed, weight)) if weight is not None else None
            if result is None:
                missing.append((loss, seed))
            else:
                trials.append(_with_nan(result))
    return Results(plan, trials, weights["weights"], weights["gradients"], missing)


def _with_nan(result: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN, so undefined figures are null in files; in Python they are NaN."""

    def figures(metrics: dict[str, float | None] | None) -> dict[str, float] | None:
        return None if metrics is None else {name: NAN if value is None else value for name, value in metrics.items()}

    epochs = [{**epoch, "metrics": figures(epoch["metrics"])} for epoch in result["epochs"]]
    return {**result, "metrics": figures(result["metrics"]), "epochs": epochs}
