"""A formula's gradient beside differences of its value, with what it holds held at the point where the gradient is taken."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from boxloss.calculus.evaluate import OPERATIONS
from boxloss.calculus.graph import reachable
from boxloss.calculus.trace import value_node
from boxloss.claims.asking import Asked
from boxloss.claims.sample import Floats, Pairs
from boxloss.formulas import Formula

STEP = 1e-5  # in the boxes' unit, where sides are about 1: differences are then good to some 1e-9
KINK = 1e-3  # where the slopes on both sides differ by more, beside the largest slope, there is a kink between, and no slope to compare


@dataclass(frozen=True)
class Differences:
    """The largest error of a slope beside the pair's largest one, with held terms held and with them moving; the share of pairs that were compared."""

    held: float
    moving: float
    compared: float


def differences(asked: Asked, pairs: Pairs) -> Differences:
    a, b = pairs
    gradient = asked.slopes(a, b)
    steps = np.eye(4)[:, None, :] * STEP
    after, before = a + steps, a - steps  # (4, n, 4): one coordinate of the prediction moved
    here = asked.values(a, b)
    target = np.broadcast_to(b, after.shape).reshape(-1, 4)
    up, down = (asked.values(x.reshape(-1, 4), target).reshape(4, -1) for x in (after, before))
    smooth = _smooth(here, up, down)
    moving = _error(gradient, (up - down) / (2 * STEP), smooth)
    up, down = (frozen_values(asked.formula, asked.parameters, a, x, b) for x in (after, before))
    frozen_smooth = _smooth(here, up, down)
    return Differences(_error(gradient, (up - down) / (2 * STEP), frozen_smooth), moving, float(frozen_smooth.mean()))


def _smooth(here: Floats, up: Floats, down: Floats) -> Floats:
    """(n,): where the slopes before and after agree."""
    right, left = (up - here) / STEP, (here - down) / STEP
    size = np.maximum(np.abs(right), np.abs(left)).max(axis=0)
    return np.asarray((np.abs(right - left) <= KINK * size).all(axis=0))


def _error(gradient: Floats, found: Floats, smooth: Floats) -> float:
    if not smooth.any():
        return 0.0
    size = np.maximum(np.maximum(np.abs(gradient).max(axis=1), np.abs(found).max(axis=0)), 1e-6)
    off = np.abs(gradient - found.T).max(axis=1) / size
    return float(np.nan_to_num(off[smooth], nan=np.inf).max())


def frozen_values(formula: Formula, parameters: dict[str, Any], at: Floats, moved: Floats, b: Floats) -> Floats:
    """(k, n): the values for predictions `moved` (k, n, 4), where everything that is held has the value that it has for the predictions `at` (n, 4)."""
    value, inputs = value_node(formula, parameters, dtype="float64")
    first = np.concatenate([at[None], moved])
    columns = [*np.moveaxis(first, -1, 0), *np.broadcast_to(b, first.shape).transpose(2, 0, 1)]
    known: dict[int, Any] = {node.index: column for node, column in zip(inputs, columns, strict=True)}
    with np.errstate(all="ignore"):  # branches that are not taken may overflow
        for node in reachable([value]):
            if node.index in known:
                continue
            x = [known[part.index] for part in node.args]
            if node.op == "const":
                known[node.index] = np.float64(node.value)
            elif node.op == "truth":
                known[node.index] = np.bool_(node.value)
            elif node.op == "hold":
                known[node.index] = np.broadcast_to(x[0][:1], x[0].shape) if np.ndim(x[0]) else x[0]
            elif node.op == "call":
                known[node.index] = node.value(*(np.broadcast_to(np.asarray(part, np.float64), first.shape[:2]) for part in x))
            else:
                known[node.index] = OPERATIONS[node.op](*x)
    return np.asarray(known[value.index])[1:]
