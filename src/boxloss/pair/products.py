"""Areas and volumes as sums of products of lengths that are not negative: nothing cancels, however many axes there are.

Each is built an axis at a time: what the axes before this one leave, along all of this one, and what they hold, along the rest of this one.
"""

import functools
from collections.abc import Callable, Sequence

from boxloss.ops import Array
from boxloss.pair.axis import Axis

Length = Callable[[Axis], Array]


def product(axes: Sequence[Axis], length: Length) -> Array:
    """The product of a length of each axis."""
    return functools.reduce(lambda volume, factor: volume * factor, map(length, axes))


def rest(axes: Sequence[Axis], inner: Length, outer: Length) -> Array:
    """The volume of the box with sides inner + outer that the box with sides `inner` does not fill."""
    *others, last = axes
    if not others:
        return outer(last)
    before = rest(others, inner, outer)
    return (before * inner(last) + product(others, inner) * outer(last)) + before * outer(last)


def a_alone(axes: Sequence[Axis]) -> Array:
    """The volume of a outside the overlap."""
    return rest(axes, _overlap, lambda axis: axis.a_excess)


def b_alone(axes: Sequence[Axis]) -> Array:
    """The volume of b outside the overlap."""
    return rest(axes, _overlap, lambda axis: axis.b_excess)


def waste(axes: Sequence[Axis]) -> Array:
    """The volume of the hull that the union does not fill: its empty corners, and the strips beside a gap."""
    *others, last = axes
    if not others:
        return last.gap
    corners = _corners(axes)
    strips = product(others, _span) * last.gap + rest(others, _span, _gap) * last.span
    return (corners + strips) + rest(others, _span, _gap) * last.gap


def _corners(axes: Sequence[Axis]) -> Array:
    """The part of the waste that is left when gaps are closed: where one sticks out along this axis and the other along another one."""
    *others, last = axes
    corners = a_alone(others) * last.b_excess + b_alone(others) * last.a_excess
    return corners if len(others) == 1 else _corners(others) * last.span + corners


def _overlap(axis: Axis) -> Array:
    return axis.overlap


def _span(axis: Axis) -> Array:
    return axis.span


def _gap(axis: Axis) -> Array:
    return axis.gap
