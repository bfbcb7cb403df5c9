"""The best few of each group, from a list of pairs: a group, an item and a value. The list comes in parts, and what was found so far goes on."""

import functools

import numpy as np
import numpy.typing as npt

from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

ARGUMENTS: Arguments = {
    "n": "integer",
    "groups": "integers",
    "items": "integers",
    "values": "numbers",
    "k": "integer",
    "best": "numbers",
    "best_items": "integers",
}
"""n pairs; `best` and `best_items` (n_groups, k): the best of each group so far."""

TEXT = """\
    for p in range(n):
        first = load(groups, p) * k
        last = first + k - 1
        value = load(values, p)
        item = load(items, p)
        # NaN is not greater than anything, and so is in no list.
        if (value > load(best, last)) | ((value == load(best, last)) & (item < load(best_items, last))):
            for t in range(k):
                old = load(best, first + t)
                old_item = load(best_items, first + t)
                better = (value > old) | ((value == old) & (item < old_item))
                store(best, first + t, where(better, value, old))
                store(best_items, first + t, where(better, item, old_item))
                value = where(better, old, value)
                item = where(better, old_item, item)
"""

_pack = packer(ARGUMENTS)


@functools.cache
def _kernel() -> Once:
    return Once(lambda: Program(head(ARGUMENTS) + TEXT, "float64", (), (), wide=False).load())


def offer(
    groups: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    best: npt.NDArray[np.float64],
    best_items: npt.NDArray[np.int64],
) -> None:
    """Goes on with `best` and `best_items`, (n_groups, k), by n pairs: best first, of equal ones the lowest item. All arrays are without gaps."""
    _kernel()(_pack(len(groups), place(groups), place(items), place(values), best.shape[1], place(best), place(best_items)))
