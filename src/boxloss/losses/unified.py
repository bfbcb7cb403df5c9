"""Unified-IoU: a loss of boxes that are made larger at first and smaller at last, so that training begins with easy pairs and ends with exact ones."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from boxloss.boxes import check_broadcast
from boxloss.errors import ParameterError
from boxloss.formulas import Formula, find
from boxloss.formulas.record import Terms
from boxloss.losses import weighting
from boxloss.losses.functions import Loss
from boxloss.losses.inputs import pair, prepare
from boxloss.losses.modules import BoxLoss
from boxloss.losses.reduce import reduce
from boxloss.ops import Array
from boxloss.pair import Pair

# The ratio after a share of all epochs. Each begins at 2 and ends at 1/2, and for 300 epochs is what was published.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "linear": lambda share: 2 - 1.5 * share,  # 2 - 0.005 epoch
    "cosine": lambda share: 0.75 * math.cos(math.pi * share) + 1.25,
    "fraction": lambda share: 2 / (1 + 3 * share),  # 200 / (epoch + 100)
}

# A kernel has its ratio compiled in, so the ratio goes in steps: 97 of them from 2 to 1/2, each compiled once on a machine, in about a second (1.0 s on an
# H200). Ratios as they are would be as many kernels as epochs. Boxes that are scaled by torch before the loss need one kernel, but their new coordinates
# are rounded: measured on float32 boxes of 8 to 100 px within 1,000 px, 1e-3 px from their targets, values are then off by 1 % (median; up to 0.05 %
# where coordinates are measured from the target's centre) and in 3 % of the pairs a slope points the wrong way, against 3e-7 at most and none; and a
# call takes twice as long.
STEPS = 64


class UnifiedIoULoss(BoxLoss):
    """CIoU's loss (or that of `name`) of boxes with their sides times a ratio, about their own centres; the ratio falls from 2 to 1/2 during training.

    loss = ciou of the scaled boxes: all of its terms, where the modifier `inner=` scales the IoU alone. Smaller is better, in `name`'s bounds.

    `epochs`: of the whole training. `schedule`: what the ratio is after a share s = epoch / epochs of it,
    "linear": 2 - 1.5 s; "cosine": 0.75 cos(pi s) + 1.25; "fraction": 2 / (1 + 3 s). At 300 epochs these are the published 2 - 0.005 epoch,
    0.75 cos(pi epoch / 300) + 1.25 and 200 / (epoch + 100), the last stretched so that it ends at 1/2 after any number of epochs.
    The ratio is rounded to 1/64. Call `set_epoch(epoch)` before each epoch, the first being 0; beyond the last the ratio stays 1/2. The epoch is a buffer,
    saved with the model.
    `name`: any loss that is 1 - IoU plus other terms. `reduction`, `format`, `weight`, `weight_by`, `labels`: as in `BoxLoss`.
    Left out: the paper's focal weights, which need the classifier's confidence; give them as `weight`.
    Identical boxes cost 0. Gradient: the scaled boxes', along the boxes as they are.

    Raises `ParameterError` for epochs, a schedule, or a loss that do not fit, and what `BoxLoss` raises.

    >>> loss = UnifiedIoULoss(epochs=4, schedule="linear")
    >>> ratios = []
    >>> for epoch in range(5):
    ...     loss.set_epoch(epoch)
    ...     ratios.append(float(loss.ratio))
    >>> ratios
    [2.0, 1.625, 1.25, 0.875, 0.5]

    Reference: Luo, Cai, Shao, Wang, Unified-IoU, 2024, arXiv:2408.06636.
    """

    epoch: Tensor
    ratio: Tensor

    def __init__(
        self, epochs: int = 300, schedule: str = "linear", name: str | Formula = "ciou", *, reduction: str = "mean", format: str = "xyxy",
        weight_by: Any = None,
    ):  # fmt: skip
        formula = find(name)
        if not formula.is_overlap:
            raise ParameterError(f"UnifiedIoULoss: name is {formula.name!r}, expected a loss that is 1 - IoU plus other terms, such as 'ciou'")
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
            raise ParameterError(f"UnifiedIoULoss: epochs is {epochs!r}, expected a whole number >= 1")
        if schedule not in SCHEDULES:
            raise ParameterError(f"UnifiedIoULoss: schedule is {schedule!r}, expected one of {', '.join(SCHEDULES)}")
        super().__init__(formula, reduction=reduction, format=format, weight_by=weight_by)
        self.base, self.epochs, self.schedule = formula, epochs, schedule
        self.register_buffer("epoch", torch.zeros((), dtype=torch.int64))
        # For those who compile: a number would be compiled in, and each new one would be another compilation.
        self.register_buffer("ratio", torch.ones(()), persistent=False)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """To be called before each epoch; the first is 0."""
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
            raise ParameterError(f"UnifiedIoULoss: epoch is {epoch!r}, expected a whole number >= 0")
        ratio = round(STEPS * SCHEDULES[self.schedule](min(epoch / self.epochs, 1.0))) / STEPS
        self.epoch.fill_(epoch)
        self.ratio.fill_(ratio)
        self._set_loss(ratio)

    def _set_loss(self, ratio: float) -> None:
        if self.loss.parameters.get("ratio") != ratio:
            self.loss = Loss(scaled(self.base), weight_by=self.loss.weight_by, ratio=ratio)

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        if not torch.compiler.is_compiling():
            return super().forward(pred, target, weight, labels)
        call, names, rules = self.loss.__name__, ("pred", "target"), self.loss.weight_by
        if rules or labels is not None:
            weight = weighting.combined(call, rules, pred, target, weight, labels, self.format)
        a, b = prepare(call, names, pred, target, self.format)
        check_broadcast(call, names, a, b)
        values = self.loss.formula(pair(a, b, self.format), ratio=self.ratio.to(a.dtype))
        result: Tensor = reduce(call, values, self.reduction, weight)
        return result

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.set_epoch(int(self.epoch))

    def __getstate__(self) -> dict[str, Any]:
        """To copy, or to send: without the formula that was made here, which has no place to be found at."""
        return self.__dict__ | {"loss": (self.loss.weight_by, self.loss.parameters["ratio"])}

    def __setstate__(self, state: dict[str, Any]) -> None:
        rules, ratio = state["loss"]
        super().__setstate__(state | {"loss": Loss(scaled(state["base"]), weight_by=rules, ratio=ratio)})  # type: ignore[no-untyped-call]

    def extra_repr(self) -> str:
        rules = [f"weight_by={self.loss.weight_by!r}"] if self.loss.weight_by else []
        own = f"epochs={self.epochs}, schedule={self.schedule!r}, name={self.base.name!r}"
        return ", ".join([own, f"reduction={self.reduction!r}", f"format={self.format!r}", *rules])


@functools.cache
def scaled(base: Formula) -> Formula:
    """`base` of both boxes with their sides times `ratio`. One for each formula: kernels are found by it."""

    def of_scaled_boxes(p: Pair, *, ratio: float = 1.0) -> Array | Terms:
        return base.function(p.scaled(ratio))

    of_scaled_boxes.__doc__ = base.doc
    return dataclasses.replace(base, name=f"unified_{base.name}", function=of_scaled_boxes, similarity=None, cases=(), aliases=())
