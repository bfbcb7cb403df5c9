"""The tables of `docs/lecture.md`, for the tests that hold them to what is right and to what its pictures show."""

from fractions import Fraction
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "lecture.md"


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


def table_with(title: str, *others: str) -> list[dict[str, str]]:
    """The one table that has these columns."""
    (found,) = (table for table in tables() if {title, *others} <= set(table[0]))
    return found


def numbers(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.strip("()").split(",") if part.strip())


def box(text: str) -> tuple[Fraction, ...]:
    corners = tuple(Fraction(part) for part in numbers(text))
    assert len(corners) == 4
    return corners
