"""One pass of k-means: the compiled loops and NumPy give the same bits, and both what exact arithmetic says."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.kernels.cpu.clusters import BLOCK, CHUNK, COLUMNS, cluster_sums
from close import close


def columns(n, seed=0, high=1.0):
    rng = np.random.Generator(np.random.PCG64(seed))
    return tuple(np.ascontiguousarray(x) for x in np.exp(rng.normal(3, high, (2, n))).astype(np.float32))


def plain(*args):
    with bl.plain():
        return cluster_sums(*args)


@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK + 1, CHUNK - 1, CHUNK + 7, 3 * CHUNK])
@pytest.mark.parametrize("k", [1, 2, 9])
def test_kernel_and_arrays_give_the_same_bits(n, k):
    widths, heights = columns(n)
    centres = np.stack(columns(k, seed=1), axis=1)
    assert (cluster_sums(widths, heights, centres) == plain(widths, heights, centres)).all()


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.integers(1, 12)] * 2), min_size=1, max_size=30), st.lists(st.tuples(*[st.integers(1, 12)] * 2), min_size=1, max_size=4))
def test_sums_of_whole_numbers_with_ties(boxes, centres):
    """The first of equally similar centres, as exact arithmetic has it."""
    want = np.zeros((len(centres), 3), object)
    for w, h in boxes:
        ious = []
        for width, height in centres:
            overlap = min(w, width) * min(h, height)
            ious.append(Fraction(overlap, w * h + width * height - overlap))
        best = max(ious)
        c = ious.index(best)
        want[c] += np.array([1, best, int(best >= Fraction(1, 2))], object)
    w, h = np.array(boxes, np.float32).T.copy()
    found = cluster_sums(w, h, np.array(centres, np.float32))
    assert found.shape == (len(centres), COLUMNS)
    assert found[:, 0].tolist() == want[:, 0].tolist()
    assert found[:, 4].tolist() == want[:, 2].tolist()
    close(found[:, 1], [Fraction(x) for x in want[:, 1]], "float32", "sum")


def test_slopes_are_those_of_the_sum():
    """Central differences of the mean IoU along the logarithms of the centre's sides, for boxes whose sides differ from the centre's."""
    widths, heights = columns(3000)
    step = 2.0**-7
    for side in (0, 1):

        def at(sign, side=side):
            centre = np.array([[20.0, 30.0]])
            centre[0, side] *= np.exp(sign * step)
            return cluster_sums(widths, heights, centre.astype(np.float32))

        slope = (at(1)[0, 1] - at(-1)[0, 1]) / (2 * step)
        close(at(0)[0, 2 + side], slope, "float64", "counted pixels", scale=at(0)[0, 1])
