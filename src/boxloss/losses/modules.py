"""The losses as torch modules: `GIoULoss`, `SmoothL1Loss`, ... one for each name of the catalogue, made when it is first asked for."""

from typing import Any

import torch

from boxloss.formulas import Formula, catalogue, find
from boxloss.losses.functions import Loss
from boxloss.losses.reduce import reduce


class BoxLoss(torch.nn.Module):
    """Any loss as a module: `BoxLoss("giou", reduction="sum")(pred, target, weight=None)`.

    `format` and `reduction` are fixed here, and so are the formula's parameters; `pred`, `target` and `weight` are as in `boxloss.loss`.

    >>> float(BoxLoss("giou")(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[1.0, 0.0, 2.0, 1.0]])))
    1.0
    """

    def __init__(self, name: str | Formula, *, reduction: str = "mean", format: str = "xyxy", **parameters: Any):
        super().__init__()
        self.loss = Loss(find(name), **parameters)
        self.reduction, self.format = reduction, format
        reduce(type(self).__name__, torch.zeros(0), reduction)

    def forward(self, pred: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        result: torch.Tensor = self.loss(pred, target, reduction=self.reduction, weight=weight, format=self.format)
        return result

    def extra_repr(self) -> str:
        return ", ".join(
            [f"{self.loss.formula.name!r}", f"reduction={self.reduction!r}", f"format={self.format!r}"]
            + [f"{name}={value!r}" for name, value in self.loss.parameters.items()]
        )


def class_name(name: str) -> str:
    """The module's name: `giou` is `GIoULoss`, `smooth_l1` is `SmoothL1Loss`.

    >>> [class_name(name) for name in ("iou", "ciou_gated", "l2")]
    ['IoULoss', 'CIoUGatedLoss', 'L2Loss']
    """
    parts = [part.removesuffix("iou").upper() + "IoU" if part.endswith("iou") else part.capitalize() for part in name.split("_")]
    return "".join(parts) + "Loss"


def __getattr__(attribute: str) -> type[BoxLoss]:
    for name, formula in catalogue().items():
        if class_name(name) == attribute:
            made = _module(formula, attribute)
            globals()[attribute] = made
            return made
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}: there are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return ["BoxLoss", *(class_name(name) for name in catalogue())]


def _module(formula: Formula, name: str) -> type[BoxLoss]:
    def __init__(self: BoxLoss, *, reduction: str = "mean", format: str = "xyxy", **parameters: Any) -> None:
        BoxLoss.__init__(self, formula, reduction=reduction, format=format, **parameters)

    doc = f"{formula.doc}\n\nReference: {formula.paper}\n\n{BoxLoss.__doc__}"
    return type(name, (BoxLoss,), {"__init__": __init__, "__doc__": doc, "__module__": __name__})
