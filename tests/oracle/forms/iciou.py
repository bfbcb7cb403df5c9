"""ICIoU."""

from typing import Any

from oracle.arithmetic import Pair, arctangent, as_real, held, mp, ratio, real, value_of
from oracle.forms.overlap import diou


def iciou(pair: Pair, held_at: Any = None) -> Any:
    return as_real(diou(pair)) + (alpha(pair) if held_at is None else held_at) * shape(pair)


def alpha(pair: Pair) -> Any:
    v = real(held(shape(pair)))
    return ratio(v, real(held(pair.jaccard)) + v)


def shape(pair: Pair) -> Any:
    a, b = pair.a, pair.b
    angles = [angle(p, q) for p, q in ((a.width, b.width), (a.height, b.height))]
    return 8 / mp.pi**2 * (angles[0] * angles[0] + angles[1] * angles[1])


def angle(side: Any, target: Any) -> Any:
    """atan(target / side) - pi / 4; 0 for two sides of 0."""
    return mp.mpf(0) if value_of(side) == value_of(target) == 0 else arctangent(target, side) - mp.pi / 4


FORMS = (iciou,)
HELD = {"iciou": alpha}
EXTREMES = {"iciou": (((0, 0, 1, 1), (1e12, 0, 1e12 + 1e4, 1e4)),)}
