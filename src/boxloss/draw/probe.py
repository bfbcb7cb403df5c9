"""A loss's values and gradients along a few simple moves of one box, as plain arrays: what its card draws."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.formulas import Formula, find
from boxloss.kernels.switch import plain
from boxloss.losses import Loss

Floats = npt.NDArray[np.float64]

TARGET = np.array([0.0, 0.0, 1.0, 1.0])  # the unit box: lengths are in sides of the target
FARTHEST_SHIFT = 3.0
DOUBLINGS = 2.0  # the scale goes from 1/4 to 4
FIELD_REACH = 1.5
FIELD_SIDE = 0.5  # of the box whose centre the field moves: half the target's, so that it can lie inside
LONGEST = 3.0  # doublings of the aspect: from 1:8 to 8:1


@dataclass(frozen=True, eq=False)
class Trace:
    """A loss along a move. `x`: (n,) the move; `value`: (n,) the loss; `slope`: (n,) its derivative by `x`."""

    x: Floats
    value: Floats
    slope: Floats


@dataclass(frozen=True, eq=False)
class Field:
    """A loss over the place of a small box's centre. `x`, `y`: (n,) the centre minus the target's, in sides; `value`: (n, n) by row y, column x;
    `pull_x`, `pull_y`: (n, n) minus the gradient by the centre."""

    x: Floats
    y: Floats
    value: Floats
    pull_x: Floats
    pull_y: Floats


def shift_trace(loss: str | Formula, n: int = 1500, **parameters: Any) -> Trace:
    """The unit box moved sideways by 0 to 3 sides; from 1 on it is apart from the target."""
    x = (np.arange(n, dtype=np.float64) + 0.5) * (FARTHEST_SHIFT / n)  # midpoints: at 0 and at 1 edges meet, and the gradient there is half of each side's
    boxes = TARGET + x[:, None] * np.array([1.0, 0.0, 1.0, 0.0])
    value, gradient = value_and_gradient(loss, boxes, **parameters)
    return Trace(x, value, gradient[:, 0] + gradient[:, 2])


def scale_trace(loss: str | Formula, n: int = 1500, **parameters: Any) -> Trace:
    """The unit box with its centre kept and its sides multiplied by 1/4 to 4; `slope` is by the factor."""
    x = 2.0 ** np.linspace(-DOUBLINGS, DOUBLINGS, n)
    boxes = 0.5 + x[:, None] * np.array([-0.5, -0.5, 0.5, 0.5])
    value, gradient = value_and_gradient(loss, boxes, **parameters)
    return Trace(x, value, gradient @ np.array([-0.5, -0.5, 0.5, 0.5]))


def aspect_trace(loss: str | Formula, n: int = 1500, **parameters: Any) -> Trace:
    """The unit box with its centre and its area kept, and width over height going from 1/8 to 8; `slope` is by the logarithm of that."""
    x = 2.0 ** np.linspace(-LONGEST, LONGEST, n)
    width, height = np.sqrt(x), np.sqrt(1 / x)
    boxes = 0.5 + np.stack([-width, -height, width, height], axis=1) / 2
    value, gradient = value_and_gradient(loss, boxes, **parameters)
    slope = ((gradient[:, 2] - gradient[:, 0]) * width - (gradient[:, 3] - gradient[:, 1]) * height) / 4
    return Trace(x, value, slope)


def field(loss: str | Formula, n: int = 61, **parameters: Any) -> Field:
    """A box of half the target's sides with its centre anywhere within 1.5 sides of the target's."""
    places = np.linspace(-FIELD_REACH, FIELD_REACH, n)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    half = FIELD_SIDE / 2
    boxes = 0.5 + np.stack([x - half, y - half, x + half, y + half], axis=1)
    value, gradient = value_and_gradient(loss, boxes, **parameters)
    pull = -(gradient[:, :2] + gradient[:, 2:])
    return Field(places, places, value.reshape(n, n), pull[:, 0].reshape(n, n), pull[:, 1].reshape(n, n))


def value_and_gradient(loss: str | Formula, boxes: Floats, **parameters: Any) -> tuple[Floats, Floats]:
    """Loss (n,) of each of `boxes` (n, 4) against the unit box, and its gradient (n, 4) by the box's coordinates, which training sees."""
    # Without kernels, and the same to the bit: to compile one takes longer than these boxes.
    with plain():
        value, gradient = Loss(find(loss), **parameters).value_and_gradient(boxes, TARGET, reduction="none")
    return np.asarray(value), np.asarray(gradient)


def ceiling(values: npt.ArrayLike) -> float | None:
    """Where to cut an axis that one far value would flatten, as UnitBox's loss without overlap does; None where no cut is needed.

    Cut where one gap between neighbouring values takes more than half of the range; then a little above the gap's lower end.
    """
    known = np.unique(np.asarray(values, dtype=np.float64))
    if len(known) < 3:
        return None
    gaps = np.diff(known)
    widest = int(gaps.argmax())
    if widest == 0 or gaps[widest] <= 0.5 * (known[-1] - known[0]):
        return None
    return float(known[0] + 1.15 * (known[widest] - known[0]))
