"""Sums and differences of the ways of two edges, right to the last digits also where the ways cancel.

A way is rounded once, and what rounding took is far more than a small sum of ways, as where boxes of very different sizes have nearly the same centre. It can
be had exactly, and is added. A loss that holds an offset or a difference of sides against one box, or against a fixed length, needs this; beside lengths
of the size of the ways, an axis's `double_offset` and `side_difference` do.
"""

from boxloss.ops import Array, hold, largest, where
from boxloss.pair import Pair, _within
from boxloss.pair.axis import Axis, Moved, _upright


def double_offset(axis: Axis) -> Array:
    """Twice the way from a's centre to b's, in the pair's unit. A moved axis has no coordinates, and so its own rounded one."""
    if isinstance(axis, Moved):
        return axis.double_offset
    lost_low, lost_high = _lost(axis.b_low, axis.a_low, axis.low_way), _lost(axis.b_high, axis.a_high, axis.high_way)
    return axis.double_offset + hold(lost_low + lost_high)


def side_difference(axis: Axis) -> Array:
    """b's side minus a's, in the pair's unit."""
    lost_low, lost_high = _lost(axis.b_low, axis.a_low, axis.low_way), _lost(axis.b_high, axis.a_high, axis.high_way)
    return axis.side_difference + hold(lost_high - lost_low)


def double_offsets(p: Pair) -> tuple[Array, ...]:
    """Twice a's centre minus b's, along each axis, in the boxes' own unit; finite wherever the coordinates are."""
    most, lost, n = largest(p._a[0]), _lost_edges(p), len(p._a) // 2
    return tuple(_within((p.edges[k] + p.edges[k + n]) + hold(lost[k] + lost[k + n]), most) for k in range(n))


def centre_and_size(p: Pair) -> tuple[Array, ...]:
    """a's centre minus b's along each axis, then a's size minus b's, in the boxes' own unit; finite wherever the coordinates are."""
    most, lost, n = largest(p._a[0]), _lost_edges(p), len(p._a) // 2
    centres, sizes = [], []
    for k in range(n):
        low, high = p.edges[k], p.edges[k + n]
        total = low + high
        half = total * 0.5
        # Half of the smallest number is 0, where the centres are not one: rounded up, it keeps its sign.
        half = half + hold(where(half == 0, total, 0.0))
        # Half of each where the sum is beyond the type; half of the sum elsewhere, whose digits are those of the smallest numbers too.
        middle = where((total <= most) & (total >= -most), half, low * 0.5 + high * 0.5)
        centres.append(middle + hold(lost[k] + lost[k + n]) * 0.5)
        sizes.append(_within((high - low) + hold(lost[k + n] - lost[k]), most))
    return (*centres, *sizes)


def _lost_edges(p: Pair) -> list[Array]:
    """What rounding took from each of `p.edges`, and 0 from one that is beyond the type, which `edges` keep within."""
    most = largest(p._a[0])
    lost = [_lost(x, y, edge) for x, y, edge in zip(p._a, p._b, p.edges, strict=True)]
    return [where((edge < most) & (edge > -most), x, 0.0) for x, edge in zip(lost, p.edges, strict=True)]


def upright_edges(p: Pair) -> tuple[Array, ...]:
    """As `p.edges`, where an inverted interval counts as the point in its middle."""
    most = largest(p._a[0])
    n = len(p._a) // 2
    ends = [(*_upright(p._a[k], p._a[k + n]), *_upright(p._b[k], p._b[k + n])) for k in range(n)]
    return (*(_within(end[0] - end[2], most) for end in ends), *(_within(end[1] - end[3], most) for end in ends))


def _lost(x: Array, y: Array, rounded: Array) -> Array:
    """x - y minus what it was rounded to, exactly (Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B)."""
    taken = rounded - x
    return (x - (rounded - taken)) - (y + taken)
