"""The command line as a user meets it: what it prints, where, and with which exit code."""

import json
import re
import signal
import subprocess
import sys

import pytest

import boxloss as bl
from close import as_printed
from shared_data import shared

COMMANDS = ("compare", "dataset", "convert", "list", "show", "check", "evaluate", "anchors", "simulate", "zoo")

KINDS = "(there are: cluster, cluster_weighted, diou, fast, greedy, matrix, soft, soft_linear, spm, weighted)"


def boxloss(*words: object, cwd=None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "boxloss", *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=300)


def refusal(*words: object) -> str:
    """The one line on stderr of a command that is refused."""
    done = boxloss(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("boxloss: error: ")
    return line.removeprefix("boxloss: error: ")


def test_help_has_every_command_and_examples():
    done = boxloss("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout
    assert "boxloss compare embedded" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = boxloss(command, "--help")
    assert done.returncode == 0
    assert f"boxloss {command}" in done.stdout


def test_version():
    assert boxloss("--version").stdout.strip() == f"boxloss {bl.__version__}"


def test_list_piped_has_a_line_for_each_loss():
    header, *rows = [line.split("\t") for line in boxloss("list").stdout.splitlines()]
    assert header == ["name", "loss =", "bounds", "parameters", "paper"]
    assert [row[0] for row in rows] == list(bl.catalogue())
    assert all(row[1] and row[2] and row[4] for row in rows)
    assert json.loads(boxloss("list", "--json").stdout)[0]["name"] == rows[0][0]


@pytest.mark.parametrize("command", [("list",), ("list", "--json"), ("show", "giou", "--source", "numba")])
def test_a_reader_that_leaves_early_is_no_error(command):
    process = subprocess.Popen([sys.executable, "-m", "boxloss", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() in (0, 1)  # 1 is Typer's, which a shell hears of only with pipefail


def test_output_that_is_closed_is_no_error():
    done = subprocess.run(f"{sys.executable} -m boxloss list >&-", shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_reader_may_leave_after_a_line():
    done = subprocess.run(f"{sys.executable} -m boxloss list | head -1", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("name\t")
    assert done.stderr == ""


def test_show_prints_and_draws_the_card(tmp_path):
    done = boxloss("show", "giou", "--out", tmp_path / "cards" / "giou.png")
    assert done.returncode == 0
    assert "Rezatofighi" in done.stdout
    assert (tmp_path / "cards" / "giou.png").read_bytes().startswith(b"\x89PNG")


def test_list_has_what_was_measured():
    header, *rows = [line.split("\t") for line in boxloss("list", "--claims").stdout.splitlines()]
    assert {len(row) for row in rows} == {len(header)}
    cells = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert list(cells) == list(bl.catalogue())
    assert cells["iou"]["triangle inequality"] == "holds"
    assert cells["diou"]["triangle inequality"].startswith("fails by 0.1")
    assert cells["giou"]["slopes apart (x, w, h)"] == "+0.125 -0.188 0"
    figures = json.loads(boxloss("list", "--claims", "--json").stdout)
    assert figures["iou"]["apart"] == [0, 0, 0]


MINE = """
import boxloss as bl

@bl.formula(title="Mine", paper="none", bounds="[0, {high}]", symmetric=True, scale_free=True)
def mine(p):
    "Mine: loss = jaccard + waste / hull"
    return p.jaccard + bl.ops.ratio(p.waste, p.hull)
"""


def test_check_holds_a_users_formula_to_its_claims(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(high=2))
    done = boxloss("check", tmp_path / "mine.py:mine", "--out", tmp_path / "mine.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("mine: all that it claims holds\n")
    assert "like it giou" in done.stdout
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    card = boxloss("show", tmp_path / "mine.py:mine")
    assert card.returncode == 0
    assert "enlarges: in 100%" in card.stdout


def test_check_says_what_is_false_and_exits_with_1(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(high=1))
    done = boxloss("check", tmp_path / "mine.py:mine", "--json")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("boxloss: mine claims values in [0, 1], but costs 2 for (")
    found = json.loads(done.stdout)
    assert not found["holds"]
    assert [claim["about"] for claim in found["claims"] if claim["holds"] is False] == ["bounds"]


def test_check_takes_a_name_of_the_catalogue():
    assert boxloss("check", "giou").returncode == 0


def test_dataset_and_convert(tmp_path):
    done = boxloss("dataset", "embedded", "--json")
    embedded = json.loads(done.stdout)
    assert boxloss("convert", "embedded", "--to", "yolo", "--out", tmp_path / "yolo").returncode == 0
    converted = json.loads(boxloss("dataset", tmp_path / "yolo", "--json", "--out", tmp_path / "pictures").stdout)
    assert converted["fingerprint"] == embedded["fingerprint"]
    assert {file.name for file in (tmp_path / "pictures").iterdir()} == {"samples.png", "distributions.png"}


def test_dataset_draws_what_it_can(tmp_path):
    done = boxloss("dataset", shared("data", "coco100", "ground_truth.json"), cwd=tmp_path)
    assert done.returncode == 0
    assert [file.name for file in (tmp_path / "runs" / "ground_truth-dataset").iterdir()] == ["distributions.png"]
    assert "no samples drawn: " in done.stderr


def test_dataset_reports_boxes_without_size():
    done = boxloss("dataset", shared("data", "bccd"), "--no-pictures")
    assert done.returncode == 0
    assert re.search(r"4,888 boxes", done.stdout)
    assert "BloodImage_00338" in done.stdout


def test_evaluate_prints_cocos_figures_first_and_then_the_rest():
    folder = shared("data", "coco100")
    done = boxloss("evaluate", folder / "ground_truth.json", folder / "detections.json")
    assert done.stderr == ""
    first, *rest = [[line.split("\t") for line in table.splitlines()] for table in done.stdout.split("\n\n")]
    figures = dict(first)
    as_printed(float(figures["ap"]), "0.505")
    as_printed(float(figures["ap50"]), "0.697")
    assert [table[0][0] for table in rest] == ["localisation", "IoU", "mistake"]
    assert dict(rest[0])["matched"] == "649"
    assert rest[1][1] == ["0.50", "0", "0.0%", figures["ap50"]]
    assert [row[0] for row in rest[2][1:]] == ["localisation", "class", "both", "duplicate", "background", "missed"]


def test_evaluate_tries_suppression_and_draws(tmp_path):
    folder = shared("data", "detections")
    words = ("evaluate", folder / "ground_truth.json", folder / "centernet.json", "--nms", "greedy", "--nms-threshold", "0.5", "--out", tmp_path / "pictures")
    done = boxloss(*words, "--json")
    found = json.loads(done.stdout)
    as_printed(found["ap"], "0.296")
    assert found["localisation"]["matched"] == 260
    assert found["errors"]["kinds"]["duplicate"]["count"] == 189
    assert [(row["kind"], row["threshold"]) for row in found["nms"]] == [("none", None), ("greedy", 0.5)]
    assert found["nms"][0]["ap"] == found["ap"]
    names = {"iou.png", "ap-by-threshold.png", "mistakes.png", "nms.png"}
    assert {file.name for file in (tmp_path / "pictures").iterdir()} == names
    assert all((tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in names)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "smoth_l1"), "unknown loss 'smoth_l1': did you mean smooth_l1 or smooth_l1_cxcywh? (boxloss list has them all)"),
        (("show", "giou", "--gradient"), "--gradient goes with --source: boxloss show giou --source numba --gradient"),
        (("check", "nowhere.py:mine"), "nowhere.py: no such file; expected FILE.py:NAME"),
        (("show", "giou", "--out", "giou.gif"), "--out: cannot write giou.gif: its suffix is .gif, expected .png, .svg, .jpg, .jpeg or .pdf"),
        (("compare", "embedded", "--seeds", "three"), "--seeds is 'three', expected how many (3) or which (0,1,2)"),
        (("compare", "embedded", "--losses", "iou,goiu"), None),
        (("compare", "embedded", "--nms", "gredy"), f"unknown kind of suppression 'gredy': did you mean greedy? {KINDS}"),
        (("compare", "embedded", "--assigner", "center_sampling"), None),
        (("evaluate", "gt.json", "dt.json", "--nms", "gredy"), f"unknown kind of suppression 'gredy': did you mean greedy? {KINDS}"),
        (("evaluate", "gt.json", "dt.json", "--nms", ","), "--nms is ',', which names no kind: for instance --nms greedy"),
        (
            ("evaluate", "gt.json", "dt.json", "--nms-threshold", "0.5"),
            "--nms-threshold 0.5 goes with --nms, which says what is suppressed how: for instance --nms greedy",
        ),
        (
            ("evaluate", "gt.json", "dt.json", "--out", __file__),
            f"--out: cannot write {__file__}: it is a file, where a folder has to be; choose another place",
        ),
        (("evaluate", "gt.json", "dt.json", "--nms", "greedy", "--nms-threshold", "2"), "nms: threshold is 2.0, expected a number in [0, 1]"),
        (("convert", "embedded", "--to", "coc", "--out", "nowhere"), "unknown data set format 'coc': did you mean coco or voc?"),
        (("dataset", "no/such/folder"), None),
        (("dataset", "no", "--out", "x", "--no-pictures"), "--out x is where pictures go, and --no-pictures draws none: one of the two"),
        (("dataset", "no", "--out", __file__), f"--out: cannot write {__file__}: it is a file, where a folder has to be; choose another place"),
        (("convert", "no", "--to", "voc", "--out", f"{__file__}/x"), None),
    ],
)
def test_refusals_are_one_line_and_exit_code_2(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = refusal(*words)
    assert message is None or line == message


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for words in (("show", "iou", "--out", tmp_path / "file" / "x.png"), ("compare", "embedded", "--out", tmp_path / "file")):
        done = boxloss(*words)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "file" in line


def test_a_place_of_its_own_that_cannot_be_made_is_said_before_the_work(tmp_path):
    (tmp_path / "runs").write_text("")
    for words in (("dataset", shared("data", "bccd")), ("compare", "embedded")):
        done = boxloss(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("boxloss: error: --out: cannot write runs/")
        assert done.stderr.endswith("runs is a file, where a folder has to be; choose another place\n")


def test_ctrl_c_says_how_to_go_on_and_exits_with_130(tmp_path):
    words = ["compare", "embedded", "--losses", "iou", "--seeds", "1", "--epochs", "50", "--image-size", "32x32", "--out", str(tmp_path / "run")]
    run = subprocess.Popen([sys.executable, "-m", "boxloss", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    assert "1 trial" in run.stderr.readline()
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 130, stderr
    assert "the same command goes on" in stderr
    assert "Traceback" not in stderr


def test_debug_shows_where_a_refusal_came_from():
    done = boxloss("--debug", "dataset", "no/such/folder")
    assert "Traceback" in done.stderr
    assert "boxloss.errors.DataError" in done.stderr


def test_compare_from_end_to_end(tmp_path):
    words = ("compare", "embedded", "--losses", "iou,smooth_l1:beta=4", "--seeds", "1", "--epochs", "1", "--image-size", "32x32", "--out", tmp_path / "run")
    done = boxloss(*words)
    assert done.returncode == 0, done.stderr
    assert "Too few seeds" in done.stdout
    assert f"Report: {tmp_path / 'run' / 'report.html'}" in done.stdout
    again = boxloss(*words, "--quiet")
    assert again.stdout == done.stdout[-len(again.stdout) :]
    assert again.stderr == ""
    for name in ("report.html", "report.md", "results.csv", "results.json"):
        assert (tmp_path / "run" / name).stat().st_size > 0


def test_the_help_names_all_kinds_of_suppression_and_all_assigners():
    from boxloss.assign import ASSIGNERS
    from boxloss.cli import SUPPRESSIONS, compare
    from boxloss.evaluate.suppressed import KINDS

    assert re.findall(r"\b(?!or\b)\w+", SUPPRESSIONS) == list(KINDS)
    said = compare.__annotations__["assigner"].__metadata__[0].help
    assert set(ASSIGNERS) <= set(re.findall(r"\w+", said))
