"""Pairs of boxes drawn in the lecture's manner: a green target, a black box that is to fit it, and a colour of its own for each loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from boxloss.draw.colours import FAINT, INK, RULE, look
from boxloss.draw.style import literal, new_figure, styled

Box = tuple[float, float, float, float]
"""left, top, right, bottom; y points down, as in pictures."""

TARGET = "#2E9E2E"
"""Also told by its filled ground, which no other box has: DIoU's green is near."""
TARGET_GROUND = "#DCF2D8"
START_GROUND = "#ECECEC"
"""Of a start that boxes leave: IoU's box, which is black, may stay where the start is."""
WASTE = "#C9780A"

WIDE = 11.0
"""Inches: the width of a slide."""
HIGHEST = 3.4
"""Inches: of a panel, so that the figure fits a slide."""
LINE = 0.3
"""Inches: a row of the figures below a panel."""
LARGE = 13.0
"""Points, of all that has to be read from the back of a room."""


@dataclass(frozen=True)
class Row:
    """A line below a panel: a name and its figure; in the colour of `loss`, or grey."""

    name: str
    figure: str
    loss: str | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of boxes, what is said of it, and what else is drawn on it."""

    title: str
    prediction: Box
    target: Box
    rows: tuple[Row, ...]
    also: Callable[[Axes], None] | None = None


def rectangle(axes: Axes, box: Sequence[float], **looks: object) -> None:
    left, top, right, bottom = (float(side) for side in box)
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, **looks))  # type: ignore[arg-type]


def draw_target(axes: Axes, box: Sequence[float]) -> None:
    rectangle(axes, box, facecolor=TARGET_GROUND, edgecolor=TARGET, linewidth=3.2, zorder=2)


def draw_anchor(axes: Axes, box: Sequence[float], width: float = 2.4) -> None:
    rectangle(axes, box, fill=False, edgecolor=INK, linewidth=width, linestyle=(0, (4, 1.8)), zorder=3)


def draw_start(axes: Axes, box: Sequence[float]) -> None:
    """The anchor where boxes move away from it: on a ground of its own, since one that does not move hides its outline."""
    rectangle(axes, box, facecolor=START_GROUND, linewidth=0, zorder=1)
    draw_anchor(axes, box, 1.6)


def draw_moved(axes: Axes, box: Sequence[float], loss: str) -> None:
    """Where `loss` has moved the anchor."""
    rectangle(axes, box, fill=False, edgecolor=look(loss).colour, linewidth=3.2, zorder=4)


def draw_hull(axes: Axes, box: Sequence[float], hatched: bool) -> None:
    """The smallest box around both; `hatched`: what the two boxes, which are drawn above it, leave of it is the waste."""
    rectangle(axes, box, facecolor="white", edgecolor=WASTE if hatched else FAINT, hatch="///" if hatched else "", linewidth=0, zorder=0.5)
    rectangle(axes, box, fill=False, edgecolor=FAINT, linewidth=1.4, linestyle=(0, (1.3, 1.8)), zorder=1.5)


def hull(a: Sequence[float], b: Sequence[float]) -> Box:
    """The smallest box around both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def frame(axes: Axes, middle: tuple[float, float], span: tuple[float, float]) -> None:
    """An empty ground of `span` (width, height) around `middle`, y down, one unit as long in both directions."""
    (x, y), (width, height) = middle, span
    axes.set_xlim(x - width / 2, x + width / 2)
    axes.set_ylim(y + height / 2, y - height / 2)
    axes.set_aspect("equal")
    axes.set_axis_off()


@styled
def panels_figure(panels: Sequence[Panel], extra_width: float = 0.0, key: Sequence[Artist] = ()) -> Figure:
    """The pairs side by side, all to one scale, each with its figures below, and a key of what is drawn at the bottom.

    `extra_width`: room on the right for what the caller adds, in panels. `key`: of what `Panel.also` draws.
    """
    hulls = [hull(panel.prediction, panel.target) for panel in panels]
    span = max(h[2] - h[0] for h in hulls) * 1.1, max(h[3] - h[1] for h in hulls) * 1.12
    n_rows = max(len(panel.rows) for panel in panels)
    widths = [1.0] * len(panels) + [extra_width] * bool(extra_width)
    high = min(WIDE / sum(widths) * 0.94 * span[1] / span[0], HIGHEST)
    figure = new_figure(WIDE, high + n_rows * LINE + 0.9)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.07, wspace=0.02, hspace=0.0)  # type: ignore[union-attr, call-arg]
    grid = figure.add_gridspec(2, len(widths), height_ratios=(high, n_rows * LINE), width_ratios=widths)
    for k, (panel, around) in enumerate(zip(panels, hulls, strict=True)):
        axes = figure.add_subplot(grid[0, k])
        frame(axes, ((around[0] + around[2]) / 2, (around[1] + around[3]) / 2), span)
        draw_target(axes, panel.target)
        draw_anchor(axes, panel.prediction)
        if panel.also is not None:
            panel.also(axes)
        axes.set_title(panel.title, loc="center", fontsize=LARGE)
        write_rows(figure.add_subplot(grid[1, k]), panel.rows, n_rows)
    draw_key(figure, anchor_key("prediction"), key)
    return figure


def anchor_key(label: str) -> Artist:
    """What `draw_anchor` draws, in a key."""
    return Line2D([], [], color=INK, linewidth=2.4, linestyle=(0, (4, 1.8)), label=label)


def start_key() -> Artist:
    """What `draw_start` draws, in a key."""
    return Patch(facecolor=START_GROUND, edgecolor=INK, linewidth=1.6, linestyle=(0, (2.6, 1.2)), label="start")


def draw_key(figure: Figure, black: Artist, more: Sequence[Artist] = ()) -> None:
    """What is what, below everything. `black`: `anchor_key` or `start_key`."""
    target = Patch(facecolor=TARGET_GROUND, edgecolor=TARGET, linewidth=2.5, label="target")
    widths = [0.09 * len(str(one.get_label())) + 0.9 for one in (target, black, *more)]  # inches, or a little more
    columns = len(widths) if sum(widths) < figure.get_figwidth() else max(1, int(figure.get_figwidth() / max(widths)))
    figure.set_figheight(figure.get_figheight() + 0.3 * (-(-len(widths) // columns) - 1))
    figure.legend(handles=[target, black, *more], loc="outside lower center", ncols=columns, fontsize=11, handlelength=2.6, columnspacing=2.5)


def write_rows(axes: Axes, rows: Sequence[Row], n_rows: int) -> None:
    """A small table: names on the left, figures on the right, ruled."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(n_rows, 0)
    for k, row in enumerate(rows):
        colour = look(row.loss).colour if row.loss else FAINT
        weight = "bold" if row.loss else "normal"
        axes.text(0.1, k + 0.5, literal(row.name), color=colour, fontsize=LARGE, fontweight=weight, va="center")
        axes.text(0.9, k + 0.5, row.figure, color=colour, fontsize=LARGE, fontweight=weight, va="center", ha="right")
        if k:
            axes.plot([0.1, 0.9], [k, k], color=RULE, linewidth=0.8)
