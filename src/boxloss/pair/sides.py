"""The boxes' sides in their own unit, for the few formulas whose gradient depends on it."""

from boxloss.ops import Array, constant, largest, minimum, where
from boxloss.pair import Pair


def own_sides(p: Pair) -> tuple[Array, Array, Array, Array]:
    """Width and height of a, then of b; finite wherever the coordinates are. An inverted side is 0, as the side of the point in its middle."""
    most = largest(p._a[0])

    def side(low: Array, high: Array) -> Array:
        return where(high < low, constant(low, 0.0), minimum(high - low, constant(low, most)))

    (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) = p._a, p._b
    return side(a_left, a_right), side(a_top, a_bottom), side(b_left, b_right), side(b_top, b_bottom)
