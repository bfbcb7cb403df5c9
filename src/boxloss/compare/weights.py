"""Fairness: how much each box loss counts beside the classification loss.

Losses come in different units: the gradient of L1 at a box is 1 for each coordinate, that of IoU falls with the box's size. Compared as they are, a
loss may win because it pushes harder, not because it pushes better, and whoever tunes the weight of one loss only has decided the comparison. So by
default (`equal-gradient`) each loss gets the weight at which it pushes as hard as plain IoU, at the start of the training:

    weight(loss) = mean over positives |d iou / d box|  /  mean over positives |d loss / d box|

where a box is what the detector decodes, xyxy in pixels of the input, |.| is the Euclidean norm of its four derivatives, and the positives are those
of the first batches, seen by the untrained network. Plain IoU itself has weight 1.

Why untrained: any later moment must have been trained with some loss, which would judge the others on its own terms; at the start all trials of a
seed are one and the same network.
What it costs: losses whose gradient depends on the distance change their push while they train. `docs/decisions/fair-weights.md` has the figures, and
why we accept them.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxloss.compare import files
from boxloss.compare.chosen import choose
from boxloss.compare.plan import DEFAULTS, MODES, Plan
from boxloss.errors import CompareError
from boxloss.words import plural

if TYPE_CHECKING:
    import torch

    from boxloss.detectors.loader import Resized

REFERENCE = "iou"
# Networks and orders that weights are measured with: always these, whatever seeds the plan has, so that a run that gets more seeds keeps its weights.
SEEDS = (0, 1, 2)
N_BATCHES = 4  # of each seed: thousands of positives; from 1 batch to 4 a weight moves by at most 2 %


def given(plan: Plan) -> dict[str, float] | None:
    """The weights that need no measuring, by loss; None in the mode `equal-gradient`.

    Raises:
        CompareError: a file of weights that is not there, is not {loss: positive number}, or lacks a loss.
    """
    if plan.weights == "equal-gradient":
        return None
    if plan.weights == "one":
        return dict.fromkeys(plan.losses, 1.0)
    table = _read_table(Path(plan.weights))
    missing = [loss for loss in plan.losses if loss not in table]
    if missing:
        raise CompareError(f"{plan.weights}: no weight for {', '.join(missing)}; it has {', '.join(table) or 'none'}")
    return {loss: table[loss] for loss in plan.losses}


def _read_table(path: Path) -> dict[str, float]:
    """A file of weights, its names in their canonical spelling."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = f'weights is {", ".join(MODES)}, or the path of a JSON file like {{"iou": 1.0, "l1": 0.02}}'
        raise CompareError(f"weights: cannot read {path}: {error.strerror}; {hint}") from error
    except ValueError as error:
        raise CompareError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(table, dict):
        raise CompareError(f'{path}: a {type(table).__name__}, expected an object like {{"iou": 1.0, "l1": 0.02}}')
    for loss, weight in table.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not (math.isfinite(weight) and weight > 0):
            raise CompareError(f"{path}: {loss}: {weight!r} is not a positive number")
    return {str(choose(loss)): float(weight) for loss, weight in table.items()}


def measure(losses: Sequence[str], data: "Resized", n_classes: int, batch_size: int, assigner: str = DEFAULTS["assigner"]) -> dict[str, float]:
    """The mean gradient norm of each loss, and of plain IoU, on the first batches' positives, under untrained networks. A pure function of its
    arguments.

    Raises:
        CompareError: a loss whose gradient is zero, or not finite, there.
    """
    pairs = [pair for seed in SEEDS for pair in positives(data, n_classes, batch_size, seed, assigner)]
    return {loss: mean_gradient(loss, pairs) for loss in dict.fromkeys((REFERENCE, *losses))}


def positives(data: "Resized", n_classes: int, batch_size: int, seed: int, assigner: str = DEFAULTS["assigner"]) -> "list[tuple[torch.Tensor, torch.Tensor]]":
    """The boxes that an untrained network predicts for the first batches' positives, and their targets, batch by batch: (N, 4) xyxy."""
    import itertools

    import torch

    from boxloss.detectors.loader import TrainingLoader
    from boxloss.detectors.small import SmallDetector
    from boxloss.detectors.training import match, matched_boxes

    detector = SmallDetector(n_classes, seed=seed)
    with torch.no_grad():
        batches = itertools.islice(TrainingLoader(data, batch_size, seed), N_BATCHES)
        said = [(detector(batch.images), batch) for batch in batches]
        return [matched_boxes(outputs, batch, match(batch, outputs, assigner)[0]) for outputs, batch in said]


def mean_gradient(loss: str, pairs: "Sequence[tuple[torch.Tensor, torch.Tensor]]") -> float:
    """The mean over all pairs of the norm of the loss's gradient at the predicted box.

    Raises:
        CompareError: it is zero or not finite, so that no weight makes it equal to another's.
    """
    import torch

    function = choose(loss).build()
    norms = []
    for pred, target in pairs:
        leaf = pred.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(function(leaf, target, reduction="sum"), leaf)
        norms.append(gradient.double().norm(dim=1))
    everything = torch.cat(norms) if norms else torch.zeros(0)
    if not len(everything):
        raise CompareError("weights: no picture of the first batches has a box to learn from; try --weights one")
    mean = float(everything.mean())
    if not (math.isfinite(mean) and mean > 0):
        what = "zero" if mean == 0 else "not finite"
        raise CompareError(
            f"weights: the gradient of {loss} is {what} on the first batches' {plural(len(everything), 'positive')}; give its weight in a file (--weights FILE)"
        )
    return mean


# ---- weights.json


def known(plan: Plan, out: Path) -> dict[str, float]:
    """The weights that hold in this run already, by loss; those that must still be measured are not among them. Writes weights.json where the weights
    are given.

    Raises:
        CompareError: the file of weights is wrong, or changed since the run was begun.
    """
    before = files.read_record(out / "weights.json")
    table = given(plan)
    if table is None:
        kept = before["weights"] if before is not None and before["mode"] == plan.weights else {}
        return {loss: kept[loss] for loss in plan.losses if loss in kept}
    for loss, weight in table.items():
        if before is not None and before["weights"].get(loss, weight) != weight:
            then = before["weights"][loss]
            raise CompareError(f"{plan.weights}: the weight of {loss} was {then} when {out} was begun, now {weight}; put it back, or choose another --out")
    _write(plan, out, table, {})
    return table


def add_measured(plan: Plan, out: Path, gradients: dict[str, float]) -> dict[str, float]:
    """Sets the weights at which the measured losses push as hard as plain IoU, keeps those that were set before, and writes weights.json."""
    before = files.read_record(out / "weights.json") or {"weights": {}, "gradients": {}}
    everything = {**gradients, **before["gradients"]}
    table = {loss: before["weights"].get(loss, everything[REFERENCE] / everything[loss]) for loss in plan.losses}
    _write(plan, out, table, everything)
    return table


def _write(plan: Plan, out: Path, table: dict[str, float], gradients: dict[str, float]) -> None:
    record: dict[str, Any] = {"mode": plan.weights, "reference": REFERENCE, "weights": table, "gradients": gradients}
    if gradients:
        record |= {"measured_on": {"seeds": list(SEEDS), "batches_each": N_BATCHES}}
    if files.read_record(out / "weights.json") != record:
        files.write_record(out / "weights.json", record)
