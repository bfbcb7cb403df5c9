"""Losses that compare coordinates: of the edges, and of centre and size."""

from fractions import Fraction
from typing import Any

from oracle.arithmetic import Dual, Pair, as_real, combine, mp, real, size, value_of


def l1(pair: Pair) -> Any:
    return sum((size(d) for d in pair.differences), Fraction(0))


def l2(pair: Pair) -> Any:
    return sum((d * d for d in pair.differences), Fraction(0)) / 2


def smooth_l1(pair: Pair, beta: float = 1.0) -> Any:
    return smooth(pair.differences, beta)


def smooth(differences: Any, beta: float) -> Any:
    b = Fraction(beta)
    return sum((d * d / (2 * b) if size(value_of(d)) < b else size(d) - b / 2 for d in differences), Fraction(0))


def huber(pair: Pair, delta: float = 1.0) -> Any:
    limit = Fraction(delta)
    return sum((d * d / 2 if size(value_of(d)) < limit else limit * (size(d) - limit / 2) for d in pair.differences), Fraction(0))


def balanced_l1(pair: Pair, alpha: float = 0.5, gamma: float = 1.5, beta: float = 1.0) -> Any:
    """beta times the paper's loss of d / beta, whose gradient alpha ln(b |d| + 1) is what the paper asks for."""
    a, g = real(alpha), real(gamma)
    b = mp.expm1(g / a)

    def paper(d: Any) -> Any:
        x = size(d)
        return integral(x * b) * (a / b) if value_of(x) < 1 else x * g + (g / b - a)

    return sum((paper(as_real(d) / real(beta)) for d in pair.differences), mp.mpf(0)) * real(beta)


def integral(x: Any) -> Any:
    """(x + 1) ln(x + 1) - x, by its series where 80 digits would cancel."""
    t = value_of(x)
    value = (t + 1) * mp.ln(t + 1) - t if t > 1e-8 else sum(((-1) ** k * t**k / (k * (k - 1)) for k in range(2, 14)), mp.mpf(0))
    return combine(value, (mp.log1p(t), x)) if isinstance(x, Dual) else value


def centre_and_size(pair: Pair) -> tuple[Any, ...]:
    a, b = pair.a, pair.b
    return a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height


def l1_cxcywh(pair: Pair) -> Any:
    return sum((size(d) for d in centre_and_size(pair)), Fraction(0))


def l2_cxcywh(pair: Pair) -> Any:
    return sum((d * d for d in centre_and_size(pair)), Fraction(0)) / 2


def smooth_l1_cxcywh(pair: Pair, beta: float = 1 / 9) -> Any:
    return smooth(centre_and_size(pair), beta)


FORMS = (l1, l2, smooth_l1, huber, balanced_l1, l1_cxcywh, l2_cxcywh, smooth_l1_cxcywh)
IN_COORDINATES = tuple(form.__name__ for form in FORMS)
VARIANTS = {
    "smooth_l1": (({"beta": 0.0}, None), ({"beta": 1 / 9}, None)),
    "huber": (({"delta": 7.0}, None),),
    "balanced_l1": (({"alpha": 1.0, "gamma": 1.0, "beta": 8.0}, None),),
}
