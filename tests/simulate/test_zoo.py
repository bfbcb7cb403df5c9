"""The zoo: a row for each loss and way, ranks, and a page whose numbers are the table's."""

import csv
import io
from pathlib import Path

import pytest

import boxloss as bl
from boxloss.simulate.loss import chosen
from boxloss.simulate.run import Simulation
from boxloss.simulate.zoo import COLUMNS, PLAN, RATES, Row, as_csv, best, by_loss, names, ranked, table, ways, zoo
from boxloss.simulate.zoo_page import page, page_file, write


def row(loss, error, iou=0.5, rate=0.1, optimiser="descent"):
    return Row(loss, optimiser, rate, 343, error, iou, 0.5, 1.0)


@pytest.fixture(scope="module")
def small():
    """Two losses of one centre, in processes of their own."""
    return zoo(["giou", "diou", "iou"], PLAN.with_(n_centres=1, steps=10))


def test_every_loss_is_in_it():
    losses = chosen(",".join(names()))
    assert {loss.formula.name for loss in losses} == set(bl.catalogue())


def test_it_goes_every_way_and_the_figures_are_the_simulations(small):
    assert [(row.loss, row.way) for row in small] == [(loss, way) for loss in ("giou", "diou", "iou") for way in (*map("{:g}".format, RATES), "Adam")]
    plan = PLAN.with_(n_centres=1, steps=10)
    tally = Simulation.of(*chosen("giou"), plan.at_rate(0.2)).shard(0, 343).tally
    (found,) = [row for row in small if (row.loss, row.way) == ("giou", "0.2")]
    assert (found.cases, found.mean_error, found.mean_iou) == (343, tally.final_error / 343, tally.mean_iou)


def test_the_ways_are_the_papers_schedule():
    assert [way.rates[0][1] for way in ways(PLAN)] == [*RATES, 0.05]
    assert {way.optimiser for way in ways(PLAN)} == {"descent", "adam"}
    assert PLAN.n_cases == 10_290


def test_ranks_are_by_error_within_a_way_and_nan_is_last():
    rows = ranked([row("a", 2.0), row("b", float("nan")), row("c", 1.0), row("d", float("inf")), row("a", 9.0, rate=0.2), row("c", 10.0, rate=0.2)])
    assert [(one.loss, one.rate, one.rank) for one in rows] == [("a", 0.1, 2), ("b", 0.1, 4), ("c", 0.1, 1), ("d", 0.1, 3), ("a", 0.2, 1), ("c", 0.2, 2)]


def test_the_best_rate_is_one_of_plain_descent():
    rows = [row("a", 1, 0.3), row("a", 1, 0.4, rate=0.5), row("a", 0, 0.9, optimiser="adam"), row("b", 1, 0.6), row("b", 0, 0.7, optimiser="adam")]
    assert best(rows[:3]).rate == 0.5
    assert [loss for loss, _ in by_loss(rows)] == ["b", "a"]


def test_the_table_for_programs(small):
    found = list(csv.DictReader(io.StringIO(as_csv(small))))
    assert tuple(found[0]) == COLUMNS
    assert [float(one["mean_error"]) for one in found] == [one.mean_error for one in small]


def test_the_files(small, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    files = write(small, tmp_path / "animals")
    assert files == [tmp_path / "animals" / "zoo.csv", tmp_path / "animals" / "zoo.parquet", tmp_path / "animals.md"]
    assert parquet.read_table(files[1])["mean_error"].to_pylist() == [one.mean_error for one in small]
    assert files[2].read_text() == page(small, tmp_path / "animals")


def test_the_page_has_the_tables_numbers(small, tmp_path):
    text = page(small, tmp_path / "animals")
    _, rows = table(small)
    for loss, *cells in rows:
        assert f"| `{loss}` | {' | '.join(cells)} |" in text
    assert "3 losses, 343 cases each" in text
    for line in text.splitlines():
        assert "{" not in line


def test_the_page_has_the_line_that_writes_it_again(small, tmp_path):
    assert f"Written by `boxloss zoo --out {tmp_path / 'animals'} --centres 1`. Numbers:" in page(small, tmp_path / "animals")
    text = page(small, tmp_path / "my animals", 1)
    assert f"Written by `boxloss zoo --out '{tmp_path / 'my animals'}' --centres 1 --seed 1`. Numbers: [zoo.csv](my%20animals/zoo.csv)" in text
    assert "(`--seed 2`)" in text


def test_the_page_lies_beside_the_folder(tmp_path, monkeypatch):
    (tmp_path / "animals").mkdir()
    monkeypatch.chdir(tmp_path / "animals")
    assert page_file(Path("x/animals")) == Path("x/animals.md")
    assert page_file(Path()) == tmp_path / "animals.md"
    assert page_file(Path("..")) == tmp_path.with_name(f"{tmp_path.name}.md")


def test_a_page_without_anything_to_list_is_a_page(tmp_path):
    rows = ranked([row(loss, error, 0.9, rate) for loss, error in (("giou", 1.0), ("diou", 2.0)) for rate in (0.1, 0.2)])
    assert "end\n  none." in page(rows, tmp_path / "x")
