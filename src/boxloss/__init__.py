"""boxloss: bounding-box losses. Every one is a formula, written once; everything else is derived from it.

    import boxloss as bl

    bl.giou(a, b)                          similarity, 1 - loss, of boxes (..., 4) and (..., 4)
    bl.giou_loss(pred, target)             loss; reduction="mean" | "sum" | "none", weight=..., format="xyxy"
    bl.loss("smooth_l1", beta=0.5)         any loss with its parameters, a callable
    bl.nn.GIoULoss()                       the torch module
    bl.pairwise("iou", a, b)               (N, M)
    bl.nearest("iou", a, b)                for each a the best b: values and indices, without the matrix
    bl.pairs_above("iou", a, b, 0.5)       the pairs above a threshold: indices and values
    bl.nms(boxes, scores)                  the rows that stay of detections that overlap; kind="greedy" | "diou" | "soft" ..., measure="iou" ...
    bl.boxes.convert(boxes, "xywh", "xyxy")
    bl.source("ciou", target="triton")     generated text: Python on NumPy's words (for Numba), Triton, JavaScript
    bl.catalogue()                         what there is, with papers, bounds and claims

NumPy, PyTorch, JAX or CuPy in, the same kind out. `giou` stands for any name of the catalogue.
"""

import importlib
from typing import Any

from boxloss import boxes, errors, ops
from boxloss.errors import BoxLossError, UnknownNameError
from boxloss.formulas import Formula, aliases, catalogue, find, formula
from boxloss.kernels.switch import plain
from boxloss.kernels.threads import get_num_threads, set_num_threads
from boxloss.losses import Loss, Similarity, by_class, by_size, decode_distribution, distribution_focal, kl_loss, loss, nearest, pairs_above, pairwise

__version__ = "0.1.0"

__all__ = [
    "BoxLossError",
    "Formula",
    "Loss",
    "Similarity",
    "boxes",
    "by_class",
    "by_size",
    "catalogue",
    "decode_distribution",
    "distribution_focal",
    "errors",
    "formula",
    "get_num_threads",
    "kl_loss",
    "loss",
    "nearest",
    "nms",
    "nn",
    "ops",
    "pairs_above",
    "pairwise",
    "plain",
    "set_num_threads",
    "source",
    "suppress",
]

_LAZY = {"nn": "boxloss.losses.modules"} | {name: f"boxloss.{name}" for name in ("anchors", "assign", "compare", "datasets", "draw", "evaluate", "suppress")}

_ELSEWHERE = {"source": "boxloss.calculus.source", "nms": "boxloss.suppress"}


def __getattr__(name: str) -> Any:
    """`bl.giou` and `bl.giou_loss` for every name of the catalogue, and the parts that take long to import."""
    if name in _LAZY:
        value: Any = importlib.import_module(_LAZY[name])
    elif name in _ELSEWHERE:
        value = getattr(importlib.import_module(_ELSEWHERE[name]), name)
    else:
        plain_name = name.removesuffix("_loss") if name not in catalogue() else name
        try:
            found = find(plain_name)
        except UnknownNameError:
            hint = errors.nearest(name, __dir__(), 0.7) or "boxloss.catalogue() lists the losses"
            raise AttributeError(f"module 'boxloss' has no attribute {name!r}: {hint}") from None
        value = Similarity(found) if plain_name == name else Loss(found)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    names = {*catalogue(), *aliases()}
    return sorted({*__all__, *_LAZY, *names, *(f"{name}_loss" for name in names)})
