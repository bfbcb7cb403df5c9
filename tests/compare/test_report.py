"""The report's files: whole, true to the results, and safe to open."""

import csv
import json
import math
import re

import pytest

import synthetic
from boxloss.compare import files, report
from boxloss.compare.pictures import choose_pictures
from boxloss.compare.statistics import METRICS
from boxloss.compare.verdict import conclude
from boxloss.errors import CompareError
from close import close

NONE = dict.fromkeys(("l2", "iou", "giou"), 0.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run of three losses and three seeds, its folder, and its verdict."""
    out = tmp_path_factory.mktemp("run")
    dataset = synthetic.data()
    run = synthetic.results(NONE, n_seeds=3, dataset=dataset)
    synthetic.write_predictions(run, dataset, out)
    return run, out, report.write(run, dataset, out)


def test_all_four_files_are_there_and_no_temporary_one(written):
    _, out, _ = written
    assert {"report.html", "report.md", "results.csv", "results.json"} <= {path.name for path in out.iterdir()}
    assert not [path for path in out.rglob("*") if path.name.startswith(files.TEMPORARY)]


def test_the_verdict_comes_first_and_follows_from_the_figures(written):
    run, out, verdict = written
    assert verdict == conclude(report.judge(run))
    head, _, rest = verdict.sentence.partition(":")
    page = (out / "report.html").read_text()
    assert f"<strong>{head}:</strong>{rest}" in page
    assert page.index(rest) < page.index("<h2>")
    assert json.loads((out / "results.json").read_text())["verdict"]["sentence"] == verdict.sentence


def test_the_page_tells_all_that_it_should(written):
    run, out, _ = written
    page = (out / "report.html").read_text()
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == [
        "Average precision",
        "Differences from iou, seed by seed",
        "Weights of the box losses",
        "Training, epoch by epoch",
        "Boxes that missed their targets",
        "Predictions against truth",
        "The losses alone",
        "How it was run",
    ]
    assert run.plan["command"] in page
    assert "<code>centre_sampling</code>" in page
    assert "<code>greedy</code> beyond an overlap of 0.6." in page
    plan = json.loads((out / "results.json").read_text())["plan"]
    assert (plan["assigner"], plan["nms"], plan["nms_threshold"]) == ("centre_sampling", "greedy", 0.6)
    assert "1 box has no size: first val-00" in page
    assert "torch 2.13.0" in page
    assert "871,234 parameters" in page
    assert page.count("<svg") == 5 + 3
    assert page.count("<img") == 4 * 3  # four pictures, three losses


def test_a_loss_from_a_file_is_told_with_its_title_and_its_file(tmp_path):
    run = synthetic.results(NONE, n_seeds=1)
    run.plan["formulas"] = {"giou": {"title": "Half the distance", "paper": "mine", "file_sha256": "0123456789abcdef" * 4}}
    report.write(run, synthetic.data(), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "</span>: Half the distance (mine)" in page
    assert "SHA-256 <code>0123456789abcdef</code>" in page


def test_the_page_stands_alone(written):
    _, out, _ = written
    page = (out / "report.html").read_text()
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "<script" not in page
    assert "url(http" not in page


def test_ids_in_the_page_are_unique(written):
    _, out, _ = written
    ids = re.findall(r'\sid="([^"]*)"', (out / "report.html").read_text())
    assert len(ids) == len(set(ids))
    used = re.findall(r'xlink:href="#([^"]*)"|url\(#([^)]*)\)', (out / "report.html").read_text())
    assert {one or other for one, other in used} <= set(ids)


def test_every_figure_that_the_markdown_links_to_is_there(written):
    _, out, _ = written
    links = re.findall(r"!\[.*?\]\((figures/[^)]*)\)", (out / "report.md").read_text())
    assert len(links) == 5 + 3 + 12
    assert {out / link for link in links} == set((out / "figures").iterdir())


def test_csv_has_a_row_a_trial_to_the_last_digit(written):
    run, out, _ = written
    with open(out / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["loss"], int(row["seed"])) for row in rows] == [(trial["loss"], trial["seed"]) for trial in run.trials]
    for row, trial in zip(rows, run.trials, strict=True):
        assert [float(row[metric]) for metric in METRICS] == [trial["metrics"][metric] for metric in METRICS]
        assert row["ap_small"] == ""  # undefined


def test_json_is_strict_and_has_everything(written):
    run, out, _ = written

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    record = json.loads((out / "results.json").read_text(), parse_constant=refuse)
    assert record["plan"] == run.plan
    assert record["weights"] == run.weights
    assert len(record["trials"]) == len(run.trials)
    mean = math.fsum(trial["metrics"]["ap"] for trial in run.trials if trial["loss"] == "iou") / 3
    close([record["statistics"]["means"]["iou"]["ap"]["mean"]], [mean], "float64")
    assert record["statistics"]["differences"]["giou"]["ap"]["by_seed"].keys() == {"0", "1", "2"}


def test_writing_twice_gives_the_same_bytes(written, tmp_path):
    run, out, _ = written
    dataset = synthetic.data()
    synthetic.write_predictions(run, dataset, tmp_path)
    report.write(run, dataset, tmp_path)
    for name in ("report.html", "report.md", "results.csv", "results.json"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_hostile_names_are_only_names(tmp_path):
    evil = "<script>alert('$x$')</script>"
    dataset = synthetic.data(name=evil, n=2, classes=(evil, "b"))
    run = synthetic.results({"iou": 0.0, "giou": 0.0}, n_seeds=1, dataset=dataset, command=f"boxloss compare '{evil}'", weights=evil)
    synthetic.write_predictions(run, dataset, tmp_path)
    report.write(run, dataset, tmp_path)
    for name in ("report.html", "report.md"):
        assert "<script" not in (tmp_path / name).read_text().replace("    boxloss compare '<script", ""), name  # a code block shows it as it is


def test_a_run_without_pictures_or_trials_of_a_loss_still_reports(tmp_path):
    run = synthetic.results(NONE, n_seeds=3)
    run = synthetic.without(run, *(("giou", seed) for seed in range(3)))
    verdict = report.write(run, synthetic.data(), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert verdict.notes[0] in page
    assert "Predictions against truth" not in page


def test_a_run_with_nothing_finished_still_reports(tmp_path):
    run = synthetic.results(NONE, n_seeds=3)
    run = synthetic.without(run, *((trial["loss"], trial["seed"]) for trial in run.trials))
    assert report.write(run, synthetic.data(), tmp_path).kind == "too few seeds"


def test_without_disjoint_boxes_the_report_says_what_that_means_and_draws_no_empty_figure(tmp_path):
    report.write(synthetic.results(NONE, n_seeds=1, disjoint=0.0), synthetic.data(), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Not one positive was disjoint" in page
    assert not (tmp_path / "figures" / "disjoint-by-epoch.svg").exists()


@pytest.mark.parametrize(("share", "words"), [(0.005, "had little to act on"), (0.2, "had something to act on"), (0.99, "a large part")])
def test_the_share_of_disjoint_boxes_is_put_in_words(tmp_path, share, words):
    report.write(synthetic.results(NONE, n_seeds=1, disjoint=share), synthetic.data(), tmp_path)
    assert words in (tmp_path / "report.md").read_text()


def test_losses_with_missing_trials_still_count_in_the_correction():
    whole = synthetic.results(NONE, n_seeds=3)
    assert report.judge(synthetic.without(whole, ("l2", 1))).n_compared == report.judge(whole).n_compared == 2


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(tmp_path):
    (tmp_path / "results.csv").mkdir()
    with pytest.raises(CompareError, match=r"cannot write .*results\.csv"):
        report.write(synthetic.results(NONE, n_seeds=1), synthetic.data(), tmp_path)


def test_pictures_are_taken_at_even_steps_and_have_objects():
    pictures = synthetic.data(n=8).splits["val"]
    assert [picture.name for picture in choose_pictures(pictures, 4)] == ["val-01", "val-03", "val-05", "val-07"]
    assert choose_pictures(pictures, 99) == list(pictures)
    assert choose_pictures([], 4) == []
