"""Which functions of each peer are asked, and how each is called. A peer is imported when one of its functions is made, never before."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Call = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Function:
    """A peer's function of predictions and targets, two arrays of shape (n, 4) in `xyxy`."""

    peer: str
    name: str  # as one would import it
    measure: str  # whose values it should give: a name of the exact reference's
    make: Callable[[], Call]  # imports the peer; what it returns gives n numbers, or n x n where `matrix`
    loss: bool = True  # a loss, or a similarity, which is 1 - loss
    matrix: bool = False  # all pairs: the diagonal is asked for
    arrays: str = "torch"  # or "numpy"
    dtypes: tuple[str, ...] = ("float32", "float64", "float16", "bfloat16")
    parameters: Mapping[str, Any] = field(default_factory=dict)  # of the measure, where not its own defaults

    @property
    def key(self) -> str:
        return f"{self.peer}: {self.name}"


def found(module: str, name: str, *arguments: Any, **keywords: Any) -> Callable[[], Call]:
    """A function that is called with the boxes, and these arguments after them."""

    def make() -> Call:
        function = getattr(importlib.import_module(module), name)
        return lambda a, b: function(a, b, *arguments, **keywords)

    return make


def summed(module: str, name: str, **keywords: Any) -> Callable[[], Call]:
    """The same, for functions that give one number a coordinate."""

    def make() -> Call:
        function = getattr(importlib.import_module(module), name)
        return lambda a, b: function(a, b, **keywords).sum(-1)

    return make


# boxloss


def ours(name: str) -> Callable[[], Call]:
    def make() -> Call:
        import boxloss as bl

        loss = bl.loss(name)
        return lambda a, b: loss(a, b, reduction="none")

    return make


def our_matrix(name: str) -> Callable[[], Call]:
    def make() -> Call:
        import boxloss as bl

        return lambda a, b: bl.pairwise(name, a, b)

    return make


# torchvision, and torchmetrics, which calls it


def torchvision(name: str) -> Callable[[], Call]:
    def make() -> Call:
        let_torchvision_load()
        return found("torchvision.ops", name)()

    return make


def torchmetrics(name: str) -> Callable[[], Call]:
    def make() -> Call:
        let_torchvision_load()
        return found("torchmetrics.functional.detection", name, aggregate=False)()

    return make


def let_torchvision_load() -> None:
    """A torchvision that was built for CUDA loads beside a torch that was not, with the help of the folder that CONFORMANCE_TOOLS names."""
    import torch

    tools = os.environ.get("CONFORMANCE_TOOLS", "")
    if torch.version.cuda is None and "torchvision" not in sys.modules and Path(tools, "torchvision_cpu").is_dir():
        sys.path.append(tools)
        importlib.import_module("torchvision_cpu")


# mmdet


def mmdet(module: str, name: str, sum_up: bool = False, **keywords: Any) -> Callable[[], Call]:
    """One of its losses, whose file is imported without the packages around it: these need operators that only a compiled mmcv has."""

    def make() -> Call:
        import types

        import mmdet as package

        for inner in ("mmdet.models", "mmdet.models.losses", "mmdet.structures", "mmdet.structures.bbox"):
            if inner not in sys.modules:
                sys.modules[inner] = types.ModuleType(inner)
                sys.modules[inner].__path__ = [str(Path(str(package.__file__)).parent.joinpath(*inner.split(".")[1:]))]
        # The losses ask the package for this one function
        sys.modules["mmdet.structures.bbox"].bbox_overlaps = importlib.import_module("mmdet.structures.bbox.bbox_overlaps").bbox_overlaps
        return (summed if sum_up else found)(f"mmdet.{module}", name, **keywords)()

    return make


def mmdet_loss(name: str, **keywords: Any) -> Callable[[], Call]:
    return mmdet("models.losses.iou_loss", name, reduction="none", **keywords)


# Keras, on torch tensors


def keras(name: str) -> Callable[[], Call]:
    def make() -> Call:
        os.environ["KERAS_BACKEND"] = "torch"
        function = getattr(importlib.import_module("keras").utils.bounding_boxes, name)
        return lambda a, b: function(a, b, "xyxy")

    return make


def keras_cv(name: str, **keywords: Any) -> Callable[[], Call]:
    def make() -> Call:
        os.environ["KERAS_BACKEND"] = "torch"
        loss = getattr(importlib.import_module("keras_cv").losses, name)(bounding_box_format="xyxy", **keywords)
        return lambda a, b: loss.call(b, a)  # true boxes come first there

    return make


def transformers(name: str) -> Callable[[], Call]:
    def make() -> Call:
        function = getattr(importlib.import_module("transformers.loss.loss_for_object_detection"), name)
        return lambda a, b: got[0] if isinstance(got := function(a, b), tuple) else got  # IoU comes with the union

    return make


def table() -> tuple[Function, ...]:
    functions = [
        Function("boxloss", 'pairwise("iou")', "iou", our_matrix("iou"), loss=False, matrix=True),
        Function("boxloss", 'pairwise("giou")', "giou", our_matrix("giou"), loss=False, matrix=True),
        Function("boxloss", 'pairwise("diou")', "diou", our_matrix("diou"), loss=False, matrix=True),
        Function("boxloss", 'pairwise("ciou")', "ciou", our_matrix("ciou"), loss=False, matrix=True),
    ]
    for name in OUR_LOSSES:
        functions.append(Function("boxloss", f"{name}_loss", name, ours(name)))

    for name, measure in (("box_iou", "iou"), ("generalized_box_iou", "giou"), ("distance_box_iou", "diou"), ("complete_box_iou", "ciou")):
        functions.append(Function("torchvision", name, measure, torchvision(name), loss=False, matrix=True))
    for name, measure in (("generalized_box_iou_loss", "giou"), ("distance_box_iou_loss", "diou"), ("complete_box_iou_loss", "ciou")):
        functions.append(Function("torchvision", name, measure, torchvision(name)))

    for kind, measure in (("", "iou"), ("generalized_", "giou"), ("distance_", "diou"), ("complete_", "ciou")):
        name = f"{kind}intersection_over_union"
        functions.append(Function("torchmetrics", name, measure, torchmetrics(name), loss=False, matrix=True))

    overlaps = mmdet("structures.bbox.bbox_overlaps", "bbox_overlaps")
    functions += [
        Function("mmdet", "bbox_overlaps", "iou", overlaps, loss=False, matrix=True),
        Function("mmdet", "iou_loss(mode='linear')", "iou", mmdet_loss("iou_loss", mode="linear")),
        Function("mmdet", "iou_loss(mode='square')", "iou_squared", mmdet_loss("iou_loss", mode="square")),
        Function("mmdet", "iou_loss", "iou_log", mmdet_loss("iou_loss")),
        Function("mmdet", "giou_loss", "giou", mmdet_loss("giou_loss")),
        Function("mmdet", "diou_loss", "diou", mmdet_loss("diou_loss")),
        Function("mmdet", "ciou_loss", "ciou_gated", mmdet_loss("ciou_loss")),
        Function("mmdet", "eiou_loss", "extended_iou", mmdet_loss("eiou_loss")),
        Function("mmdet", "siou_loss", "siou", mmdet_loss("siou_loss")),
        Function("mmdet", "siou_loss, by its own formula", "siou_mmdet", mmdet_loss("siou_loss")),
        Function("mmdet", "siou_loss(neg_gamma=True)", "siou", mmdet_loss("siou_loss", neg_gamma=True)),
        Function("mmdet", "bounded_iou_loss", "bounded_iou", mmdet("models.losses.iou_loss", "bounded_iou_loss", True, reduction="none")),
        Function("mmdet", "smooth_l1_loss", "smooth_l1", mmdet("models.losses.smooth_l1_loss", "smooth_l1_loss", True, reduction="none")),
        Function("mmdet", "balanced_l1_loss", "balanced_l1", mmdet("models.losses.balanced_l1_loss", "balanced_l1_loss", True, reduction="none")),
    ]

    functions += [
        Function("fvcore", "giou_loss", "giou", found("fvcore.nn", "giou_loss")),
        Function("fvcore", "smooth_l1_loss(beta=1)", "smooth_l1", summed("fvcore.nn", "smooth_l1_loss", beta=1.0)),
        Function("transformers", "box_iou", "iou", transformers("box_iou"), loss=False, matrix=True),
        Function("transformers", "generalized_box_iou", "giou", transformers("generalized_box_iou"), loss=False, matrix=True),
        Function("keras", "compute_iou", "iou", keras("compute_iou"), loss=False, matrix=True),
        Function("keras", "compute_ciou", "ciou", keras("compute_ciou"), loss=False),
        # The first two work on all pairs and take the diagonal themselves
        Function("keras-cv", "IoULoss(mode='linear')", "iou", keras_cv("IoULoss", mode="linear", axis="no_reduction")),
        Function("keras-cv", "GIoULoss", "giou", keras_cv("GIoULoss", axis="no_reduction")),
        Function("keras-cv", "CIoULoss", "ciou", keras_cv("CIoULoss")),
        Function("kornia", "mean_iou_bbox", "iou", found("kornia.metrics", "mean_iou_bbox"), loss=False, matrix=True),
        Function("supervision", "box_iou_batch", "iou", found("supervision", "box_iou_batch"), loss=False, matrix=True, arrays="numpy"),
    ]

    for measure in ("iou", "giou", "diou", "ciou"):
        name = f"{measure}_distance"
        functions.append(Function("powerboxes", name, measure, found("powerboxes", name), matrix=True, arrays="numpy", dtypes=("float32", "float64")))

    fastbbox = (("bbox_overlaps", "iou"), ("generalized_iou", "giou"), ("distance_iou", "diou"), ("complete_iou", "ciou"), ("efficient_iou", "efficient_iou"))
    for name, measure in fastbbox:
        function = Function("fastbbox", name, measure, found("fastbbox", name), loss=False, matrix=True, arrays="numpy", dtypes=("float32",))
        functions.append(function)
    nwd = found("fastbbox", "normalized_wasserstein_distance", 12.8)
    functions.append(Function("fastbbox", "normalized_wasserstein_distance(tau=12.8)", "nwd", nwd, False, True, "numpy", ("float32",)))
    return tuple(functions)


OUR_LOSSES = (
    *("iou", "iou_log", "iou_squared", "giou", "diou", "ciou", "ciou_gated", "smooth_l1", "balanced_l1", "bounded_iou"),
    *("efficient_iou", "extended_iou", "siou", "siou_mmdet", "nwd"),
)
FUNCTIONS = table()


def of(peer: str) -> tuple[Function, ...]:
    return tuple(function for function in FUNCTIONS if function.peer == peer)
