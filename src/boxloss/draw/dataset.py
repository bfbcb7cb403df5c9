"""Two figures of a data set: sample pictures with their boxes, and how sizes, shapes, counts and overlaps are distributed."""

from typing import Any, Literal, NamedTuple

import matplotlib.patheffects as effects
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from boxloss.datasets.summary import CROWDED, LARGE, SMALL, Measures, measure
from boxloss.datasets.types import Dataset, Picture, Pixels
from boxloss.draw.colours import FAINT, INK
from boxloss.draw.style import literal, new_figure, styled
from boxloss.words import plural

# Okabe and Ito's eight colours (Color Universal Design, 2008), without yellow, whose contrast with white is too low for lines.
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1.5, 1.2), (5, 1.5, 1.5, 1.5))
BARS = "#0072B2"
MARK = "#B34700"
MOST_CLASSES = 16

Values = npt.NDArray[np.float64]


class ClassLook(NamedTuple):
    """A class's line: never told by colour alone once colours run out."""

    colour: str
    dash: tuple[float, ...]


def class_look(label: int) -> ClassLook:
    """The line for the class at this position in the data set's classes."""
    return ClassLook(CLASS_COLOURS[label % len(CLASS_COLOURS)], _DASHES[label // len(CLASS_COLOURS) % len(_DASHES)])


def choose(dataset: Dataset, n: int, seed: int = 0) -> list[tuple[str, Picture]]:
    """At most n pictures with their split, drawn at random but the same for the same seed; pictures with boxes first. Sorted by split and name."""
    everything = [(split, picture) for split, pictures in dataset.splits.items() for picture in pictures]
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(everything))
    drawn = sorted(order.tolist(), key=lambda k: not len(everything[k][1].boxes))[:n]  # stable: the random order stays within each kind
    return [everything[k] for k in sorted(drawn)]


@styled
def samples_figure(dataset: Dataset, n: int = 12, seed: int = 0) -> Figure:
    """A grid of n pictures with their boxes, one colour a class; ignored boxes are hatched, boxes without size are a cross.

    Pictures without image files stand as grey sheets of their size. Raises `DataError` where an image file is broken.
    """
    chosen = choose(dataset, n, seed)
    columns = min(4, len(chosen)) or 1
    rows = -(-len(chosen) // columns) or 1
    shape = float(np.median([picture.height / picture.width for _, picture in chosen])) if chosen else 1.0
    height = rows * (3.05 * min(max(shape, 0.5), 1.6) + 0.22) + 0.8
    figure = new_figure(3.1 * columns, height)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (split, picture) in zip(grid.flat, chosen, strict=False):
        _show(axes, picture)
        name = picture.name if len(picture.name) <= 26 else f"…{picture.name[-25:]}"
        axes.set_title(f"{literal(name)}  ·  {literal(split)}", fontsize=8, fontweight="normal", color=INK)
    figure.suptitle(
        f"{literal(dataset.name)}: {len(chosen)} of {plural(sum(map(len, dataset.splits.values())), 'picture')}", x=0.01, ha="left", fontweight="bold"
    )
    shown = sorted({int(label) for _, picture in chosen for label in picture.labels})
    handles = [_handle(dataset.classes[label], class_look(label)) for label in shown[:MOST_CLASSES]]
    if len(shown) > MOST_CLASSES:
        handles.append(Line2D([], [], linestyle="none", label=f"and {len(shown) - MOST_CLASSES} more"))
    if any(picture.ignore.any() for _, picture in chosen):
        handles.append(Line2D([], [], color=FAINT, linestyle=":", label="crossed: ignored"))
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=min(len(handles), max(2 * columns, 3)), fontsize=9)
    return figure


def _handle(name: str, look: ClassLook) -> Line2D:
    return Line2D([], [], color=look.colour, linestyle=(0, look.dash) if look.dash else "-", linewidth=2.5, label=literal(name))


def _show(axes: Axes, picture: Picture) -> None:
    """One picture with its boxes."""
    if picture.array is None and picture.path is None:
        axes.add_patch(Rectangle((0, 0), picture.width, picture.height, facecolor="#ECECEC", edgecolor=FAINT, linewidth=0.8))
        axes.set_aspect("equal")
    else:
        axes.imshow(_thin(picture.pixels()), extent=(0, picture.width, picture.height, 0), interpolation="antialiased")
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    width = 1.6 if len(picture.boxes) <= 30 else 1.0
    edge = [effects.Stroke(linewidth=width + 1.4, foreground="white"), effects.Normal()]
    for (x1, y1, x2, y2), label, ignore in zip(picture.boxes.tolist(), picture.labels.tolist(), picture.ignore.tolist(), strict=True):
        look = class_look(label)
        if x1 == x2 or y1 == y2:
            axes.plot([(x1 + x2) / 2], [(y1 + y2) / 2], marker="x", markersize=7, markeredgewidth=2, color=look.colour, path_effects=edge)
            continue
        line = (0, look.dash) if look.dash else "-"
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=look.colour, linewidth=width, linestyle=line, path_effects=edge))
        if ignore:
            axes.plot([x1, x2], [y1, y2], color=look.colour, linewidth=0.8, linestyle=":")
            axes.plot([x1, x2], [y2, y1], color=look.colour, linewidth=0.8, linestyle=":")


def _thin(pixels: Pixels, most: int = 1000) -> Pixels:
    """Every k-th pixel of a picture that is far larger than it will be shown: Matplotlib would spend seconds on it."""
    step = max(1, max(pixels.shape[:2]) // most)
    return pixels[::step, ::step]


@styled
def distributions_figure(dataset: Dataset) -> Figure:
    """Six panels: boxes by class, size, aspect ratio, boxes a picture, overlap, and width against height."""
    numbers = measure(dataset)
    figure = new_figure(12.0, 6.8)
    grid = figure.subplots(2, 3)
    _classes(grid[0, 0], dataset)
    _sizes(grid[0, 1], numbers)
    _aspects(grid[0, 2], numbers)
    _counts(grid[1, 0], numbers)
    _overlaps(grid[1, 1], numbers)
    _sides(grid[1, 2], numbers)
    n_pictures = len(numbers.per_picture)
    figure.suptitle(
        f"{literal(dataset.name)}: {plural(len(numbers.root_area), 'box')} in {plural(n_pictures, 'picture')}", x=0.01, ha="left", fontweight="bold"
    )
    return figure


def _classes(axes: Axes, dataset: Dataset) -> None:
    counts = np.bincount(np.concatenate([np.zeros(0, dtype=np.int64), *(p.labels for p in dataset)]), minlength=len(dataset.classes))
    order = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    places = np.arange(len(order))
    axes.barh(places, counts[order], color=[class_look(int(label)).colour for label in order], height=0.7)
    for place, label in zip(places, order, strict=True):
        axes.annotate(f"{counts[label]:,}", (counts[label], place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    names = [dataset.classes[label] for label in order]
    axes.set_yticks(places, [literal(name if len(name) <= 16 else f"{name[:15]}…") for name in names], fontsize=8 if len(order) > 8 else 10)
    axes.set_ylim(max(len(order), 4) - 0.4, -0.6)
    axes.set_xlim(0, max(1.0, counts.max(initial=0) * 1.16))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", visible=False)
    rest = len(dataset.classes) - len(order)
    axes.set_title("Boxes by class" + (f" (the {len(order)} commonest of {len(dataset.classes)})" if rest else ""))


def _histogram(axes: Axes, values: Values, edges: Values, title: str, label: str, what: str = "share of boxes") -> None:
    """Bars with each bin's share of the values, in percent."""
    counts = np.histogram(values, edges)[0] / max(len(values), 1) * 100
    axes.stairs(counts, edges, fill=True, color=BARS, alpha=0.85)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g} %"))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_title(title)
    axes.set_xlabel(label)
    axes.set_ylabel(what)


def _mark(axes: Axes, x: float, text: str, side: Literal["left", "center", "right"] = "left") -> None:
    """A vertical line with words beside it: at its right where `side` is "left" (that is where the words start); without a line for "center"."""
    if side != "center":
        axes.axvline(x, color=MARK, linewidth=1.2, linestyle="--")
    offset = {"left": 3, "center": 0, "right": -3}[side]
    place: Any = {"xy": (x, 0.98), "xycoords": ("data", "axes fraction"), "xytext": (offset, 0), "textcoords": "offset points"}
    axes.annotate(text, **place, va="top", ha=side, fontsize=8, color=MARK)


def _log_axis(axes: Axes, low: float, high: float, ticks: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}" if x >= 1 else f"1/{1 / x:g}"))


def _room(values: Values, low: float, high: float) -> tuple[float, float]:
    """A range that holds all positive values, and at least low ... high."""
    positive = values[values > 0]
    if not len(positive):
        return low, high
    return min(low, float(positive.min()) * 0.9), max(high, float(positive.max()) * 1.1)


def _sizes(axes: Axes, numbers: Measures) -> None:
    low, high = _room(numbers.root_area, 20.0, 150.0)
    sized = numbers.root_area[numbers.root_area > 0]
    _histogram(axes, sized, np.geomspace(low, high, 41), "Size of boxes", "√area, pixels")
    _log_axis(axes, low, high, [1, 2, 4, 8, 16, 32, 96, 192, 384, 768, 1536, 3072])
    small, large = (numbers.root_area < SMALL).mean() if len(sized) else 0.0, (numbers.root_area > LARGE).mean() if len(sized) else 0.0
    _head_room(axes)
    _mark(axes, SMALL, f"small\n{small:.0%}", "right")
    _mark(axes, float(np.sqrt(SMALL * LARGE)), f"medium\n{1 - small - large:.0%}", "center")
    _mark(axes, LARGE, f"large\n{large:.0%}")


def _head_room(axes: Axes) -> None:
    """Space above the bars for words."""
    axes.set_ylim(0, axes.get_ylim()[1] * 1.18)


def _aspects(axes: Axes, numbers: Measures) -> None:
    values = numbers.aspect[np.isfinite(numbers.aspect)]
    reach = max(2.2, float(np.exp(np.abs(np.log(values)).max(initial=0.0))) * 1.05)
    _histogram(axes, values, np.geomspace(1 / reach, reach, 42), "Aspect ratio of boxes", "width / height")
    ticks = [k for k in (2.0, 3.0, 5.0, 10.0, 30.0, 100.0) if k <= reach]
    ticks = [k for k in ticks if reach < 12 or k not in (2.0, 5.0)]
    _log_axis(axes, 1 / reach, reach, [*(1 / k for k in reversed(ticks)), 1.0, *ticks])
    _head_room(axes)
    _mark(axes, 1.0, "square")


def _counts(axes: Axes, numbers: Measures) -> None:
    most = int(numbers.per_picture.max(initial=1))
    step = max(1, -(-most // 40))
    edges = np.arange(0, most + 2 * step, step, dtype=np.float64) - 0.5
    _histogram(axes, numbers.per_picture, edges, "Boxes a picture", "number of boxes", "share of pictures")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlim(-0.5, None)
    if len(numbers.per_picture):
        _head_room(axes)
        _mark(axes, float(np.mean(numbers.per_picture)), f"mean {np.mean(numbers.per_picture):.1f}")


def _overlaps(axes: Axes, numbers: Measures) -> None:
    _histogram(axes, numbers.overlap, np.linspace(0, 1, 41), "Overlap within a picture", "largest IoU with another box")
    axes.set_xlim(0, 1)
    crowded = (numbers.overlap_per_picture > CROWDED).mean() if len(numbers.per_picture) else 0.0
    _mark(axes, CROWDED, f"beyond {CROWDED} in\n{crowded:.1%} of pictures")


def _sides(axes: Axes, numbers: Measures) -> None:
    low, high = _room(np.concatenate([numbers.widths, numbers.heights]), 16.0, 64.0)
    sized = np.isfinite(numbers.aspect)
    order = np.random.Generator(np.random.PCG64(0)).permutation(int(sized.sum()))[:4000]  # a random order, so that no class covers the others
    colours = np.array([class_look(int(label)).colour for label in numbers.labels[sized]], dtype=object)[order]
    axes.scatter(numbers.widths[sized][order], numbers.heights[sized][order], s=6, c=colours.tolist(), alpha=0.5, linewidths=0)
    axes.plot([low, high], [low, high], color=FAINT, linewidth=0.8, linestyle="--")
    ticks = [4.0**k for k in range(8)] if high / low > 64 else [2.0**k for k in range(15)]
    _log_axis(axes, low, high, ticks)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.set_title("Width against height" + (" (4,000 of them)" if sized.sum() > 4000 else ""))
    axes.set_xlabel("width, pixels")
    axes.set_ylabel("height, pixels")
