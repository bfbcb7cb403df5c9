"""Side and corner aligned loss."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Pair, as_real, greatest, least, length, ratio, value_of


def sca(pair: Pair, alpha: float = 0.5) -> Any:
    (w, h), a, b = pair.hull_sides, pair.a, pair.b
    along_x = least(a.right, b.right) - greatest(a.left, b.left)
    along_y = least(a.bottom, b.bottom) - greatest(a.top, b.top)
    corners = length(a.left - b.left, a.top - b.top) + length(a.right - b.right, a.bottom - b.bottom)
    return as_real(share(along_x, w) + share(along_y, h)) + as_real(Fraction(alpha)) * ratio(corners, length(w, h))


def share(overlap: Any, hull: Any) -> Any:
    """1 - overlap / hull; a point and itself lack nothing."""
    return 1 - overlap / hull if value_of(hull) != 0 else Fraction(0)


FORMS = (sca,)
VARIANTS = {"sca": (({"alpha": 1.0}, "[0, 6]"),)}  # the released code's
EXTREMES = {"sca": (((0, 0, 0, 0), (3, 4, 3, 4)),)}
