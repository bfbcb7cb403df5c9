"""Assigners as their papers describe them, in PyTorch, on the matrix of all objects and priors: what one writes after reading, and what ours are held to.

Objects are rows, priors columns. Equal values are taken in whatever order `topk`, `min` and `max` give them.
"""

import torch
from torch import Tensor

BACKGROUND, IGNORED = -1, -2


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, M)."""
    (left, top, right, bottom), others = a.T[..., None], b.T
    width = torch.minimum(right, others[2]) - torch.maximum(left, others[0])
    height = torch.minimum(bottom, others[3]) - torch.maximum(top, others[1])
    overlap = width.clamp_(min=0) * height.clamp_(min=0)
    return overlap / (area(a)[:, None] + area(b) - overlap)


def area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def inside(points: Tensor, boxes: Tensor) -> Tensor:
    """Whether each point, (P, 2), lies inside each box, (N, 4): (N, P)."""
    x, y = points.T
    left, top, right, bottom = boxes.T[..., None]
    return (left < x) & (x < right) & (top < y) & (y < bottom)


def max_iou(overlaps: Tensor, positive: float, negative: float, low_quality: bool) -> Tensor:
    """Ren et al., NeurIPS 2015, arXiv:1506.01497, section 3.1.2, of overlaps (N, P)."""
    values, best = overlaps.max(dim=0)
    index = torch.where(values >= positive, best, torch.where(values >= negative, IGNORED, BACKGROUND))
    if low_quality:
        greatest = overlaps.amax(dim=1, keepdim=True)
        index = torch.where(((overlaps == greatest) & (greatest > 0)).any(dim=0), best, index)
    return index


def atss(priors: Tensor, strides: Tensor, objects: Tensor, k: int = 9) -> Tensor:
    """Zhang et al., CVPR 2020, arXiv:1912.02424, algorithm 1."""
    iou = box_iou(objects, priors)
    distance = torch.cdist(centres(objects), centres(priors))
    candidates = []
    for stride in strides.unique():
        of_level = torch.nonzero(strides == stride)[:, 0]
        nearest = distance[:, of_level].topk(min(k, len(of_level)), dim=1, largest=False).indices
        candidates.append(of_level[nearest])
    candidate = torch.cat(candidates, dim=1)
    ious = iou.gather(1, candidate)
    threshold = ious.mean(dim=1, keepdim=True) + ious.std(dim=1, keepdim=True)
    chosen = torch.zeros_like(iou, dtype=torch.bool).scatter_(1, candidate, ious >= threshold)
    chosen &= inside(centres(priors), objects)
    best, index = torch.where(chosen, iou, -1.0).max(dim=0)
    return torch.where(best >= 0, index, BACKGROUND)


def simota(
    priors: Tensor, strides: Tensor, objects: Tensor, labels: Tensor, predictions: Tensor, scores: Tensor,
    radius: float = 1.5, k: int = 10, overlap_weight: float = 3.0,
) -> Tensor:  # fmt: skip
    """Ge et al., arXiv:2107.08430, section 2.1."""
    (x, y), points, reach = centres(objects).T[..., None], centres(priors).T, radius * strides
    central = ((x - points[0]).abs() < reach) & ((y - points[1]).abs() < reach)
    candidate = torch.nonzero(central.any(dim=0))[:, 0]
    central, said, scores = central[:, candidate], predictions[candidate], scores[candidate]
    iou = box_iou(objects, said)
    certain, not_certain = scores.log().clamp(min=-100), (1 - scores).log().clamp(min=-100)
    class_cost = -not_certain.sum(dim=1) + (not_certain - certain)[:, labels].T
    cost = class_cost - overlap_weight * iou.log().clamp(min=-100)
    cost = torch.where(central, cost, torch.inf)
    n_taken = iou.topk(min(k, len(candidate)), dim=1).values.sum(dim=1).int().clamp(min=1)
    taken = torch.zeros_like(central)
    for n, count in enumerate(n_taken.tolist()):
        cheapest = cost[n].topk(min(count, len(candidate)), largest=False)
        taken[n, cheapest.indices[cheapest.values < torch.inf]] = True
    least, index = torch.where(taken, cost, torch.inf).min(dim=0)
    found = torch.full((len(priors),), BACKGROUND)
    found[candidate] = torch.where(least < torch.inf, index, BACKGROUND)
    return found


def task_aligned(
    priors: Tensor, objects: Tensor, labels: Tensor, predictions: Tensor, scores: Tensor, k: int = 13, alpha: float = 1.0, beta: float = 6.0
) -> tuple[Tensor, Tensor]:
    """Feng et al., ICCV 2021, arXiv:2108.07755, section 3.2: the objects, and the scores that are to be predicted."""
    iou = box_iou(objects, predictions)
    aligned = scores[:, labels].T ** alpha * iou**beta
    aligned = torch.where(inside(centres(priors), objects), aligned, 0.0)
    best = aligned.topk(min(k, len(priors)), dim=1)
    chosen = torch.zeros_like(iou, dtype=torch.bool).scatter_(1, best.indices, best.values > 0)
    overlap, index = torch.where(chosen, iou, -1.0).max(dim=0)
    index = torch.where(overlap >= 0, index, BACKGROUND)
    own = index == torch.arange(len(objects))[:, None]
    aligned, overlap = torch.where(own, aligned, 0.0), torch.where(own, iou, 0.0)
    greatest = aligned.amax(dim=1, keepdim=True)
    wanted = aligned / torch.where(greatest > 0, greatest, 1.0) * overlap.amax(dim=1, keepdim=True)
    return index, wanted.amax(dim=0)


def ratio(priors: Tensor, strides: Tensor, objects: Tensor, most: float = 4.0) -> Tensor:
    """YOLOv5's rule, for one object a prior: of several the one whose sides are most like the prior's."""
    away = (centres(objects)[:, None] - centres(priors)) / strides[:, None]
    in_cell = (away >= -0.5) & (away < 0.5)
    near = in_cell.any(dim=2) & (away.abs() < 1).all(dim=2)
    sides = (objects[:, None, 2:] - objects[:, None, :2]) / (priors[:, 2:] - priors[:, :2])
    worst = torch.maximum(sides, 1 / sides).amax(dim=2)
    least, index = torch.where(near & (worst < most), worst, torch.inf).min(dim=0)
    return torch.where(least < torch.inf, index, BACKGROUND)
