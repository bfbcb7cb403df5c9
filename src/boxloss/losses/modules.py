"""The losses as torch modules: `GIoULoss`, `SmoothL1Loss`, ... one for each name of the catalogue, made when it is first asked for; and those of modules
that are no formula alone, because they remember something or compare more than two boxes."""

import importlib
from typing import Any

import torch

from boxloss.formulas import Formula, aliases, catalogue
from boxloss.losses.distribution import distribution_focal
from boxloss.losses.functions import loss
from boxloss.losses.reduce import check_reduction
from boxloss.losses.uncertain import kl_loss

_ELSEWHERE = {
    "UnifiedIoULoss": "boxloss.losses.unified",
    "WiseIoUv2Loss": "boxloss.losses.wise",
    "WiseIoUv3Loss": "boxloss.losses.wise",
}
"""Modules of other files, with their file."""

_SPELLING = {"nwd": "NWD", "rfd": "RFD", "dotd": "DotD", "simd": "SimD", "sca": "SCA", "scaloss": "SCA", "probiou": "ProbIoU"}
"""Names whose capitals follow no rule."""


class BoxLoss(torch.nn.Module):
    """Any loss as a module: `BoxLoss("giou", reduction="sum")(pred, target, weight=None, labels=None)`.

    `format`, `reduction` and `weight_by` are fixed here, and so are the formula's parameters; `pred`, `target`, `weight` and `labels` are as in
    `boxloss.loss`.

    >>> float(BoxLoss("giou")(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[1.0, 0.0, 2.0, 1.0]])))
    1.0
    """

    def __init__(self, name: str | Formula, *, reduction: str = "mean", format: str = "xyxy", weight_by: Any = None, **parameters: Any):
        super().__init__()
        self.loss = loss(name, weight_by=weight_by, **parameters)
        self.reduction, self.format = reduction, format
        check_reduction(type(self).__name__, reduction)

    def forward(
        self, pred: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None, labels: torch.Tensor | None = None
    ) -> torch.Tensor:  # fmt: skip
        result: torch.Tensor = self.loss(pred, target, reduction=self.reduction, weight=weight, labels=labels, format=self.format)
        return result

    def extra_repr(self) -> str:
        return ", ".join(
            [f"{self.loss.formula.name!r}", f"reduction={self.reduction!r}", f"format={self.format!r}"]
            + [f"{name}={value!r}" for name, value in self.loss.parameters.items()]
            + ([f"weight_by={self.loss.weight_by!r}"] if self.loss.weight_by else [])
        )


class KLLoss(torch.nn.Module):
    """`boxloss.kl_loss` as a module: `KLLoss(reduction="mean")(pred, target, log_variance, weight=None)`."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__()
        check_reduction("KLLoss", reduction)
        self.reduction = reduction

    def forward(
        self, pred: torch.Tensor, target: torch.Tensor, log_variance: torch.Tensor, weight: torch.Tensor | None = None
    ) -> torch.Tensor:  # fmt: skip
        result: torch.Tensor = kl_loss(pred, target, log_variance, reduction=self.reduction, weight=weight)
        return result

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class DistributionFocalLoss(torch.nn.Module):
    """`boxloss.distribution_focal` as a module: `DistributionFocalLoss(reduction="mean")(logits, target, weight=None)`."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__()
        check_reduction("DistributionFocalLoss", reduction)
        self.reduction = reduction

    def forward(self, logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        result: torch.Tensor = distribution_focal(logits, target, reduction=self.reduction, weight=weight)
        return result

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


def class_name(name: str) -> str:
    """The module's name: `giou` is `GIoULoss`, `smooth_l1` is `SmoothL1Loss`.

    >>> [class_name(name) for name in ("iou", "ciou_gated", "l2", "nwd", "efficient_iou")]
    ['IoULoss', 'CIoUGatedLoss', 'L2Loss', 'NWDLoss', 'EfficientIoULoss']
    """
    return "".join(map(_spelt, name.split("_"))) + "Loss"


def _spelt(part: str) -> str:
    if part in _SPELLING:
        return _SPELLING[part]
    if part.endswith("iou"):
        return part.removesuffix("iou").upper() + "IoU"
    is_version = part[0] == "v" and part[1:].isdigit()
    return part if is_version else part.capitalize()


def __getattr__(attribute: str) -> type[torch.nn.Module]:
    found: type[torch.nn.Module] | None = None
    if attribute in _ELSEWHERE:
        found = getattr(importlib.import_module(_ELSEWHERE[attribute]), attribute)
    for name, formula in catalogue().items():
        if class_name(name) == attribute:
            found = _module(formula, attribute)
    # Another name of a loss is the same class.
    for alias, name in aliases().items():
        if found is None and class_name(alias) == attribute:
            found = __getattr__(class_name(name))
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}: there are {', '.join(__dir__())}")
    # The first that was made, should another thread have been quicker, or another name.
    return globals().setdefault(attribute, found)  # type: ignore[no-any-return]


def __dir__() -> list[str]:
    return ["BoxLoss", *sorted({"DistributionFocalLoss", "KLLoss", *_ELSEWHERE, *map(class_name, [*catalogue(), *aliases()])})]


def _module(formula: Formula, name: str) -> type[BoxLoss]:
    def __init__(self: BoxLoss, *, reduction: str = "mean", format: str = "xyxy", weight_by: Any = None, **parameters: Any) -> None:
        BoxLoss.__init__(self, formula, reduction=reduction, format=format, weight_by=weight_by, **parameters)

    doc = f"{formula.doc}\n\nReference: {formula.paper}\n\n{BoxLoss.__doc__}"
    return type(name, (BoxLoss,), {"__init__": __init__, "__doc__": doc, "__module__": __name__})
