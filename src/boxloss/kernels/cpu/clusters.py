"""One pass of k-means over sizes: the most similar centre of each box, and what its cluster adds up to.

Similar is who has a large IoU where both boxes have one centre. Boxes are taken in chunks, whose sums are added in the chunks' order, so that neither the
number of threads nor the lack of a compiler changes a bit.
"""

import numpy as np
import numpy.typing as npt

from boxloss.kernels import switch
from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer
from boxloss.kernels.threads import run_parts

Sides = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]

CHUNK = 2**14
"""Boxes whose sums are one term of the whole: part of the result's bits."""
PART = 4
"""Chunks that a thread takes at a time: a fifth of a millisecond's work."""
BLOCK = 256
"""Boxes whose best so far stays in the first cache while all centres pass by."""
MANY = 2 * CHUNK
"""More than a chunk has boxes: a count of those times it, plus another count, is still two numbers."""
COLUMNS = 5
"""Of each cluster: its boxes; their IoUs with the centre, added up; the slopes of that sum along the logarithms of the centre's width and height; how many
of the IoUs are at least 0.5."""

ARGUMENTS: Arguments = {
    "first": "integer",
    "last": "integer",
    "n": "integer",
    "k": "integer",
    "widths": "numbers",
    "heights": "numbers",
    "centres": "numbers",
    "sums": "floats",
}

TEXT = """\
    best, nearest = best_memory(), nearest_memory()
    widths_of, heights_of, terms = widths_memory(), heights_memory(), terms_memory()
    for chunk in range(first, last):
        total = shifted(sums, chunk * k * COLUMNS)
        for start in range(chunk * CHUNK, least((chunk + 1) * CHUNK, n), BLOCK):
            m = least(BLOCK, n - start)
            ws = shifted(widths, start)
            hs = shifted(heights, start)
            for j in range(m):
                store(best, j, lowest)
                store(nearest, j, zero)
                store(widths_of, j, load(centres, 0))
                store(heights_of, j, load(centres, 1))
            for c in range(k):
                width = load(centres, 2 * c)
                height = load(centres, 2 * c + 1)
                area = width * height
                this = number(c)
                for j in range(m):
                    w = load(ws, j)
                    h = load(hs, j)
                    overlap = minimum(w, width) * minimum(h, height)
                    iou = overlap / ((w * h + area) - overlap)
                    better = iou > load(best, j)
                    # Dividing takes so long that the centre's sides are noted for nothing; to look them up afterwards is not.
                    store(nearest, j, where(better, this, load(nearest, j)))
                    store(widths_of, j, where(better, width, load(widths_of, j)))
                    store(heights_of, j, where(better, height, load(heights_of, j)))
                    store(best, j, where(better, iou, load(best, j)))
            for j in range(m):
                width = load(widths_of, j)
                height = load(heights_of, j)
                w = load(ws, j)
                h = load(hs, j)
                iou = load(best, j)
                area = width * height
                share = area / ((w * h + area) - minimum(w, width) * minimum(h, height))
                # Both counts in one number, so that a box's part of the sums is a single vector.
                store(terms, 4 * j, where(iou >= half, one_of_both, one))
                store(terms, 4 * j + 1, iou)
                store(terms, 4 * j + 2, iou * (where(width < w, one + iou, zero) - share))
                store(terms, 4 * j + 3, iou * (where(height < h, one + iou, zero) - share))
            for j in range(m):
                add_four(shifted(total, COLUMNS * whole(load(nearest, j))), shifted(terms, 4 * j))
        for c in range(k):
            of = shifted(total, COLUMNS * c)
            n_half = floor(load(of, 0) / MANY)
            store(of, 0, load(of, 0) - n_half * MANY)
            store(of, 4, n_half)
"""


def program() -> Program:
    sizes = (("CHUNK", "int64", CHUNK), ("BLOCK", "int64", BLOCK), ("COLUMNS", "int64", COLUMNS))
    numbers = (("lowest", "float32", -1.0), ("zero", "float32", 0.0), ("half", "float32", 0.5), ("one", "float32", 1.0))
    both = ("MANY", "float64", float(MANY)), ("one_of_both", "float32", float(MANY + 1))
    lengths = {"best": BLOCK, "nearest": BLOCK, "widths": BLOCK, "heights": BLOCK, "terms": 4 * BLOCK}
    memory = tuple((f"{name}_memory", "float32", length) for name, length in lengths.items())
    return Program(head(ARGUMENTS) + TEXT, "float32", (*sizes, *numbers, *both), memory)


_kernel = Once(lambda: program().load())
_pack = packer(ARGUMENTS)


@switch.or_plain
def cluster_sums(widths: Sides, heights: Sides, centres: Sides) -> Sums:
    """For each of the `centres`, (k, 2), the sums over the boxes that it is most similar to, (k, 5) as in `COLUMNS`; of equally similar ones the first.

    `widths`, `heights`: (n,), without gaps, above 0.
    """
    n, k = len(widths), len(centres)
    sums = np.zeros((-(-n // CHUNK), k, COLUMNS))
    centres = np.ascontiguousarray(centres)
    by_kernel, given = switch.cpu_kernels(), (n, k, place(widths), place(heights), place(centres), place(sums))

    def fill(part: int) -> None:
        first, last = part * PART, min((part + 1) * PART, len(sums))
        if by_kernel:
            _kernel(_pack(first, last, *given))
        else:
            for chunk in range(first, last):
                _plain(widths, heights, centres, sums, chunk)

    run_parts(fill, -(-len(sums) // PART))
    total: Sums = np.add.reduce(sums, axis=0)
    return total


def _plain(widths: Sides, heights: Sides, centres: Sides, sums: Sums, chunk: int) -> None:
    """One chunk on arrays: the same operations in the same order."""
    at = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
    w, h, k = widths[at], heights[at], len(centres)
    best, nearest = np.full(len(w), -1, np.float32), np.zeros(len(w), np.int64)
    area = w * h
    for c, (width, height) in enumerate(centres):
        overlap = np.minimum(w, width) * np.minimum(h, height)
        iou = overlap / ((area + width * height) - overlap)
        better = iou > best
        nearest[better], best = c, np.where(better, iou, best)
    width, height = centres[nearest].T
    area_of_centre = width * height
    share = area_of_centre / ((area + area_of_centre) - np.minimum(w, width) * np.minimum(h, height))
    above = np.float32(1) + best
    wider = best * (np.where(width < w, above, np.float32(0)) - share)
    higher = best * (np.where(height < h, above, np.float32(0)) - share)
    for column, weights in enumerate((None, best, wider, higher, best >= np.float32(0.5))):
        sums[chunk, :, column] = np.bincount(nearest, weights, k)
