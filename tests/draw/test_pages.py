"""The pages of docs/losses are what the records and the measurements say, and none is missing."""

import re

import pytest

import boxloss as bl
from boxloss.claims import kept, reference, remembered
from boxloss.draw import pages
from each import by_default
from shared_data import ROOT

FOLDER = ROOT / "docs" / "losses"
REMEDY = f"stale: run {pages.COMMAND}"


def test_the_measurements_that_the_package_has_are_of_its_formulas():
    stale = [name for name, formula in bl.catalogue().items() if kept(formula) is None]
    assert not stale, REMEDY


@pytest.mark.parametrize("name", [pytest.param(name, marks=by_default(name)) for name in bl.catalogue()])
def test_a_page_is_what_its_record_says(name):
    formula = bl.catalogue()[name]
    measured = kept(formula)
    assert measured is not None, REMEDY
    file = FOLDER / f"{name}.md"
    assert file.exists(), REMEDY
    assert file.read_text(encoding="utf-8") == pages.page(formula, measured), REMEDY
    assert 5_000 < (FOLDER / f"{name}.png").stat().st_size < 120_000


def test_the_tables_are_of_the_same_figures():
    measured = {name: kept(formula) for name, formula in bl.catalogue().items()}
    assert all(measured.values()), REMEDY
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == pages.index(measured), REMEDY
    assert (FOLDER / "table.md").read_text(encoding="utf-8") == pages.table(), REMEDY


def test_there_is_no_page_of_a_loss_that_is_no_more():
    assert {file.stem for file in FOLDER.iterdir()} == {*bl.catalogue(), "README", "table"}
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 6_000_000


@pytest.mark.parametrize("entry", reference.ROWS, ids=lambda entry: entry.label)
def test_the_published_figures_come_out_or_the_difference_is_explained(entry):
    formula = entry.formula()
    assert formula is not None, "no loss of the catalogue is this one"
    unexplained = [cell for cell in reference.cells(entry, remembered(formula, entry.parameters)) if not cell.same and not cell.why]
    assert unexplained == []


def test_markdown_is_written_as_text():
    assert pages._prose("a_b * `c_d` in [0, 1]") == r"a\_b \* `c_d` in \[0, 1\]"


def test_a_page_shows_a_pencil_case_that_costs_something():
    code = re.findall(r"```py\n(.*?)```", pages.page(bl.find("giou"), remembered(bl.find("giou"))), flags=re.DOTALL)
    assert code == ["bl.giou_loss([0, 0, 1, 1], [2, 0, 3, 1])  # 1.333\n"]
