"""What `boxloss anchors` finds: anchors for the data, what they are worth, and whether more of them, or a detector's own, would be worth more."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.anchors.grid import OCTAVE, RATIOS, YOLOV3, shapes
from boxloss.anchors.kmeans import Clusters, Tell, as_columns, kmeans, n_distinct
from boxloss.anchors.quality import Quality, quality
from boxloss.anchors.ssd import ssd_shapes
from boxloss.errors import ParameterError
from boxloss.words import plural

QUALITY_HEADER = ("anchors", "number", "mean best IoU", "IoU >= 0.5", "sides within x 4")


@dataclass(frozen=True, eq=False)
class Study:
    """`clusters`: the anchors; `curve`: number of anchors -> what the best so many are worth; `stock`: name -> number of shapes and what they are worth."""

    n_boxes: int
    size: tuple[int, int]
    clusters: Clusters
    curve: dict[int, Quality]
    stock: dict[str, tuple[int, Quality]]

    def anchor_rows(self) -> list[tuple[str, ...]]:
        """Width, height, share of the boxes and their mean IoU, for each anchor."""
        found = self.clusters
        return [
            (f"{w:.1f}", f"{h:.1f}", f"{count / self.n_boxes:.3f}", "-" if math.isnan(iou) else f"{iou:.3f}")
            for (w, h), count, iou in zip(found.shapes.tolist(), found.counts.tolist(), found.ious.tolist(), strict=True)
        ]

    def quality_rows(self) -> list[tuple[str, ...]]:
        """One row for each number of anchors, and for each detector's own."""
        rows = [(f"k-means, k = {k}", k, worth) for k, worth in self.curve.items()]
        rows += [(name, number, worth) for name, (number, worth) in self.stock.items()]
        return [(name, str(number), *(f"{x:.3f}" for x in worth)) for name, number, worth in rows]

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, ready for JSON."""
        found = self.clusters
        return {
            "n_boxes": self.n_boxes,
            "image_size": list(self.size),
            "anchors": [[round(x, 3) for x in sides] for sides in found.shapes.tolist()],
            "counts": found.counts.tolist(),
            "ious": [None if math.isnan(iou) else iou for iou in found.ious.tolist()],
            "curve": [{"k": k, **worth._asdict()} for k, worth in self.curve.items()],
            "stock": [{"name": name, "number": number, **worth._asdict()} for name, (number, worth) in self.stock.items()],
        }


def stock(size: tuple[int, int]) -> dict[str, npt.NDArray[np.float64]]:
    """The shapes of well-known detectors' anchors, in pixels of an input of `size` (width, height): SSD's grow with it, the others are what they are."""
    sides = np.array(size, np.float64)
    return {
        "SSD300, VOC's scales": np.minimum(np.concatenate(ssd_shapes(300, "voc")), 1) * sides,
        "SSD300, COCO's scales": np.minimum(np.concatenate(ssd_shapes(300, "coco")), 1) * sides,
        "Faster R-CNN, FPN": shapes([32, 64, 128, 256, 512], RATIOS),
        "RetinaNet": shapes([4 * stride * part for stride in (8, 16, 32, 64, 128) for part in OCTAVE], RATIOS),
        "YOLOv3 and YOLOv5": np.array(YOLOV3, np.float64).reshape(-1, 2),
    }


def study(
    sizes: npt.ArrayLike, size: tuple[int, int], k: int = 9, *, most: int = 0, restarts: int = 10, seed: int = 0, refine: bool = False, tell: Tell | None = None
) -> Study:
    """`k` anchors for boxes of `sizes`, (N, 2) in pixels of an input of `size`, and what 1, 2, ... `most` would be worth (as many as k where that is more).

    No more than there are different sizes: Raises `ParameterError` where `k` is.

    `restarts`, `seed`, `refine` and `tell` as in `kmeans`, whose errors these are.
    """
    sizes = np.asarray(sizes)
    distinct = n_distinct(as_columns("study", sizes), max(k, most))
    if distinct < k:
        hint = f"take {distinct} or fewer" if distinct else "are there boxes with a size in this data set, or this split?"
        raise ParameterError(f"anchors: {k} are asked for, and the data has {plural(len(sizes), 'box')} of {plural(distinct, 'size')}: {hint}")
    clusters = kmeans(sizes, k, restarts=restarts, seed=seed, refine=refine, tell=tell)
    curve = {}
    for number in range(1, distinct + 1):
        found = clusters if number == k else kmeans(sizes, number, restarts=restarts, seed=seed, refine=refine, tell=tell)
        curve[number] = quality(sizes, found.shapes)
    worth = {}
    for name, published in stock(size).items():
        if tell:
            tell(f"{name}: {len(published)} shapes")
        worth[name] = len(published), quality(sizes, published)
    return Study(len(sizes), size, clusters, curve, worth)
