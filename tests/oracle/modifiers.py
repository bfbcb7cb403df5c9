"""Losses with modifiers, from the modifiers' definitions: the terms of a loss, changed one by one on exact numbers."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, as_real, exponential, greatest, held, least, logarithm, negative, ratio, real, to_the, value_of
from oracle.forms.ciou import ciou_alpha
from oracle.forms.overlap import IOU_LOG_CEILING
from oracle.moved import scaled


def _sides(pair: Pair) -> Any:
    (w, h), a, b = pair.hull_sides, pair.a, pair.b
    dw, dh = a.width - b.width, a.height - b.height
    return ratio(dw * dw, w * w) + ratio(dh * dh, h * h)


# What a loss adds to 1 - IoU, term by term.
TERMS: dict[str, Callable[[Pair], tuple[Any, ...]]] = {
    "iou": lambda pair: (),
    "giou": lambda pair: (pair.waste_share,),
    "diou": lambda pair: (pair.offset_share,),
    "ciou": lambda pair: (pair.offset_share, ciou_alpha(pair) * as_real(pair.aspect)),
    "efficient_iou": lambda pair: (pair.offset_share, _sides(pair)),
}


def modified(name: str) -> Callable[..., Any]:
    """The loss `name` as a form that takes modifiers."""

    def form(pair: Pair, **modifiers: Any) -> Any:
        return _modified(pair, TERMS[name](pair), **modifiers)

    return form


def _modified(
    pair: Pair,
    terms: tuple[Any, ...],
    inner: float = 1,
    focaler: tuple[float, float] = (0, 1),
    power: float = 1,
    squared: bool = False,
    log: bool = False,
    wise: bool = False,
    focal: float | None = None,
    focal_inverse: float | None = None,
) -> Any:
    low, high = map(Fraction, focaler)
    similarity = 1 - scaled(pair, inner).jaccard
    similarity = greatest(Fraction(0), least(Fraction(1), (similarity - low) / (high - low))) if focaler != (0, 1) else similarity
    if log:
        loss = negative(logarithm(similarity)) if value_of(similarity) >= Fraction(1, 2**126) else IOU_LOG_CEILING
    else:
        loss = 1 - to_the(similarity, 2 if squared else power)
    for term in terms:
        loss = loss + (as_real(term) if power == 1 else to_the(term, power))
    if wise:
        w, h = pair.hull_sides
        dx, dy = pair.a.x - pair.b.x, pair.a.y - pair.b.y
        loss = exponential(ratio(dx * dx + dy * dy, held(w * w + h * h))) * loss
    if focal is not None:
        loss = to_the(1 - pair.jaccard, focal) * loss
    if focal_inverse is not None:
        loss = real(held(1 - to_the(1 - pair.jaccard, focal_inverse))) * loss
    return loss
