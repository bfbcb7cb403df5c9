"""Every box against every box: the matrix, the best of each row and column without the matrix, and the pairs above a threshold."""

from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.boxes import check_broadcast, check_format
from boxloss.errors import ParameterError, ShapeError
from boxloss.formulas import Formula, find
from boxloss.kernels import switch
from boxloss.losses.inputs import pair, prepare, quietly
from boxloss.losses.kinds import as_numpy, like
from boxloss.ops import Array, is_torch, number_of

CHUNK = 2**22
"""Numbers of the matrix at a time, where there are no kernels."""

Best = tuple[Array, Array]


class _Asked:
    """A measure's name, or a formula, as a caller gave it, and what its kernels are found by."""

    def __init__(self, function: str, name: str | Formula, parameters: dict[str, Any], format: str):
        self.as_loss = isinstance(name, str) and name.endswith("_loss")
        self.formula = find(name.removesuffix("_loss") if isinstance(name, str) else name)
        self.formula.check_parameters(parameters)
        self.parameters, self.format = parameters, format
        self.call = f"{function}({self.formula.name!r})"
        self.dimension = check_format(format, self.call)
        """Kernels are for rectangles: in one and three dimensions it is the plain formula, of some rows of the matrix at a time where results are sparse."""
        self.measure: Callable[..., Array] = self.formula if self.as_loss else self.formula.measure

    def key(self, number: str) -> tuple[Formula, tuple[tuple[str, Any], ...], str, str, bool]:
        return self.formula, tuple(sorted(self.parameters.items())), number, self.format, not self.as_loss

    def of(self, a: Array, b: Array) -> Array:
        """The plain formula on arrays (..., n, 4) and (..., m, 4)."""
        return quietly(a, lambda: self.measure(pair(a[..., :, None, :], b[..., None, :, :], self.format), **self.parameters))


@switch.or_plain
def pairwise(name: str | Formula, a: Any, b: Any, *, format: str = "xyxy", **parameters: Any) -> Array:
    """The similarity of every box of `a`, shape (..., N, 4), with every box of `b`, (..., M, 4): shape (..., N, M).

    `name`: a name of the catalogue for its similarity, with `_loss` at its end for the loss. Equal to the element-wise functions to the bit.
    Raises `ShapeError`, `DTypeError`, `FormatError`, and `UnknownNameError` for a name or parameter that does not exist.

    >>> import boxloss as bl
    >>> bl.pairwise("iou", [[0, 0, 2, 2], [0, 0, 4, 4]], [[0, 0, 2, 4]]).tolist()
    [[0.5], [0.5]]
    """
    asked = _Asked("pairwise", name, parameters, format)
    a, b = prepare(asked.call, ("a", "b"), a, b, format)
    for label, boxes in (("a", a), ("b", b)):
        if boxes.ndim < 2:
            shape = f"(..., N, {2 * asked.dimension})"
            raise ShapeError(f"{asked.call}: {label} has shape {tuple(boxes.shape)}, expected {shape}: for a single box try {label}[None]")
    check_broadcast(asked.call, ("a", "b"), a[..., :, None, :], b[..., None, :, :])
    if is_torch(a):
        from boxloss.losses import pairs_torch

        return pairs_torch.pairwise(asked, a, b)
    return _matrix(asked, a, b) if _by_kernel(asked, a, b) else asked.of(a, b)


def _by_kernel(asked: _Asked, a: Array, b: Array) -> bool:
    return type(a) is np.ndarray and type(b) is np.ndarray and asked.dimension == 2 and switch.cpu_kernels()


def _matrix(asked: _Asked, a: Array, b: Array) -> Array:
    from boxloss.kernels.cpu.matrix import matrix

    fill = matrix(*asked.key(number_of(a)))
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.empty((*batch, a.shape[-2], b.shape[-2]), a.dtype)
    a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:]))
    for at in np.ndindex(batch):
        fill(a[at], b[at], out[at])
    return out


@switch.or_plain
def nearest(name: str | Formula, a: Any, b: Any, *, k: int = 1, both: bool = False, format: str = "xyxy", **parameters: Any) -> Best | tuple[Best, Best]:
    """For each box of `a`, (N, 4), the most similar box of `b`, (M, 4): values and indices into `b`, each of shape (N,).

    The matrix is never there: memory grows with N + M, and most pairs are passed over because a bound shows that they cannot win.
    `k` > 1: the k most similar, best first, each (N, k). `both`: also the best of `a` for each box of `b`, from one pass: two pairs of values and indices.
    Of equal ones the lowest index comes first, as with argmax over the matrix. NaN never wins: a box that has nothing to choose from, or fewer than k,
    has -infinity and -1 there. `name` as in `pairwise`; a loss's name gives the *largest* loss. No gradient: take the loss of the boxes found.
    Raises `ShapeError`, `DTypeError`, `FormatError`, `ParameterError` where k is below 1, and `UnknownNameError`.

    >>> import boxloss as bl
    >>> values, indices = bl.nearest("iou", [[0, 0, 2, 2], [9, 9, 10, 10]], [[5, 5, 6, 6], [0, 0, 2, 4]])
    >>> values.tolist(), indices.tolist()
    ([0.5, 0.0], [1, 0])
    """
    asked = _Asked("nearest", name, parameters, format)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"{asked.call}: k is {k!r}, expected a whole number >= 1")
    a, b = _two_lists(asked, a, b)
    if is_torch(a) and not a.is_cpu:
        from boxloss.losses import pairs_torch

        return pairs_torch.nearest(asked, a, b, int(k), both)
    found = _nearest(asked, as_numpy(a), as_numpy(b), int(k), both)
    of_a, of_b = (None if best is None else tuple(like(a, x[:, 0] if k == 1 else x) for x in best) for best in found)
    return (of_a, of_b) if both else of_a  # type: ignore[return-value]


def _two_lists(asked: _Asked, a: Any, b: Any) -> tuple[Array, Array]:
    a, b = prepare(asked.call, ("a", "b"), a, b, asked.format)
    for label, boxes in (("a", a), ("b", b)):
        if boxes.ndim != 2:
            raise ShapeError(f"{asked.call}: {label} has shape {tuple(boxes.shape)}, expected (N, {2 * asked.dimension})")
    return a, b


def _nearest(asked: _Asked, a: np.ndarray, b: np.ndarray, k: int, both: bool) -> tuple[Best, Best | None]:
    if _by_kernel(asked, a, b):
        from boxloss.kernels.cpu import nearest

        of_a, of_b = nearest.nearest(nearest.Asked(*asked.key(number_of(a))), a, b, k, of_a=True, of_b=both)
        assert of_a is not None
        return of_a, of_b
    of_a = _best_in_chunks(asked.of, a, b, k)
    return of_a, _best_in_chunks(lambda b, a: asked.of(a, b).swapaxes(-1, -2), b, a, k) if both else None


def _best_in_chunks(matrix: Callable[[Array, Array], Array], a: Array, b: Array, k: int) -> Best:
    """From the matrix, some rows at a time."""
    values, indices = np.full((len(a), k), -np.inf, a.dtype), np.full((len(a), k), -1)
    rows = max(1, CHUNK // max(len(b), 1))
    for start in range(0, len(a) if len(b) else 0, rows):
        part = matrix(a[start : start + rows], b)
        part = np.where(np.isnan(part), -np.inf, part)
        order = np.argsort(-part, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(part, order, 1)
        values[start : start + rows, : order.shape[1]] = best
        indices[start : start + rows, : order.shape[1]] = np.where(best == -np.inf, -1, order)
    return values, indices


@switch.or_plain
def pairs_above(name: str | Formula, a: Any, b: Any, threshold: float, *, format: str = "xyxy", **parameters: Any) -> tuple[Array, Array, Array]:
    """The pairs of a box of `a`, (N, 4), and one of `b`, (M, 4), whose similarity is greater than `threshold`: the sparse form of the matrix.

    Three arrays of one length: indices into `a`, indices into `b`, and values, sorted by the indices. The matrix is never there. `name` as in `pairwise`.
    Raises `ShapeError`, `DTypeError`, `FormatError`, `ParameterError` where the threshold is NaN, and `UnknownNameError`.

    >>> import boxloss as bl
    >>> of_a, of_b, values = bl.pairs_above("iou", [[0, 0, 2, 2], [9, 9, 10, 10]], [[5, 5, 6, 6], [0, 0, 2, 4]], 0.25)
    >>> of_a.tolist(), of_b.tolist(), values.tolist()
    ([0], [1], [0.5])
    """
    asked = _Asked("pairs_above", name, parameters, format)
    threshold = float(threshold)
    if threshold != threshold:
        raise ParameterError(f"{asked.call}: threshold is nan, expected a number")
    a, b = _two_lists(asked, a, b)
    if is_torch(a) and not a.is_cpu:
        from boxloss.losses import pairs_torch

        return pairs_torch.pairs_above(asked, a, b, threshold)
    found = _pairs_above(asked, as_numpy(a), as_numpy(b), threshold)
    of_a, of_b, values = (like(a, x) for x in found)
    return of_a, of_b, values


def _pairs_above(asked: _Asked, a: np.ndarray, b: np.ndarray, threshold: float) -> tuple[Array, Array, Array]:
    # As the values have it: a threshold between two numbers of their type is as good as the lower one.
    bar = float(np.nextafter(a.dtype.type(threshold), a.dtype.type(-np.inf))) if a.dtype.type(threshold) > threshold else float(a.dtype.type(threshold))
    if _by_kernel(asked, a, b):
        from boxloss.kernels.cpu import nearest

        return nearest.above(nearest.Asked(*asked.key(number_of(a))), a, b, bar)
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, a.dtype))]
    rows = max(1, CHUNK // max(len(b), 1))
    for start in range(0, len(a), rows):
        part = asked.of(a[start : start + rows], b)
        of_a, of_b = np.nonzero(part > bar)
        found.append((of_a + start, of_b, part[of_a, of_b]))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]
