"""RFD."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, as_real, logarithm, mp, real, value_of


def divergence(pair: Pair) -> Any:
    """As RFLA has it, the first box being the receptive field; None where it is infinite."""
    a, b = pair.a, pair.b
    total = mp.mpf(0)
    for w1, w2, d in ((a.width, b.width, a.x - b.x), (a.height, b.height, a.y - b.y)):
        if value_of(w1) == value_of(w2) == value_of(d) == 0:
            continue
        if value_of(w1) == 0 or value_of(w2) == 0:
            return None
        square = w1 * w1
        total = total + as_real(w2 * w2 / square + 4 * (d * d) / square - 1) + logarithm(square / (w2 * w2))
    return total / real(2)


def rfd(pair: Pair) -> Any:
    k = divergence(pair)
    return Fraction(1) if k is None else k / (1 + k)


FORMS = (rfd,)
