"""The lecture's pictures of pairs of boxes: which pairs, what is measured of them, and a figure of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from boxloss.draw import probe
from boxloss.draw.colours import FAINT, look
from boxloss.draw.scene import LARGE, WASTE, Box, Panel, Row, draw_hull, hull, panels_figure
from boxloss.draw.style import line_style, name_lines_at_their_ends, styled
from boxloss.formulas import find
from boxloss.kernels.switch import plain
from boxloss.losses import Loss, Similarity

NAMES = {"l2": "L2 loss", "iou": "IoU", "giou": "GIoU", "diou": "DIoU", "ciou": "CIoU"}
"""What stands before a figure: of L2 the loss, of the others the similarity."""

HULL = Line2D([], [], color=FAINT, linewidth=1.4, linestyle=(0, (1.3, 1.8)), label="hull")


@dataclass(frozen=True)
class Case:
    """A pair of boxes with a name."""

    title: str
    prediction: Box
    target: Box


SAME_L2 = (
    Case("shrunk", (10, 10, 30, 30), (0, 0, 40, 40)),
    Case("shifted", (10, 10, 50, 50), (0, 0, 40, 40)),
    Case("grown", (-10, -10, 50, 50), (0, 0, 40, 40)),
    Case("one edge moved", (20, 0, 40, 40), (0, 0, 40, 40)),
)
"""Every edge is off by 10, or one by 20: a sum of squares of 400."""

SCALES = tuple(Case(f"× {k}", (2 * k, k, 10 * k, 7 * k), (0, 0, 8 * k, 6 * k)) for k in (1, 2, 4))

GIOU_PAPER = (
    Case("a", (11, 8.965, 19, 33.035), (5, 8.5, 15, 31.5)),
    Case("b", (6, 12.535, 14, 29.465), (5, 8.5, 15, 31.5)),
    Case("c", (3.5, 12.535, 16.5, 31.465), (5, 8.5, 15, 31.5)),
)
"""Pairs of our own with the figures of the GIoU paper's figure 1b: centres and sizes are 9.07 apart in l1."""

SAME_IOU = (
    Case("sideways", (10, 0, 30, 10), (0, 0, 20, 10)),
    Case("sideways and down", (7.5, 2, 27.5, 12), (0, 0, 20, 10)),
    Case("across", (5, -5, 15, 15), (0, 0, 20, 10)),
)
"""A third each."""

WASTES = (
    Case("inside", (5, 5, 15, 15), (0, 0, 20, 20)),
    Case("corner on corner", (10, 10, 30, 30), (0, 0, 20, 20)),
    Case("apart", (25, 0, 45, 20), (0, 0, 20, 20)),
    Case("farther apart", (40, 15, 60, 35), (0, 0, 20, 20)),
)

DISTANCES = (
    Case("apart", (30, 10, 50, 30), (0, 0, 20, 20)),
    Case("in the corner", (0, 0, 10, 10), (0, 0, 20, 20)),
    Case("at the edge", (5, 0, 15, 10), (0, 0, 20, 20)),
    Case("in the middle", (5, 5, 15, 15), (0, 0, 20, 20)),
)

ASPECTS = (
    Case("10 × 5", (5, 2.5, 15, 7.5), (0, 0, 20, 10)),
    Case("20 × 2.5", (0, 3.75, 20, 6.25), (0, 0, 20, 10)),
    Case("5 × 10", (7.5, 0, 12.5, 10), (0, 0, 20, 10)),
)
"""All of area 50, in the middle of a target of 20 × 10."""


def value(name: str, case: Case) -> float:
    """What `NAMES` says, of this pair."""
    kind: Any = Loss if name == "l2" else Similarity
    with plain():
        return float(kind(find(name))(np.array(case.prediction, float), np.array(case.target, float)))


def row(name: str, case: Case, digits: int = 2) -> Row:
    return Row(NAMES[name], number(value(name, case), 0 if name == "l2" else digits), name)


def number(x: float, digits: int) -> str:
    return f"{x:.{digits}f}".replace("-", "−")


def areas(case: Case) -> tuple[float, float, float]:
    """Overlap, union and hull."""
    a, b = np.array(case.prediction, float), np.array(case.target, float)
    overlap = float(np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)))
    around = np.array(hull(case.prediction, case.target), float)
    return overlap, float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - overlap, float(np.prod(around[2:] - around[:2]))


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def distances2(case: Case) -> tuple[float, float]:
    """The squared distance of the centres, and the squared diagonal of the hull."""
    (x, y), (u, v), around = middle(case.prediction), middle(case.target), hull(case.prediction, case.target)
    return (x - u) ** 2 + (y - v) ** 2, (around[2] - around[0]) ** 2 + (around[3] - around[1]) ** 2


def aspect_term(case: Case) -> float:
    """CIoU's v."""
    a, b = case.prediction, case.target
    angle = np.arctan2(b[2] - b[0], b[3] - b[1]) - np.arctan2(a[2] - a[0], a[3] - a[1])
    return float(4 / np.pi**2 * angle**2)


def of_each(cases: Sequence[Case], *losses: str) -> Figure:
    """The pairs, and under each what the losses say."""
    return panels_figure([Panel(case.title, case.prediction, case.target, tuple(row(name, case) for name in losses)) for case in cases])


def paper_figure() -> Figure:
    panels = []
    for case in GIOU_PAPER:
        l1 = sum(abs(p - t) for p, t in zip(centre_size(case.prediction), centre_size(case.target), strict=True))
        panels.append(Panel(f"pair {case.title}", case.prediction, case.target, (Row("l1 of centre, size", f"{l1:.2f}"), row("iou", case), row("giou", case))))
    return panels_figure(panels)


def centre_size(box: Box) -> tuple[float, float, float, float]:
    return *middle(box), box[2] - box[0], box[3] - box[1]


def waste_figure() -> Figure:
    """The hull dashed, the waste hatched."""
    panels = []
    for case in WASTES:
        _, union, around = areas(case)
        rows = (Row("hull", f"{around:.0f}"), Row("waste", f"{around - union:.0f}"), row("iou", case), row("giou", case))
        panels.append(Panel(case.title, case.prediction, case.target, rows, _hull(case)))
    return panels_figure(panels, key=[HULL, Patch(facecolor="white", edgecolor=WASTE, hatch="///", linewidth=0, label="waste")])


def _hull(case: Case) -> Any:
    def draw(axes: Axes) -> None:
        draw_hull(axes, hull(case.prediction, case.target), hatched=True)
        left, top, right, bottom = case.prediction
        axes.fill([left, right, right, left], [top, top, bottom, bottom], color="white", zorder=1)  # no hatches under the prediction

    return draw


def distance_figure() -> Figure:
    """The centres' distance in DIoU's colour, the hull's diagonal in grey."""
    panels = []
    for case in DISTANCES:
        offset2, diagonal2 = distances2(case)
        rows = (Row("ρ²", f"{offset2:.0f}"), Row("c²", f"{diagonal2:.0f}"), row("giou", case), row("diou", case))
        panels.append(Panel(case.title, case.prediction, case.target, rows, _distance(case)))
    centres = Line2D([], [], color=look("diou").colour, linewidth=3.2, marker="o", markersize=7, label="ρ, the centres' distance")
    diagonal = Line2D([], [], color=FAINT, linewidth=1.6, label="c, the hull's diagonal")
    return panels_figure(panels, key=[HULL, centres, diagonal])


def _distance(case: Case) -> Any:
    around = hull(case.prediction, case.target)
    (x, y), (u, v) = middle(case.prediction), middle(case.target)

    def draw(axes: Axes) -> None:
        draw_hull(axes, around, hatched=False)
        axes.plot([around[0], around[2]], [around[1], around[3]], color=FAINT, linewidth=1.6, zorder=5)
        axes.plot([x, u], [y, v], color=look("diou").colour, linewidth=3.2, marker="o", markersize=7, zorder=6)

    return draw


@styled
def aspect_figure() -> Figure:
    """Three shapes of one area in the middle of the target, and the losses of a box that is stretched."""
    panels = []
    for case in ASPECTS:
        rows = (Row("v", f"{aspect_term(case):.3f}"), row("iou", case, 3), row("diou", case, 3), row("ciou", case, 3))
        panels.append(Panel(case.title, case.prediction, case.target, rows))
    figure = panels_figure(panels, extra_width=1.35)
    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    axes = figure.add_subplot(grid[:, -1])
    ends = {}
    for name in ("giou", "ciou", "diou"):
        seen = probe.aspect_trace(name)
        axes.plot(seen.x, seen.value, **line_style(name))
        ends[name] = (float(seen.x[-1]), float(seen.value[-1]))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if x >= 1 else f"1/{1 / x:g}")
    axes.set_xlabel("width / height; the target's is 1")
    axes.set_title("loss of a box that is stretched", fontsize=LARGE - 2)
    name_lines_at_their_ends(axes, ends)
    return figure


def figures() -> dict[str, Figure]:
    """File's name -> figure."""
    return {
        "l2": of_each(SAME_L2, "l2", "iou"),
        "scales": of_each(SCALES, "l2", "iou"),
        "same-iou": of_each(SAME_IOU, "iou", "giou", "diou", "ciou"),
        "waste": waste_figure(),
        "giou-paper": paper_figure(),
        "distance": distance_figure(),
        "aspect": aspect_figure(),
    }
