"""Figures of a comparison: differences from the baseline with their intervals, and what happened epoch by epoch.

They take plain numbers, keyed by loss, and know nothing of plans, trials or reports.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from boxloss.draw.colours import FAINT, INK, look
from boxloss.draw.style import line_style, literal, name_lines_at_their_ends, new_figure, styled

WIDTH = 7.2  # inches: at 10 point text, as wide as a column of a printed page

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Row:
    """One loss in an interval figure: a value for each seed, and their mean with its interval (None where one seed gives none)."""

    loss: str
    values: Sequence[float]
    mean: float
    low: float | None
    high: float | None
    shown: bool = False  # did the test show that it is not 0?


@styled
def interval_figure(panels: Mapping[str, Sequence[Row]], baseline: str) -> Figure:
    """Differences from the baseline, a panel a metric: a small dot a seed, a large marker for the mean, a bar for its 95% interval.

    `panels`: the metric as the axis names it -> rows, the same losses in each. A filled mean marker: the difference is shown; hollow: not shown.
    The axis fits the dots; an interval that is wider (as with two seeds) ends in an arrow at the panel's edge.
    """
    n_rows = max(len(rows) for rows in panels.values())
    figure = new_figure(WIDTH, 1.15 + 0.42 * n_rows)
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (metric, rows) in zip(all_axes, panels.items(), strict=True):
        reach = _reach(rows)
        axes.set_xlim(-reach, reach)
        axes.axvline(0.0, color=INK, linewidth=1.2)
        for index, row in enumerate(rows):
            _interval_row(axes, index, row, reach)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [literal(row.loss) for row in rows])
        axes.tick_params(axis="y", length=0, pad=8)
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(5 if len(panels) == 1 else 3, symmetric=True))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.3g}" if abs(value) > 1e-9 else "0")
        axes.set_xlabel(f"{metric} minus {literal(baseline)}'s {metric}")
        if len(panels) == 1:
            axes.text(0.0, 1.02, f"← worse than {literal(baseline)}", transform=axes.transAxes, fontsize=9, color=FAINT)
            axes.text(1.0, 1.02, f"better than {literal(baseline)} →", transform=axes.transAxes, fontsize=9, color=FAINT, ha="right")
    return figure


def _reach(rows: Sequence[Row]) -> float:
    """How far from 0 the axis goes: as far as the intervals, but not so far that the dots shrink to one."""
    dots = max((abs(value) for row in rows for value in row.values), default=0.0)
    ends = max((abs(end) for row in rows for end in (row.low, row.high) if end is not None), default=0.0)
    return 1.1 * max(dots, min(ends, 2 * dots)) or 0.01


def _interval_row(axes: Axes, index: int, row: Row, reach: float) -> None:
    chosen = look(row.loss)
    if row.low is not None and row.high is not None:
        axes.plot([max(row.low, -reach), min(row.high, reach)], [index, index], color=chosen.colour, linewidth=2.4, solid_capstyle="butt", zorder=2)
        for end, marker in ((row.low, "<"), (row.high, ">")):
            if abs(end) > reach:
                axes.plot([math.copysign(reach, end)], [index], marker=marker, color=chosen.colour, markersize=8, clip_on=False, zorder=3)
    offsets = [0.22] * len(row.values)  # below the bar, so that no dot hides behind it
    axes.plot(
        row.values,
        [index + offset for offset in offsets],
        linestyle="none",
        marker="o",
        markersize=4.5,
        color=chosen.colour,
        alpha=0.75,
        markeredgewidth=0,
        zorder=3,
    )
    face = chosen.colour if row.shown else "white"
    axes.plot([row.mean], [index], color=chosen.colour, marker=chosen.marker, markersize=8.5, markerfacecolor=face, markeredgewidth=1.8, zorder=4)


@styled
def epoch_figure(by_loss: Mapping[str, Mapping[int, Points]], label: str, *, percent: bool = False, log: bool = False, mark: bool = False) -> Figure:
    """A quantity by epoch: thick, each loss's mean over seeds; thin, each seed. `label` names the quantity and its unit.

    `by_loss`: loss -> seed -> points (epoch, value). `mark`: draw a marker at each point (for values that exist at a few epochs only).
    """
    figure = new_figure(WIDTH, 3.6)
    axes: Axes = figure.subplots()
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    ends = {}
    for loss, by_seed in by_loss.items():
        mean = _mean_line(by_seed)
        if not mean:
            continue
        style = line_style(loss)
        if len(by_seed) > 1:
            for points in by_seed.values():
                axes.plot(*zip(*points, strict=True), linewidth=0.7, alpha=0.35, **style)
        axes.plot(*zip(*mean, strict=True), marker=look(loss).marker if mark else None, markersize=5, **style)
        ends[loss] = mean[-1]
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if percent:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
        axes.set_ylim(bottom=0.0)
    figure.canvas.draw()  # settles the axes' limits and place, which the names need
    name_lines_at_their_ends(axes, ends)
    return figure


def _mean_line(by_seed: Mapping[int, Points]) -> list[tuple[float, float]]:
    """The mean over seeds at each epoch that all seeds have."""
    lines = [dict(points) for points in by_seed.values() if points]
    if not lines:
        return []
    common = sorted(set.intersection(*(set(line) for line in lines)))
    return [(epoch, math.fsum(line[epoch] for line in lines) / len(lines)) for epoch in common]
