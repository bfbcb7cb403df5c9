"""Wrong implementations, which the checks must catch.

Each is the text-book (`textbook.py`) with one thing broken, in the way that published code has been broken; its record says which loss it is, and
which check is to catch it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from meta.textbook import Textbook, positive, ratio, subject
from properties.subjects import Subject

# ---- faults: what is computed


class CIoUIsDIoU(Textbook):
    def ciou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.diou(a, b)


class GIoUIsIoU(Textbook):
    def giou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.jaccard(a, b)


class UnionForgetsTheOverlap(Textbook):
    def union(self, a: Tensor, b: Tensor) -> Tensor:
        return self.areas(a, b)


class OnePixelMore(Textbook):
    def sides(self, box: Tensor) -> tuple[Tensor, Tensor]:
        return box[..., 2] - box[..., 0] + 1, box[..., 3] - box[..., 1] + 1


class OverlapNotClamped(Textbook):
    def overlap(self, a: Tensor, b: Tensor) -> Tensor:
        return (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).prod(-1)


class EpsInTheRatio(Textbook):
    def jaccard(self, a: Tensor, b: Tensor) -> Tensor:
        return 1 - self.overlap(a, b) / (self.union(a, b) + 1e-3)


class EpsOnTheHeight(Textbook):
    def aspect(self, a: Tensor, b: Tensor) -> Tensor:
        (wa, ha), (wb, hb) = self.sides(a), self.sides(b)
        return 4 / math.pi**2 * (torch.atan(wb / (hb + 1e-3)) - torch.atan(wa / (ha + 1e-3))) ** 2


class NaNForDegenerateBoxes(Textbook):
    def jaccard(self, a: Tensor, b: Tensor) -> Tensor:
        return 1 - self.overlap(a, b) / self.union(a, b)


class NoUpcast(Textbook):
    def widen(self, boxes: Tensor) -> Tensor:
        return boxes


class UpcastOfHalfTypesOnly(Textbook):
    def widen(self, boxes: Tensor) -> Tensor:
        return boxes.float() if boxes.is_floating_point() and boxes.dtype != torch.float64 else boxes


class MatrixTransposed(Textbook):
    def matrix(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return self.values(name, a[None, :], b[:, None])


class MatrixShapedRightButTransposed(Textbook):
    def matrix(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return super().matrix(name, a, b).T.reshape(len(a), len(b))


class DiagonalFromTheWidth(Textbook):
    def diagonal2(self, a: Tensor, b: Tensor) -> Tensor:
        return 2 * self.hull_sides(a, b)[0] ** 2


class OffsetTimesFour(Textbook):
    def offset2(self, a: Tensor, b: Tensor) -> Tensor:
        return 4 * super().offset2(a, b)


class DistanceNotSquared(Textbook):
    def diou(self, a: Tensor, b: Tensor) -> Tensor:
        return self.jaccard(a, b) + ratio(self.offset2(a, b).sqrt(), self.diagonal2(a, b).sqrt())


class AspectWithoutItsFactor(Textbook):
    def aspect(self, a: Tensor, b: Tensor) -> Tensor:
        return super().aspect(a, b) * (math.pi**2 / 4)


class AlphaIsOne(Textbook):
    def alpha(self, jaccard: Tensor, v: Tensor) -> Tensor:
        return torch.ones_like(v)


class GateTheWrongWayRound(Textbook):
    def gate(self, jaccard: Tensor) -> Tensor:
        return (jaccard > 0.5).to(jaccard.dtype)


class InvertedBoxesTakenAsTheyCome(Textbook):
    def upright(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return a, b, torch.zeros_like(a[..., 0] + b[..., 0])


class InvertedBoxesTurnedRound(Textbook):
    def upright(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        turned = [torch.cat([torch.minimum(x[..., :2], x[..., 2:]), torch.maximum(x[..., :2], x[..., 2:])], -1) for x in (a, b)]
        return turned[0], turned[1], torch.zeros_like(a[..., 0] + b[..., 0])


class LogOfZeroIsInfinite(Textbook):
    def iou_log(self, a: Tensor, b: Tensor) -> Tensor:
        return -torch.log(1 - self.jaccard(a, b))


class DiagonalOfTheTarget(Textbook):
    def diagonal2(self, a: Tensor, b: Tensor) -> Tensor:
        width, height = self.sides(b)
        return width**2 + height**2


# ---- faults: gradients, under values that are right


class SameValue(torch.autograd.Function):
    """A number as it is, and its upstream gradient times a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return upstream * ctx.factor, None


class AlphaNotHeld(Textbook):
    def alpha(self, jaccard: Tensor, v: Tensor) -> Tensor:
        return ratio(v, jaccard + v)


class GradientTimes(Textbook):
    def __init__(self, factor: float):
        self.factor = factor

    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return SameValue.apply(super().values(name, a, b), self.factor)


class UpstreamGradientIgnored(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return IgnoreUpstream.apply(super().values(name, a, b))


class IgnoreUpstream(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:  # type: ignore[override]
        return torch.ones_like(upstream)


class NoGradientForTheTarget(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return super().values(name, a, b.detach())


class ClampedGradient(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return super().values(name, a, b).clamp(max=1.5)


class TiesToOneSide(Textbook):
    def overlap(self, a: Tensor, b: Tensor) -> Tensor:
        low, high = torch.where(a > b, a, b)[..., :2], torch.where(a < b, a, b)[..., 2:]
        return positive(high - low).prod(-1)


class GradientNaNForDegenerateBoxes(Textbook):
    def aspect(self, a: Tensor, b: Tensor) -> Tensor:
        (wa, ha), (wb, hb) = self.sides(a), self.sides(b)
        is_point = ((wa == 0) & (ha == 0)) | ((wb == 0) & (hb == 0))
        angle = torch.atan(wb / torch.where(is_point, 1.0, hb)) - torch.atan(wa / torch.where(is_point, 1.0, ha))
        return 4 / math.pi**2 * torch.where(is_point, 0.0, angle) ** 2


# ---- faults: reductions, batches, claims


class MeanOfNothingIsNaN(Textbook):
    def reduce(self, values: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
        return values.mean() if reduction == "mean" and weight is None else super().reduce(values, reduction, weight)


class MeanOfNothingIsAConstant(Textbook):
    def reduce(self, values: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
        return super().reduce(values, reduction, weight) if values.numel() or reduction == "none" else torch.zeros((), dtype=values.dtype)


class WeightIgnored(Textbook):
    def reduce(self, values: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
        return super().reduce(values, reduction, None)


class MeanIsSum(Textbook):
    def reduce(self, values: Tensor, reduction: str, weight: Tensor | None) -> Tensor:
        return super().reduce(values, "sum" if reduction == "mean" else reduction, weight)


class BatchInItsValues(Textbook):
    """Rounded to the batch's largest number, as quantised kernels do."""

    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        values = super().values(name, a, b)
        step = values.detach().abs().max() * 2.0**-40 if values.numel() else 1.0
        return (values / step).round() * step


class NaNSwallowed(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return super().values(name, a, b).nan_to_num()


class NaNSpreads(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        values = super().values(name, a, b)
        return values + 0 * values.sum()


class ThreadsInItsValues(Textbook):
    def values(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        return super().values(name, a, b) * (1 + 2.0**-20 * (torch.get_num_threads() - 1))


@dataclass(frozen=True)
class Fault:
    title: str
    caught_by: str  # a name in checks.VALUE_CHECKS and the like
    make: Callable[[], Subject]


def fault(title: str, name: str, caught_by: str, implementation: Textbook | None = None, **claims: Any) -> Fault:
    return Fault(title, caught_by, lambda: subject(name, implementation, **claims))


# The twenty that every suite should notice, in the order of STYLE's list
TWENTY = (
    fault("CIoU = DIoU", "ciou", "value", CIoUIsDIoU()),
    fault("GIoU = IoU", "giou", "value", GIoUIsIoU()),
    fault("union forgets the overlap", "iou", "value", UnionForgetsTheOverlap()),
    fault("+1 pixel", "iou", "scaling", OnePixelMore()),
    fault("overlap not clamped", "iou", "value", OverlapNotClamped()),
    fault("eps = 1e-3", "iou", "identical", EpsInTheRatio()),
    fault("eps on the height only", "ciou", "transpose", EpsOnTheHeight()),
    fault("NaN for degenerate boxes", "iou", "finite", NaNForDegenerateBoxes()),
    fault("no upcast of half types and integers", "giou", "narrow", NoUpcast()),
    fault("pairwise matrix transposed", "iou", "pairwise", MatrixTransposed()),
    fault("diagonal from the width only", "diou", "transpose", DiagonalFromTheWidth()),
    fault("centre distance x 4", "diou", "value", OffsetTimesFour()),
    fault("distance not squared", "diou", "value", DistanceNotSquared()),
    fault("v without 4/pi^2", "ciou", "value", AspectWithoutItsFactor()),
    fault("alpha = 1", "ciou", "bounds", AlphaIsOne()),
    fault("alpha not held", "ciou", "gradient", AlphaNotHeld()),
    fault("gradient zero", "giou", "gradient", GradientTimes(0.0)),
    fault("gradient flipped", "giou", "gradient", GradientTimes(-1.0)),
    fault("gradient halved", "giou", "gradient", GradientTimes(0.5)),
    fault("mean of an empty batch NaN", "iou", "empty", MeanOfNothingIsNaN()),
)

MORE = (
    fault("+1 pixel, in the value", "giou", "value", OnePixelMore()),
    fault("eps = 1e-3, in the value of small boxes", "iou", "value", EpsInTheRatio()),
    fault("diagonal from the width only, in the value", "diou", "value", DiagonalFromTheWidth()),
    fault("alpha = 1, in the value", "ciou", "value", AlphaIsOne()),
    fault("a box against itself is NaN", "iou", "identical", NaNForDegenerateBoxes()),
    fault("gate the wrong way round", "ciou_gated", "value", GateTheWrongWayRound()),
    fault("no gate", "ciou_gated", "value", type("NoGate", (Textbook,), {"ciou_gated": Textbook.ciou})()),
    fault("inverted boxes taken as they come", "giou", "inverted", InvertedBoxesTakenAsTheyCome()),
    fault("inverted boxes turned round", "giou", "inverted", InvertedBoxesTurnedRound()),
    fault("-ln 0 is infinite", "iou_log", "finite", LogOfZeroIsInfinite()),
    fault("smooth L1 is L1", "smooth_l1", "value", type("SmoothIsL1", (Textbook,), {"smooth_l1": Textbook.l1})()),
    fault("L2 without its half", "l2", "value", type("NoHalf", (Textbook,), {"l2": lambda self, a, b: ((a - b) ** 2).sum(-1)})()),
    fault("squared IoU is IoU", "iou_squared", "value", type("NotSquared", (Textbook,), {"iou_squared": Textbook.iou})()),
    fault("diagonal of the target, claimed symmetric", "diou", "symmetric", DiagonalOfTheTarget()),
    fault("claimed not symmetric, but it is", "giou", "symmetric", symmetric=False),
    fault("claimed scale-free, but it is not", "l1", "scaling", scale_free=True),
    fault("claimed not scale-free, but it is", "giou", "scaling", scale_free=False),
    fault("claimed bounds too wide", "iou", "bounds", bounds="[0, 2]"),
    fault("claimed bounds too narrow", "giou", "bounds", bounds="[0, 1]"),
    fault("claimed bound open, but it is reached", "iou", "bounds", bounds="[0, 1)"),
    fault("claimed bound closed, but it is not reached", "ciou", "bounds", bounds="[0, 2.5]"),
    fault("claimed bounded, but it is not", "l1", "bounds", bounds="[0, 4]"),
    fault("half types guarded, integers not", "giou", "narrow", UpcastOfHalfTypesOnly()),
    fault("matrix of the right shape, transposed", "iou", "pairwise", MatrixShapedRightButTransposed()),
    fault("upstream gradient ignored", "giou", "gradient", UpstreamGradientIgnored()),
    fault("no gradient for the target", "giou", "gradient", NoGradientForTheTarget()),
    fault("gradient clamped away", "ciou", "value", ClampedGradient()),
    fault("ties to one side", "iou", "ties", TiesToOneSide()),
    fault("gradient NaN for degenerate boxes", "ciou", "finite", GradientNaNForDegenerateBoxes()),
    fault("mean of an empty batch without a gradient", "iou", "empty", MeanOfNothingIsAConstant()),
    fault("weight ignored", "iou", "reductions", WeightIgnored()),
    fault("mean is sum", "iou", "reductions", MeanIsSum()),
    fault("a pair's value depends on its batch", "iou", "batch", BatchInItsValues()),
    fault("NaN swallowed", "iou", "nan", NaNSwallowed()),
    fault("NaN spreads to other rows", "iou", "nan", NaNSpreads()),
    fault("value depends on the number of threads", "iou", "threads", ThreadsInItsValues()),
)
FAULTS = TWENTY + MORE
