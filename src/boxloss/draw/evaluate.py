"""Four figures of an examination: how well boxes fit, AP by threshold, what the mistakes cost, and what suppression does."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from boxloss.draw.colours import FAINT, INK
from boxloss.draw.dataset import BARS, MARK
from boxloss.draw.style import literal, new_figure, styled
from boxloss.evaluate import Errors, Examination, Localisation, Suppressed
from boxloss.evaluate.kinds import KINDS
from boxloss.words import plural

SIZE = (8.0, 4.5)  # inches: 16 to 9, as slides are
LABELS = {"localisation": "Localisation", "class": "Class", "both": "Both", "duplicate": "Duplicate", "background": "Background", "missed": "Missed"}
EXPLAINED = {
    "localisation": "right class, IoU .1 to .5",
    "class": "wrong class, IoU ≥ .5",
    "both": "wrong class, IoU .1 to .5",
    "duplicate": "found before",
    "background": "IoU < .1 with all",
    "missed": "objects never met",
}
# Okabe and Ito's colours (Color Universal Design, 2008): sky blue, blue, orange.
THREE = ("#56B4E9", "#0072B2", "#E69F00")


def figures(found: Examination, name: str) -> dict[str, Figure]:
    """By the file's name without suffix; `name` says whose detections they are. "nms" is there where suppression was asked for."""
    drawn = {
        "iou": iou_figure(found.localisation, name),
        "ap-by-threshold": curve_figure(found.localisation, found.metrics.ap, name),
        "mistakes": mistakes_figure(found.errors, name),
    }
    return drawn | ({"nms": nms_figure(found.nms, name)} if found.nms else {})


@styled
def iou_figure(found: Localisation, name: str) -> Figure:
    """Histogram of the IoU of matched detections, with quartiles."""
    figure, axes = _one_panel(f"{literal(name)}: how well {found.n_matched:,} found objects are boxed (of {found.n_objects:,})")
    edges = np.linspace(0.5, 1, 26)
    counts = np.histogram(found.iou, edges)[0]
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BARS, edgecolor="white", linewidth=0.8)
    axes.set_xlim(0.5, 1)
    axes.set_ylim(0, max(1.0, counts.max(initial=0) * 1.25))
    axes.xaxis.set_major_locator(MultipleLocator(0.1))
    axes.set_xlabel("IoU with the object")
    axes.set_ylabel("detections")
    axes.grid(axis="x", visible=False)
    names = {0.25: "a quarter below", 0.5: "half below", 0.75: "three quarters below"}
    for k, (share, words) in enumerate(names.items()):
        value = found.quantiles[share]
        if not math.isnan(value):
            axes.axvline(value, color=MARK, linewidth=1.5, linestyle="-" if share == 0.5 else (0, (4, 2)))
            # A step lower each, for quartiles may lie close together; to the left where there is no room on the right.
            side = ("left", 4) if value < 0.85 else ("right", -4)
            place: Any = {"xycoords": ("data", "axes fraction"), "xytext": (side[1], 0), "textcoords": "offset points", "ha": side[0], "va": "top"}
            white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            axes.annotate(f"{words} {value:.2f}", (value, 0.985 - 0.06 * k), fontsize=9, color=MARK, bbox=white, **place)
    return figure


@styled
def curve_figure(found: Localisation, ap: float, name: str) -> Figure:
    """AP against the IoU threshold, with its mean, COCO's AP."""
    figure, axes = _one_panel(f"{literal(name)}: average precision by IoU threshold")
    x, y = np.array(found.thresholds), np.array(found.ap)
    axes.plot(x, y, color=BARS, marker="o", markersize=6)
    axes.fill_between(x, y, color=BARS, alpha=0.12, linewidth=0)
    axes.set_xlim(0.48, 0.97)
    axes.set_ylim(0, max(0.1, np.nanmax(y, initial=0) * 1.2))
    axes.xaxis.set_major_locator(MultipleLocator(0.05))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2f}"))
    axes.set_xlabel("IoU from which a detection is right")
    axes.set_ylabel("AP")
    if not math.isnan(ap):
        axes.axhline(ap, color=MARK, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.annotate(f"AP, the mean: {ap:.3f}", (0.965, ap), xytext=(0, 4), textcoords="offset points", ha="right", fontsize=9, color=MARK)
    for threshold, value in zip(found.thresholds, found.ap, strict=True):
        if threshold in (0.5, 0.75, 0.9) and not math.isnan(value):
            axes.annotate(
                f"AP{threshold * 100:.0f}  {value:.3f}",
                (threshold, value),
                xytext=(6, 8),
                textcoords="offset points",
                fontsize=10,
                fontweight="bold",
                color=INK,
            )
    return figure


@styled
def mistakes_figure(found: Errors, name: str) -> Figure:
    """How many mistakes of each kind there are, and what each kind costs: two panels with the same rows, the costliest first."""
    figure = new_figure(*SIZE)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    kinds = sorted(KINDS, key=lambda kind: -_or_zero(found.costs[kind]))
    _bars(left, [_or_zero(found.costs[kind]) for kind in kinds], [_signed(found.costs[kind]) for kind in kinds], MARK)
    _bars(right, [found.counts[kind] for kind in kinds], [f"{found.counts[kind]:,}" for kind in kinds], BARS)
    left.set_yticks(range(len(kinds)), [LABELS[kind] for kind in kinds], fontsize=12)
    for place, kind in enumerate(kinds):
        left.annotate(EXPLAINED[kind], (0, place), xytext=(2, -16), textcoords="offset points", va="center", fontsize=8, color=FAINT)
    left.set_ylim(len(kinds) - 0.4, -0.6)
    left.set_title("What mending them would add to AP50")
    right.set_title("How many there are")
    right.tick_params(axis="y", length=0)
    start = "undefined" if math.isnan(found.ap50) else f"{found.ap50:.3f}"
    figure.suptitle(
        f"{literal(name)}: its mistakes ({plural(found.n_right, 'detection is', 'detections are')} right, AP50 is {start})",
        x=0.01,
        ha="left",
        fontweight="bold",
        fontsize=12,
    )
    return figure


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _signed(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:+.3f}"


def _bars(axes: Axes, values: list[float], words: list[str], colour: str) -> None:
    places = np.arange(len(values))
    axes.barh(places, values, color=colour, height=0.42)
    for place, value, word in zip(places, values, words, strict=True):
        axes.annotate(word, (max(value, 0.0), place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=10, fontweight="bold", color=INK)
    axes.set_xlim(min(0.0, *values), max(1e-3, *values) * 1.22)
    axes.grid(axis="y", visible=False)


@styled
def nms_figure(rows: tuple[Suppressed, ...], name: str) -> Figure:
    """AP, AP50 and AP75 of the raw detections and of what each kind of suppression leaves."""
    figure = new_figure(max(SIZE[0], 1.6 + 1.2 * len(rows)), SIZE[1])
    axes = figure.subplots()
    threshold = next((row.threshold for row in rows if row.threshold is not None), None)
    figure.suptitle(f"{literal(name)}: what suppression does to the same detections (threshold {threshold})", x=0.01, ha="left", fontweight="bold", fontsize=12)
    places = np.arange(len(rows))
    columns = {"AP50": [row.ap50 for row in rows], "AP": [row.ap for row in rows], "AP75": [row.ap75 for row in rows]}
    for k, (label, values) in enumerate(columns.items()):
        heights = np.nan_to_num(np.array(values, dtype=np.float64))
        at = places + (k - 1) * 0.27
        axes.bar(at, heights, width=0.25, color=THREE[k], label=label)
        for x, height in zip(at, heights, strict=True):
            axes.annotate(f"{height:.3f}".removeprefix("0"), (x, height), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9, color=INK)
    axes.set_xticks(places, [f"{literal(row.kind)}\n{row.kept_per_image:.1f} a picture" for row in rows], fontsize=10)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_ylim(0, max(0.05, *(_or_zero(value) for values in columns.values() for value in values)) * 1.15)
    axes.set_ylabel("average precision")
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside lower center", ncols=3, fontsize=10)
    return figure


def _one_panel(title: str) -> tuple[Figure, Axes]:
    figure = new_figure(*SIZE)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure, figure.subplots()
