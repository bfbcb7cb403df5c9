"""What `boxloss simulate` does: losses as a user writes them under a protocol as a user changes it, and the table of what came of them."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boxloss.errors import ParameterError, check_choice
from boxloss.kernels.threads import set_num_threads
from boxloss.simulate import protocol
from boxloss.simulate.gradients import FAULTS
from boxloss.simulate.loss import Loss, chosen, fault_words
from boxloss.simulate.progress import shown
from boxloss.simulate.protocol import Protocol
from boxloss.simulate.stream import engine_named, stream
from boxloss.simulate.tally import Tally

GRADIENTS = ("exact", "as-released")
HEADER = ("loss", "mean error", "error sum", "mean IoU", "IoU > 0.75", "errors of all steps")

Found = list[tuple[Loss, Tally]]


def study(
    losses: str, plan: str | Protocol = "quick", *, gradient: str = "exact", faults: str | None = None, out: Path | None = None, resume: bool = False,
    engine: str = "local", address: str | None = None, workers: int | None = None, quiet: bool = False,
) -> Found:  # fmt: skip
    """Each loss with what came of it, in the order asked; progress on standard error.

    gradient: one of GRADIENTS. faults: with "as-released", those to make, with commas; all by default. The rest is as in `stream` and `engine_named`.
    Raises `ParameterError` or `UnknownNameError` for what makes no sense, before anything is done.
    """
    asked = chosen(losses, _faults(gradient, faults))
    plan = protocol.find(plan)
    if resume and out is None:
        raise ParameterError("--resume goes with --out, the folder of the run that was stopped")
    if workers is not None and engine == "local":
        set_num_threads(workers)
    with shown(len(asked) * plan.n_cases, sys.stderr, quiet) as told:
        return list(stream(asked, plan, out=out, resume=resume, engine=engine_named(engine, address, workers), tell=lambda loss, n: told(loss.label, n)))


def _faults(gradient: str, faults: str | None) -> tuple[str, ...] | None:
    check_choice("--gradient", gradient, GRADIENTS)
    if gradient == "exact":
        if faults is not None:
            raise ParameterError("--faults are those of the released update: give --gradient as-released, too")
        return None
    return tuple(FAULTS) if faults is None else () if faults == "none" else fault_words(faults)


def changed(name: str, rate: float | None, changes: dict[str, Any]) -> Protocol:
    """The protocol of that name with other values of the fields in `changes` that are not None, and another first rate: as options give them.

    Raises `ParameterError` or `UnknownNameError`, which name the option.
    """
    given = {field: value for field, value in changes.items() if value is not None}
    for field, known in (("optimiser", protocol.OPTIMISERS), ("parameters", protocol.PARAMETERS)):
        if field in given:
            check_choice(f"--{field}", given[field], known)
    for field, option, least in (("n_centres", "--centres", 1), ("steps", "--steps", 1), ("seed", "--seed", 0)):
        if field in given and given[field] < least:
            raise ParameterError(f"{option} is {given[field]}, expected a whole number >= {least}")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise ParameterError(f"--rate is {rate!r}, expected a finite number > 0")
    plan = protocol.find(name).with_(**given)
    return plan if rate is None else plan.at_rate(rate)


def row(loss: Loss, tally: Tally) -> tuple[str, ...]:
    """What the table says of a loss."""
    return (
        loss.label, f"{tally.final_error / tally.n:.4g}", f"{tally.final_error:.6g}", f"{tally.mean_iou:.4f}", f"{tally.high_share:.2%}",
        f"{tally.all_errors:.6g}",
    )  # fmt: skip


def as_dicts(found: Sequence[tuple[Loss, Tally]]) -> list[dict[str, Any]]:
    """The table for JSON, with the whole curves."""
    return [
        {
            "loss": loss.label, "cases": tally.n, "error_sum": tally.final_error, "mean_iou": tally.mean_iou, "share_iou_above_0.75": tally.high_share,
            "errors_of_all_steps": tally.all_errors, "curve": tally.curve().tolist(),
        }
        for loss, tally in found
    ]  # fmt: skip
