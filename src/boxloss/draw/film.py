"""A box on its way to its target under several losses, step after step: the lecture's picture of GIoU and DIoU, by the simulation itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.figure import Figure

from boxloss.boxes import convert
from boxloss.draw.colours import FAINT, look
from boxloss.draw.paths import ways
from boxloss.draw.scene import LARGE, WIDE, draw_key, draw_moved, draw_start, draw_target, frame, start_key
from boxloss.draw.style import literal, new_figure, styled
from boxloss.formulas import find
from boxloss.kernels.switch import plain
from boxloss.losses import Similarity
from boxloss.simulate.gradients import FAULTS
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import PRESETS, Boxes

START, TARGET = (12.4, 11.2, 1.0, 1.0), (10.0, 10.0, 1.0, 1.0)
"""As centre and size: apart, like most pairs of the DIoU paper's simulation."""
FRAMES = (10, 20, 40, 80, 200)
PLAN = PRESETS["diou-paper"].with_(n_centres=1)


@dataclass(frozen=True, eq=False)
class Way:
    """Where `START` is after each step, its own place first: (201, 4), centre and size."""

    loss: str
    released: bool
    boxes: Boxes

    @cached_property
    def areas(self) -> Boxes:
        return np.asarray(self.boxes[:, 2] * self.boxes[:, 3])

    @cached_property
    def ious(self) -> Boxes:
        return np.asarray(Similarity(find("iou"))(self.boxes, np.array(TARGET), format="cxcywh"))

    @property
    def largest(self) -> int:
        """After which step the box is largest."""
        return int(self.areas.argmax())

    @property
    def meets(self) -> int:
        """After which step it first overlaps the target."""
        return int((self.ious > 0).argmax())


def way(loss: str, released: bool) -> Way:
    """By the exact gradient, or by the update that was released with the DIoU paper."""
    moved_by = Loss(find(loss), {}, tuple(FAULTS) if released else None)
    with plain():  # the same to the bit, and done before a kernel would be compiled
        (boxes,) = ways([moved_by], PLAN, START, TARGET).values()
    return Way(loss, released, boxes)


@styled
def film_figure(films: Sequence[Way]) -> Figure:
    """A row a way, a column a step: the box, what it started from, and where its centre has been."""
    every = np.concatenate([convert(np.concatenate([one.boxes, [TARGET]]), "cxcywh", "xyxy") for one in films])
    (left, top), (right, bottom) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    span = ((right - left) * 1.06, (bottom - top) * 1.08)
    high = WIDE * 0.94 / len(FRAMES) * span[1] / span[0]
    figure = new_figure(WIDE, (high + 0.3) * len(films) + 0.7)
    figure.get_layout_engine().set(h_pad=0.06, hspace=0.0, wspace=0.02)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(len(films), len(FRAMES), squeeze=False)
    for row, (axes_of_row, one) in enumerate(zip(grid, films, strict=True)):
        for axes, step in zip(axes_of_row, FRAMES, strict=True):
            frame(axes, ((left + right) / 2, (top + bottom) / 2), span)
            box = one.boxes[step]
            draw_target(axes, _corners(TARGET))
            draw_start(axes, _corners(START))
            axes.plot(*one.boxes[: step + 1, :2].T, color=look(one.loss).colour, linewidth=1.2, zorder=4)
            draw_moved(axes, _corners(box), one.loss)
            if not row:
                axes.set_title(f"step {step}", loc="center", fontsize=LARGE)
            words = f"{box[2]:.2f} × {box[3]:.2f}   IoU {one.ious[step]:.2f}"
            axes.text(0.5, -0.02, words, transform=axes.transAxes, ha="center", va="top", fontsize=11, color=FAINT)
        label = f"{one.loss}\n{'as released' if one.released else 'exact'}"
        axes_of_row[0].text(-0.04, 0.5, literal(label), transform=axes_of_row[0].transAxes, ha="right", va="center", rotation=90, fontsize=LARGE,
                            fontweight="bold", color=look(one.loss).colour)  # fmt: skip
    draw_key(figure, start_key())
    return figure


def _corners(box: Sequence[float]) -> list[float]:
    x, y, w, h = (float(side) for side in box)
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def figures() -> dict[str, Figure]:
    """File's name -> figure."""
    exact, released = ([way(loss, as_released) for loss in ("giou", "diou")] for as_released in (False, True))
    return {"film-exact": film_figure(exact), "film-released": film_figure(released)}
