"""A loss's slopes as the graph has them, worked out on arrays: what compiled and printed kernels are held to, to the bit."""

from typing import Any

import numpy as np

import boxloss as bl
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.trace import trace

Array = np.ndarray


def slopes(name: str, parameters: dict[str, Any], a: Array, b: Array, wrt: str, format: str = "xyxy") -> list[Array]:
    """The gradient of each pair, (n, 4) for each box in `wrt`."""
    graph = trace(bl.catalogue()[name], parameters, dtype=a.dtype.name, format=format, wrt=wrt)
    _, *columns = evaluate(graph, [*a.T, *b.T])
    ill = np.isnan(a).any(1) | np.isnan(b).any(1)  # a row with a NaN is NaN
    return [np.where(ill[:, None], np.asarray(np.nan, a.dtype), np.stack(columns[4 * k : 4 * k + 4], 1)) for k in range(len(wrt))]
