"""The pictures of docs/simulation.md. Each is a function without arguments, which measures what it shows."""

import statistics
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.simulated import measure
from benchmarks.simulated.measure import FAULTS_OF, IOUS, PAPER, RATES, TENTH, Faults
from benchmarks.simulated.tables import RATED, TITLES, UPDATES, figures
from boxloss.draw.colours import FAINT, INK, RULE, look
from boxloss.draw.style import line_style, name_lines_at_their_ends, new_figure, styled
from boxloss.draw.surfaces import surface_figure
from boxloss.simulate import simulate
from boxloss.simulate.gradients import RELEASED

LEAST = 1e-5
"""An error below is drawn as this one."""


@styled
def curves() -> Figure:
    """As the paper shows them: on a linear scale."""
    figure = new_figure(12.0, 4.6)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (update, title) in zip(panels, (("released", "with the released update"), ("exact", "with exact gradients")), strict=True):
        ends = {}
        for name in RELEASED:
            sums = measure.run(name, PAPER, UPDATES[update]).sums / 1e6
            axes.plot(sums, **line_style(name))
            ends[name] = (float(len(sums) - 1), float(sums[-1]))
        axes.set_xlim(0, PAPER.steps)
        axes.set_ylim(0, 7)
        axes.set_title(title, fontsize=14)
        axes.set_xlabel("step")
        figure.canvas.draw()
        name_lines_at_their_ends(axes, ends)
    panels[0].set_ylabel("sum of the errors, millions")
    return figure


def surfaces(three_d: bool = False) -> Figure:
    shown = (("released", "giou"), ("exact", "giou"), ("exact", "diou"))
    found = {f"{TITLES[name]}, {update}": simulate(name, PAPER, faults=UPDATES[update]) for update, name in shown}
    return surface_figure(found, three_d=three_d)


@styled
def faults() -> Figure:
    """Every choice of DIoU's faults, the least error first: a bar each, and dots that say which faults were made."""
    own = FAULTS_OF["diou"]
    errors: dict[Faults, float] = {made: measure.run("diou", PAPER, made).sums[-1] / 1e6 for made in measure.subsets(own)}
    order = sorted(errors, key=errors.__getitem__)
    figure = new_figure(11.0, 5.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.5))
    for x, made in enumerate(order):
        chosen = INK if made in ((), own) else look("diou").colour
        above.bar(x, errors[made], width=0.62, color=chosen)
        above.text(x, errors[made] * 1.15, figures(errors[made]), ha="center", fontsize=9, color=chosen)
        for y, fault in enumerate(own):
            below.plot(x, y, "o", markersize=9, color=chosen if fault in made else RULE)
    for made, word in (((), "exact"), (own, "released")):
        above.text(order.index(made), errors[made] * 1.75, word, ha="center", fontsize=11, fontweight="bold")
    above.set_yscale("log")
    above.set_ylim(0.002, 20)
    above.set_ylabel("final sum of the errors, millions")
    above.set_title("DIoU with each choice of the released update's faults", fontsize=14)
    above.grid(visible=False, axis="x")
    _rows_of_dots(below, own)
    return figure


def _rows_of_dots(axes: Axes, own: Sequence[str]) -> None:
    axes.set_yticks(range(len(own)), own, fontsize=11)
    axes.set_ylim(len(own) - 0.4, -0.6)
    axes.set_xticks([])
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


@styled
def rates() -> Figure:
    figure = new_figure(12.0, 5.0)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (parameters, title) in zip(panels, (("cxcywh", "centre and size are moved"), ("xyxy", "corners are moved")), strict=True):
        ends = {}
        for name in RATED:
            errors = [statistics.mean(run.mean_error for run in measure.seeds(name, TENTH.with_(parameters=parameters).at_rate(rate))) for rate in RATES]
            width = 2.6 if name in IOUS else 1.3
            axes.plot(RATES, np.maximum(errors, LEAST), marker=look(name).marker, markersize=6, **line_style(name), linewidth=width)
            ends[name] = (RATES[-1], max(errors[-1], LEAST))
        axes.set(xscale="log", yscale="log")
        axes.set_ylim(LEAST * 0.8, 10)
        axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
        axes.minorticks_off()
        axes.set_xlabel("rate of the first 160 steps")
        axes.set_title(title, fontsize=14)
        figure.canvas.draw()
        name_lines_at_their_ends(axes, ends)
    panels[0].set_ylabel("mean final error of a case")
    panels[0].set_yticks([10.0**power for power in range(-5, 2)], ["≤ $10^{-5}$", *(f"$10^{{{power}}}$" for power in range(-4, 2))])
    return figure


@styled
def cosines() -> Figure:
    """Of pairs apart, at the start."""
    figure = new_figure(9.0, 4.2)
    axes = figure.subplots()
    bins = np.linspace(-1, 1, 81)
    for name in IOUS:
        found = measure.cosines(name, False).apart
        axes.hist(
            found, bins=bins.tolist(), histtype="step", linewidth=2, color=look(name).colour, label=TITLES[name], weights=np.full(len(found), 100 / len(found))
        )
    axes.axvline(0, color=FAINT, linewidth=1)
    axes.text(-0.02, 0.95, "uphill", transform=axes.get_xaxis_transform(), ha="right", va="top", color=FAINT, fontsize=12)
    axes.text(0.02, 0.95, "downhill", transform=axes.get_xaxis_transform(), ha="left", va="top", color=FAINT, fontsize=12)
    axes.set_xlim(-1, 1)
    axes.set_xlabel("cosine of the released update and minus the exact gradient, pairs apart at the start")
    axes.set_ylabel("% of the pairs")
    axes.legend(loc="upper left", fontsize=12)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "curves": curves,
    "surfaces": surfaces,
    "hills": lambda: surfaces(True),
    "faults": faults,
    "rates": rates,
    "cosines": cosines,
}
