"""k-means++: the compiled loop and NumPy give the same bits, and a draw finds the box that a sum over all of them finds."""

import numpy as np
import pytest

import boxloss as bl
from boxloss.kernels.cpu.clusters import CHUNK
from boxloss.kernels.cpu.seeding import nearer, passed
from kernels.cpu.test_clusters import columns


@pytest.mark.parametrize("n", [1, 300, CHUNK - 1, CHUNK, 2 * CHUNK + 7])
def test_kernel_and_arrays_give_the_same_bits(n):
    widths, heights = columns(n)
    found = []
    for kernels in (True, False):
        distances = np.ones(n, np.float32)
        for drawn in (n // 2, n - 1):
            if kernels:
                sums = nearer(widths, heights, drawn, distances)
            else:
                with bl.plain():
                    sums = nearer(widths, heights, drawn, distances)
        found.append((distances, sums))
    (distances, sums), (others, other_sums) = found
    assert (distances == others).all()
    assert (sums == other_sums).all()
    assert distances[n // 2] == distances[n - 1] == 0


@pytest.mark.parametrize("n", [1, 300, CHUNK, 2 * CHUNK + 7])
def test_a_draw_finds_the_box_where_the_sum_of_all_passes_it(n):
    widths, heights = columns(n)
    distances = np.ones(n, np.float32)
    sums = nearer(widths, heights, 0, distances)
    whole = np.cumsum(distances, dtype=np.float64)
    assert sums[-1] == whole[-1]
    for share in (0.0, 0.25, 0.5, 0.75, 1 - 2.0**-53):
        assert passed(distances, sums, share) == min(np.searchsorted(whole, share * whole[-1], side="right"), n - 1)


def test_sizes_whose_areas_overflow_stay_as_far_as_they_were():
    widths = np.array([1, 1e30, 2], np.float32)
    for plain in (False, True):
        distances = np.ones(3, np.float32)
        if plain:
            with bl.plain():
                nearer(widths, widths, 1, distances)
        else:
            nearer(widths, widths, 1, distances)
        assert distances.tolist() == [1, 1, 1]
