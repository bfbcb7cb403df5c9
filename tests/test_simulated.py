"""docs/simulation.md says what the simulation does: parts of its tables are measured again by the default run, and the sums of the whole by the slow one."""

import re
import sys
from decimal import Decimal

import numpy as np
import pytest

import boxloss as bl
from boxloss.simulate.gradients import FAULTS, RELEASED
from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks.simulated import measure, page, pictures, tables

FEW = measure.PAPER.with_(n_centres=8)
BCCD = ROOT.parent / "shared" / "data" / "bccd"


def rows(name):
    """The page's table of that name: first cell -> the others."""
    _, _, *lines = page.read(name).splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cells[0]: cells[1:] for cells in found}


# ---- the page


def test_the_page_has_every_table_and_every_picture_and_no_other():
    text = page.PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- simulated: (.*?) -->", text) == list(tables.TABLES)
    assert set(re.findall(r"\(simulation/(.*?)\.png\)", text)) == set(pictures.PICTURES)
    assert {path.stem for path in page.FOLDER.glob("*.png")} == set(pictures.PICTURES)
    assert all(rows(name) for name in tables.TABLES)


def test_the_page_names_every_fault_and_whose_it_is():
    text = page.PAGE.read_text(encoding="utf-8")
    of = {fault: [name for name in RELEASED if fault in measure.FAULTS_OF[name]] for fault in FAULTS}
    for fault, names in of.items():
        losses = "all" if names == list(RELEASED) else ", ".join(tables.TITLES[name] for name in names)
        assert f"| {fault} | {losses} |" in text


def test_a_table_is_written_where_its_markers_are(monkeypatch, tmp_path):
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text("a\n\n<!-- simulated: one -->\n\n| old |\n\n<!-- end -->\n\nb\n\n<!-- simulated: two -->\n<!-- end -->\n")
    page.write("two", r"| \1 |")
    page.write("one", "| new |")
    assert (page.read("one"), page.read("two")) == ("| new |", r"| \1 |")
    assert page.PAGE.read_text().startswith("a\n\n<!-- simulated: one -->\n\n| new |\n\n<!-- end -->\n\nb\n")
    with pytest.raises(ValueError, match="needs one line <!-- simulated: three -->"):
        page.write("three", "")


def test_figures_have_as_many_digits_as_count():
    written = {0.0: ".0000", 0.00414: ".0041", 0.02914: ".0291", 0.5282: ".528", 0.9996: "1.000", 6.6486: "6.65", 87.69: "87.7", 162.4: "162", 1199.8: "1200"}
    assert {x: tables.figures(x) for x in written} == written
    assert tables.spread([1.0, 2.0, 6.0]) == "3.00 ± 2.50"


# ---- parts of the tables


@pytest.mark.parametrize("name", ["giou", "diou"])
def test_the_cosines_at_the_start_are_the_pages(name):
    assert tables.cosine_row(name, on_the_way=False)[1:] == rows("cosines")[f"{tables.TITLES[name]}, at the start"]


def test_all_cosines_of_the_page_are_positive():
    assert [cells[-1] for cells in rows("cosines").values()] == ["0"] * (2 * len(RELEASED))


def test_a_cosine_against_the_gradient_would_be_counted(monkeypatch):
    monkeypatch.setattr(measure, "cosines", lambda name, on_the_way: measure.Cosines(np.array([0.5, -0.5]), np.array([0.0, 1.0]), 0.5))
    assert tables.cosine_row("diou", False)[1:] == ["50 %", "-0.50", ".0000", ".0000", ".50", "2"]


def test_the_share_of_starts_apart_is_the_pages():
    mean, _, half, _ = (Decimal(word) if word[-1].isdigit() else word for word in rows("starts")["the simulation's cases"][1].split())
    share = Decimal(f"{100 * (measure.start_overlaps(0) == 0).mean():.1f}")
    assert mean - half <= share <= mean + half


@pytest.mark.skipif(not BCCD.exists(), reason="shared/data/bccd is not here")
@pytest.mark.parametrize("name", ["`ratio`, YOLOv3's anchors", "`atss`, squares"])
def test_positives_are_the_pages(name):
    assert tables.positive_row(name)[1:] == rows("starts")[name]


def test_with_few_places_the_faults_do_what_the_page_says():
    with bl.plain():
        final = {
            (name, faults): measure.run(name, FEW, faults).mean_error
            for name, every in {
                "giou": [(), ("unclamped overlap",)],
                "diou": [(), ("cross-axis",), ("cross-axis", "diagonal's sign")],
            }.items()
            for faults in every
        }  # fmt: skip
    assert final["giou", ("unclamped overlap",)] > 20 * final["giou", ()]
    assert final["diou", ("cross-axis",)] > 20 * final["diou", ()]
    assert final["diou", ("cross-axis", "diagonal's sign")] < final["diou", ()]


def test_the_ridge_is_looked_for_where_it_is():
    plan = measure.PAPER.with_(n_centres=4000)
    x, y = (plan.centres() - 10).T
    on_axes, on_diagonals = measure.along(plan, np.minimum(abs(x), abs(y)))
    assert on_axes < np.sin(np.radians(10)) * 3 < np.sin(np.radians(35)) * 2.5 < on_diagonals


# ---- the whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["curves", "ends", "ridge", "cosines", "starts"])
def test_the_sums_are_the_pages(name):
    assert tables.TABLES[name]() == page.read(name)


PRINTED = 10.0**-4
"""To so many millions sums are printed elsewhere."""


@pytest.mark.slow
@pytest.mark.parametrize(("update", "name"), tables.ELSEWHERE)
def test_the_other_programs_sums_are_within_the_spread(update, name):
    """Its draw of places is another one: it may be off from the mean of three seeds by twice what draws differ by, and by how it was rounded."""
    runs = measure.seeds(name, measure.PAPER, tables.UPDATES[update])
    final, every, _ = tables.ELSEWHERE[update, name]
    deviation = np.mean([run.deviation for run in runs]) / 1e6
    mean, beside = np.mean([run.sums[-1] for run in runs]) / 1e6, 2 * deviation + PRINTED
    assert mean - beside <= final <= mean + beside
    sums = np.array([run.sums[1:].sum() for run in runs]) / 1e6
    assert abs(sums.mean() - every) <= np.ptp(sums)
