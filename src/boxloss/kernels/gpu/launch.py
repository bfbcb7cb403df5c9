"""What the launches share: the checks, a formula's kernel made once, and the way to call it."""

import contextlib
import functools
import importlib.util
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from boxloss.boxes import check_format, check_shape
from boxloss.calculus.trace import Traced, trace
from boxloss.errors import DTypeError, ShapeError
from boxloss.formulas import Formula
from boxloss.kernels.gpu.load import interpreting, load
from boxloss.kernels.gpu.tame import short
from boxloss.kernels.switch import KernelError

_NUMBERS = {torch.float32: "float32", torch.float64: "float64"}
_LOCK = threading.RLock()
os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)  # as in boxloss.kernels.gpu.load

Parameters = dict[str, Any]


@functools.cache
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def available(tensor: Tensor) -> bool:
    """Whether kernels can run where `tensor` lies: on a GPU, or on the CPU where Triton is told to interpret (`TRITON_INTERPRET=1`)."""
    return _has_triton() and (tensor.is_cuda or (tensor.is_cpu and interpreting()))


def boxes(call: str, name: str, x: Tensor) -> Tensor:
    """`x` as kernels take it. Raises `ShapeError` unless it has the shape (n, 4), `DTypeError` unless it holds float32 or float64."""
    if x.ndim != 2 or x.shape[1] != 4:
        if x.ndim == 2:
            check_shape(x, name, call)
        raise ShapeError(f"{call}: {name} has shape {tuple(x.shape)}, expected (n, 4)")
    if x.dtype not in _NUMBERS:
        raise DTypeError(f"{call}: {name} holds {x.dtype}, expected float32 or float64")
    return x.detach().resolve_neg()


def two_boxes(call: str, a: Tensor, b: Tensor, format: str) -> tuple[Tensor, Tensor]:
    check_format(format, call)
    a, b = boxes(call, "a", a), boxes(call, "b", b)
    if a.dtype != b.dtype or a.device != b.device:
        raise DTypeError(f"{call}: a holds {a.dtype} on {a.device} and b {b.dtype} on {b.device}, expected the same")
    return a, b


def steps(x: Tensor) -> tuple[int, int]:
    return x.stride(0), x.stride(1)


def is_packed(x: Tensor) -> bool:
    """Whether the numbers of `x`, (n, 4), lie side by side, from a place on that a thread reads a whole row at."""
    return x.stride() == (4, 1)


def kernel_of(
    text: Callable[..., str], formula: Formula, parameters: Parameters, like: Tensor, *, format: str, similarity: bool, wrt: str | None = None
) -> Any:
    """The kernel of the file that `text` writes, made once for each formula, its parameters and the rest."""
    with _LOCK:
        return _kernel_of(text, formula, tuple(sorted(parameters.items())), _NUMBERS[like.dtype], format, similarity, wrt, interpreting())


@functools.lru_cache(maxsize=512)
def _kernel_of(
    text: Callable[..., str],
    formula: Formula,
    parameters: tuple[tuple[str, Any], ...],
    number: str,
    format: str,
    similarity: bool,
    wrt: str | None,
    interpreted: bool,
) -> Any:
    traced: Traced = trace(formula, dict(parameters), dtype=number, format=format, wrt=wrt or "", similarity=similarity)
    for_tame = short(formula, dict(parameters), number=number, format=format, wrt=wrt, similarity=similarity)
    # Neither the interpreter nor another maker's GPU knows the instructions of `quotient`
    exact = interpreted or torch.version.hip is not None
    return load(text(traced, for_tame, exact=exact) if wrt is None else text(traced, for_tame, wrt, exact=exact))


def run(kernel: Any, grid: tuple[int, ...], like: Tensor, *arguments: Any, **constants: Any) -> None:
    """Runs `kernel` on the device of `like`, after what was asked of that device before. Nothing waits for it.

    Raises `KernelError` where Triton cannot compile it, or where the GPU lacks what it needs.
    """
    with _on(like):
        try:
            # No a * b + c as one instruction, which rounds once where the formula rounds twice
            kernel[grid](*arguments, **constants, enable_fp_fusion=False)
        except _triton_error() as error:
            lines = str(error).strip().splitlines() or [""]
            raise KernelError(f"kernels cannot be compiled for this GPU: {type(error).__name__}: {lines[0]}"[:300], "GPU") from error


def _triton_error() -> type[Exception]:
    from triton.errors import TritonError

    return TritonError  # type: ignore[no-any-return]


def _on(x: Tensor) -> AbstractContextManager[object]:
    return torch.cuda.device(x.device) if x.is_cuda else contextlib.nullcontext()
