"""Figures of anchors: among the sizes of one's boxes, drawn to scale, what they are worth; and on a picture, at one cell and where they match an object."""

from collections.abc import Sequence

import matplotlib.patheffects as effects
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from boxloss.anchors.study import Study
from boxloss.datasets.types import Pixels
from boxloss.draw.colours import INK
from boxloss.draw.dataset import BARS, CLASS_COLOURS, MARK
from boxloss.draw.style import new_figure, styled
from boxloss.words import plural

Floats = npt.NDArray[np.floating]

MOST_POINTS = 4000
A_ROW = 9
"""Anchors drawn side by side."""
FAINTER = 0.5
"""Of a picture below anchors, so that their colours are told apart on any ground."""
METRICS = (("mean best IoU", "o", 6, BARS), ("IoU ≥ 0.5", "s", 6, MARK), ("sides within × 4", "D", 9, "#9A9A9A"))
"""Name, marker, its size and colour; what may lie on the same place as another is drawn below it, and larger."""


@styled
def sizes_figure(sizes: Floats, study: Study) -> Figure:
    """Widths against heights of at most 4,000 boxes, (N, 2), the anchors, and the borders between the boxes that each is most similar to."""
    figure = new_figure(6.4, 6.4)
    axes = figure.subplots()
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(sizes))[:MOST_POINTS]
    shown = np.asarray(sizes)[order]
    shapes = study.clusters.shapes.astype(np.float64)
    both = np.concatenate([shown, shapes])
    low, high = float(both.min()) * 0.85, float(both.max()) * 1.18
    axes.scatter(shown[:, 0], shown[:, 1], s=7, color=BARS, alpha=0.35, linewidths=0)
    _borders(axes, shapes, low, high)
    halo = [effects.Stroke(linewidth=3, foreground="white"), effects.Normal()]
    axes.scatter(shapes[:, 0], shapes[:, 1], s=55, marker="s", color=MARK, edgecolor="white", linewidth=1.2, zorder=3)
    for number, (w, h) in enumerate(shapes.tolist(), 1):
        axes.annotate(str(number), (w, h), xytext=(6, 5), textcoords="offset points", fontsize=11, fontweight="bold", color=MARK, path_effects=halo)
    _sides_axes(axes, low, high)
    rest = f" ({len(shown):,} of {study.n_boxes:,})" if len(shown) < study.n_boxes else f" ({study.n_boxes:,})"
    axes.set_title(f"{plural(len(shapes), 'anchor')} among the boxes{rest}")
    return figure


def _borders(axes: Axes, shapes: Floats, low: float, high: float) -> None:
    """Lines where another anchor becomes the most similar one."""
    along = np.geomspace(low, high, 400)
    w, h = np.meshgrid(along, along)
    overlap = np.minimum(w[..., None], shapes[:, 0]) * np.minimum(h[..., None], shapes[:, 1])
    nearest = (overlap / (w[..., None] * h[..., None] + shapes.prod(axis=1) - overlap)).argmax(axis=-1)
    for number in np.unique(nearest):  # every border twice, once from each side
        axes.contour(w, h, (nearest == number).astype(float), levels=[0.5], colors=INK, linewidths=0.5)


def _sides_axes(axes: Axes, low: float, high: float) -> None:
    ticks = [2.0**power for power in range(-4, 16) if low <= 2.0**power <= high]
    for axis, set_scale, set_limits in ((axes.xaxis, axes.set_xscale, axes.set_xlim), (axes.yaxis, axes.set_yscale, axes.set_ylim)):
        set_scale("log")
        set_limits(low, high)
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_aspect("equal")
    axes.set_xlabel("width, pixels of the input")
    axes.set_ylabel("height, pixels of the input")


@styled
def anchors_figure(study: Study) -> Figure:
    """Every anchor drawn to one scale, by area, with its sides and the share of the boxes that it is most similar to."""
    shapes, shares = study.clusters.shapes.astype(np.float64), study.clusters.counts / max(study.n_boxes, 1)
    rows = [list(range(start, min(start + A_ROW, len(shapes)))) for start in range(0, len(shapes), A_ROW)]
    slots = [np.maximum(shapes[row, 0], shapes[:, 0].max() * 0.42) * 1.15 for row in rows]
    across = max(float(slot.sum()) for slot in slots)
    heights = [float(shapes[row, 1].max()) + 0.075 * across for row in rows]  # below each there are two lines of text
    figure = new_figure(11.0, 11.0 * (sum(heights) / across - 0.01) + 0.35)
    axes = figure.subplots()
    ground = -0.06 * across  # no text above the first row
    for row, slot, height in zip(rows, slots, heights, strict=True):
        ground += height
        x = 0.0
        for number, room in zip(row, slot.tolist(), strict=True):
            w, h = shapes[number].tolist()
            middle = x + room / 2
            axes.add_patch(Rectangle((middle - w / 2, ground - h), w, h, facecolor="#DCE9F5", edgecolor=BARS, linewidth=1.6))
            text = f"{w:.0f} × {h:.0f}\n{shares[number]:.0%}"
            axes.annotate(text, (middle, ground), xytext=(0, -4), textcoords="offset points", ha="center", va="top", fontsize=9)
            x += room
    axes.set_xlim(0, across)
    axes.set_ylim(ground + 0.05 * across, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(
        f"{plural(len(shapes), 'anchor')} in pixels of an input of {study.size[0]} × {study.size[1]}, and the share of the boxes that each is nearest to"
    )
    return figure


@styled
def curve_figure(study: Study) -> Figure:
    """What so many anchors by k-means are worth, and beside them those of well-known detectors."""
    figure = new_figure(11.0, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    numbers = list(study.curve)
    for column, (name, marker, size, colour) in enumerate(METRICS):
        values = [worth[column] for worth in study.curve.values()]
        left.plot(numbers, values, marker=marker, color=colour, markersize=size, label=name, zorder=4 - column)
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_xlabel("anchors by k-means")
    left.set_title("More anchors fit better")
    k = len(study.clusters.shapes)
    rows = [(f"k-means: {k}", study.curve[k]), *((f"{name}: {number}", worth) for name, (number, worth) in study.stock.items())]
    for column, (_, marker, size, colour) in enumerate(METRICS):
        values = [worth[column] for _, worth in rows]
        right.plot(values, range(len(rows)), linestyle="none", marker=marker, color=colour, markersize=1.5 * size, zorder=4 - column)
    right.set_yticks(range(len(rows)), [name for name, _ in rows])
    right.get_yticklabels()[0].set_fontweight("bold")
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set_title("Beside stock anchors")
    low = min(0.9, min(worth.mean_iou for worth in [*study.curve.values(), *(worth for _, worth in study.stock.values())]))
    left.set_ylim(low - 0.05, 1.03)
    right.set_xlim(low - 0.05, 1.03)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def show_picture(axes: Axes, pixels: Pixels, size: tuple[float, float], faint: float = 1.0) -> None:
    """The picture (H, W, 3) at `size` pixels (width, height), without axes; `faint` below 1 lets what is drawn on it stand out."""
    axes.imshow(pixels, extent=(0, size[0], size[1], 0), interpolation="nearest", alpha=faint)
    axes.set_xlim(0, size[0])
    axes.set_ylim(size[1], 0)
    axes.set_axis_off()


def outline(axes: Axes, box: Sequence[float], colour: str, width: float = 2.0, dash: tuple[float, ...] = ()) -> None:
    """A box with a white edge, so that it stands out on any picture."""
    left, top, right, bottom = (float(side) for side in box)
    edge = [effects.Stroke(linewidth=width + 1.6, foreground="white"), effects.Normal()]
    style = (0, dash) if dash else "-"
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=width, linestyle=style, path_effects=edge))


@styled
def cell_figure(pixels: Pixels, size: int, by_scale: dict[str, Floats]) -> Figure:
    """The anchors of one cell in the middle of a picture of `size` x `size`: name of a scale -> boxes (n, 4), one colour a scale."""
    figure = new_figure(7.2, 5.2)
    axes = figure.subplots()
    show_picture(axes, pixels, (size, size), FAINTER)
    handles = []
    for (name, boxes), colour in zip(by_scale.items(), CLASS_COLOURS, strict=False):
        for box in boxes:
            outline(axes, box.tolist(), colour)
        sides = "\n".join(f"  {box[2] - box[0]:.5g} × {box[3] - box[1]:.5g}" for box in boxes)
        handles.append(Line2D([], [], color=colour, linewidth=2.5, label=f"{name}\n{sides}"))
    axes.plot([size / 2], [size / 2], "o", color=INK, markersize=7, markeredgecolor="white")
    n = sum(map(len, by_scale.values()))
    axes.set_title(f"{plural(n, 'anchor')} at one cell of a picture of {size} × {size}")
    figure.legend(handles=handles, loc="outside right center", fontsize=11, labelspacing=1.2)
    return figure


@styled
def grid_figure(pixels: Pixels, size: int, levels: dict[int, tuple[Floats, int]]) -> Figure:
    """One panel a level, stride -> (its anchors (P, 4), anchors a cell): a dot for each cell, and the anchors of the one in the middle."""
    figure = new_figure(3.9 * len(levels), 4.4)
    total = 0
    for axes, (stride, (boxes, per_cell)), colour in zip(figure.subplots(1, len(levels)), levels.items(), CLASS_COLOURS, strict=False):
        show_picture(axes, pixels, (size, size), FAINTER)
        cells = boxes.reshape(-1, per_cell, 4)
        centres = (cells[:, 0, :2] + cells[:, 0, 2:]) / 2
        axes.plot(*centres.T, "o", color=colour, markersize=4.5, markeredgecolor="white", markeredgewidth=0.6)
        middle = int(np.abs(centres - size / 2).sum(axis=1).argmin())
        for box in cells[middle]:
            outline(axes, box.tolist(), colour)
        n = size // stride
        axes.set_title(f"stride {stride}: {n} × {n} × {per_cell} = {len(boxes)}")
        total += len(boxes)
    figure.suptitle(f"{total} anchors; those of one cell are drawn", x=0.004, ha="left", fontsize=13)
    return figure


@styled
def matches_figure(pixels: Pixels, size: int, objects: Floats, anchors: Floats, index: npt.NDArray[np.int64], threshold: float) -> Figure:
    """Left the objects, right the anchors that match one, in its colour. `index`: (P,), the object of each anchor, negative for none."""
    figure = new_figure(9.6, 5.1)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        show_picture(axes, pixels, (size, size), FAINTER)
    halo = [effects.Stroke(linewidth=3.5, foreground="white"), effects.Normal()]
    for number, box in enumerate(objects):
        colour = CLASS_COLOURS[number % len(CLASS_COLOURS)]
        n = int((index == number).sum())
        outline(left, box.tolist(), colour, 2.6)
        middle = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
        left.annotate(str(n), middle, ha="center", va="center", fontsize=15, fontweight="bold", color=colour, path_effects=halo)
        for anchor in anchors[index == number]:
            outline(right, anchor.tolist(), colour, 1.7)
    left.set_title(f"{plural(len(objects), 'object')}, and how many anchors each has")
    right.set_title(f"{int((index >= 0).sum())} of {len(anchors)} anchors: IoU ≥ {threshold:g} with an object")
    return figure
