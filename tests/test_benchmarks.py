"""The benchmarks run, without the peers too, and write all that they promise; what they measure is judged nowhere here."""

import doctest
import json
import subprocess
import sys

import numpy as np
import pytest

from shared_data import ROOT

sys.path.insert(0, str(ROOT))
from benchmarks import boxes, figures, memory, page, peers, works
from benchmarks.clock import Budget, race
from benchmarks.contest import Case, Contender, Contest
from benchmarks.works.first_call import CALLS


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "benchmarks", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a quick run of two works, whose page is beside it."""
    out = tmp_path_factory.mktemp("written") / "speed"
    done = run("--quick", "--only", "kernel", "--only", "pairwise", "--threads", 1, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_a_quick_run_writes_page_numbers_and_charts(written):
    results = json.loads((written / "results.json").read_text())
    assert list(results["works"]) == ["kernel", "pairwise"]
    for section in results["works"].values():
        assert section["quick"]
        assert section["machine"]["threads"] == 1
        assert all("left_out" in row or row["low_s"] <= row["median_s"] <= row["high_s"] for row in section["rows"])
    text = written.with_suffix(".md").read_text()
    for row in ("| ciou, float64 |", "| boxloss, PyTorch |", "| torchvision |", "| fill, NumPy |", "not measured", "numpy"):
        assert row in text
    assert "](speed/./pairwise.svg)" in text
    assert (written / "pairwise.svg").read_text().count("boxloss") >= 1


def test_another_work_is_added_and_what_was_there_stays(written):
    assert run("--quick", "--only", "diagonal", "--threads", 1, "--out", written).returncode == 0
    assert list(json.loads((written / "results.json").read_text())["works"]) == ["kernel", "pairwise", "diagonal"]


def test_a_work_that_does_not_exist_is_refused_on_one_line():
    done = run("--only", "speed")
    assert done.returncode == 2
    assert "expected one of ciou, kernel" in " ".join(done.stderr.replace("│", " ").split())


def test_a_peer_that_is_not_installed_is_left_out_and_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(peers, "PEERS", (peers.Peer("no_such_peer", "pip install no_such_peer"),))
    contest = a_contest(Contender("ours", lambda x: lambda: x, lambda got, x: (got,)), Contender("theirs", lambda x: lambda: x, needs=("no_such_peer",)))
    ours, theirs = contest.measure(Budget(0.001, 1e-5, 3, 3), 1, True, str)
    assert ours["n_samples"] == 3
    assert theirs["left_out"] == "no_such_peer is not installed: pip install no_such_peer"


def test_another_result_and_a_crash_are_told_and_not_timed():
    def crash(x):
        raise MemoryError("too much")

    def see(got, x):
        return (got,)

    contest = a_contest(
        Contender("ours", lambda x: lambda: x, see), Contender("wrong", lambda x: lambda: x + 1, see), Contender("crash", lambda x: lambda: crash(x), see)
    )
    ours, wrong, crashed = contest.measure(Budget(0.001, 1e-5, 3, 3), 1, True, str)
    assert "left_out" not in ours
    assert wrong["left_out"].startswith("its result differs from that of ours")
    assert crashed["left_out"] == "MemoryError: too much"


def a_contest(*contenders):
    return Contest("name", "title", "story", (), (Case("1", 1),), lambda case: np.ones(3), contenders)


def test_contenders_take_turns():
    order = []
    found = race({name: lambda name=name: order.append(name) for name in "ab"}, Budget(1e-3, 1e-9, 4, 4))
    assert "".join(order[-16:]) == "aabbaabbaabbaabb"  # each once to warm up, and once to be timed
    assert found["a"].n_samples == found["b"].n_samples == 4


@pytest.mark.skipif(not memory.STATUS.exists(), reason="Linux tells a process's peak")
def test_the_peak_is_that_of_the_call():
    n_bytes = 64 * 2**20
    found = memory.of_call(lambda: np.ones(n_bytes, np.uint8)[:1].copy())
    assert 0.9 * n_bytes < found < 1.5 * n_bytes


@pytest.mark.skipif(not memory.STATUS.exists(), reason="Linux tells a process's peak")
def test_memory_is_measured_in_a_process_of_its_own():
    # The system counts pages in batches, and so a little late.
    assert memory.peak("pairwise", "1,000 x 1,000", "fill, NumPy", 1) >= 0.9 * 4 * 1000**2
    with pytest.raises(memory.NotMeasured, match="StopIteration"):
        memory.peak("pairwise", "1,000 x 1,000", "nobody", 1)


def test_the_examples_of_docstrings_run():
    assert doctest.testmod(page).failed == 0


def test_boxes_are_upright_and_the_grid_is_as_large_as_said():
    for some in (*boxes.matched(1000), boxes.uniform(1000), boxes.anchors(1_000_000)):
        assert (some[:, 2:] > some[:, :2]).all()
    assert len(boxes.anchors(1_000_000)) == 1_000_000


def test_a_figure_is_read_from_rows_that_works_write():
    """Every place that a figure looks at is a case and a contender that some work has."""
    places = {(name, case.name, one.name) for name in works.NAMES[:-1] for case in works.find(name).cases for one in works.find(name).contenders}
    places |= {("first_call", case, who) for case in ("cold", "warm") for who in CALLS} | {("first_call", "import", "import boxloss")}
    timing = {"median_s": 2.0, "low_s": 1.0, "high_s": 3.0, "peak_bytes": 2**20}
    made = {name: {"rows": [{"case": case, "contender": who} | timing for work, case, who in sorted(places) if work == name]} for name in works.NAMES}
    found = figures.rows(figures.Results(made))
    assert [figure.work for figure, got in found if got is None] == []
    assert {page.verdict(figure, got) for figure, got in found} == {"reached", "**missed**"}


def test_the_readme_gets_the_table_between_its_markers(written, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    first_call = {"rows": [{"case": "warm", "contender": "value, NumPy", "median_s": 0.1, "low_s": 0.1, "high_s": 0.1, "peak_bytes": None}]}
    results = tmp_path / "figures" / "results.json"
    results.parent.mkdir()
    results.write_text(json.dumps({"works": {"first_call": first_call}}))
    assert run("readme", "--results", results, "--readme", readme).returncode == 0
    text = readme.read_text()
    assert text.startswith("before\n<!-- benchmarks -->\n| work |")
    assert "| first call in a new process, warm cache | - | 0.1 s | at most 0.15 s |" in text
    assert "](figures/./ratios.svg)\n<!-- /benchmarks -->\nafter\n" in text
    assert "old" not in text
    readme.write_text("no markers")
    assert run("readme", "--results", results, "--readme", readme).returncode == 2
