"""Anchors of one's own data: k-means on the boxes' widths and heights, where near means a large IoU with both centres in one place."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boxloss.errors import ParameterError, ShapeError
from boxloss.kernels.cpu.clusters import cluster_sums
from boxloss.kernels.cpu.seeding import nearer, passed
from boxloss.words import plural

Sides = npt.NDArray[np.float32]
Columns = tuple[Sides, Sides]
"""Widths and heights, (N,) each."""

SAMPLE = 2**17
"""Boxes that starts are tried on where there are more: the best of them goes on with all."""
DISTINCT = 2**12
"""Boxes at a time that are asked whether they differ: most often the first so many are enough."""
REFINED_ON = 2**15
"""Boxes that the refinement looks at."""
LEAST_GAIN = 1e-6
"""Of the mean IoU: a pass that gains less is the last."""
MOST_PASSES = 300
FIRST_STEP, SHORTER, LONGER = 0.4, 0.5, 1.2
"""How far an anchor's side goes for a slope of 1, in logarithms of its length; and by what that shrinks where a slope changes sign, and else grows."""
LAST_STEP = 1e-3
STEPS = tuple(2.0**-k for k in range(3, 11))
"""Of the refinement, in logarithms of a side: 13 % to a thousandth."""

Tell = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Anchors by k-means. `shapes`: (k, 2) float32, width and height, by area; `counts`: (k,) int64, how many boxes are most similar to each; `ious`: (k,)
    float64, their mean IoU with it, NaN where there are none; `mean_iou`: of all boxes with the most similar anchor; `history`: it, pass by pass."""

    shapes: Sides
    counts: npt.NDArray[np.int64]
    ious: npt.NDArray[np.float64]
    mean_iou: float
    history: tuple[float, ...]


def kmeans(
    sizes: npt.ArrayLike, k: int = 9, *, restarts: int = 10, seed: int = 0, refine: bool = False, sample: int = SAMPLE, tell: Tell | None = None
) -> Clusters:
    """`k` anchors for boxes of the given `sizes`, (N, 2): widths and heights in pixels of the network's input, above 0.

    Distance: 1 - IoU of the two boxes with one centre. `restarts` starts by k-means++ (a box is drawn in proportion to its distance from the nearest anchor
    so far) are tried on at most `sample` boxes, and the best goes on with all of them. A pass finds each box's most similar anchor and then moves the anchors.
    YOLOv2 moves them to their boxes' mean size, which is not the best under this distance and soon makes things worse; here they follow the slope of the mean
    IoU, and a move that does not gain is taken back: it never falls. `refine` then moves one side at a time, by 13 % down to 0.1 %, as long as the mean IoU
    of at most 32,768 boxes grows, and takes the result if that of all does: most often some ten-thousandths.

    The same `seed` gives the same bits, with any number of threads, with kernels or without; and sizes times a power of two, anchors times it.
    Memory: 8 bytes a box, in float32, beside `sizes`. `tell` is called with a line on how far it is.

    Raises ShapeError unless sizes is (N, 2), and ParameterError for sizes that are not finite and above 0, fewer different sizes than k, k or restarts below 1.

    >>> kmeans([[10, 10], [10, 10], [10, 12], [40, 20], [40, 20]], k=2).shapes.round().tolist()
    [[10.0, 10.0], [40.0, 20.0]]

    Reference: Redmon and Farhadi, "YOLO9000", CVPR 2017, arXiv:1612.08242, section 2; k-means++: Arthur and Vassilvitskii, SODA 2007.
    """
    columns = as_columns("kmeans", sizes)
    n = len(columns[0])
    for name, value, least in (("k", k, 1), ("restarts", restarts, 1), ("sample", sample, 1), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ParameterError(f"anchors.kmeans: {name} is {value}, expected a whole number >= {least}")
    if n < k:
        raise ParameterError(f"anchors.kmeans: {plural(n, 'box')} and k = {k}: expected at least as many boxes as anchors")
    if (found := n_distinct(columns, k)) < k:
        raise ParameterError(
            f"anchors.kmeans: {plural(n, 'box')} of {plural(found, 'different size')}, and k = {k}: expected at least as many sizes as anchors"
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    some = _sample(columns, max(sample, k), rng)
    best = None
    for start in range(restarts):
        tried = _climbed(some, _plus_plus(some, k, rng))
        best = tried if best is None or tried.mean_iou > best.mean_iou else best
        if tell:
            tell(f"k = {k}: start {start + 1} of {restarts}, mean IoU {best.mean_iou:.4f}")
    assert best is not None
    if some is not columns:
        best = _climbed(columns, best.shapes, tell)
    best = _refined(columns, best, rng, tell) if refine else best
    by_area = np.argsort(best.shapes[:, 0] * best.shapes[:, 1], kind="stable")
    return Clusters(best.shapes[by_area], best.counts[by_area], best.ious[by_area], best.mean_iou, best.history)


def as_columns(call: str, sizes: Any) -> Columns:
    """Sizes (N, 2) as float32 columns, checked."""
    array = np.asarray(sizes)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ShapeError(f"anchors.{call}: sizes has shape {array.shape}, expected (N, 2): a width and a height for each box")
    widths, heights = (np.ascontiguousarray(array[:, side], np.float32) for side in range(2))
    for name, x in (("width", widths), ("height", heights)):
        if len(x) and not (x.min() > 0 and x.max() < math.inf):  # NaN is neither
            n_bad = int((~((x > 0) & (x < math.inf))).sum())
            raise ParameterError(f"anchors.{call}: {n_bad} of {len(x)} boxes have a {name} that is not finite and above 0: drop boxes without size")
    return widths, heights


def n_distinct(columns: Columns, enough: int) -> int:
    """How many different sizes there are, counted no further than `enough`."""
    found = np.zeros(0, np.uint64)
    for start in range(0, len(columns[0]), DISTINCT):
        part = np.stack([side[start : start + DISTINCT] for side in columns], 1)
        found = np.unique(np.concatenate([found, part.view(np.uint64)[:, 0]]))  # both sides' bits: above 0, equal ones are equal numbers
        if len(found) >= enough:
            break
    return min(len(found), enough)


def _sample(columns: Columns, most: int, rng: np.random.Generator) -> Columns:
    n = len(columns[0])
    if n <= most:
        return columns
    chosen = np.sort(rng.choice(n, most, replace=False, shuffle=False))
    return columns[0][chosen], columns[1][chosen]


def _plus_plus(columns: Columns, k: int, rng: np.random.Generator) -> Sides:
    """k boxes far from each other."""
    widths, heights = columns
    n = len(widths)
    distances = np.ones(n, np.float32)
    chosen = [int(rng.random() * n)]
    while len(chosen) < k:
        sums = nearer(widths, heights, chosen[-1], distances)
        draw = rng.random()
        chosen.append(passed(distances, sums, draw) if sums[-1] > 0 else int(draw * n))  # where all distances are 0 any box will do
    return np.stack([widths[chosen], heights[chosen]], axis=1)


def _measured(columns: Columns, shapes: Sides, history: tuple[float, ...] = ()) -> tuple[Clusters, npt.NDArray[np.float64]]:
    """What the anchors `shapes` are worth, and the sums that say so."""
    sums = cluster_sums(*columns, shapes)
    mean = float(sums[:, 1].sum()) / len(columns[0])
    counts = sums[:, 0]
    ious = np.divide(sums[:, 1], counts, out=np.full(len(shapes), np.nan), where=counts > 0)
    return Clusters(shapes, counts.astype(np.int64), ious, mean, (*history, mean)), sums


def _climbed(columns: Columns, shapes: Sides, tell: Tell | None = None) -> Clusters:
    """From the anchors `shapes` on: boxes to the most similar anchor, and anchors along the slope of their boxes' mean IoU, as long as that gains."""
    best, sums = _measured(columns, shapes)
    steps, last = np.full((len(shapes), 2), FIRST_STEP), np.zeros((len(shapes), 2))
    for _ in range(MOST_PASSES):
        slopes = np.divide(sums[:, 2:4], sums[:, 1:2], out=np.zeros_like(last), where=sums[:, 1:2] > 0)
        steps *= np.where(slopes * last < 0, SHORTER, LONGER)
        last = slopes
        moved = (best.shapes * np.exp(steps * slopes)).astype(np.float32)
        found, new = _measured(columns, moved, best.history)
        gain = found.mean_iou - best.mean_iou
        if gain > 0:
            best, sums = found, new
        else:
            steps *= SHORTER
        if tell:
            tell(f"k = {len(shapes)}: all {len(columns[0]):,} boxes, pass {len(best.history)}, mean IoU {best.mean_iou:.4f}")
        if 0 <= gain <= LEAST_GAIN or steps.max() < LAST_STEP:
            break
    return best


def _refined(columns: Columns, best: Clusters, rng: np.random.Generator, tell: Tell | None) -> Clusters:
    """The anchors moved side by side, uphill."""
    some = _sample(columns, REFINED_ON, rng)
    shapes, value = best.shapes, _measured(some, best.shapes)[0].mean_iou
    for step in STEPS:
        gains = True
        while gains:
            gains = False
            for c, side, sign in ((c, side, sign) for c in range(len(shapes)) for side in (0, 1) for sign in (1, -1)):
                moved = shapes.copy()
                moved[c, side] *= math.exp(sign * step)
                found = float(cluster_sums(*some, moved)[:, 1].sum()) / len(some[0])
                if found > value + LEAST_GAIN:
                    shapes, value, gains = moved, found, True
            if tell:
                tell(f"k = {len(shapes)}: refining by {step:.1%}, mean IoU {value:.4f}")
    refined, _ = _measured(columns, shapes, best.history)
    return refined if refined.mean_iou > best.mean_iou else best
