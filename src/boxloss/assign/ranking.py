"""The best few partners of each box, from pairs that come part by part: what replaces a matrix's `topk`."""

import numpy as np
import numpy.typing as npt

from boxloss.assign.inputs import Floats, Integers
from boxloss.kernels import switch


class Ranking:
    """The `k` best items of each of `n` groups, so far. `values`: (n, k) float64, best first, -infinity where there are fewer. `items`: (n, k), -1 there; of
    equal values the lowest item comes first, in whatever order they were offered. NaN and -infinity are never among them."""

    def __init__(self, n: int, k: int):
        self.values, self.items = np.full((n, k), -np.inf), np.full((n, k), -1)

    @switch.or_plain
    def offer(self, groups: Integers, items: Integers, values: Floats) -> None:
        """More pairs, (m,) each; a pair is offered once."""
        numbers: npt.NDArray[np.float64] = np.ascontiguousarray(values, np.float64)
        if switch.cpu_kernels():
            from boxloss.kernels.cpu import ranked

            ranked.offer(np.ascontiguousarray(groups), np.ascontiguousarray(items), numbers, self.values, self.items)
        else:
            self._offer(groups, items, numbers)

    def _offer(self, groups: Integers, items: Integers, values: Floats) -> None:
        known, n, k = self.items >= 0, *self.items.shape
        groups = np.concatenate([np.repeat(np.arange(n), k).reshape(n, k)[known], groups])
        items, values = np.concatenate([self.items[known], items]), np.concatenate([self.values[known], values])
        some = values > -np.inf
        groups, items, values = groups[some], items[some], values[some]
        order = np.lexsort((items, -values, groups))
        groups = groups[order]
        rank = np.arange(len(order)) - np.searchsorted(groups, groups)
        first = rank < k
        self.values[groups[first], rank[first]] = values[order[first]]
        self.items[groups[first], rank[first]] = items[order[first]]

    def forget(self, groups: Integers) -> None:
        """These begin anew."""
        self.values[groups], self.items[groups] = -np.inf, -1


def strongest(n: int, priors: Integers, objects: Integers, values: Floats) -> Integers:
    """For each of `n` priors that object, of those that it is paired with, whose value is highest, and of equal ones the first; -1 where there is none."""
    ranking = Ranking(n, 1)
    ranking.offer(priors, objects, values)
    return ranking.items[:, 0]
