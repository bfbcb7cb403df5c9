"""Who learns from whom: which object, if any, each point of an anchor-free detector is to predict."""

import numpy as np
import numpy.typing as npt

BACKGROUND = -1
"""A point that learns that there is nothing."""
IGNORED = -2
"""A point that learns nothing: it lies in a region to ignore."""

Floats = npt.NDArray[np.floating]


def centre_sampling(xy: Floats, strides: Floats, boxes: Floats, *, radius: float = 1.5, reach: float = 4.0) -> npt.NDArray[np.int64]:
    """For each point the row of `boxes` that it learns from, or `BACKGROUND`.

    A point learns from a box if it lies strictly inside the box, within `radius` strides of its centre in x and in y, and if the box fits the
    point's level: the farthest side is at most `reach` strides away, and more than half of that (no upper limit on the coarsest level, no lower
    one on the finest). Of several such boxes the smallest wins, and of equal ones the first.
    A box that got no point (too small to hold one, or smaller boxes won them all) takes the nearest free point: one inside it where there is one,
    else one of its level, which then lies outside the box. Every box gets a point as long as its level has a free one.

    `xy`: (P, 2), `strides`: (P,), `boxes`: (N, 4) xyxy, all in pixels of the input. Pure: no state, no chance.

    >>> centre_sampling(np.array([[4.0, 4.0], [12.0, 4.0]]), np.array([8.0, 8.0]), np.array([[0.0, 0.0, 8.0, 8.0]])).tolist()
    [0, -1]

    Reference: FCOS (arXiv:1904.01355) and its centre sampling, Tian et al., TPAMI 2020, arXiv:2006.09214, section 3.2; the last step is our own.
    """
    matched = np.full(len(xy), BACKGROUND, dtype=np.int64)
    if len(boxes) == 0 or len(xy) == 0:
        return matched
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    by_area = np.argsort(area, kind="stable")
    boxes = boxes[by_area]
    # Columns one by one, (P, N) each: NumPy is slow at minima over an axis of four.
    left, top = xy[:, :1] - boxes[:, 0], xy[:, 1:] - boxes[:, 1]
    right, bottom = boxes[:, 2] - xy[:, :1], boxes[:, 3] - xy[:, 1:]
    nearest = np.minimum(np.minimum(left, right), np.minimum(top, bottom))  # > 0 inside
    farthest = np.maximum(np.maximum(left, right), np.maximum(top, bottom))
    distance = np.maximum(np.abs(left - right), np.abs(top - bottom)) / 2  # to the centre, along the worse axis
    inside = nearest > 0
    fits = _fits(farthest, strides, reach)
    candidate = inside & fits & (distance < radius * strides[:, None])
    # Columns are sorted by area: the first candidate is the smallest box.
    matched = np.where(candidate.any(axis=1), candidate.argmax(axis=1), BACKGROUND)
    half_side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / 2
    level = _fits(np.broadcast_to(half_side, distance.shape), strides, reach)
    for n in np.setdiff1d(np.arange(len(boxes)), matched):
        free = matched == BACKGROUND
        for allowed in (free & inside[:, n] & level[:, n], free & inside[:, n], free & level[:, n]):
            if allowed.any():
                matched[np.where(allowed, distance[:, n], np.inf).argmin()] = n
                break
    return np.where(matched >= 0, by_area[matched], BACKGROUND)


def _fits(distance: Floats, strides: Floats, reach: float) -> npt.NDArray[np.bool_]:
    """Whether the distances (P, N) belong to the level of each point."""
    strides = strides[:, None]
    low = np.where(strides == strides.min(), -np.inf, reach / 2 * strides)
    high = np.where(strides == strides.max(), np.inf, reach * strides)
    fits: npt.NDArray[np.bool_] = (low < distance) & (distance <= high)
    return fits


def within(xy: Floats, regions: Floats) -> npt.NDArray[np.bool_]:
    """Which of the points (P, 2) lie in any of the regions (M, 4) xyxy, their sides included."""
    if len(regions) == 0:
        return np.zeros(len(xy), dtype=bool)
    inside = (regions[:, :2] <= xy[:, None]) & (xy[:, None] <= regions[:, 2:])
    return np.asarray(np.any(np.all(inside, axis=-1), axis=1))
