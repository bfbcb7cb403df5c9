"""Draws the pictures of docs/lecture.md: `python -m boxloss.draw.lecture [FOLDER]`."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from boxloss.anchors import grid, kmeans, shapes
from boxloss.datasets.embedded import SIDE, embedded
from boxloss.datasets.sizes import sizes
from boxloss.draw import film, gallery, style
from boxloss.draw.anchors import cell_figure, grid_figure, matches_figure
from boxloss.losses import nearest

FOLDER = Path("docs/lecture")
PICTURE = 34
"""Of the embedded set's training pictures: one whose objects differ in size."""
STRIDES = (8, 16, 32)
THRESHOLD = 0.5


def anchors_figures() -> dict[str, Figure]:
    """The anchors of one cell, of three feature maps, and whom IoU gives them to."""
    data = embedded()
    picture = data.splits["train"][PICTURE]
    pixels = picture.pixels()

    scales = {f"scale {scale:g}": shapes([400 * scale], [2, 1, 0.5]) for scale in (0.5, 0.25, 0.125)}
    at_one_cell = {name: grid(400, 400, [400], [sides]) for name, sides in scales.items()}

    nine = kmeans(sizes(data, (SIDE, SIDE)), 9).shapes.reshape(3, 3, 2)
    levels = {stride: (grid(SIDE, SIDE, [stride], [sides]), 3) for stride, sides in zip(STRIDES, nine, strict=True)}
    anchors = np.concatenate([boxes for boxes, _ in levels.values()])
    overlap, index = (np.asarray(x) for x in nearest("iou", anchors, picture.boxes.astype(np.float32)))
    index = np.where(overlap >= THRESHOLD, index, -1)
    return {
        "cell": cell_figure(pixels, 400, at_one_cell),
        "grid": grid_figure(pixels, SIDE, levels),
        "matches": matches_figure(pixels, SIDE, picture.boxes, anchors, index, THRESHOLD),
    }


def draw(folder: Path) -> None:
    """Writes every picture of the page, NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in {**anchors_figures(), **gallery.figures(), **film.figures()}.items():
        style.save(figure, folder / f"{name}.png")
        print(f"drawn: {folder / name}.png", file=sys.stderr)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
