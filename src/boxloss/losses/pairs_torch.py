"""PyTorch's tensors, all pairs: through the kernels where nobody asks for a gradient, else the plain formula."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from boxloss.losses.fused_torch import takes
from boxloss.losses.kinds import as_numpy, like

if TYPE_CHECKING:
    from boxloss.losses.pairs import _Asked

CHUNK = 2**26
"""Numbers of the matrix at a time on a GPU."""

Best = tuple[Tensor, Tensor]


def pairwise(asked: "_Asked", a: Tensor, b: Tensor) -> Tensor:
    with_gradient = torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
    if torch.compiler.is_compiling() or with_gradient or asked.dimension != 2 or not takes(a, b):
        return asked.of(a, b)  # type: ignore[no-any-return]
    if a.is_cpu:
        from boxloss.losses.pairs import _matrix

        return like(a, _matrix(asked, as_numpy(a), as_numpy(b)))  # type: ignore[no-any-return]
    return _on_gpu(asked, a, b) if a.ndim == b.ndim == 2 else asked.of(a, b)


def _on_gpu(asked: "_Asked", a: Tensor, b: Tensor) -> Tensor:
    from boxloss.kernels import gpu

    return gpu.pairwise(asked.formula, asked.parameters, a, b, format=asked.format, similarity=not asked.as_loss)


def nearest(asked: "_Asked", a: Tensor, b: Tensor, k: int, both: bool) -> Best | tuple[Best, Best]:
    """On a GPU."""
    a, b = a.detach(), b.detach()
    if not asked.as_loss and asked.dimension == 2 and takes(a, b):
        from boxloss.kernels import gpu

        if both and k == 1:
            return gpu.nearest_both(asked.formula, asked.parameters, a, b, format=asked.format)
        of_a = gpu.nearest(asked.formula, asked.parameters, a, b, format=asked.format, k=k)
        return (of_a, _best(asked, a, b, k, of_a=False)) if both else of_a
    of_a = _best(asked, a, b, k, of_a=True)
    return (of_a, _best(asked, a, b, k, of_a=False)) if both else of_a


def _best(asked: "_Asked", a: Tensor, b: Tensor, k: int, *, of_a: bool) -> Best:
    """From the matrix, some rows, or columns, at a time."""
    ones, others = (a, b) if of_a else (b, a)
    n, m = len(ones), len(others)
    values = torch.full((n, k), -torch.inf, dtype=a.dtype, device=a.device)
    indices = torch.full((n, k), -1, dtype=torch.int64, device=a.device)
    step = max(1, CHUNK // max(m, 1))
    for start in range(0, n if m else 0, step):
        some = ones[start : start + step]
        part = pairwise(asked, some, b) if of_a else pairwise(asked, a, some).T
        best, index = torch.sort(torch.where(part.isnan(), -torch.inf, part), dim=1, descending=True, stable=True)
        width = min(k, m)
        values[start : start + step, :width] = best[:, :k]
        indices[start : start + step, :width] = torch.where(best[:, :k] == -torch.inf, -1, index[:, :k])
    return (values[:, 0], indices[:, 0]) if k == 1 else (values, indices)


def pairs_above(asked: "_Asked", a: Tensor, b: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """On a GPU."""
    a, b = a.detach(), b.detach()
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    step = max(1, CHUNK // max(len(b), 1))
    for start in range(0, len(a) or 1, step):
        part = pairwise(asked, a[start : start + step], b)
        of_a, of_b = torch.nonzero(part > threshold, as_tuple=True)
        found.append((of_a + start, of_b, part[of_a, of_b]))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]
