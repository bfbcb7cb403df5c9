"""The regression experiment as one would write it in NumPy: slopes worked out by hand, arrays of some thousands of cases at a time."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray
CHUNK = 8192
"""Cases at a time: all that a step needs of them fits into a core's cache."""
FOUR_OVER_PI2 = 4 / np.pi**2


def run(name: str, anchors: Array, targets: Array, rates: Array) -> Array:
    """The errors' sum before the first step and after each; boxes are (n, 4) cxcywh."""
    sums = np.zeros(len(rates) + 1)
    for start in range(0, len(anchors), CHUNK):
        box, target = (np.ascontiguousarray(x[start : start + CHUNK].T) for x in (anchors, targets))
        sums[0] += np.abs(box - target).sum()
        for step, rate in enumerate(rates, 1):
            iou, slopes = SLOPES[name](box, target)
            box += rate * (2 - iou) * slopes
            sums[step] += np.abs(box - target).sum()
    return sums


class _Pair:
    """What all four losses need, with the slopes along left, top, right and bottom."""

    def __init__(self, box: Array, target: Array):
        (x, y, self.w, self.h), (tx, ty, tw, th) = box, target
        left, top, right, bottom = x - self.w / 2, y - self.h / 2, x + self.w / 2, y + self.h / 2
        t_left, t_top, t_right, t_bottom = tx - tw / 2, ty - th / 2, tx + tw / 2, ty + th / 2
        overlap_w = np.maximum(np.minimum(right, t_right) - np.maximum(left, t_left), 0)
        overlap_h = np.maximum(np.minimum(bottom, t_bottom) - np.maximum(top, t_top), 0)
        self.hull_w = np.maximum(right, t_right) - np.minimum(left, t_left)
        self.hull_h = np.maximum(bottom, t_bottom) - np.minimum(top, t_top)
        inner = (left > t_left, top > t_top, right < t_right, bottom < t_bottom)
        self.overlap = overlap_w * overlap_h
        meets = self.overlap > 0
        sign = (-1, -1, 1, 1)
        self.d_overlap = [s * (edge & meets) * side for s, edge, side in zip(sign, inner, (overlap_h, overlap_w) * 2, strict=True)]
        self.d_area = [s * side for s, side in zip(sign, (self.h, self.w) * 2, strict=True)]
        self.d_hull = [s * ~edge for s, edge in zip(sign, inner, strict=True)]  # of the hull's side, not of its area
        self.union = self.w * self.h + tw * th - self.overlap
        self.iou = self.overlap / self.union
        self.tw, self.th, self.offset_x, self.offset_y = tw, th, tx - x, ty - y

    def d_iou(self) -> list[Array]:
        return [
            (d_overlap * self.union - self.overlap * (d_area - d_overlap)) / self.union**2
            for d_overlap, d_area in zip(self.d_overlap, self.d_area, strict=True)
        ]

    def penalty(self) -> tuple[Array, Array]:
        """DIoU's: what it adds to the slopes of the similarity along centre and size."""
        diagonal2 = self.hull_w**2 + self.hull_h**2
        share = (self.offset_x**2 + self.offset_y**2) / diagonal2
        left, top, right, bottom = self.d_hull
        along_at = np.stack([2 * self.offset_x + 2 * share * self.hull_w * (left + right), 2 * self.offset_y + 2 * share * self.hull_h * (top + bottom)])
        along_size = np.stack([share * self.hull_w * (right - left), share * self.hull_h * (bottom - top)])
        return along_at / diagonal2, along_size / diagonal2


def _of_box(edges: list[Array]) -> Array:
    """From slopes along the edges to slopes along x, y, w, h."""
    left, top, right, bottom = edges
    return np.stack([left + right, top + bottom, (right - left) / 2, (bottom - top) / 2])


def iou(box: Array, target: Array) -> tuple[Array, Array]:
    p = _Pair(box, target)
    return p.iou, _of_box(p.d_iou())


def giou(box: Array, target: Array) -> tuple[Array, Array]:
    p = _Pair(box, target)
    hull = p.hull_w * p.hull_h
    edges = [
        d_iou + (d_area - d_overlap) / hull - p.union * d_hull * other / hull**2
        for d_iou, d_area, d_overlap, d_hull, other in zip(p.d_iou(), p.d_area, p.d_overlap, p.d_hull, (p.hull_h, p.hull_w) * 2, strict=True)
    ]
    return p.iou, _of_box(edges)


def diou(box: Array, target: Array) -> tuple[Array, Array]:
    p = _Pair(box, target)
    return p.iou, _of_box(p.d_iou()) + np.concatenate(p.penalty())


def ciou(box: Array, target: Array) -> tuple[Array, Array]:
    p = _Pair(box, target)
    angle = np.arctan2(p.tw, p.th) - np.arctan2(p.w, p.h)
    v = FOUR_OVER_PI2 * angle**2
    alpha = np.where(v > 0, v / np.where(v > 0, 1 - p.iou + v, 1), 0)
    slopes = _of_box(p.d_iou()) + np.concatenate(p.penalty())
    slopes[2:] += 2 * FOUR_OVER_PI2 * alpha * angle / (p.w**2 + p.h**2) * np.stack([p.h, -p.w])
    return p.iou, slopes


SLOPES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {"iou": iou, "giou": giou, "diou": diou, "ciou": ciou}
