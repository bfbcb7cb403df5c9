"""Greedy suppression of tensors on a GPU, which stay there."""

import torch
from torch import Tensor

from boxloss.kernels import gpu
from boxloss.suppress.inputs import Measure, nan_among


def greedy(call: str, boxes: Tensor, scores: Tensor, labels: Tensor | None, measure: Measure, threshold: float) -> Tensor:
    """The rows that stay, best score first. Boxes and scores of float32 or float64.

    The GPU is waited for once, at the end: how many rows stay is known only then. Whether a score is NaN is asked on the way and looked at after that.
    """
    boxes, scores = boxes.detach().resolve_neg(), scores.detach()
    nan = scores.isnan().any()
    order = torch.sort(scores, descending=True, stable=True).indices
    sorted_boxes = boxes[order].contiguous()
    sorted_boxes = torch.where(sorted_boxes.isfinite().all(1, keepdim=True), sorted_boxes, torch.nan)
    classes = torch.zeros_like(order) if labels is None else labels[order].long()
    rows = order[gpu.greedy(measure.formula, measure.parameters, sorted_boxes, classes, threshold)]
    if nan:
        raise nan_among(call, int(scores.isnan().int().argmax()))
    return rows
