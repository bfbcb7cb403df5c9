"""Control distance IoU."""

from typing import Any

from oracle.arithmetic import Pair, as_real, length, ratio


def cdiou(pair: Pair) -> Any:
    a, b = ([(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)] for box in (pair.a, pair.b))
    distances = [length(x - u, y - v) for (x, y), (u, v) in zip(a, b, strict=True)]
    return as_real(pair.jaccard) + ratio(sum(distances, as_real(0)) / 4, length(*pair.hull_sides))


FORMS = (cdiou,)
EXTREMES = {"cdiou": (((0, 0, 0, 0), (3, 4, 3, 4)),)}
