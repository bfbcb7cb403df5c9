"""Complete IoU."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, as_real, held, mp, ratio, real, value_of
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


FORMS = (ciou, ciou_gated)
HELD = {"ciou": ciou_alpha, "ciou_gated": gated_alpha}
