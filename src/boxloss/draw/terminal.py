"""Curves in characters, for terminals."""

import math
from collections.abc import Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"


def blocks(values: Sequence[float], width: int = 48, height: int = 4, top: float | None = None) -> list[str]:
    """The curve of `values`, at even steps and from 0 up, as `height` lines of `width` characters, highest line first.

    Values below 0, and those that are not finite, are drawn as 0, those above `top` (default: the largest) as `top`.

    >>> blocks([0, 1, 2, 4], width=4, height=1)
    [' ▂▄█']
    """
    values = finite(values)
    columns = [values[round(index * (len(values) - 1) / max(width - 1, 1))] for index in range(width)]
    largest = top if top is not None else max(columns)
    scale = height * 8 / largest if largest > 0 else 0.0
    eighths = [math.floor(min(max(value * scale, 0.0), height * 8) + 0.5) for value in columns]
    return ["".join(BLOCKS[min(max(level - 8 * row, 0), 8)] for level in eighths) for row in reversed(range(height))]


def finite(values: Sequence[float]) -> list[float]:
    return [value if math.isfinite(value) else 0.0 for value in values]


def labelled(values: Sequence[float], left: str, right: str, title: str, width: int = 48, height: int = 4, top: float | None = None) -> list[str]:
    """The curve with its title above, its largest value beside the top line, and its axis below: from `left` to `right`."""
    largest = top if top is not None else max(finite(values))
    lines = blocks(values, width, height, top)
    margin = [f"{largest:8.3g} ┤", *["         │"] * (height - 1)]
    axis = f"       0 └{'─' * width}"
    ends = f"          {left}{' ' * max(width - len(left) - len(right), 1)}{right}"
    return [title, *(edge + line for edge, line in zip(margin, lines, strict=True)), axis, ends]
