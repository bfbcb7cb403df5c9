"""`boxloss simulate` and `boxloss zoo` as a user meets them."""

import json

import pytest

from boxloss.simulate import load
from test_cli import boxloss, refusal

SMALL = ("--centres", 2, "--steps", 20)


def test_piped_it_is_a_table_with_tabs():
    done = boxloss("simulate", "giou,diou:inner=0.8", *SMALL)
    assert done.returncode == 0, done.stderr
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == ["loss", "mean error", "error sum", "mean IoU", "IoU > 0.75", "errors of all steps"]
    assert [row[0] for row in rows] == ["giou", "diou-inner=0.8"]
    assert done.stderr == ""


def test_stored_gone_on_with_and_a_formula_of_ones_own(tmp_path):
    pytest.importorskip("pyarrow")
    mine = tmp_path / "mine.py"
    mine.write_text("import boxloss as bl\n@bl.formula(title='', paper='', bounds='[0, 1]', symmetric=True, scale_free=True)\ndef mine(p): return p.jaccard\n")
    out = tmp_path / "out"
    first = boxloss("simulate", f"{mine}:mine", *SMALL, "--out", out, "--json")
    again = boxloss("simulate", f"iou,{mine}:mine", *SMALL, "--out", out, "--resume", "--json")
    assert json.loads(first.stdout)[0] == json.loads(again.stdout)[1]
    found = load(out)
    assert (found["iou"].boxes == found["mine"].boxes).all()
    assert "holds results already" in refusal("simulate", "iou", *SMALL, "--out", out)


def test_refusals_are_one_line():
    assert "did you mean giou" in refusal("simulate", "giuo")
    assert "unknown protocol 'slow'" in refusal("simulate", "giou", "--protocol", "slow")
    assert "did you mean adam" in refusal("simulate", "giou", "--optimiser", "adm")
    assert "give --gradient as-released" in refusal("simulate", "giou", "--faults", "cross-axis")


def test_what_cannot_be_written_is_refused_at_once(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for command in (("simulate", "giou"), ("zoo",)):
        assert f"--out: cannot write {file}: it is a file, where a folder has to be" in refusal(*command, "--out", file)
    (tmp_path / "animals.md").mkdir()
    assert "animals.md: it is a folder" in refusal("zoo", "--out", tmp_path / "animals")
