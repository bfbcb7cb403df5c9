"""boxloss draw, as it is called."""

import csv

import pytest
from typer.testing import CliRunner

import boxloss as bl
from boxloss.cli_draw import draw
from boxloss.errors import BoxLossError


def run(*words):
    with bl.plain():  # few cases: done before kernels would be compiled
        return CliRunner().invoke(draw, [str(word) for word in words])


SMALL = ("--centres", 4, "--protocol", "tiny.json", "--quiet")
HEADS = {"error": "loss,step,mean_error", "surface": "loss,x,y,mean_error", "starts": "loss,by,from,to,cases,mean_final_iou"}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.json").write_text('{"name": "tiny", "steps": 3, "ratios": [0.5, 1, 2], "scales": [0.5, 1, 2]}')
    return tmp_path


@pytest.mark.parametrize("figure", HEADS)
def test_a_picture_with_its_numbers(tiny, figure):
    done = run(figure, "giou,l1", *SMALL, "--gradient", "both", "--out", "out.svg", "--data", "out.csv")
    assert done.exit_code == 0, done.output
    assert "<svg" in (tiny / "out.svg").read_text()
    rows = list(csv.reader((tiny / "out.csv").read_text().splitlines()))
    assert ",".join(rows[0]) == HEADS[figure]
    assert {row[0] for row in rows[1:]} == {"giou", "l1", "giou-released"}


@pytest.mark.parametrize("suffix", ["html", "png", "svg"])
def test_a_way_in_several_forms(tiny, suffix):
    words = ("path", "giou,diou", "--protocol", "tiny.json", "--target", "10,10,1,1", "--anchor", "12,11,1,1", "--out", f"way.{suffix}", "--data", "way.csv")
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert (tiny / f"way.{suffix}").stat().st_size > 1000
    assert (tiny / "way.csv").read_text().startswith("loss,step,x,y,w,h,iou\ngiou,0,12.0,11.0,1.0,1.0,0.0\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("error", "giou", "--gradient", "wrong"), "unknown --gradient 'wrong': there are: as-released, both, exact"),
        (("path", "giou", "--target", "1,2,x,4"), "--target is '1,2,x,4', expected four numbers"),
        (("path", "giou", "--anchor", "1,2,0,4"), "with w and h > 0"),
        (("error", "l1", "--gradient", "as-released", *SMALL), "no released update of 'l1'"),
        (("rates", "iou,giuo"), "unknown loss 'giuo'"),
        (("error", "giou", *SMALL, "--out", "x.bmp"), "its suffix is .bmp, expected .png"),
    ],
)
def test_refusals(tiny, words, message):
    done = run(*words)
    assert isinstance(done.exception, BoxLossError), done.output
    assert message in str(done.exception)


def test_a_picture_that_cannot_be_written_is_refused_before_there_is_work(tiny, monkeypatch):
    monkeypatch.setattr("boxloss.draw.simulated.results", lambda *_: pytest.fail("was worked for"))
    for words in (("error", "giou", "--out", "new/x.bmp"), ("path", "giou", "--out", "new/x.avi")):
        done = run(*words)
        assert "its suffix is" in str(done.exception)
    assert not (tiny / "new").exists()


def test_folders_are_made_and_suffixes_may_be_large(tiny):
    done = run("path", "giou", "--protocol", "tiny.json", "--out", "new/way.GIF", "--data", "other/way.csv")
    assert done.exit_code == 0, done.output
    assert (tiny / "new/way.GIF").read_bytes().startswith(b"GIF8")
    assert (tiny / "other/way.csv").exists()


@pytest.mark.slow
def test_ranks_at_all_rates(tiny):
    done = CliRunner().invoke(draw, ["rates", "l1,giou", "--out", "rates.png", "--data", "rates.csv", "--quiet"])
    assert done.exit_code == 0, done.output
    assert sorted((tiny / "rates.csv").read_text().splitlines()[1:3]) == ["l1,0.05,1", "l1,0.1,1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("error", "giou", "--out", "folder"), "--out: cannot write folder: it is a folder; give a file's name, such as folder/NAME.png"),
        (("surface", "giou", "--out", "tiny.json/x.png"), "tiny.json is a file, where a folder has to be"),
        (("starts", "giou", "--data", "numbers.txt"), "--data: cannot write numbers.txt: its suffix is .txt, expected .csv"),
        (("rates", "giou", "--data", "folder"), "--data: cannot write folder: it is a folder; give a file's name, such as folder/NAME.csv"),
        (("path", "giou", "--out", "way"), "it has no suffix, expected .gif, .mp4, .html, .png"),
        (("landscape", "giou", "--out", "tiny.json"), "--out: cannot write tiny.json: it is a file, where a folder has to be"),
        (("error", "folder/new"), "folder/new: no such folder, and no loss has a / in its name"),
        (("error", "giou", "--gradient", "exat"), "unknown --gradient 'exat': did you mean exact?"),
        (("error", "giou", "--optimiser", "adm"), "unknown --optimiser 'adm': did you mean adam?"),
        (("error", "giou", "--centres", 0), "--centres is 0, expected a whole number >= 1"),
        (("error", "giou", "--rate", -1), "--rate is -1.0, expected a finite number > 0"),
        (("error", "giou", "--rate", "nan"), "--rate is nan, expected a finite number > 0"),
        (("error", "giou", "--protocol", "mine.toml"), "unknown protocol 'mine.toml'"),
        (("error", "giou", "--protocol", "mine.toml"), "FILE.json, with fields of one"),
        (("path", "giou", "--target", "1,2"), "--target is '1,2', expected four numbers: x,y,w,h, with w and h > 0"),
        (("landscape", "giou", "--plane", "shfit"), "unknown --plane 'shfit': did you mean shift?"),
    ],
)
def test_what_cannot_be_done_is_refused_before_there_is_work(tiny, monkeypatch, words, message):
    (tiny / "folder").mkdir()
    monkeypatch.setattr("boxloss.simulate.run.Simulation.of", lambda *_: pytest.fail("was worked for"))
    monkeypatch.setattr("boxloss.draw.landscapes.sample", lambda *_: pytest.fail("was worked for"))
    done = run(*words)
    assert isinstance(done.exception, BoxLossError), done.output
    assert message in str(done.exception)
    assert sorted(file.name for file in tiny.iterdir()) == ["folder", "tiny.json"]


def test_who_stops_it_is_told_so(tiny, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("boxloss.simulate.run.Simulation.of", stopped)
    done = run("error", "giou")
    assert done.exit_code == 130
    assert "boxloss: stopped; nothing is drawn" in done.output


def test_a_misspelt_loss_leaves_no_folder(tiny):
    assert "unknown loss" in str(run("error", "giuo", "--out", "new/error.png").exception)
    assert not (tiny / "new").exists()
