"""Figures of a simulation that need one number a step or a loss: the error as boxes move, and the order of losses at each rate."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from boxloss.draw.colours import DASHED, FAINT, INK, RULE, Look, looks
from boxloss.draw.style import line_style, literal, name_lines_at_their_ends, new_figure, styled
from boxloss.simulate.protocol import Protocol
from boxloss.words import plural

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]
"""A figure's numbers: the columns' names, and rows."""


def base(label: str) -> str:
    """The loss that a label is about: `giou` of `giou-released`."""
    return label.split("-")[0]


def look_of(label: str, among: Sequence[str] = ()) -> Look:
    """The look of the loss that a label is about: `giou-released` is drawn in GIoU's colour. `among`: all labels of the figure."""
    return looks(map(base, among or [label]))[base(label)]


def style(label: str, labels: Sequence[str]) -> dict[str, Any]:
    """Of a label's line: dashed where the same loss has a line already."""
    first = next(other for other in labels if base(other) == base(label))
    return line_style(base(label), look_of(label, labels)) | ({} if first == label else {"linestyle": (0, DASHED)})


def error_rows(curves: Mapping[str, np.ndarray], n_cases: int) -> Table:
    """The mean error of a case before the first step and after each; `curves`: the sums over all cases, (steps + 1,)."""
    return ("loss", "step", "mean_error"), [(label, step, total / n_cases) for label, sums in curves.items() for step, total in enumerate(sums.tolist())]


@styled
def error_figure(curves: Mapping[str, np.ndarray], plan: Protocol, title: str = "") -> Figure:
    """The mean error against the step, a line a loss, named at its end. Thin lines stand where the rate changes."""
    figure = new_figure(9.0, 5.0)
    axes = figure.subplots()
    axes.set_yscale("log")
    labels, ends = list(curves), {}
    for label, sums in curves.items():
        errors = np.maximum(sums / plan.n_cases, 1e-16)
        seen = np.flatnonzero(np.isfinite(errors))  # a loss may lead to no number; where boxes start is always one
        errors = np.where(np.isfinite(errors), errors, np.nan)
        axes.plot(np.arange(len(errors)), errors, **style(label, labels))
        ends[label] = (float(seen[-1]), float(errors[seen[-1]]))
    before = 0
    for share, rate in plan.rates:
        if before:
            axes.axvline(before, color=RULE, linewidth=1.0, zorder=0)
        axes.text(before, 1.01, f"{'' if before else 'rate '}{rate:g}", transform=axes.get_xaxis_transform(), fontsize=9, color=FAINT, va="bottom")
        before = round(share * plan.steps)
    axes.set_xlim(0, plan.steps)
    axes.set_xlabel("step")
    axes.set_ylabel("mean error of a case:  |Δx| + |Δy| + |Δw| + |Δh|")
    axes.set_title(title or f"{plan.name}: {plural(plan.n_cases, 'case')}", fontsize=13, pad=20)
    figure.canvas.draw()  # settles the axes' limits and place, which the names need
    name_lines_at_their_ends(axes, ends, lambda label: look_of(label, labels))
    return figure


Ranks = Mapping[str, Sequence[int]]


def rank_rows(ranks: Ranks, ways: Sequence[str]) -> Table:
    return ("loss", "way", "rank"), [(loss, way, rank) for loss, places in ranks.items() for way, rank in zip(ways, places, strict=True)]


@styled
def rank_figure(ranks: Ranks, ways: Sequence[str], title: str = "The order of the losses, by mean final error") -> Figure:
    """The place of each loss, 1 for the least error, in each of the ways that boxes were moved: a line a loss. Crossing lines are an order that flips."""
    figure = new_figure(9.0, 1.6 + 0.28 * len(ranks))
    axes = figure.subplots()
    for loss, places in ranks.items():
        chosen = look_of(loss)
        axes.plot(range(len(ways)), places, marker=chosen.marker, markersize=6, **line_style(base(loss)))
        for at, place, side in ((0, places[0], "right"), (len(ways) - 1, places[-1], "left")):
            axes.text(at + (0.08 if side == "left" else -0.08), place, literal(loss), ha=side, va="center", fontsize=9.5, color=chosen.colour)
    axes.set_xticks(range(len(ways)), ways)
    axes.set_xlim(-0.9, len(ways) - 0.1)
    axes.set_ylim(len(ranks) + 0.7, 0.3)
    axes.set_yticks(range(1, len(ranks) + 1) if len(ranks) <= 12 else [1, *range(5, len(ranks) + 1, 5)])
    axes.set_xlabel("first rate of plain descent, or another optimiser")
    axes.set_ylabel("place", color=INK)
    axes.set_title(title, fontsize=13)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    return figure
