"""A loss's values and exact gradients for arrays of pairs: one kernel for both, or the graph without a compiler."""

from typing import Any

import numpy as np

from boxloss.claims.sample import Floats
from boxloss.formulas import Formula
from boxloss.kernels import switch
from boxloss.losses import Loss


class Asked:
    """A formula with its parameters, as functions of predictions and targets (n, 4)."""

    def __init__(self, formula: Formula, parameters: dict[str, Any]):
        self.formula, self.parameters = formula, parameters
        self.loss = Loss(formula, **parameters)

    def values(self, a: Floats, b: Floats) -> Floats:
        """(n,): the losses."""
        if switch.cpu_kernels():  # the one kernel that the gradients need too: to compile another takes longer than all its calls
            return self.all(a, b)[0]
        return np.asarray(self.loss(a, b, reduction="none"), np.float64)

    def all(self, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
        """The losses (n,), their gradients (n, 4) by the predictions' coordinates, and by the targets'. What the formula holds is held."""
        value, (by_a, by_b) = self.loss.value_and_gradient(np.ascontiguousarray(a), np.ascontiguousarray(b), wrt="both", reduction="none")
        return np.asarray(value), np.asarray(by_a), np.asarray(by_b)

    def slopes(self, a: Floats, b: Floats) -> Floats:
        return self.all(a, b)[1]


def by_sides(gradient: Floats) -> Floats:
    """The gradient by centre and sides, x, y, width, height, of one by left, top, right, bottom."""
    left, top, right, bottom = gradient.T
    return np.stack([left + right, top + bottom, (right - left) / 2, (bottom - top) / 2], axis=1)
