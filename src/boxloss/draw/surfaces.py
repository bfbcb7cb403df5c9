"""Figures of a simulation's final boxes: the error by where an anchor's centre was, and the final IoU by how an anchor differed from its target."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from boxloss.draw.colours import FAINT, INK
from boxloss.draw.curves_of_error import Table, look_of, style
from boxloss.draw.style import literal, name_lines_at_their_ends, new_figure, styled
from boxloss.formulas import find
from boxloss.losses import Similarity
from boxloss.simulate.run import Result

Floats = np.ndarray
LEAST = 1e-4
"""Errors below have one colour: that a box is off by a ten-thousandth of its side cannot be seen."""
LEVELS = "viridis"


def surface_rows(results: Mapping[str, Result]) -> Table:
    """For each centre the mean final error of its cases."""
    rows = []
    for label, result in results.items():
        rows += [(label, x, y, error) for (x, y), error in zip(result.plan.centres().tolist(), _mean_errors(result).tolist(), strict=True)]
    return ("loss", "x", "y", "mean_error"), rows


def _mean_errors(result: Result) -> Floats:
    return np.asarray(result.surface() / result.plan.cases_per_centre)


@styled
def surface_figure(results: Mapping[str, Result], three_d: bool = False) -> Figure:
    """The mean final error over the centres of the anchors, a panel a loss, all to one logarithmic scale of colours; as maps, or as surfaces."""
    n = len(results)
    columns = n if n < 4 else 3 if n in (5, 6, 9) else 4
    n_rows = -(-n // columns)
    figure = new_figure(max(3.1 * columns, 5.0) + 1.0, 3.2 * n_rows + 0.5)
    errors = {label: np.maximum(_mean_errors(result), LEAST) for label, result in results.items()}
    known = np.concatenate([[LEAST * 10], *(e[np.isfinite(e)] for e in errors.values())])  # a loss may lead to no number: its places stay white
    norm = LogNorm(min(known[1:], default=LEAST), known.max())
    panels: list[Any] = []
    for k, (label, result) in enumerate(results.items(), 1):
        centres = result.plan.centres()
        if three_d:
            panels.append(_hill(figure.add_subplot(n_rows, columns, k, projection="3d"), centres, errors[label], norm))
        else:
            panels.append(_map(figure.add_subplot(n_rows, columns, k), result, centres, errors[label], norm))
        panels[-1].set_title(literal(label), loc="center", fontsize=13)
    bar = figure.colorbar(_colours(norm), ax=panels, shrink=0.8, pad=0.02)
    bar.set_label("mean final error of a case")
    bar.outline.set_visible(False)
    return figure


def _colours(norm: LogNorm) -> Any:
    from matplotlib.cm import ScalarMappable

    return ScalarMappable(norm, LEVELS)


def _map(axes: Any, result: Result, centres: Floats, errors: Floats, norm: LogNorm) -> Any:
    x, y = result.plan.centre
    if len(centres) >= 300:
        axes.tripcolor(Triangulation(*centres.T), errors, norm=norm, cmap=LEVELS, shading="gouraud", rasterized=True)
    else:  # too few to fill the ground between them
        axes.scatter(*centres.T, c=errors, norm=norm, cmap=LEVELS, s=28, linewidths=0)
    axes.plot([x], [y], marker="+", color="white" if len(centres) >= 300 else INK, markersize=9, markeredgewidth=1.6)
    axes.set_aspect("equal")
    axes.set(xlabel="x of the centre", ylabel="y")
    axes.grid(False)
    return axes


def _hill(axes: Any, centres: Floats, errors: Floats, norm: LogNorm) -> Any:
    triangles = Triangulation(*centres.T)
    heights = np.log10(errors)
    drawn = axes.plot_trisurf(triangles, heights, cmap=LEVELS, norm=norm, linewidth=0, antialiased=False)
    drawn.set_array(10 ** heights[triangles.triangles].mean(axis=1))
    low, high = (float(np.log10(x)) for x in (norm.vmin or LEAST, norm.vmax or 1.0))
    axes.set_zlim(low, high)
    ticks = list(range(int(np.ceil(low)), int(np.floor(high)) + 1))
    axes.set_zticks(ticks, [f"$10^{{{p}}}$" for p in ticks])
    axes.set(xlabel="x", ylabel="y")
    axes.view_init(elev=32, azim=-58)
    axes.tick_params(labelsize=8, colors=FAINT)
    return axes


def starts(result: Result) -> dict[str, Floats]:
    """How each case's anchor differs from its target: IoU, the distance of the centres in roots of the target's area, the areas' quotient, and the quotient
    of their ratios of width to height, at least 1."""
    anchors, targets = result.plan.cases(0, result.plan.n_cases)
    area, target_area = anchors[:, 2] * anchors[:, 3], targets[:, 2] * targets[:, 3]
    aspect = np.log(anchors[:, 2] / anchors[:, 3]) - np.log(targets[:, 2] / targets[:, 3])
    return {
        "overlap": np.asarray(Similarity(find("iou"))(anchors, targets, format="cxcywh")),
        "distance": np.hypot(*(anchors - targets)[:, :2].T) / np.sqrt(target_area),
        "scale": (area / target_area).round(6),
        "aspect": np.exp(np.abs(aspect)).round(6),
    }


AXES = {
    "overlap": "IoU at the start",
    "distance": "distance of the centres, in sides of the target",
    "scale": "area of the anchor / area of the target",
    "aspect": "ratio of sides, anchor to target",
}
BINS = 12
FEWEST = 20
"""Cases that a mean is taken of, at least."""


def start_rows(results: Mapping[str, Result]) -> Table:
    """The mean final IoU of the cases that began alike: loss, by what, from, to, cases, mean IoU. Overlap and distance are cut into equal parts, and no overlap
    is a part by itself; scales and aspects are as the protocol has them."""
    rows: list[tuple[Any, ...]] = []
    for label, result in results.items():
        for by, values in starts(result).items():
            for low, high, which in _parts(by, values):
                if which.sum() >= FEWEST:
                    rows.append((label, by, low, high, int(which.sum()), float(result.ious[which].mean())))
    return ("loss", "by", "from", "to", "cases", "mean_final_iou"), rows


def _parts(by: str, values: Floats) -> list[tuple[float, float, Floats]]:
    if by in ("scale", "aspect"):
        return [(float(value), float(value), values == value) for value in np.unique(values)]
    edges = np.linspace(0, values.max(), BINS + 1)
    parts = [(float(low), float(high), (values > low) & (values <= high)) for low, high in pairwise(edges)]
    return [(0.0, 0.0, values == 0), *parts] if by == "overlap" else parts


@styled
def start_figure(results: Mapping[str, Result]) -> Figure:
    """The mean final IoU against four things that an anchor started with, a panel each, a line a loss."""
    _, rows = start_rows(results)
    labels = list(results)
    figure = new_figure(11.0, 6.6)
    panels = figure.subplots(2, 2, sharey=True)
    for axes, (by, name) in zip(panels.ravel(), AXES.items(), strict=True):
        ends = {}
        for label in labels:
            points = [((low + high) / 2, iou) for of, what, low, high, _, iou in rows if of == label and what == by]
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3.5, **style(label, labels))
            axes.update_datalim([(x, 0.0) for x, _ in points])  # a line that is nowhere spans no axis
            seen = [point for point in points if np.isfinite(point[1])]
            ends[label] = seen[-1] if seen else (points[-1][0], 0.0)
        axes.set(xlabel=name, ylim=(-0.03, 1.05))
        if by in ("scale", "aspect"):
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        if axes in panels[:, 0]:
            axes.set_ylabel("mean final IoU")
        figure.canvas.draw()
        name_lines_at_their_ends(axes, ends, lambda label: look_of(label, labels))
    return figure
