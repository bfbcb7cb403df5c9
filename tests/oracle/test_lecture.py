"""The tables of `docs/lecture.md`: what stands there as right is right, by exact arithmetic and by the library, in float32 and float64."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import boxloss as bl
from close import as_printed
from oracle import exact

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lecture.md"
MEASURES = {"right IoU": "iou", "right GIoU": "giou", "right DIoU": "diou", "right CIoU": "ciou"}
SLOPES = {"right slope, DIoU": "diou", "right slope, CIoU": "ciou"}


def tables() -> list[list[dict[str, str]]]:
    """Every table of the page, as rows of column title to text."""
    found: list[list[dict[str, str]]] = []
    titles: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            titles = []
        elif not titles:
            titles = cells
            found.append([])
        elif set(line) - set("|-"):
            assert len(cells) == len(titles), f"a row of {len(cells)} cells under {len(titles)} titles: {line}"
            found[-1].append(dict(zip(titles, cells, strict=True)))
    return found


ROWS = [row for table in tables() for row in table]


def numbers(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.strip("()").split(",") if part.strip())


def box(text: str) -> tuple[exact.Fraction, ...]:
    corners = tuple(exact.Fraction(part) for part in numbers(text))
    assert len(corners) == 4
    return corners


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
    n_rows = {name: sum(title in row for row in ROWS) for title, name in MEASURES.items()}
    assert n_rows == {"iou": 14, "giou": 11, "diou": 5, "ciou": 8}
    assert len(tables()) == 7
