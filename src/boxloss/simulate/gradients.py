"""What moves a box: minus the exact gradient of a loss, or the update that was released with the DIoU paper."""

from collections.abc import Collection
from typing import Any

from boxloss.boxes import corners
from boxloss.calculus.derivative import derivative, without_holds
from boxloss.calculus.graph import Graph, Node
from boxloss.calculus.trace import SIDES, Traced, value_node
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula
from boxloss.ops import atan2, where
from boxloss.pair import Pair

FAULTS = {
    "doubled sizes": "the IoU part's slopes along width and height are not halved: an edge moves by half of what the side grows",
    "unclamped overlap": "GIoU of two boxes apart takes their overlap's sides as they are, below 0",
    "diagonal's sign": "along the centre, the part of the penalty that the diagonal has is subtracted instead of added",
    "cross-axis": "the hull's width is taken to change with y and height as its height does, and its height with x and width as its width does",
    "shrinking hull": "along an axis where the prediction reaches beyond the target on both sides, the hull is taken to shrink as the prediction grows",
    "angle's scale": "the aspect term's slopes lack 1 / (w^2 + h^2)",
}
"""What the released update does otherwise than the gradient. "as-released" is all of them."""
RELEASED = ("iou", "giou", "diou", "ciou")


def exact(formula: Formula, parameters: dict[str, Any], *, dtype: str, format: str, tame: bool) -> Traced:
    """2 - IoU as the value, and as slopes those of the loss along the moved box's four parameters."""
    value, inputs = value_node(formula, parameters, dtype=dtype, format=format, tame=tame)
    slopes = derivative(value, list(inputs[:4]))
    jaccard = Pair(corners(inputs[:4], format), corners(inputs[4:], format), tame=tame).jaccard
    factor, *slopes = without_holds([1.0 + jaccard, *slopes])
    return Traced(formula.name, inputs, factor, tuple(slopes))


def as_released(name: str, faults: Collection[str] = tuple(FAULTS), *, dtype: str) -> Traced:
    """The same of the update that was released with the DIoU paper, written anew from its description; `faults`: which of its slips to make.

    Without any of them it is the exact gradient, but for ties, which count for the target.
    Boxes are cxcywh; `name` is one of iou, giou, diou, ciou.

    Reference: Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, and the simulation published with it.
    """
    check_released(name, faults)
    graph = Graph(dtype)
    inputs = tuple(graph.input(f"{box}_{side}") for box in "ab" for side in SIDES["cxcywh"])
    factor, ascent = _Released(inputs, faults).ascent(name)
    factor, *slopes = without_holds([factor, *(0.0 - slope for slope in ascent)])
    return Traced(f"{name} as released", inputs, factor, tuple(slopes))


def check_released(name: str, faults: Collection[str]) -> None:
    """Raises `ParameterError` for a loss that has no released update, `UnknownNameError` for what is none of its faults."""
    if name not in RELEASED:
        raise ParameterError(f"as released: there is no released update of {name!r}, only of {', '.join(RELEASED)}")
    for fault in faults:
        if fault not in FAULTS:
            raise UnknownNameError("fault", fault, FAULTS)


class _Axis:
    """One axis: position and side of prediction and target, and which of the two each end of overlap and hull belongs to."""

    def __init__(self, at: Node, side: Node, target_at: Node, target_side: Node):
        graph = at.graph
        self.at, self.side, self.target_at, self.target_side = at, side, target_at, target_side
        low, high = at - side * 0.5, at + side * 0.5
        target_low, target_high = target_at - target_side * 0.5, target_at + target_side * 0.5
        self.overlap = graph.minimum(high, target_high) - graph.maximum(low, target_low)
        self.hull = graph.maximum(high, target_high) - graph.minimum(low, target_low)
        zero, one = graph.constant(0.0), graph.constant(1.0)
        self.overlap_low, self.overlap_high = where(low > target_low, 0.0 - one, zero), where(high < target_high, one, zero)
        self.hull_low, self.hull_high = where(low < target_low, 0.0 - one, zero), where(high > target_high, one, zero)
        self.offset = target_at - at

    def hull_along(self) -> tuple[Node, Node]:
        """The hull's slope along position and side."""
        return self.hull_low + self.hull_high, (self.hull_high - self.hull_low) * 0.5

    def reaches_beyond(self) -> Node:
        """Whether the prediction does, on both sides of the target."""
        beyond: Node = (self.hull_low < 0.0) & (self.hull_high > 0.0)
        return beyond


class _Released:
    def __init__(self, inputs: tuple[Node, ...], faults: Collection[str]):
        (x, y, w, h), (tx, ty, tw, th) = inputs[:4], inputs[4:]
        self.x, self.y = _Axis(x, w, tx, tw), _Axis(y, h, ty, th)
        self.faults = faults
        self.apart = (self.x.overlap <= 0.0) | (self.y.overlap <= 0.0)
        self.overlap = self.x.overlap * self.y.overlap
        zero = x.graph.constant(0.0)
        self.true_overlap = where(self.apart, zero, self.overlap)
        self.zero = zero
        self.areas = w * h + tw * th
        self.iou = self.true_overlap / (self.areas - self.true_overlap)

    def ascent(self, name: str) -> tuple[Node, list[Node]]:
        """2 - IoU, and the slopes of the similarity along x, y, w, h."""
        edges = self._iou_edges()
        if name == "giou":
            edges = [p + q for p, q in zip(edges, self._hull_edges(), strict=True)]
        slopes = self._of_box(edges)
        if name in ("diou", "ciou"):
            slopes = [p + q for p, q in zip(slopes, self._penalty(), strict=True)]
        if name == "ciou":
            slopes = [*slopes[:2], *(p + q for p, q in zip(slopes[2:], self._aspect(), strict=True))]
        return 2.0 - self.iou, slopes

    def _d_overlap(self, clamped: bool) -> list[Node]:
        """The overlap's slopes along left, right, top, bottom."""
        found = [
            self.x.overlap_low * self.y.overlap,
            self.x.overlap_high * self.y.overlap,
            self.y.overlap_low * self.x.overlap,
            self.y.overlap_high * self.x.overlap,
        ]
        return [where(self.apart, self.zero, slope) for slope in found] if clamped else found

    def _d_area(self) -> list[Node]:
        w, h = self.x.side, self.y.side
        return [0.0 - h, h, 0.0 - w, w]

    def _iou_edges(self) -> list[Node]:
        overlap, union = self.true_overlap, self.areas - self.true_overlap
        return [
            (union * d_overlap - overlap * (d_area - d_overlap)) / (union * union)
            for d_overlap, d_area in zip(self._d_overlap(clamped=True), self._d_area(), strict=True)
        ]

    def _hull_edges(self) -> list[Node]:
        """Of GIoU's second part, union / hull."""
        clamped = "unclamped overlap" not in self.faults
        union = self.areas - (self.true_overlap if clamped else self.overlap)
        hull = self.x.hull * self.y.hull
        d_hull = [self.x.hull_low * self.y.hull, self.x.hull_high * self.y.hull, self.y.hull_low * self.x.hull, self.y.hull_high * self.x.hull]
        return [
            (hull * (d_area - d_overlap) - union * d) / (hull * hull)
            for d_area, d_overlap, d in zip(self._d_area(), self._d_overlap(clamped), d_hull, strict=True)
        ]

    def _of_box(self, edges: list[Node]) -> list[Node]:
        """From slopes along the edges to slopes along x, y, w, h."""
        left, right, top, bottom = edges
        share = 1.0 if "doubled sizes" in self.faults else 0.5
        return [left + right, top + bottom, (right - left) * share, (bottom - top) * share]

    def _penalty(self) -> list[Node]:
        """Of minus the squared offset over the hull's squared diagonal."""
        x, y = self.x, self.y
        shrinking, crossed = "shrinking hull" in self.faults, "cross-axis" in self.faults
        offset2 = x.offset * x.offset + y.offset * y.offset
        diagonal2 = x.hull * x.hull + y.hull * y.hull
        sign = -1.0 if "diagonal's sign" in self.faults else 1.0
        slopes: dict[str, list[Node]] = {"at": [], "side": []}
        for axis, other in ((x, y), (y, x)):
            along_at, along_side = axis.hull_along()
            # What is wrongly given to the other axis's hull, too, is the right slope. The description leaves open whether the slip of the shrinking hull is
            # copied with it; the published curves do not: DIoU's error after 50 steps is .529 million without, and .463 with it.
            d_other = 2.0 * other.hull if crossed else self.zero
            own_side = where(axis.reaches_beyond(), 0.0 - along_side, along_side) if shrinking else along_side
            d_at = 2.0 * axis.hull * along_at + d_other * along_at
            d_side = 2.0 * axis.hull * own_side + d_other * along_side
            slopes["at"].append((2.0 * axis.offset * diagonal2 + sign * (offset2 * d_at)) / (diagonal2 * diagonal2))
            slopes["side"].append(offset2 * d_side / (diagonal2 * diagonal2))
        return [*slopes["at"], *slopes["side"]]

    def _aspect(self) -> list[Node]:
        """Of minus alpha v along width and height, alpha held."""
        w, h = self.x.side, self.y.side
        # The arctangent of the quotient, which knows no quadrant: for a side that a large step has made negative it is another angle.
        one = w.graph.constant(1.0)
        angle = atan2(self.x.target_side / self.y.target_side, one) - atan2(w / h, one)
        v = angle * angle * _FOUR_OVER_PI_SQUARED
        alpha = v / (1.0 - self.iou + v)
        alpha = where(v > 0.0, alpha, self.zero)
        common = alpha * (2.0 * _FOUR_OVER_PI_SQUARED) * angle
        if "angle's scale" not in self.faults:
            common = common / (w * w + h * h)
        return [common * h, 0.0 - common * w]


_FOUR_OVER_PI_SQUARED = 0.4052847345693511
