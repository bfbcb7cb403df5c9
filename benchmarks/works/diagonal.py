"""Matched boxes as DETR and its descendants in Transformers do them: the diagonal of a matrix of everything with everything."""

from typing import Any

import torch
from torch import Tensor

import boxloss as bl
from benchmarks import peers
from benchmarks.clock import Call
from benchmarks.contest import Case, Contender, Contest
from benchmarks.works.ciou import Inputs, forget, inputs, see, step


def diagonal_step(x: Inputs) -> Call:
    generalized_box_iou: Any = peers.transformers_generalized_box_iou()

    def loss(pred: Tensor, target: Tensor) -> Tensor:
        return (1 - torch.diag(generalized_box_iou(pred, target))).sum() / len(pred)

    return step(loss, x)


def torchvision_step(x: Inputs) -> Call:
    function = peers.torchvision().ops.generalized_box_iou_loss
    return step(lambda pred, target: function(pred, target, reduction="mean"), x)


WORK = Contest(
    name="diagonal",
    title="Matched boxes, Transformers' diagonal",
    story="GIoU loss of N matched boxes, forward and backward, float32. Transformers' `torch.diag(generalized_box_iou(pred, target))`, the box loss of DETR, "
    "RT-DETR, D-FINE, OWL-ViT and others, computes all N x N pairs and drops all but N.",
    cases=(Case("100", 100), Case("300", 300), Case("1,000", 1000), Case("3,000", 3000)),
    quick_cases=(Case("100", 100),),
    inputs=inputs,
    contenders=(
        Contender("boxloss", lambda x: step(bl.giou_loss, x), see),
        Contender("Transformers' diagonal", diagonal_step, see, needs=("transformers",)),
        Contender("torchvision, matched", torchvision_step, see, needs=("torchvision",)),
        Contender("p.sum().backward()", lambda x: step(lambda pred, target: pred.sum(), x)),
    ),
    memory_from=1000,
    relative=2e-3,
    absolute=2e-4,
    forget=forget,
)
