"""Pictures with boxes on them: what a detector says against what is there."""

from dataclasses import dataclass

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from boxloss.draw.colours import TRUTH_COLOUR, look
from boxloss.draw.style import new_figure, styled
from boxloss.losses import pairwise
from boxloss.words import plural

HIT_IOU = 0.5  # from which overlap on a prediction counts as having found an object; COCO's AP50 uses the same


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture's predictions, and how they meet the truth. `hit`: (n,) bool, the prediction has an object of its own; `ious`: the hits' overlaps."""

    boxes: np.ndarray
    hit: np.ndarray
    ious: np.ndarray
    n_objects: int

    def __str__(self) -> str:
        found = f"{int(self.hit.sum())} of {plural(self.n_objects, 'object')} found"
        return f"{found}, their mean IoU {self.ious.mean():.2f}" if len(self.ious) else found


def shoot(truth: np.ndarray, truth_labels: np.ndarray, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> Shot:
    """The best-scored predictions, as many as there are objects, matched to the objects, best score first.

    As many as objects: the same count for every loss, whatever its scores' scale is. truth (m, 4), boxes (n, 4): xyxy in pixels; labels: class numbers.
    A prediction hits the unclaimed object of its class that it overlaps most, if that IoU is at least `HIT_IOU`.
    """
    kept = np.argsort(-scores, kind="stable")[: len(truth)]
    overlap = pairwise("iou", boxes[kept], truth)
    overlap[labels[kept][:, None] != truth_labels[None, :]] = 0.0
    hit = np.zeros(len(kept), dtype=bool)
    ious = []
    for row in range(len(kept)):
        best = int(overlap[row].argmax())
        if overlap[row, best] >= HIT_IOU:
            hit[row] = True
            ious.append(overlap[row, best])
            overlap[:, best] = 0.0  # claimed
    return Shot(boxes[kept], hit, np.array(ious), len(truth))


@styled
def picture_figure(pixels: np.ndarray, truth: np.ndarray, loss: str | None = None, shot: Shot | None = None, width: float = 4.0) -> Figure:
    """The picture with its true boxes (black and white, dashed) and, where given, a loss's predictions (its colour, solid; crossed out: no object found).

    pixels (H, W, 3) uint8; truth (m, 4) xyxy in pixels. `width` in inches. Lines have a dark or light edge, so that they stand out on any picture.
    """
    height_px, width_px = pixels.shape[:2]
    figure = new_figure(width, width * height_px / width_px)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.imshow(pixels, extent=(0, width_px, height_px, 0), interpolation="nearest" if width_px < 256 else "antialiased")
    axes.set_axis_off()
    if shot is not None and loss is not None:
        for box, hit in zip(shot.boxes, shot.hit, strict=True):
            _outline(axes, box, look(loss).colour, "-", 2.0, "white")
            if not hit:
                _cross(axes, box, look(loss).colour)
    for box in truth:
        _outline(axes, box, TRUTH_COLOUR, (0, (2.5, 2.5)), 1.4, None)
    axes.set_xlim(0, width_px)
    axes.set_ylim(height_px, 0)
    return figure


def _outline(axes: Axes, box: np.ndarray, colour: str, style: str | tuple[float, tuple[float, ...]], width: float, edge: str | None) -> None:
    left, top, right, bottom = (float(side) for side in box)
    halo = [effects.Stroke(linewidth=width + 1.4, foreground=edge), effects.Normal()] if edge else None
    if edge is None:  # dashes need ground under their gaps, else they are lost on a light picture
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="black", linewidth=width))
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linestyle=style, linewidth=width, path_effects=halo))


def _cross(axes: Axes, box: np.ndarray, colour: str) -> None:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    halo = [effects.Stroke(linewidth=4.0, foreground="white"), effects.Normal()]
    axes.plot([x], [y], marker="x", markersize=8, markeredgewidth=2.2, color=colour, path_effects=halo)
