"""PyTorch's tensors through the kernels: value and gradient in one pass, for eager mode.

`torch.autograd.Function` is the cheapest way in (docs/decisions/torch.md has the measurement), and a call's overhead is most of the time at a thousand
boxes. Whatever looks at a computation rather than running it (torch.compile, export, vmap, forward-mode and double backward) is shown the plain formula.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from boxloss.formulas import Formula
from boxloss.kernels import switch
from boxloss.kernels.cpu.run import Elementwise, elementwise

_NUMBERS = {torch.float32: "float32", torch.float64: "float64"}
_NUMBER = {dtype: torch.empty((), dtype=dtype) for dtype in _NUMBERS}
_PLAIN_TYPES = (Tensor, torch.nn.Parameter)

Parameters = tuple[tuple[str, Any], ...]


def takes(pred: Any, target: Any) -> bool:
    """Whether kernels may take these two tensors of one shape (n, 4) or any other; values are not looked at."""
    if type(pred) not in _PLAIN_TYPES or type(target) not in _PLAIN_TYPES:
        return False  # a subclass may mean anything by its operations
    if pred.dtype not in _NUMBERS or pred.dtype is not target.dtype or pred.layout is not torch.strided or target.layout is not torch.strided:
        return False
    if pred.is_cpu and target.is_cpu:
        if not switch.cpu_kernels():
            return False
    elif not (switch.gpu_kernels() and pred.device == target.device and _on_a_gpu(pred)):
        return False
    return not _looked_at()


def takes_as_they_are(pred: Any, target: Any) -> bool:
    """Whether there is nothing left to check or convert: the way of most calls, which should not pay for the others."""
    return takes(pred, target) and pred.shape == target.shape and pred.dim() == 2 and pred.shape[1] == 4


def _on_a_gpu(x: Tensor) -> bool:
    from boxloss.kernels import gpu

    return gpu.available(x)


def _looked_at() -> bool:
    """Whether somebody watches the operations, and would not see into a kernel."""
    return (
        torch._C._functorch.peek_interpreter_stack() is not None
        or forward_ad._current_level >= 0
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._len_torch_function_stack() > 0
        or torch._C._get_tracing_state() is not None
    )


def fused(way: "Way", pred: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The value of boxes (..., 4) and (..., 4) that broadcast: (...) for the reduction "none", else one number."""
    if pred.shape != target.shape:
        pred, target = torch.broadcast_tensors(pred, target)  # type: ignore[no-untyped-call]
    shape = pred.shape[:-1]
    if weight is not None:
        weight = weight.expand(shape).reshape(-1)
    value = fused_rows(way, pred.reshape(-1, 4), target.reshape(-1, 4), weight)
    return value if way.reduction != "none" else value.reshape(shape)


def fused_rows(way: "Way", pred: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """`fused` for boxes (n, 4) and (n, 4)."""
    if torch.is_grad_enabled():
        if target.requires_grad:
            return _apply(pred, target, weight, way, "ab")
        if pred.requires_grad:
            return _apply(pred, target, weight, way, "a")
    return way.run(pred, target, weight, "")[0]


class Way:
    """One way to call a formula's kernels: with what parameters, format and reduction."""

    __slots__ = ("format", "formula", "kernels", "parameters", "plain", "reduction", "similarity")

    def __init__(
        self, formula: Formula, parameters: Parameters, plain: Callable[..., Tensor], format: str, reduction: str, similarity: bool
    ):  # fmt: skip
        self.formula, self.parameters, self.plain = formula, parameters, plain
        self.format, self.reduction, self.similarity = format, reduction, similarity
        self.kernels: dict[tuple[torch.dtype, str], Elementwise] = {}

    def kernel(self, dtype: torch.dtype, wrt: str) -> Elementwise:
        found = self.kernels.get((dtype, wrt))
        if found is None:
            found = self.kernels[dtype, wrt] = elementwise(self.formula, self.parameters, _NUMBERS[dtype], self.format, wrt, self.similarity)
        return found

    def run(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The value, and its slopes along `pred` and `target` where `wrt` ("", "a" or "ab") asks for them."""
        return self._on_cpu(pred, target, weight, wrt) if pred.is_cpu else self._on_gpu(pred, target, weight, wrt)

    def _on_cpu(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> tuple[Tensor, Tensor | None, Tensor | None]:
        n, dtype, reduction = pred.shape[0], pred.dtype, self.reduction
        if pred.is_neg() or target.is_neg():
            pred, target = pred.resolve_neg(), target.resolve_neg()
        divisor, weight_place = 1.0, (0, 0)
        if reduction == "mean":
            divisor = float(n or 1)
        if weight is not None:
            weight = weight.resolve_neg()
            weight_place = weight.data_ptr(), weight.stride(0)
            if reduction == "mean":
                # The mean under weights that are all 0 is 0.
                divisor = float(weight.sum(dtype=torch.float64)) or float("inf")
        grad_a = grad_b = None
        if wrt:
            # `empty_like` is the quickest of the ways to get memory, and has the strides of what it is like.
            grad_a = torch.empty_like(pred) if pred.is_contiguous() else torch.empty((n, 4), dtype=dtype)
            grad_b = torch.empty_like(grad_a) if wrt == "ab" else None
        if reduction == "none":
            value = torch.empty(n, dtype=dtype)
            losses, total = value.data_ptr(), 0
        else:
            value = torch.empty_like(_NUMBER[dtype])
            losses, total = 0, value.data_ptr()
        kernel = self.kernels.get((dtype, wrt)) or self.kernel(dtype, wrt)
        kernel(
            n, (pred.data_ptr(), *pred.stride()), (target.data_ptr(), *target.stride()), weight_place, 1 / divisor, divisor,  # type: ignore[arg-type]
            losses, 0 if grad_a is None else grad_a.data_ptr(), 0 if grad_b is None else grad_b.data_ptr(), total,
        )  # fmt: skip
        return value, grad_a, grad_b

    def _on_gpu(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> tuple[Tensor, Tensor | None, Tensor | None]:
        from boxloss.kernels.gpu import value_and_gradient

        scale: float | Tensor = 1.0
        if self.reduction == "mean":
            scale = 1 / float(pred.shape[0] or 1)
            if weight is not None:
                total = weight.sum(dtype=torch.float64)
                scale = torch.where(total == 0, total, 1 / torch.where(total == 0, 1.0, total))
        value, grad_a, grad_b = value_and_gradient(
            self.formula, dict(self.parameters), pred, target, format=self.format, wrt=wrt, similarity=self.similarity, weight=weight, scale=scale,
            reduction="none" if self.reduction == "none" else "sum",
        )  # fmt: skip
        if self.reduction == "mean":
            value = (value * scale).to(pred.dtype)
        return value, grad_a, grad_b


class _Fused(torch.autograd.Function):
    """The kernel's value, with the gradient that came with it."""

    @staticmethod
    def forward(ctx: Any, pred: Tensor, target: Tensor, weight: Tensor | None, way: Way, wrt: str) -> Tensor:
        value, *ctx.grads = way.run(pred, target, weight, wrt)
        ctx.save_for_backward(pred, target, weight)
        ctx.way = way, wrt
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return _differentiable(ctx, upstream)
        # The gradient is given away, so that nothing need be copied. Whoever asks twice has it computed twice.
        grads, ctx.grads = ctx.grads, None
        if grads is None:
            way, wrt = ctx.way
            _, *grads = way.run(*ctx.saved_tensors, wrt)
        grad_a, grad_b = grads
        if upstream.dim() or not upstream.is_cpu or upstream.item() != 1.0:  # a look at a number on a GPU would wait for it
            factor = upstream.unsqueeze(-1) if upstream.dim() else upstream
            grad_a.mul_(factor)
            if grad_b is not None:
                grad_b.mul_(factor)
        return grad_a if ctx.needs_input_grad[0] else None, grad_b, None, None, None


# `Function.apply` looks first whether a transform of torch.func is at work, which `takes` has done.
_apply: Callable[..., Tensor] = getattr(super(torch.autograd.Function, _Fused), "apply", _Fused.apply)


def _differentiable(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    """The gradient as a function of the boxes, for a derivative of it: the plain formula's."""
    pred, target, weight = ctx.saved_tensors
    way, _ = ctx.way
    wanted = ctx.needs_input_grad[:2]
    boxes = [x for x, want in zip((pred, target), wanted, strict=True) if want]
    value = way.plain(pred, target, way.format, way.reduction, weight)
    grads = iter(torch.autograd.grad(value, boxes, upstream, create_graph=True, allow_unused=True, materialize_grads=True))
    return *(next(grads) if want else None for want in wanted), None, None, None
