"""The kernels as an array library that the contract can be asked of, and as losses that keep the claims of the catalogue's."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

import boxloss as bl
from boxloss.boxes import corners
from boxloss.formulas import Formula
from boxloss.kernels import gpu
from boxloss.pair import Pair
from properties.backends import Torch
from properties.subjects import Subject

Array = np.ndarray


class TritonInterpreter(Torch):
    """PyTorch's tensors, through kernels that Triton runs on the CPU."""

    name = "triton"


class Fused(torch.autograd.Function):
    """A kernel's value; its backward asks the kernel again, with what comes from above as a weight of each pair, or as the scale of a sum's gradient."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, weight: Any, reduction: str, formula: Formula, options: dict[str, Any]) -> Any:
        ctx.save_for_backward(a, b, weight)
        ctx.asked = reduction, formula, options
        return gpu.value_and_gradient(formula, a=a, b=b, weight=weight, reduction=reduction, **options)[0]

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        a, b, weight = ctx.saved_tensors
        reduction, formula, options = ctx.asked
        wrt = "".join(box for box, needed in zip("ab", ctx.needs_input_grad, strict=False) if needed)
        if reduction == "none":
            weight = upstream if weight is None else upstream * weight
            how = {"weight": weight}
        else:
            how = {"weight": weight, "scale": upstream}
        _, grad_a, grad_b = gpu.value_and_gradient(formula, a=a, b=b, wrt=wrt, reduction=reduction, **how, **options)
        return grad_a, grad_b, None, None, None, None


def wide(x: Any) -> Any:
    """In the type that it is computed in."""
    return x.to(torch.float64 if x.dtype in (torch.float64, torch.int32, torch.int64) else torch.float32)


def loss(formula: Formula, parameters: dict[str, Any], *, similarity: bool = False) -> Any:
    options = {"parameters": parameters, "similarity": similarity}

    def of(pred: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
        pred, target = torch.broadcast_tensors(wide(pred), wide(target))
        a, b = pred.reshape(-1, 4), target.reshape(-1, 4)
        value = Fused.apply(a, b, weight, "none" if reduction == "none" else "sum", formula, options)
        if reduction == "none":
            return value.reshape(pred.shape[:-1])
        return value / (1 if reduction == "sum" else max(len(a), 1) if weight is None else weight.sum())

    return of


def by_triton(subject: Subject) -> Subject:
    """The kernels under the claims of `subject`."""
    formula, parameters = bl.catalogue()[subject.name], subject.parameters
    measure = loss(formula, parameters, similarity=True)
    return replace(
        subject,
        loss=loss(formula, parameters),
        pairwise=lambda a, b: gpu.pairwise(formula, parameters, a, b),
        elementwise=lambda a, b: measure(a, b, reduction="none"),
    )


def on_arrays(formula: Formula, parameters: dict[str, Any], a: Array, b: Array, *, format: str = "xyxy", similarity: bool = False) -> Array:
    """The array path itself: the formula on columns of NumPy numbers, (..., 4) and (..., 4)."""
    function = formula.measure if similarity else formula
    with np.errstate(all="ignore"):
        return np.asarray(function(Pair(*(corners(tuple(x[..., k] for k in range(4)), format) for x in (a, b))), **parameters))


def matrix_of(formula: Formula, a: Array, b: Array) -> Array:
    """The pairwise similarity on the array path."""
    return on_arrays(formula, {}, a[:, None], b[None], similarity=True)
