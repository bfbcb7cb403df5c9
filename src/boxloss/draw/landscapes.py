"""Losses as landscapes around a target: their values over two ways in which a box may differ from it, and where their gradients pull the box.

`python -m boxloss.draw.landscapes [FOLDER]` draws the pictures of docs/landscapes.md, and prints its table.
"""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from boxloss.draw.colours import FAINT, INK, looks
from boxloss.draw.probe import TARGET, Floats, ceiling, value_and_gradient
from boxloss.draw.scene import LARGE, WIDE
from boxloss.draw.style import literal, new_figure, save, shortened, styled
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula
from boxloss.losses import Loss, loss

FINE = 121
"""Points a side, of values."""
ARROWS = 16
"""Arrows a side: an even number, so that none stands on an axis, where edges meet and a gradient is half of each side's."""
IN_A_ROW = 4
LONG, LONGEST = 18, 34
"""Characters of a name over a panel: as many as stand there in large, and in small."""
COLOURS = "viridis"  # even steps for the eye, told apart by those who see fewer colours, and on grey paper


@dataclass(frozen=True)
class Plane:
    """Two ways in which the box differs from the unit target, and how far each goes.

    "x" and "y" shift its centre, in sides of the target; "scale" multiplies both sides, in doublings; "aspect" width over height, in doublings, the area kept.
    """

    across: str
    up: str
    reach: float
    side: float
    """Of the box before all that, in sides of the target."""
    title: str


PLANES = {
    "shift": Plane("x", "y", 1.5, 0.5, "A box of half the target's side, shifted"),
    "scale": Plane("x", "scale", 2.0, 1.0, "A box that is shifted and scaled"),
    "aspect": Plane("aspect", "scale", 2.0, 1.0, "A box that is stretched and scaled, centre kept"),
}
LABELS = {"x": "shift in x (sides)", "y": "shift in y (sides)", "scale": "side / target's side", "aspect": "width / height"}


@dataclass(frozen=True, eq=False)
class Landscape:
    """A loss over a plane. `across`, `up`: (n,) the places, as `Plane` counts them; `value`: (n, n), by row `up` and column `across`; `pull_across`, `pull_up`:
    (n, n), minus the derivative along each; `overlap`: (n, n), the shorter side of the overlap, below 0 where the boxes are apart."""

    name: str
    plane: Plane
    across: Floats
    up: Floats
    value: Floats
    pull_across: Floats
    pull_up: Floats
    overlap: Floats


def plane_of(name: str) -> Plane:
    if name not in PLANES:
        raise UnknownNameError("plane of a landscape", name, PLANES)
    return PLANES[name]


def sample(of: str | Formula | Loss, plane: str = "shift", n: int = FINE, midpoints: bool = False) -> Landscape:
    """`of`: a name, a formula, or a loss with parameters and modifiers. n places each way, from end to end; or the midpoints of as many cells.

    >>> flat = sample("iou", "shift", 5)
    >>> flat.value[0, 0].item(), flat.pull_across[0, 0].item()  # in the corner the boxes are apart
    (1.0, 0.0)
    """
    chosen = of if isinstance(of, Loss) else loss(of)
    where = plane_of(plane)
    places = (np.arange(n) + 0.5) / n if midpoints else np.linspace(0, 1, n)
    places = where.reach * (2 * places - 1)
    grid = dict(zip((where.across, where.up), (axis.ravel() for axis in np.meshgrid(places, places)), strict=True))
    x, y, scale, aspect = (grid.get(way, np.zeros(n * n)) for way in LABELS)
    width, height = where.side * 2 ** (scale + aspect / 2), where.side * 2 ** (scale - aspect / 2)
    boxes = 0.5 + np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    value, gradient = value_and_gradient(chosen.formula, boxes, **chosen.parameters)
    left, top, right, bottom = gradient.T
    by_width, by_height = (right - left) / 2 * width, (bottom - top) / 2 * height  # by the sides' logarithms
    slopes = {"x": left + right, "y": top + bottom, "scale": np.log(2) * (by_width + by_height), "aspect": np.log(2) / 2 * (by_width - by_height)}
    overlap = (np.minimum(boxes[:, 2:], TARGET[2:]) - np.maximum(boxes[:, :2], TARGET[:2])).min(axis=1)
    across, up = (0.0 - slopes[way].reshape(n, n) for way in (where.across, where.up))
    return Landscape(named(chosen), where, places, places, value.reshape(n, n), across, up, overlap.reshape(n, n))


def named(of: Loss) -> str:
    """The loss with what it was given: `ciou`, `ciou, inner = 0.8`."""
    return ", ".join([of.formula.name, *(f"{name} = {value}" for name, value in of.parameters.items())])


@styled
def landscape(losses: Sequence[str | Formula | Loss], plane: str = "shift") -> Figure:
    """The values of several losses over one plane (`PLANES`), a panel each, in one scale of colours.

    Lines join equal values, the same ones in every panel. The dashed line is where overlap ends.
    """
    seen = [sample(one, plane) for one in _some(losses)]
    figure, panels = _panels(seen, bar=0.9, what="loss")
    values = np.concatenate([one.value[np.isfinite(one.value)] for one in seen])
    if not values.size:
        values = np.zeros(1)
    top = ceiling(values)
    low = float(values.min())
    high = float(values.max()) if top is None else top
    high = high if high - low > STILL else low + 1.0  # one colour, and a scale that can be read
    norm, levels = Normalize(low, high), MaxNLocator(10).tick_values(low, high)
    for axes, one in zip(panels, seen, strict=True):
        shown = np.minimum(one.value, high)
        axes.imshow(shown, norm=norm, cmap=COLOURS, origin="lower", extent=(-one.plane.reach, one.plane.reach) * 2, interpolation="bilinear")
        if not np.isfinite(one.value).all():
            _say_not_finite(axes)
        if np.nanmax(shown, initial=low) - np.nanmin(shown, initial=high) > STILL:
            axes.contour(one.across, one.up, shown, levels=levels, colors="white", linewidths=0.7)
        _mark(axes, one, "white")
    long = 16 * -(-len(seen) // IN_A_ROW)
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=panels, extend="neither" if top is None else "max", fraction=0.05, aspect=long, pad=0.015)
    bar.set_label("loss", fontsize=11)
    bar.outline.set_visible(False)
    return figure


@styled
def field(losses: Sequence[str | Formula | Loss], plane: str = "shift") -> Figure:
    """Where several losses' gradients pull a box, a panel each: minus the gradient along the plane's two ways.

    Longer is stronger, by one rule in all panels, but not in proportion. Dots: no pull. The dashed line is where overlap ends.
    """
    fine = [sample(one, plane) for one in _some(losses)]
    seen = [sample(one, plane, ARROWS, midpoints=True) for one in losses]
    figure, panels = _panels(seen, bar=0.0, what="pull")
    sizes = [np.hypot(one.pull_across, one.pull_up) for one in seen]
    pulls = np.concatenate([size[size > STILL] for size in sizes])
    usual = float(np.median(pulls)) if pulls.size else 1.0
    colours = looks(one.name for one in seen)
    cell = 2 * seen[0].plane.reach / ARROWS
    for axes, one, ground, size in zip(panels, seen, fine, sizes, strict=True):
        length = 1.5 * cell / (size + usual)
        across, up = np.meshgrid(one.across, one.up)
        still = size <= STILL
        if not np.isfinite(size).all():
            _say_not_finite(axes)
        axes.quiver(across[~still], up[~still], (one.pull_across * length)[~still], (one.pull_up * length)[~still], color=colours[one.name].colour, angles="xy",
                    scale_units="xy", scale=1.0, width=0.0085, headwidth=4.2, zorder=3)  # fmt: skip
        axes.plot(across[still], up[still], linestyle="none", marker=".", markersize=4, color=FAINT, zorder=3)
        axes.set_xlim(-one.plane.reach, one.plane.reach)
        axes.set_ylim(-one.plane.reach, one.plane.reach)
        _mark(axes, ground, INK)
    figure.supxlabel("Arrows: minus the gradient; longer is stronger, not in proportion. Dots: no pull.", fontsize=10, color=FAINT)
    return figure


STILL = 1e-9
"""A pull below this is rounding."""


def _say_not_finite(axes: Axes) -> None:
    axes.text(0.5, 0.03, "white: not finite", transform=axes.transAxes, ha="center", fontsize=10, color=INK, bbox={"facecolor": "white", "edgecolor": "none"})


def _some(losses: Sequence[str | Formula | Loss]) -> Sequence[str | Formula | Loss]:
    if isinstance(losses, str) or not losses:
        raise ParameterError(f"a landscape's losses are {losses!r}, expected a list of at least one name, formula or loss")
    return losses


def _panels(seen: Sequence[Landscape], bar: float, what: str) -> tuple[Figure, list[Axes]]:
    """A square for each loss, at most four in a row, with the names of the plane's two ways at the edge.

    `bar`: inches left for one; `what` is drawn."""
    columns = min(len(seen), IN_A_ROW)
    rows = -(-len(seen) // columns)
    side = (WIDE - 0.8 - bar) / IN_A_ROW
    figure = new_figure(side * columns + 0.8 + bar, (side + 0.4) * rows + 0.85)
    figure.get_layout_engine().set(h_pad=0.06, hspace=0.03)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    panels, colours = list(grid.ravel()), looks(one.name for one in seen)
    for axes in panels[len(seen) :]:
        axes.remove()
    for k, (axes, one) in enumerate(zip(panels, seen, strict=False)):
        name = shortened(one.name, LONGEST)
        axes.set_title(literal(name), color=colours[one.name].colour, fontsize=LARGE * min(1.0, LONG / len(name)), loc="center")
        axes.grid(visible=False)
        axes.set_aspect("equal")
        _ticks(axes, one.plane)
        if k % columns == 0:
            axes.set_ylabel(LABELS[one.plane.up], fontsize=11)
        if k + columns >= len(seen):
            axes.set_xlabel(LABELS[one.plane.across], fontsize=11)
            axes.tick_params(labelbottom=True)
    figure.suptitle(f"{seen[0].plane.title}: the {what}", fontsize=LARGE, x=0.01, ha="left")
    return figure, panels[: len(seen)]


def _ticks(axes: Axes, plane: Plane) -> None:
    for axis, way in ((axes.xaxis, plane.across), (axes.yaxis, plane.up)):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if way in ("scale", "aspect"):
            axis.set_major_formatter(lambda doublings, _: f"{2**doublings:g}" if doublings >= 0 else f"1/{2**-doublings:g}")


def _mark(axes: Axes, one: Landscape, colour: str) -> None:
    """Where overlap ends, and where the box is the target, or in its middle."""
    if one.overlap.min() < 0:
        axes.contour(one.across, one.up, one.overlap, levels=[0.0], colors=colour, linewidths=1.3, linestyles="dashed", zorder=4)
    if one.plane.across == "x" and one.plane.up == "y":
        axes.add_patch(Rectangle((-0.5, -0.5), 1, 1, fill=False, edgecolor=colour, linewidth=1.6, zorder=4))
    axes.plot([0], [0], marker="+", markersize=6, markeredgewidth=1.3, color=colour, zorder=5)


def save_data(losses: Sequence[str | Formula | Loss], plane: str, path: Path, n: int = FINE) -> None:
    """The figures' numbers as .csv (a row a place and loss) or .npz (arrays by loss, row and column). An existing file is replaced."""
    seen = [sample(one, plane, n) for one in _some(losses)]
    where = seen[0].plane
    names = (where.across, where.up, "value", f"pull_{where.across}", f"pull_{where.up}")
    match path.suffix.lower():
        case ".npz":
            fields = [np.stack([getattr(one, name) for one in seen]) for name in ("value", "pull_across", "pull_up")]
            arrays = dict(zip(names, [seen[0].across, seen[0].up, *fields], strict=True))
            np.savez_compressed(path, allow_pickle=False, losses=np.array([one.name for one in seen]), **arrays)
        case ".csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file)
                rows.writerow(("loss", *names))
                for one in seen:
                    across, up = np.meshgrid(one.across, one.up)
                    columns = (across, up, one.value, one.pull_across, one.pull_up)
                    rows.writerows((one.name, *numbers) for numbers in zip(*(column.ravel().tolist() for column in columns), strict=True))
        case other:
            raise ParameterError(f"cannot write numbers into {path}: {other or 'no suffix'} is not .csv or .npz")


FOUR = ("iou", "giou", "diou", "ciou")


def facts(of: str) -> dict[str, str]:
    """What the pictures show, counted at 160 x 160 places: of the shifted box, and, where it says so, of the shifted and scaled one."""
    shifted, scaled = (sample(of, plane, 160, midpoints=True) for plane in ("shift", "scale"))
    pull = np.hypot(shifted.pull_across, shifted.pull_up)
    apart, inside = shifted.overlap < 0, shifted.overlap >= shifted.plane.side
    return {
        "no pull, of places where the boxes are apart": f"{np.mean(pull[apart] <= STILL):.0%}",
        "no pull, of places where the box lies inside": f"{np.mean(pull[inside] <= STILL):.0%}",
        "median pull where the boxes are apart": f"{np.median(pull[apart]):.2f}",
        "median pull where they overlap": f"{np.median(pull[~apart & ~inside]):.2f}",
        "shifted and scaled: enlarges the box, of places where the boxes are apart": f"{np.mean(scaled.pull_up[scaled.overlap < 0] > STILL):.0%}",
        "shifted and scaled: median pull along the scale there": f"{np.median(scaled.pull_up[scaled.overlap < 0]):.2f}",
    }


def table() -> str:
    """`facts` of the four best known losses, in Markdown."""
    columns = [facts(name) for name in FOUR]
    lines = [f"| | {' | '.join(FOUR)} |", "|---" * (len(FOUR) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(column[what] for column in columns)} |" for what in columns[0]]
    return "\n".join(lines)


def draw(folder: Path) -> None:
    """Writes PLANE-loss.png and PLANE-pull.png for each plane: the four best known losses side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for plane in PLANES:
        save(landscape(FOUR, plane), folder / f"{plane}-loss.png")
        save(field(FOUR, plane), folder / f"{plane}-pull.png")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/landscapes"))
    print(table())
