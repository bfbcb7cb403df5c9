"""A plain and right implementation in PyTorch, in float64 good for what the checks ask; the faults are made from it."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from oracle.exact import IN_COORDINATES
from oracle.forms.overlap import IOU_LOG_CEILING
from properties.subjects import Subject

# What float64 text-book forms can be held to: the classes where their areas neither overflow nor vanish
CLASSES = (
    "coco",
    "near equal",
    "unit coordinates, sides of 1e-4",
    "1e-12",
    "integers",
    "points",
    "lines",
    "nested",
    "touching",
    "disjoint",
    "identical",
    "slim",
)


def ratio(x: Tensor, y: Tensor) -> Tensor:
    is_zero = y == 0
    return torch.where(is_zero, 0.0, x / torch.where(is_zero, 1.0, y))


def positive(x: Tensor) -> Tensor:
    return torch.maximum(x, torch.zeros_like(x))


def total(x: Tensor) -> Tensor:
    """The sum over a box's four coordinates, in pairs that exchanging x and y exchanges."""
    return (x[..., 0] + x[..., 1]) + (x[..., 2] + x[..., 3])


class Textbook:
    """Every loss in its text-book form. A pair is `a` and `b`, tensors of shape (..., 4)."""

    def widen(self, boxes: Tensor) -> Tensor:
        if boxes.dtype in (torch.int32, torch.int64):
            return boxes.double()
        return boxes if boxes.dtype in (torch.float32, torch.float64) else boxes.float()

    def sides(self, box: Tensor) -> tuple[Tensor, Tensor]:
        return box[..., 2] - box[..., 0], box[..., 3] - box[..., 1]

    def overlap(self, a: Tensor, b: Tensor) -> Tensor:
        low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
        return positive(high - low).prod(-1)

    def areas(self, a: Tensor, b: Tensor) -> Tensor:
        (wa, ha), (wb, hb) = self.sides(a), self.sides(b)
        return wa * ha + wb * hb

    def union(self, a: Tensor, b: Tensor) -> Tensor:
        return self.areas(a, b) - self.overlap(a, b)

    def jaccard(self, a: Tensor, b: Tensor) -> Tensor:
        union = self.union(a, b)
        differ = (a != b).any(-1).to(union.dtype)
        distance = 1 - ratio(self.overlap(a, b), union)
        return torch.where(union == 0, differ + 0 * distance, distance)

    def hull_sides(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
        return hull[..., 0], hull[..., 1]

    def waste_share(self, a: Tensor, b: Tensor) -> Tensor:
        width, height = self.hull_sides(a, b)
        return ratio(width * height - self.union(a, b), width * height)

    def diagonal2(self, a: Tensor, b: Tensor) -> Tensor:
        width, height = self.hull_sides(a, b)
        return width**2 + height**2

    def offset2(self, a: Tensor, b: Tensor) -> Tensor:
        twice = (a[..., :2] - b[..., :2]) + (a[..., 2:] - b[..., 2:])
        return (twice**2).sum(-1) / 4

    def aspect(self, a: Tensor, b: Tensor) -> Tensor:
        (wa, ha), (wb, hb) = self.sides(a), self.sides(b)
        across, along = wb * ha - wa * hb, ha * hb + wa * wb
        is_point = (across == 0) & (along == 0)
        return 4 / math.pi**2 * torch.atan2(across, torch.where(is_point, 1.0, along)) ** 2

    def alpha(self, jaccard: Tensor, v: Tensor) -> Tensor:
        return ratio(v, jaccard + v).detach()

    def gate(self, jaccard: Tensor) -> Tensor:
        return (jaccard < 0.5).to(jaccard.dtype)

    def l1(self, a: Tensor, b: Tensor) -> Tensor:
        return total((a - b).abs())

    def l2(self, a: Tensor, b: Tensor) -> Tensor:
        return total((a - b) ** 2) / 2

    def smooth_l1(self, a: Tensor, b: Tensor) -> Tensor:
        d = (a - b).abs()
        return total(torch.where(d < 1, d**2 / 2, d - 0.5))

    def iou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.jaccard(a, b)

    def iou_log(self, a: Tensor, b: Tensor) -> Tensor:
        jaccard = self.jaccard(a, b)
        apart = 1 - jaccard < 2.0**-126
        return torch.where(apart, float(IOU_LOG_CEILING), -torch.log1p(-torch.where(apart, 0.0, jaccard)))

    def iou_squared(self, a: Tensor, b: Tensor) -> Tensor:
        return 1 - (1 - self.jaccard(a, b)) ** 2

    def giou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.jaccard(a, b) + self.waste_share(a, b)

    def diou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.jaccard(a, b) + ratio(self.offset2(a, b), self.diagonal2(a, b))

    def ciou(self, a: Tensor, b: Tensor) -> Tensor:
        v = self.aspect(a, b)
        return self.diou(a, b) + self.alpha(self.jaccard(a, b), v) * v

    def ciou_gated(self, a: Tensor, b: Tensor) -> Tensor:
        v, jaccard = self.aspect(a, b), self.jaccard(a, b)
        return self.diou(a, b) + self.gate(jaccard).detach() * self.alpha(jaccard, v) * v

    def reduce(self, values: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
        values = values if weight is None else values * weight
        if reduction == "none":
            return values
        n = torch.tensor(float(values.numel())) if weight is None else weight.sum()
        return values.sum() if reduction == "sum" else ratio(values.sum(), n.to(values.dtype))

    def upright(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes with crossed edges as lines in their middle, and what the crossing costs."""
        high, low = torch.maximum(a, b), torch.minimum(a, b)
        extent = (torch.maximum(high[..., :2], high[..., 2:]) - torch.minimum(low[..., :2], low[..., 2:])).detach()
        cost, boxes = torch.zeros_like(extent), []
        for box in (a, b):
            start, end = box[..., :2], box[..., 2:]
            is_crossed, middle = start > end, (start + end) / 2
            cost = cost + torch.where(is_crossed, ratio(start - end, extent), 0.0)
            boxes.append(torch.cat([torch.where(is_crossed, middle, start), torch.where(is_crossed, middle, end)], -1))
        return boxes[0], boxes[1], cost[..., 0] + cost[..., 1]

    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        a, b = self.widen(a), self.widen(b)
        if name in IN_COORDINATES:
            return getattr(self, name)(a, b)
        a, b, cost = self.upright(a, b)
        return getattr(self, name)(a, b) + cost

    def matrix(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return self.values(name, a[:, None], b[None, :])


def subject(name: str, implementation: Textbook | None = None, **changes: Any) -> Subject:
    """A loss of the text-book's, or of a broken one, under the right name and with the right claims."""
    book = implementation or Textbook()
    in_pixels = name in IN_COORDINATES
    bounds = {"iou": "[0, 1]", "iou_squared": "[0, 1]", "iou_log": "[0, 87.33654475055311]", "giou": "[0, 2]", "diou": "[0, 2]", "ciou": "[0, 2.5)"}
    right = Subject(
        name=name,
        loss=lambda pred, target, *, reduction="mean", weight=None: book.reduce(book.values(name, pred, target), reduction, weight),
        pairwise=lambda a, b: book.matrix(name, a, b),
        elementwise=lambda a, b: book.values(name, a, b),
        symmetric=True,
        scale_free=not in_pixels,
        has_sides=not in_pixels,
        bounds="[0, inf)" if in_pixels else bounds.get(name, "[0, 2]"),
        classes=CLASSES,
        accuracy="textbook",
        gradient_accuracy="textbook",
        inverted_accuracy="textbook",
    )
    return replace(right, **changes)
