"""The property table that was published before these losses were measured here, and what came out for each of its rows.

An independent script made it: other code, other pairs (200,000 random ones), central differences. Boxes (x, y, width, height), the centre first.
"""

from dataclasses import dataclass, field
from typing import Any

from boxloss.claims.findings import figure, is_metric, signed
from boxloss.claims.measured import Measured
from boxloss.errors import BoxLossError
from boxloss.formulas import Formula, find

SEEN = "none seen"


@dataclass(frozen=True)
class Row:
    """One row: `names` are those that the catalogue may have for the loss, the first that it has counts. `why`: what explains each difference, by column."""

    label: str
    names: tuple[str, ...]
    most: float | None
    symmetric: bool
    scale_free: bool
    triangle: float | str | None
    apart: tuple[float, float, float]
    match: tuple[float, float]
    monotone: bool
    parameters: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def formula(self) -> Formula | None:
        """The catalogue's loss; None where it has none that takes these parameters."""
        for name in self.names:
            try:
                formula = find(name)
                formula.check_parameters(self.parameters)
            except BoxLossError:
                continue
            return formula
        return None


@dataclass(frozen=True)
class Cell:
    """One figure: as published, as measured, and whether they are the same to the digits that were published."""

    column: str
    published: str
    measured: str
    same: bool
    why: str = ""


_HUNT = "random triples alone show none; a search uphill finds some"
_LARGER = "the search climbs to larger values than 200,000 random pairs have"
_WORSE = "uphill from the worst random triples lie worse ones"
_EPS = "there an eps under the root flattened the distance at the match; this is the limit"

ROWS = (
    Row("L1 (xywh)", ("l1_cxcywh", "l1_xywh"), None, True, False, SEEN, (1, 0, 0), (1, 1), True),
    Row(
        "L2", ("l2_cxcywh", "l2_xywh"), None, True, False, 7.7, (3, 0, 0), (0, 0), True,
        why={"triangle": "it grows with the square of the boxes' distance; the search goes further"},
    ),
    Row("Smooth L1, beta 1/9", ("smooth_l1_cxcywh", "smooth_l1_xywh"), None, True, False, 0.22, (1, 0, 0), (0, 0), True, {"beta": 1 / 9}),
    Row("Bounded IoU, beta .2", ("bounded_iou",), 3.6, False, True, 0.33, (0, 0, 0), (0, 0), True, {"beta": 0.2}, {"triangle": _WORSE}),
    Row("1 - IoU", ("iou",), 1, True, True, SEEN, (0, 0, 0), (2, 1), True),
    Row(
        "-ln IoU, clamped at 1e-6", ("iou_log",), 13.8, True, True, 11, (0, 0, 0), (2, 1), True,
        why={"most": "126 ln 2 without overlap here, -ln 1e-6 = 13.8 there", "triangle": "it grows with the value without overlap"},
    ),
    Row("1 - IoU^2", ("iou_squared",), 1, True, True, SEEN, (0, 0, 0), (4, 2), True),
    Row("GIoU", ("giou",), 2, True, True, SEEN, (0.125, -0.1875, 0), (2, 1), True),
    Row("DIoU", ("diou",), 2, True, True, 0.117, (0.104, -0.125, -0.031), (2, 1), True, why={"triangle": "a longer search finds a worse triple"}),
    Row("CIoU", ("ciou",), 2.5, True, True, SEEN, (0.104, -0.125, -0.031), (2, 1), True, why={"triangle": _HUNT + "; there it was not finished"}),
    Row("EIoU", ("efficient_iou", "eiou"), 3.04, True, True, None, (0.104, -0.125, -0.031), (2, 1), True, why={"most": _LARGER}),
    Row(
        "Focal-EIoU, gamma .5", ("focal_efficient_iou", "focal_eiou"), 0.80, True, True, 0.80, (0, 0, 0), (2, 1), False,
        why={"most": _LARGER, "triangle": _LARGER},
    ),
    Row("SIoU, theta 4", ("siou",), 1.77, True, True, None, (0.030, -0.046, 0), (2, 1), True, why={"most": _LARGER}),
    Row("alpha-IoU, 3", ("iou",), 1, True, True, None, (0, 0, 0), (6, 3), True, {"power": 3}),
    Row("alpha-DIoU, 3", ("diou",), 2, True, True, None, (0.087, -0.105, -0.026), (6, 3), True, {"power": 3}),
    Row("WIoU v1", ("wise_iou", "wiou"), 2.71828, True, True, 0.15, (0.599, 0, 0), (2, 1), True, why={"triangle": _WORSE}),
    Row("MPDIoU, image 20 x 20", ("mpdiou",), None, True, False, None, (0.015, 0, 0), (2, 1), True, {"image_width": 20.0, "image_height": 20.0}),
    Row("Inner-CIoU, .75", ("ciou",), 2.5, True, True, None, (0.104, -0.125, -0.031), (2.67, 1), True, {"inner": 0.75}),
    Row("Inner-CIoU, 1.25", ("ciou",), 2.5, True, True, None, (0.104, -0.125, -0.031), (1.6, 1), True, {"inner": 1.25}),
    Row(
        "Shape-IoU, s = 0 (as released)", ("shape_iou_released",), 1.96, True, True, None, (0.104, -0.125, -0.031), (2, 1), True,
        why={"most": _LARGER},
    ),
    Row("Powerful IoU v1", ("powerful_iou", "piou"), 2, False, True, None, (0.158, 0, 0), (2, 1), True),
    Row(
        "Powerful IoU v2, as released", ("powerful_iou2_released",), 1.87, False, True, 1.9, (-0.504, 0, 0), (1.44, 0.72), False,
        why={"most": _LARGER, "triangle": _LARGER},
    ),
    Row("Powerful IoU v2, attention held", ("powerful_iou2",), 1.87, False, True, 1.9, (0.127, 0, 0), (1.44, 0.72), False),
    Row(
        "SCA, alpha .5", ("sca",), 4.8, True, True, None, (0.196, -0.273, -0.021), (2.29, 1.08), True, {"alpha": 0.5},
        {"most": _LARGER, "match": _EPS},
    ),
    Row("NWD, C = 1", ("nwd",), 1, True, False, None, (0.050, 0, 0), (0.41, 0.12), True, {"constant": 1.0}, {"match": _EPS}),
    Row("InterpIoU, .98", ("interp_iou",), 1.92, False, True, None, (0.036, -0.001, 0), (2.04, 1.02), True, {"alpha": 0.98}, {"most": _LARGER}),
    Row("D-InterpIoU, .6 to .99", ("interp_iou_dynamic",), 1.67, False, True, None, (0.019, 0, 0), (2.8, 1.4), False, why={"most": _LARGER}),
)  # fmt: skip


def cells(row: Row, measured: Measured) -> list[Cell]:
    """Each published figure beside the one that was measured."""
    found = [
        _cell(row, "symmetric", _word(row.symmetric), _word(measured.swap == 0)),
        _cell(row, "scale-free", _word(row.scale_free), _word(measured.doubled == 0)),
        *(_number(row, f"apart, {side}", published, got) for side, published, got in zip(("x", "width", "height"), row.apart, measured.apart, strict=True)),
        *(_number(row, f"match, {way}", published, got) for way, published, got in zip(("sideways", "wider"), row.match, measured.match[:2], strict=True)),
        _cell(row, "grows with a shift", _word(row.monotone), _word(measured.monotone)),
    ]
    if row.most is not None:
        found.insert(0, _number(row, "most", row.most, measured.most))
    if row.triangle == SEEN:
        found.append(_cell(row, "triangle", SEEN, SEEN if is_metric(measured) else f"fails by {figure(measured.triangle)}"))
    elif isinstance(row.triangle, float | int):
        found.append(_triangle(row, float(row.triangle), measured))
    return found


def _cell(row: Row, column: str, published: str, measured: str) -> Cell:
    return Cell(column, published, measured, published == measured, "" if published == measured else _why(row, column))


def _triangle(row: Row, published: float, measured: Measured) -> Cell:
    """The worst triple of a search is at least as bad as that of random triples, or of a shorter search."""
    written = f"{figure(measured.triangle)}, and {figure(max(measured.triangle_random, 0.0))} by random triples"
    same = abs(published - measured.triangle) <= 0.05 * published
    return Cell("triangle", f"{published:g}", written, same, "" if same else _why(row, "triangle"))


def _number(row: Row, column: str, published: float, measured: float) -> Cell:
    digits = len(f"{published:g}".partition(".")[2])
    same = abs(published - measured) <= 0.55 * 10.0 ** -max(digits, 2)  # the last digit may be rounded twice
    written = (signed if column.startswith("apart") else figure)(measured if abs(measured) > 1e-6 else 0.0)
    return Cell(column, f"{published:g}", written, same, "" if same else _why(row, column))


def _why(row: Row, column: str) -> str:
    return row.why.get(column) or row.why.get(column.split(",")[0], "")


def _word(holds: bool) -> str:
    return "yes" if holds else "no"
