"""One look a loss, the same in every figure, table and terminal. Light: imports no plot library.

A look is a colour, a dash and a marker, so that nothing is told by colour alone. It depends on the loss's name only, never on
which other losses are compared. Every colour has a contrast of at least 3:1 with white (WCAG 2.2, 1.4.11), and the losses that are
compared most often stay apart for readers who do not see red, green or blue apart (`tests/draw/test_colours.py` simulates them).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

Dash = tuple[float, ...]

SOLID: Dash = ()
DASHED: Dash = (5, 2)
DOTTED: Dash = (1.3, 1.6)
DASH_DOT: Dash = (6, 2, 1.3, 2)

TRUTH_COLOUR = "#FFFFFF"
INK = "#1A1A1A"
FAINT = "#666666"  # 5.7:1 on white: the lightest grey that text may have
RULE = "#D4D4D4"


@dataclass(frozen=True)
class Look:
    """How one loss is drawn: `colour` as #RRGGBB, `dash` in points on and off (() is solid), `marker` as Matplotlib names it."""

    colour: str
    dash: Dash
    marker: str


LOOKS: dict[str, Look] = {
    "iou": Look("#000000", SOLID, "o"),
    "giou": Look("#2F7FE0", SOLID, "s"),
    "diou": Look("#12A37A", SOLID, "D"),
    "ciou": Look("#CC4F00", SOLID, "^"),
    "smooth_l1": Look("#6A1BB0", DASHED, "v"),
    "l2": Look("#9A7B8A", DASHED, "P"),
    "l1": Look("#5C3A1E", DASHED, "X"),
    "iou_log": Look("#0B1A78", DOTTED, "h"),
    "iou_squared": Look("#6E7B12", DOTTED, "p"),
    "ciou_gated": Look("#8C2F4E", DASH_DOT, "<"),
}
_MORE_DASHES = (DASH_DOT, DOTTED, DASHED, SOLID)
_MORE_MARKERS = (">", "*", "d", "H", "8", "o", "s", "^", "D", "v", "P", "X", "h", "p", "<")


def look(loss: str) -> Look:
    """The look of the loss with this name; a name that is not in the table (a user's own loss) gets one from the hash of its name.

    >>> look("iou").colour
    '#000000'
    >>> look("mine") == look("mine")
    True
    """
    if loss in LOOKS:
        return LOOKS[loss]
    # Not hash(), which changes from process to process. From this byte on no two published losses look alike.
    digest = hashlib.sha256(loss.encode()).digest()[8:]
    palette = [entry.colour for entry in LOOKS.values()]
    return Look(palette[digest[0] % len(palette)], _MORE_DASHES[digest[1] % len(_MORE_DASHES)], _MORE_MARKERS[digest[2] % len(_MORE_MARKERS)])


def looks(losses: Iterable[str]) -> dict[str, Look]:
    """The looks of what stands in one figure: no two of one colour, as long as there are colours. Who is in the table keeps its own.

    >>> len({one.colour for one in looks(["giou", "mine", "mine2", "mine3", "mine4"]).values()})
    5
    """
    names = list(dict.fromkeys(losses))
    found = {name: LOOKS[name] for name in names if name in LOOKS}
    for name in names:
        if name not in found:
            own, taken = look(name), {one.colour for one in found.values()}
            free = [entry.colour for entry in LOOKS.values() if entry.colour not in taken]
            found[name] = own if own.colour not in taken or not free else replace(own, colour=free[0])
    return found


def colour(loss: str) -> str:
    """The loss's colour as #RRGGBB, for terminals and style sheets."""
    return look(loss).colour
