"""Wise-IoU's versions 2 and 3: a pair counts by how bad it is beside the running mean of all pairs, which is remembered from batch to batch."""

import math
from typing import Any, Self

import torch
from torch import Tensor

from boxloss.errors import ParameterError
from boxloss.losses import weighting
from boxloss.losses.functions import loss
from boxloss.losses.modules import BoxLoss
from boxloss.losses.reduce import checked_weight
from boxloss.ops import ratio


def wise_momentum(batches: int, epochs: float) -> float:
    """The paper's momentum of the running mean: after `epochs` epochs of `batches` batches each, 5 % of the mean's start is left.

    >>> round(wise_momentum(890, 34), 7)
    9.9e-05
    """
    return 1.0 - float(0.05 ** (1.0 / (batches * epochs)))


PAPER_MOMENTUM = wise_momentum(890, 34)
RELEASED_MOMENTUM = 1e-2


class RunningMean(torch.nn.Module):
    """The exponential running mean of 1 - IoU, which begins at 1: no overlap.

    `value`: a buffer, saved with the model, of float32 whatever the model's type: the steps of a small momentum vanish in a half type.
    """

    value: Tensor

    def __init__(self, momentum: float):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.ones((), dtype=torch.float32))

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.value = self.value.float()
        return self

    def update(self, distances: Tensor, counts: Tensor) -> None:
        """Takes the `distances` of pairs that count into the mean: those of all processes, so that each has the same mean.

        NaN does not count, as it would stay for ever; and where nothing counts, on no process, the mean stays. No number is looked at.
        """
        counts = counts & ~distances.isnan()
        # Sums, so that a process with few pairs counts for few, and one with none waits for nobody and adds nothing.
        found = torch.stack([torch.where(counts, distances, 0.0).sum(dtype=torch.float32), counts.sum(dtype=torch.float32)])
        if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
            torch.distributed.all_reduce(found)
        total, count = found[0], found[1]
        self.value += torch.where(count > 0, self.momentum * (total / count.clamp(min=1.0) - self.value), 0.0)

    def extra_repr(self) -> str:
        return f"momentum={self.momentum}"


class _Focused(BoxLoss):
    """Wise-IoU's version 1, each pair times a factor that follows from beta = (1 - IoU) / mean and is held constant."""

    def __init__(self, settings: dict[str, float], momentum: float, reduction: str, format: str, weight_by: Any):
        super().__init__("wise_iou", reduction=reduction, format=format)
        name = type(self).__name__
        for setting, value in settings.items():
            above = 1 if setting == "alpha" else 0
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not above < value < math.inf:
                raise ParameterError(f"{name}: {setting} is {value!r}, expected a finite number > {above}")
        if isinstance(momentum, bool) or not isinstance(momentum, (int, float)) or not 0 < momentum <= 1:
            raise ParameterError(f"{name}: momentum is {momentum!r}, expected a number > 0 and <= 1")
        self.settings = settings
        self.weight_by = weighting.as_rules(name, weight_by)
        self.distance = loss("iou")
        self.mean = RunningMean(momentum)

    def factor(self, beta: Tensor) -> Tensor:
        """What a pair's loss is multiplied by."""
        raise NotImplementedError

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            distances: Tensor = self.distance(pred, target, reduction="none", format=self.format)
        if self.weight_by or labels is not None:
            weight = weighting.combined(type(self).__name__, self.weight_by, pred, target, weight, labels, self.format)
        elif weight is not None:
            weight = checked_weight(type(self).__name__, distances, weight)
        weights = torch.ones_like(distances) if weight is None else weight.expand(distances.shape)
        with torch.no_grad():
            if self.training:
                self.mean.update(distances, weights != 0)
            beta = ratio(distances, self.mean.value.to(distances.dtype))
            factor = self.factor(beta.clamp(max=torch.finfo(beta.dtype).max))
        # The mean is that over pairs, or over the weights that were asked for. The factors belong to the loss, and are not what it is divided by.
        share = ratio(weights, weights.sum()) if self.reduction == "mean" else weights
        reduction = "none" if self.reduction == "none" else "sum"
        result: Tensor = self.loss(pred, target, reduction=reduction, weight=share * factor, format=self.format)
        return result

    def extra_repr(self) -> str:
        settings = [f"{name}={value}" for name, value in self.settings.items()]
        rules = [f"weight_by={self.weight_by!r}"] if self.weight_by else []
        return ", ".join([*settings, f"reduction={self.reduction!r}", f"format={self.format!r}", *rules])


class WiseIoUv2Loss(_Focused):
    """Wise-IoU v2: v1 with the more weight the worse a pair is beside the running mean; smaller is better, in [0, inf).

    beta = (1 - IoU) / mean;  loss = beta^gamma exp(offset2 / hull_diagonal2) (1 - IoU), with beta and hull_diagonal2 held constant

    `gamma`: 0.5 in the paper. `momentum`: of the running mean; the default is the paper's for its own training, `wise_momentum(890, 34)`, and
    `wise_momentum(batches, epochs)` has yours. `WiseIoUv2Loss.released()` has the released code's momentum, 1e-2.
    Shapes, `reduction`, `format`, `weight`, `weight_by`, `labels`: as in `BoxLoss`. A mean is over the pairs (or the weights), not over the factors.
    The mean begins at 1. In training mode a batch is taken into it before its pairs are compared with it; in evaluation mode it stands still. It is a buffer,
    saved with the model. It is the mean over all processes of `torch.distributed`: each has to call the loss equally often, if need be with no boxes.
    Pairs of weight 0 or with NaN do not count for it. Identical boxes cost 0.
    Gradient: v1's, times the factor.
    Not checked against the paper: whether the mean is updated before or after its use, and where it begins.

    Raises `ParameterError` for a gamma or a momentum out of range, and what `BoxLoss` raises.

    >>> loss = WiseIoUv2Loss(momentum=1.0)  # the mean is the last batch's: here (1/2 + 1/2 + 0) / 3
    >>> pred, target = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 1], [0, 0, 1, 2], [0, 0, 2, 2]])
    >>> _ = loss(pred, target)
    >>> round(float(loss.mean.value), 6)
    0.333333

    Reference: Tong, Chen, Xu, Yu, Wise-IoU, 2023, arXiv:2301.10051, version 2.
    """

    def __init__(
        self, gamma: float = 0.5, momentum: float = PAPER_MOMENTUM, *, reduction: str = "mean", format: str = "xyxy", weight_by: Any = None
    ):  # fmt: skip
        super().__init__({"gamma": gamma}, momentum, reduction, format, weight_by)

    @classmethod
    def released(cls, **other: Any) -> Self:
        """With the momentum of the released code."""
        return cls(momentum=RELEASED_MOMENTUM, **other)

    def factor(self, beta: Tensor) -> Tensor:
        return beta ** self.settings["gamma"]


class WiseIoUv3Loss(_Focused):
    """Wise-IoU v3: v1 with most weight for pairs somewhat worse than the running mean, and less for good ones and for hopeless ones; smaller is better,
    in [0, inf).

    beta = (1 - IoU) / mean;  r = beta / (delta alpha^(beta - delta));  loss = r exp(offset2 / hull_diagonal2) (1 - IoU), r and hull_diagonal2 held constant

    r is 1 at beta = delta, and greatest at beta = 1 / ln alpha. `alpha`, `delta`: 1.9 and 3 in the paper; `WiseIoUv3Loss.released()` has the released
    code's 1.7 and 2.7, and its momentum, 1e-2. All else as in `WiseIoUv2Loss`; the running mean, too, and what has not been checked of it.

    Raises `ParameterError` for an alpha that is not above 1, a delta or a momentum out of range, and what `BoxLoss` raises.

    >>> loss = WiseIoUv3Loss(alpha=2.0, delta=1.0, momentum=1.0, reduction="none")
    >>> loss(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 2]])).tolist()
    [0.0]

    Reference: Tong, Chen, Xu, Yu, Wise-IoU, 2023, arXiv:2301.10051, version 3.
    """

    def __init__(
        self, alpha: float = 1.9, delta: float = 3.0, momentum: float = PAPER_MOMENTUM, *, reduction: str = "mean", format: str = "xyxy",
        weight_by: Any = None,
    ):  # fmt: skip
        super().__init__({"alpha": alpha, "delta": delta}, momentum, reduction, format, weight_by)

    @classmethod
    def released(cls, **other: Any) -> Self:
        """With the constants of the released code."""
        return cls(alpha=1.7, delta=2.7, momentum=RELEASED_MOMENTUM, **other)

    def factor(self, beta: Tensor) -> Tensor:
        alpha, delta = self.settings["alpha"], self.settings["delta"]
        return beta / delta * ((delta - beta) * math.log(alpha)).exp()
