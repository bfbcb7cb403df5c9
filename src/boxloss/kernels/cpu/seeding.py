"""k-means++ over sizes: how far each box is from the nearest of those that were drawn, and all that added up, in the boxes' order.

Of the sums only those at the end of each chunk are kept: the box where a sum passes a draw is then looked for in one chunk.
"""

import numpy as np

from boxloss.kernels import switch
from boxloss.kernels.cpu.clusters import BLOCK, CHUNK, Sides, Sums
from boxloss.kernels.cpu.places import place
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer

ARGUMENTS: Arguments = {"n": "integer", "widths": "numbers", "heights": "numbers", "drawn": "integer", "distances": "numbers", "sums": "floats"}

TEXT = """\
    width = load(widths, drawn)
    height = load(heights, drawn)
    area = width * height
    total = nothing
    for chunk in range((n + CHUNK - 1) // CHUNK):
        for start in range(chunk * CHUNK, least((chunk + 1) * CHUNK, n), BLOCK):
            m = least(BLOCK, n - start)
            ws = shifted(widths, start)
            hs = shifted(heights, start)
            far = shifted(distances, start)
            for j in range(m):
                w = load(ws, j)
                h = load(hs, j)
                overlap = minimum(w, width) * minimum(h, height)
                # A quotient of areas that overflow is NaN, which is less than nothing.
                store(far, j, minimum(one - overlap / ((w * h + area) - overlap), load(far, j)))
            for j in range(m):
                total = total + float64(load(far, j))
        store(sums, chunk, total)
"""


def _program() -> Program:
    constants = (("CHUNK", "int64", CHUNK), ("BLOCK", "int64", BLOCK), ("one", "float32", 1.0), ("nothing", "float64", 0.0))
    return Program(head(ARGUMENTS) + TEXT, "float32", constants, ())


_kernel = Once(lambda: _program().load())
_pack = packer(ARGUMENTS)


@switch.or_plain
def nearer(widths: Sides, heights: Sides, drawn: int, distances: Sides) -> Sums:
    """Goes on with `distances`, (n,), now that the box `drawn` is one more to be near to: 1 - IoU with one centre. Gives the sum of all distances up to the
    end of each chunk of `CHUNK` boxes.

    `widths`, `heights`: (n,), without gaps, above 0.
    """
    n = len(widths)
    if switch.cpu_kernels():
        sums = np.empty(-(-n // CHUNK))
        _kernel(_pack(n, place(widths), place(heights), drawn, place(distances), place(sums)))
        return sums
    with np.errstate(all="ignore"):
        overlap = np.minimum(widths, widths[drawn]) * np.minimum(heights, heights[drawn])
        new = 1 - overlap / ((widths * heights + widths[drawn] * heights[drawn]) - overlap)
    np.fmin(distances, new, out=distances)
    ends = np.minimum(np.arange(CHUNK, n + CHUNK, CHUNK), n) - 1
    ended: Sums = running(distances)[ends]
    return ended


def running(distances: Sides, before: float = 0.0) -> Sums:
    """The sums from the first on, which is added to what was `before`."""
    sums = distances.astype(np.float64)
    if len(sums):
        sums[0] += before
    found: Sums = np.cumsum(sums)
    return found


def passed(distances: Sides, sums: Sums, share: float) -> int:
    """The first box where the sum of `distances` is above that `share` of the whole."""
    bar = share * sums[-1]
    chunk = min(int(np.searchsorted(sums, bar, side="right")), len(sums) - 1)
    within = running(distances[chunk * CHUNK : (chunk + 1) * CHUNK], sums[chunk - 1] if chunk else 0.0)
    # The last is for a draw that rounds up to the whole.
    return min(chunk * CHUNK + int(np.searchsorted(within, bar, side="right")), len(distances) - 1)
