"""The tables of `docs/lecture.md`: what stands there as right is right, by exact arithmetic and by the library, in float32 and float64."""

import math
from typing import Any

import numpy as np
import pytest

import boxloss as bl
from close import as_printed, close
from lecture_page import ROWS, box, tables
from oracle import exact

MEASURES = {"right IoU": "iou", "right GIoU": "giou", "right DIoU": "diou", "right CIoU": "ciou"}
LOSSES = {"right L2 loss": "l2"}
SLOPES = {"right slope, DIoU": "diou", "right slope, CIoU": "ciou"}


def cases(columns: dict[str, str]) -> list[Any]:
    return [
        pytest.param(name, row["prediction"], row["target"], row[title], id=f"{name} of {row['prediction']}, {row['target']}")
        for row in ROWS
        for title, name in columns.items()
        if row.get(title, "not a box") != "not a box"
    ]


@pytest.mark.parametrize(("name", "prediction", "target", "right"), cases(MEASURES))
def test_similarities(name: str, prediction: str, target: str, right: str) -> None:
    a, b = box(prediction), box(target)
    as_printed(1 - exact.value(name, a, b), right)
    for dtype in ("float32", "float64"):
        as_printed(float(getattr(bl, name)(np.array(a, dtype), np.array(b, dtype))), right)


@pytest.mark.parametrize(("name", "prediction", "target", "right"), cases(LOSSES))
def test_losses(name: str, prediction: str, target: str, right: str) -> None:
    a, b = box(prediction), box(target)
    as_printed(exact.value(name, a, b), right)
    for dtype in ("float32", "float64"):
        as_printed(float(getattr(bl, f"{name}_loss")(np.array(a, dtype), np.array(b, dtype))), right)


@pytest.mark.parametrize("row", [row for row in ROWS if "hull" in row or "ρ²" in row or "v" in row], ids=lambda row: row["prediction"])
def test_what_the_losses_are_made_of(row: dict[str, str]) -> None:
    a, b = box(row["prediction"]), box(row["target"])
    sides = [min(p, q) - max(s, t) for s, t, p, q in zip(a[:2], b[:2], a[2:], b[2:], strict=True)]
    around = [max(p, q) - min(s, t) for s, t, p, q in zip(a[:2], b[:2], a[2:], b[2:], strict=True)]
    overlap, hull = max(sides[0], 0) * max(sides[1], 0), around[0] * around[1]
    union = sum((right - left) * (bottom - top) for left, top, right, bottom in (a, b)) - overlap
    angle = math.atan2(b[2] - b[0], b[3] - b[1]) - math.atan2(a[2] - a[0], a[3] - a[1])
    right = {
        "overlap": overlap,
        "union": union,
        "hull": hull,
        "waste": hull - union,
        "ρ²": sum((a[k] + a[k + 2] - b[k] - b[k + 2]) ** 2 for k in (0, 1)) / 4,
        "c²": around[0] ** 2 + around[1] ** 2,
        "v": 4 / math.pi**2 * angle**2,
    }
    printed = set(right) & set(row)
    for name in printed:
        as_printed(right[name], row[name])
    assert len(printed) in (4, 2, 1)


@pytest.mark.parametrize("row", [row for row in ROWS if "pull on x" in row], ids=lambda row: row["loss"])
def test_what_moves_the_film_at_its_start(row: dict[str, str]) -> None:
    (x, y, w, h), (u, v, p, q) = (box(row[f"{name} (centre, size)"]) for name in ("box", "target"))
    left, top, right, bottom, *_ = exact.gradient(row["loss"], (x - w / 2, y - h / 2, x + w / 2, y + h / 2), (u - p / 2, v - q / 2, u + p / 2, v + q / 2))
    slopes = {"x": left + right, "y": top + bottom, "the width": (right - left) / 2, "the height": (bottom - top) / 2}
    for name, slope in slopes.items():
        as_printed(0 - slope, row[f"pull on {name}"])


def test_the_gradient_of_iou_is_in_one_over_the_unit_of_length() -> None:
    scales = [(box(row["prediction"]), box(row["target"])) for row in ROWS if "scale" in row]
    small, *_, large = (exact.gradient("iou", a, b) for a, b in scales)
    close(np.array(large, float) * 4, small, "float64")


@pytest.mark.parametrize("row", [row for row in ROWS if "what it does not see" in row], ids=lambda row: row["loss"])
def test_ranges(row: dict[str, str]) -> None:
    formula = bl.catalogue()[row["loss"].strip("`")]
    assert row["range"] == formula.bounds
    assert row["scale-free"] == ("yes" if formula.scale_free else "no")


@pytest.mark.parametrize(("name", "prediction", "target", "right"), cases(SLOPES))
def test_slopes_along_the_width(name: str, prediction: str, target: str, right: str) -> None:
    torch = pytest.importorskip("torch")
    a, b = box(prediction), box(target)
    slopes = exact.gradient(name, a, b)
    as_printed((slopes[2] - slopes[0]) / 2, right)
    pred = torch.tensor([float(x) for x in a], dtype=torch.float64, requires_grad=True)
    getattr(bl, f"{name}_loss")(pred, torch.tensor([float(x) for x in b], dtype=torch.float64)).backward()
    as_printed(float(pred.grad[2] - pred.grad[0]) / 2, right)


@pytest.mark.parametrize("row", [row for row in ROWS if "l1 of centre and size" in row], ids=lambda row: row["prediction"])
def test_the_three_pairs_lie_equally_far_apart(row: dict[str, str]) -> None:
    x, y, w, h = box(row["prediction (centre, width, height)"])
    assert box(row["prediction"]) == (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    left, top, right, bottom = box(row["target"])
    target = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    assert target == (10, 20, 10, 23)
    assert sum(abs(p - t) for p, t in zip((x, y, w, h), target, strict=True)) == exact.Fraction(row["l1 of centre and size"])


def test_the_papers_six_figures_are_there() -> None:
    figures = [(row["right IoU"], row["right GIoU"]) for row in ROWS if "l1 of centre and size" in row]
    assert figures == [(".27", ".24"), (".59", ".59"), (".66", ".62")]


@pytest.mark.parametrize("row", [row for row in ROWS if "not a box" in row.values()], ids=lambda row: row["prediction"])
def test_what_is_no_box_is_named(row: dict[str, str]) -> None:
    inverted = box(row["prediction"])
    with pytest.raises(ValueError, match="inverted"):
        exact.value("iou", inverted, box(row["target"]))
    with pytest.raises(bl.errors.InvalidBoxError, match="inverted"):
        bl.boxes.check(np.array([inverted], float))
    bl.boxes.check(np.array([box(row["target"])], float))


def test_half_types_do_not_overflow() -> None:
    torch = pytest.importorskip("torch")
    (row,) = (row for row in ROWS if row.get("passed", "").startswith("float16"))
    corners = torch.tensor([float(x) for x in box(row["prediction"])], dtype=torch.float16)
    as_printed(float(bl.diou(corners, corners)), row["right DIoU"])


@pytest.mark.parametrize("row", [row for row in ROWS if "boxes" in row], ids=lambda row: row["boxes"])
def test_shapes(row: dict[str, str]) -> None:
    n, m = (int(part) for part in row["boxes"].split(" and "))
    a, b = np.tile([0.0, 0, 2, 2], (n, 1)), np.tile([1.0, 1, 3, 3], (m, 1))
    assert str(bl.pairwise("diou", a, b).shape) == row["right shape, pairwise"]
    if row["right shape, element-wise"] == "ShapeError":
        with pytest.raises(bl.errors.ShapeError):
            bl.diou(a, b)
    else:
        assert str(bl.diou(a, b).shape) == row["right shape, element-wise"]


def test_the_page_has_its_tables() -> None:
    """A table that lost its title line would lose its tests."""
    n_rows = {name: sum(title in row for row in ROWS) for title, name in (MEASURES | LOSSES).items()}
    assert n_rows == {"iou": 35, "giou": 25, "diou": 15, "ciou": 14, "l2": 7}
    assert len(tables()) == 16
