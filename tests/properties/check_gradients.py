"""What a loss's gradients must be: the formula's derivative, for both boxes, at ties too."""

from typing import Any

import numpy as np

from close import LARGEST
from oracle.arithmetic import real
from properties.asking import boxes_for, gradients, require, require_close, upstream_for
from properties.samples import Sample, exact_gradients, have_area, no_ties, sample
from properties.subjects import Subject

Array = np.ndarray
N_GRADIENTS = 12  # of a class
SMALL = 2.0**-19  # of a slope beside its terms
TURNED = 1 / 64  # a slope that is smaller than this beside the others may have any sign


def check_gradient_against_oracle(subject: Subject, backend: Any, dtype: str, n: int = N_GRADIENTS) -> None:
    """In value, for both boxes, with an upstream gradient that is not 1; what the formula holds is held."""
    boxes = boxes_for(subject, backend, dtype, n)
    require_gradients(subject, backend, boxes.where(no_ties(boxes)))


def check_gradient_at_ties(subject: Subject, backend: Any, dtype: str) -> None:
    """Where coordinates are equal, minimum, maximum and |x| share the slope half and half."""
    classes = tuple(name for name in ("integers", "touching", "identical") if name in subject.classes)
    boxes = sample(classes, N_GRADIENTS, dtype)
    require_gradients(subject, backend, boxes.where(have_area(boxes) & ~no_ties(boxes)))


def require_gradients(subject: Subject, backend: Any, boxes: Sample) -> None:
    dtype = boxes.a.dtype.name
    upstream = upstream_for(len(boxes))
    got = gradients(subject, backend, boxes, upstream).astype(float)
    wanted = exact_gradients(subject.name, subject.parameters, boxes)
    want = [[real(s) * float(factor) for s in slopes] for slopes, factor in zip(wanted, upstream, strict=True)]
    sizes = np.array([float(min(max(abs(s) for s in slopes), real(LARGEST["float64"]))) for slopes in want])
    is_flat = sizes == 0
    require((got[is_flat & no_ties(boxes)] == 0).all(), subject, "a gradient is not 0 where the loss is constant")
    terms = np.array([abs(upstream[row]) * term_size(boxes, row) * subject.has_sides for row in range(len(boxes))])
    most = float(LARGEST[dtype]) / 4
    # The derivative itself exceeds the type: only its direction is left to tell. Or its terms do, by less than it is small beside them.
    is_huge = (sizes > most) | ((terms > most) & (sizes > SMALL * terms))
    for row in np.flatnonzero(is_huge):
        require_direction(subject, got[row], want[row], dtype, boxes.cases[row])
    kept = np.flatnonzero(~is_huge)
    scales = [max(sizes[row], terms[row]) for row in kept for _ in range(8)]
    where = [boxes.cases[row] for row in kept for _ in range(8)]
    require_close(subject, got[kept], [want[row] for row in kept], dtype, subject.gradient_accuracy, scale=scales, where=where, flushes=backend.flushes)


def term_size(boxes: Sample, row: int) -> float:
    """How large the terms of a scale-free loss's slope are, which may cancel: 1 / side where boxes overlap, 1 / side of the hull where they do not."""
    a, b = boxes.a[row].astype(float), boxes.b[row].astype(float)
    overlap = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    hull = np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])
    side = float(min([*(a[2:] - a[:2]), *(b[2:] - b[:2])] if (overlap > 0).all() else hull))
    return 1 / max(side, float(np.finfo(float).smallest_normal)) if side > 0 else 0.0


def require_direction(subject: Subject, got: Array, want: list[Any], dtype: str, case: Any) -> None:
    """No NaN, something that is not 0, and no slope of the wrong sign but where it is small beside the others."""
    longest = max(abs(w) for w in want)
    wrong = any(g * (1 if w > 0 else -1) < 0 for g, w in zip(got, want, strict=True) if abs(w) > longest * TURNED)
    bad = np.isnan(got).any() or not np.any(got) or wrong
    require(not bad, subject, f"a gradient too large for {dtype} became {got.tolist()}, for {case}")
