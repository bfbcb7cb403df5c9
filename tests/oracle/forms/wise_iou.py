"""Wise-IoU."""

from typing import Any

from oracle.arithmetic import Pair, as_real, exponential, held, ratio


def diagonal2(pair: Pair) -> Any:
    w, h = pair.hull_sides
    return held(w * w + h * h)


def wise_iou(pair: Pair, held_at: Any = None) -> Any:
    dx, dy = pair.a.x - pair.b.x, pair.a.y - pair.b.y
    share = ratio(dx * dx + dy * dy, diagonal2(pair) if held_at is None else held_at)
    return exponential(share) * as_real(pair.jaccard)


FORMS = (wise_iou,)
HELD = {"wise_iou": diagonal2}
