"""PyTorch's tensors through the kernels: value and gradient in one pass, for eager mode.

`torch.autograd.Function` is the cheapest way in (docs/decisions/torch.md has the measurement), and a call's overhead is most of the time at a thousand
boxes. Whatever looks at a computation rather than running it (torch.compile, export, vmap, forward-mode and double backward) is shown the plain formula.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import _C, Tensor
from torch.autograd import forward_ad
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext

from boxloss.formulas import Formula
from boxloss.kernels import switch
from boxloss.kernels.cpu.run import Elementwise, elementwise

_NUMBERS = {torch.float32: "float32", torch.float64: "float64"}
_NUMBER = {dtype: torch.empty((), dtype=dtype) for dtype in _NUMBERS}
_STRIDED = torch.strided
# Functions that PyTorch keeps to itself: the tests call losses under each kind of onlooker.
_transforms, _trace = _C._functorch.peek_interpreter_stack, _C._get_tracing_state
_n_modes, _n_function_modes = _C._len_torch_dispatch_stack, _C._len_torch_function_stack
_PLAIN_TYPES = (Tensor, torch.nn.Parameter)

Parameters = tuple[tuple[str, Any], ...]
Found = tuple[Tensor, Tensor | None, Tensor | None]
"""A value, and its slopes along the first and the second boxes where they were asked for."""
Grads = tuple[Tensor | None, Tensor | None]


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


def _on_a_gpu(x: Tensor) -> bool:
    from boxloss.kernels import gpu

    return gpu.available(x)


def _looked_at() -> bool:
    """Whether somebody watches the operations, and would not see into a kernel."""
    return (
        _transforms() is not None
        or forward_ad._current_level >= 0
        or _n_modes() > 0
        or _trace() is not None
        or (_n_function_modes() > 0 and not all(isinstance(mode, DeviceContext) for mode in _get_current_function_mode_stack()))  # type: ignore[no-untyped-call]
    )  # `torch.set_default_device` watches what makes tensors, and sees no less for our not making any


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
    wrt = _asked_for(pred, target)
    value, *grads = way.run(pred, target, weight, wrt)
    if not wrt:
        return value
    call = _Call(way, wrt, pred, target, weight, value, (grads[0], grads[1]))
    return _apply(call, pred) if wrt == "a" else _apply(call, pred, target)


def _asked_for(pred: Tensor, target: Tensor) -> str:
    """Whose slopes are wanted: "", "a" or "ab"."""
    if not torch.is_grad_enabled():
        return ""
    return "ab" if target.requires_grad else "a" if pred.requires_grad else ""


class Way:
    """One way to call a formula's kernels: with what parameters, format and reduction."""

    __slots__ = ("format", "formula", "kernels", "parameters", "plain", "reduction", "similarity")

    def __init__(
        self, formula: Formula, parameters: Parameters, plain: Callable[..., Tensor], format: str, reduction: str, similarity: bool
    ):  # fmt: skip
        self.formula, self.parameters, self.plain = formula, parameters, plain
        self.format, self.reduction, self.similarity = format, reduction, similarity
        self.kernels: dict[str, dict[torch.dtype, Elementwise]] = {"": {}, "a": {}, "ab": {}}

    def _kernel(self, dtype: torch.dtype, wrt: str) -> Elementwise:
        found = elementwise(self.formula, self.parameters, _NUMBERS[dtype], self.format, wrt, self.similarity)
        found.load()
        self.kernels[wrt][dtype] = found
        return found

    def quick(self, pred: Any, target: Any) -> Tensor | None:
        """The value where nothing is left to check, convert or compile, which is most calls; None elsewhere. At a thousand boxes a call takes longer than
        the boxes: so what other functions do for all cases stands here once more, for this one."""
        if torch.compiler.is_compiling() or type(pred) not in _PLAIN_TYPES or type(target) not in _PLAIN_TYPES:
            return None
        shape, dtype = pred.shape, pred.dtype
        if len(shape) != 2 or shape[1] != 4 or target.shape != shape or target.dtype is not dtype or not (pred.is_cpu and target.is_cpu):
            return None
        wrt = ("ab" if target.requires_grad else "a" if pred.requires_grad else "") if torch.is_grad_enabled() else ""
        # Only kernels that are there: whoever has to compile them is prepared for a failure.
        kernel = self.kernels[wrt].get(dtype)
        if kernel is None or pred.layout is not _STRIDED or target.layout is not _STRIDED or _looked_at() or not switch.cpu_kernels():
            return None
        if pred.is_neg() or target.is_neg() or not (pred.is_contiguous() and target.is_contiguous()):
            return fused_rows(self, pred, target, None)
        n = shape[0]
        divisor = float(n or 1) if self.reduction == "mean" else 1.0
        grad_a = torch.empty_like(pred) if wrt else None
        grad_b = torch.empty_like(pred) if wrt == "ab" else None
        at_a, at_b = grad_a.data_ptr() if grad_a is not None else 0, grad_b.data_ptr() if grad_b is not None else 0
        if self.reduction == "none":
            value = torch.empty(n, dtype=dtype)
            kernel(n, pred.data_ptr(), 4, 1, target.data_ptr(), 4, 1, 0, 0, 1.0, 1.0, value.data_ptr(), at_a, at_b)
        else:
            value = torch.empty_like(_NUMBER[dtype])
            kernel(n, pred.data_ptr(), 4, 1, target.data_ptr(), 4, 1, 0, 0, 1 / divisor, divisor, 0, at_a, at_b, value.data_ptr())
        if not wrt:
            return value
        call = _Call(self, wrt, pred, target, None, value, (grad_a, grad_b))
        return _apply(call, pred) if wrt == "a" else _apply(call, pred, target)

    def run(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> Found:
        """The value, and its slopes along `pred` and `target` where `wrt` ("", "a" or "ab") asks for them."""
        return self._on_cpu(pred, target, weight, wrt) if pred.is_cpu else self._on_gpu(pred, target, weight, wrt)

    def _on_cpu(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> Found:
        n, dtype, reduction = pred.shape[0], pred.dtype, self.reduction
        if pred.is_neg() or target.is_neg():
            pred, target = pred.resolve_neg(), target.resolve_neg()
        divisor = float(n or 1) if reduction == "mean" else 1.0
        weight_at = weight_step = 0
        if weight is not None:
            weight = weight.resolve_neg()
            weight_at, weight_step = weight.data_ptr(), weight.stride(0)
            if reduction == "mean":
                # The mean under weights that are all 0 is 0.
                divisor = float(weight.sum(dtype=torch.float64)) or math.inf
        grad_a = grad_b = None
        if wrt:
            # `empty_like` is the quickest of the ways to get memory, and has the strides of what it is like.
            grad_a = torch.empty_like(pred) if pred.is_contiguous() else torch.empty((n, 4), dtype=dtype)
            grad_b = torch.empty_like(grad_a) if wrt == "ab" else None
        value = torch.empty_like(_NUMBER[dtype]) if reduction != "none" else torch.empty(n, dtype=dtype)
        at = value.data_ptr()
        (a_row, a_column), (b_row, b_column) = pred.stride(), target.stride()
        kernel = self.kernels[wrt].get(dtype) or self._kernel(dtype, wrt)
        kernel(
            n, pred.data_ptr(), a_row, a_column, target.data_ptr(), b_row, b_column, weight_at, weight_step, 1 / divisor, divisor,
            at if reduction == "none" else 0,
            0 if grad_a is None else grad_a.data_ptr(), 0 if grad_b is None else grad_b.data_ptr(),
            0 if reduction == "none" else at,
        )  # fmt: skip
        if divisor == math.inf:
            value.zero_()  # whatever the losses are: NaN times 0 is NaN
        return value, grad_a, grad_b

    def _on_gpu(self, pred: Tensor, target: Tensor, weight: Tensor | None, wrt: str) -> Found:
        from boxloss.kernels.gpu import value_and_gradient

        scale: float | Tensor = 1.0
        if self.reduction == "mean":
            scale = 1 / float(pred.shape[0] or 1)
            if weight is not None:
                total = weight.sum(dtype=torch.float64)
                scale = torch.where(total == 0, total, 1 / torch.where(total == 0, 1.0, total))
        value, grad_a, grad_b = value_and_gradient(
            self.formula, dict(self.parameters), pred, target, format=self.format, wrt=wrt, similarity=self.similarity, weight=weight, scale=scale,
            reduction=self.reduction,
        )  # fmt: skip
        if self.reduction == "mean" and weight is not None:
            value = torch.where(total == 0, torch.zeros_like(value), value)
        return value, grad_a, grad_b


class _Call:
    """A call with what was found. Kept as it is, and not by `save_for_backward`, which takes a twentieth of a call's time; so the tensors' versions,
    which say whether somebody has changed them since, are looked at here."""

    __slots__ = ("grads", "pred", "target", "value", "versions", "way", "weight", "wrt")

    def __init__(self, way: Way, wrt: str, pred: Tensor, target: Tensor, weight: Tensor | None, value: Tensor, grads: Grads):
        self.way, self.wrt, self.pred, self.target, self.weight, self.value = way, wrt, pred, target, weight, value
        self.grads: Grads | None = grads
        self.versions = pred._version, target._version, 0 if weight is None else weight._version

    def check_unchanged(self) -> None:
        now = self.pred._version, self.target._version, 0 if self.weight is None else self.weight._version
        if now != self.versions:
            raise RuntimeError("one of the variables needed for gradient computation has been modified by an inplace operation: boxes or weights of a box loss")

    def grads_again(self) -> Grads:
        self.check_unchanged()
        _, grad_a, grad_b = self.way.run(self.pred, self.target, self.weight, self.wrt)
        return grad_a, grad_b


class _Fused(torch.autograd.Function):
    """The kernel's value, with the gradient that came with it. `boxes`: those of the call's that the gradient is along."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *boxes: Tensor) -> Tensor:
        ctx.call = call
        value = call.value
        del call.value  # it leads to the graph, which leads here
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        call = ctx.call
        if torch.is_grad_enabled():
            return _differentiable(call, upstream)
        # The gradients are given away, so that nothing need be copied. Whoever asks twice has them computed twice.
        grads, call.grads = call.grads, None
        grad_a, grad_b = grads or call.grads_again()
        if upstream.dim() or not upstream.is_cpu or upstream.item() != 1.0:  # a look at a number on a GPU would wait for it
            for grad in (grad_a, grad_b):
                if grad is not None:
                    _multiply(grad, upstream)
        return (None, grad_a) if grad_b is None else (None, grad_a, grad_b)


def _multiply(grad: Tensor, upstream: Tensor) -> None:
    if upstream.dim() or upstream.is_cpu:
        grad.mul_(upstream.unsqueeze(-1) if upstream.dim() else upstream)
    else:
        from boxloss.kernels import gpu

        gpu.multiply(grad, upstream)


# `Function.apply` looks first whether a transform of torch.func is at work, which `takes` has done.
_apply: Callable[..., Tensor] = getattr(super(torch.autograd.Function, _Fused), "apply", _Fused.apply)


def _differentiable(call: _Call, upstream: Tensor) -> tuple[Tensor | None, ...]:
    """The gradient as a function of the boxes, for a derivative of it: the plain formula's."""
    call.check_unchanged()
    both = (call.pred, call.target) if call.wrt == "ab" else (call.pred,)
    boxes = [x for x in both if x.requires_grad]
    value = call.way.plain(call.pred, call.target, call.way.format, call.way.reduction, call.weight)
    grads = iter(torch.autograd.grad(value, boxes, upstream, create_graph=True, allow_unused=True, materialize_grads=True))
    return None, *(next(grads) if x.requires_grad else None for x in both)
