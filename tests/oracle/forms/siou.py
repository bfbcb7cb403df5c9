"""SIoU, in the papers' notation: Lambda the cost of the angle, Delta of the distance, Omega of the shape."""

from typing import Any

from oracle.arithmetic import Pair, as_real, exponential, greatest, negative, ratio, size, to_the


def siou(pair: Pair, theta: float = 4.0) -> Any:
    gamma = angle_cost(pair) - 2
    rho_x, rho_y = offset_shares(pair)
    delta = (1 - exponential(gamma * rho_x)) + (1 - exponential(gamma * rho_y))
    return as_real(pair.jaccard) + (delta + shape_cost(pair, theta)) / 2


def siou_mmdet(pair: Pair) -> Any:
    gamma = 2 - angle_cost(pair)
    rho_x, rho_y = offset_shares(pair)
    delta = (1 - exponential(gamma * rho_x)) + (1 - exponential(gamma * rho_y))
    return greatest(as_real(pair.jaccard) + (delta + shape_cost(pair, 4.0)) / 2, as_real(0))


def angle_cost(pair: Pair) -> Any:
    """sin 2a = 2 sin a cos a."""
    dx, dy = pair.b.x - pair.a.x, pair.b.y - pair.a.y
    return ratio(2 * size(dx) * size(dy), dx * dx + dy * dy)


def offset_shares(pair: Pair) -> tuple[Any, Any]:
    (w, h), dx, dy = pair.hull_sides, pair.b.x - pair.a.x, pair.b.y - pair.a.y
    return ratio(dx * dx, w * w), ratio(dy * dy, h * h)


def shape_cost(pair: Pair, theta: float) -> Any:
    a, b = pair.a, pair.b
    omega = [ratio(size(p - q), greatest(p, q)) for p, q in ((a.width, b.width), (a.height, b.height))]
    return sum((to_the(1 - exponential(negative(w)), theta) for w in omega), as_real(0))


# Two boxes of very different size, far apart, far more so along x; and two lines through one centre
FAR, CROSS = ((0, 0, 1, 1), (1e12, 1e6, 1e12 + 1e3, 1e6 + 1e3)), ((0, 5, 10, 5), (5, 0, 5, 10))
FORMS = (siou, siou_mmdet)
VARIANTS = {"siou": (({"theta": 2.0}, "[0, 2.2643)"),)}
EXTREMES = {"siou": (FAR,), "siou_mmdet": (CROSS,)}
