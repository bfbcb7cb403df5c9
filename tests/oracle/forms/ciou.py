"""Complete IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Dual, Pair, arctangent, as_real, combine, held, mp, ratio, real, value_of
from oracle.forms.overlap import diou


def ciou(pair: Pair, held_at: Any = None) -> Any:
    """`held_at`: what to hold alpha at, instead of its own value (for a numeric derivative)."""
    return as_real(diou(pair)) + (ciou_alpha(pair) if held_at is None else held_at) * pair.aspect


def ciou_gated(pair: Pair, held_at: Any = None) -> Any:
    return ciou(pair, gated_alpha(pair) if held_at is None else held_at)


def ciou_alpha(pair: Pair) -> Any:
    v = real(held(pair.aspect))
    return ratio(v, real(held(pair.jaccard)) + v)


def gated_alpha(pair: Pair) -> Any:
    """The journal's alpha: 0 unless IoU > 1/2."""
    return ciou_alpha(pair) if value_of(pair.jaccard) < Fraction(1, 2) else mp.mpf(0)


def ciou_attached(pair: Pair) -> Any:
    return as_real(diou(pair)) + ratio(pair.aspect * pair.aspect, as_real(pair.jaccard) + pair.aspect)


def ciou_simplified(pair: Pair) -> Any:
    return as_real(diou(pair)) + ciou_alpha(pair) * simplified_aspect(pair)


def simplified_aspect(pair: Pair) -> Any:
    """v, with the paper's derivatives times w^2 + h^2, and their signs put right."""
    v, a, b = pair.aspect, pair.a, pair.b
    if not isinstance(v, Dual):
        return v
    angle = arctangent(held(b.width), held(b.height)) - arctangent(held(a.width), held(a.height))
    along = [(-held(a.height), a.width), (held(a.width), a.height), (held(b.height), b.width), (-held(b.width), b.height)]
    return combine(v.value, *((8 / mp.pi**2 * angle * real(weight), as_real(side)) for weight, side in along))


FORMS = (ciou, ciou_gated, ciou_attached, ciou_simplified)
HELD = {"ciou": ciou_alpha, "ciou_gated": gated_alpha}
NOT_DERIVATIVES = ("ciou_simplified",)
