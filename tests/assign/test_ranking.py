"""The best few of each group, from pairs in parts; the kernel's loop and NumPy's sort give the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.assign.ranking import Ranking, strongest

VALUES = st.sampled_from([0.0, 1.0, 2.0, 2.0, -1.0, np.nan, np.inf, -np.inf])


@st.composite
def offers(draw):
    """How many groups, how many are kept, and pairs that come once each, with many ties among their values."""
    n, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    pairs = draw(st.permutations([(group, item) for group in range(n) for item in range(n_items)]))
    pairs = pairs[: draw(st.integers(0, len(pairs)))]
    return n, draw(st.integers(1, 5)), [(*pair, draw(VALUES)) for pair in pairs], draw(st.integers(1, 9))


def by_hand(n, k, pairs):
    found = []
    for group in range(n):
        ranked = sorted((-value, item) for of, item, value in pairs if of == group and value > -np.inf)
        found.append(([(-value, item) for value, item in ranked] + [(-np.inf, -1)] * k)[:k])
    return [[v for v, _ in row] for row in found], [[i for _, i in row] for row in found]


def ranked(n, k, pairs, step):
    ranking = Ranking(n, k)
    for start in range(0, len(pairs) or 1, step):
        groups, items, values = (np.array([pair[i] for pair in pairs[start : start + step]], dtype) for i, dtype in enumerate((int, int, float)))
        ranking.offer(groups, items, values)
    return ranking.values.tolist(), ranking.items.tolist()


@settings(deadline=None)
@given(offers())
def test_best_first_and_of_equal_ones_the_lowest(given):
    n, k, pairs, step = given
    assert ranked(n, k, pairs, step) == by_hand(n, k, pairs)
    with bl.plain():
        assert ranked(n, k, pairs, step) == by_hand(n, k, pairs)


def test_memory_with_gaps_and_other_number_types():
    ranking = Ranking(2, 1)
    ranking.offer(np.array([0, 9, 1, 9])[::2], np.array([5, 9, 7, 9])[::2], np.array([1, 9, 2, 9], np.float32)[::2])
    assert (ranking.items.tolist(), ranking.values.tolist()) == ([[5], [7]], [[1.0], [2.0]])


def test_groups_that_begin_anew():
    ranking = Ranking(2, 2)
    ranking.offer(np.array([0, 1]), np.array([3, 4]), np.ones(2))
    ranking.forget(np.array([0]))
    assert ranking.items.tolist() == [[-1, -1], [4, -1]]


@pytest.mark.parametrize("kernels", [True, False])
def test_the_strongest_object_of_each_prior(kernels):
    def check():
        found = strongest(4, np.array([0, 0, 2, 2, 3]), np.array([1, 0, 5, 4, 6]), np.array([1.0, 1, 2, 3, np.nan]))
        assert found.tolist() == [0, -1, 4, -1]

    if kernels:
        check()
    else:
        with bl.plain():
            check()
