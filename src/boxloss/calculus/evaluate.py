"""A graph worked out on NumPy arrays: what the generated text says, without a compiler. Value and slopes, to the bit those of the array path's value."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from boxloss import ops
from boxloss.calculus.graph import reachable
from boxloss.calculus.simplify import FOLD
from boxloss.calculus.trace import Traced

OPERATIONS: dict[str, Callable[..., Any]] = FOLD | {
    "where": np.where,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "power_of_two": ops.power_of_two,
    "exponent": ops._exponent,
    "two_to_the": ops._two_to_the,
    "carry": lambda x, carrier: x,
}


def evaluate(traced: Traced, columns: Sequence[Any]) -> list[np.ndarray]:
    """The outputs of `traced`, its value and then its slopes, for `columns` of its inputs: NumPy arrays whose shapes broadcast to that of each output.

    Computed in the graph's number type. An array is let go of once nothing needs it any more, so that a long formula does not need memory for all its parts.
    """
    nodes = reachable(traced.outputs)
    number = np.dtype(traced.dtype).type
    last_user = {x.index: node.index for node in nodes for x in node.args}
    kept = {x.index for x in traced.outputs}
    known: dict[int, Any] = {x.index: np.asarray(column, number) for x, column in zip(traced.inputs, columns, strict=True)}
    shape = np.broadcast_shapes(*(x.shape for x in known.values()))
    with np.errstate(all="ignore"):  # branches that are not taken may overflow
        for node in nodes:
            if node.index in known:
                continue
            if node.op in ("const", "truth"):
                known[node.index] = number(node.value) if node.op == "const" else np.bool_(node.value)
                continue
            known[node.index] = OPERATIONS[node.op](*(known[x.index] for x in node.args))
            for x in node.args:
                if last_user[x.index] == node.index and x.index not in kept:
                    known.pop(x.index, None)
    return [np.broadcast_to(known[x.index], shape).copy() for x in traced.outputs]
