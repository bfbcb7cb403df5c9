"""The landscape command as it is given to whoever has the commands that draw."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from boxloss import cli_landscape
from boxloss.draw.landscapes import PLANES
from boxloss.errors import BoxLossError

app = typer.Typer()
app.command()(cli_landscape.landscape)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


def test_pictures_and_numbers_of_one_plane(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import boxloss as bl\n\n"
        '@bl.formula(title="t", paper="p", bounds="[0, 2]", symmetric=True, scale_free=True)\n'
        'def mine(p):\n    """Twice.\n\n    loss = 2 jaccard\n    """\n    return 2 * p.jaccard\n'
    )
    done = run(f"iou,ciou:inner=0.8,{mine}:mine", "--plane", "shift", "--format", "svg", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"shift-loss.svg", "shift-pull.svg", "shift.npz"}
    found = np.load(tmp_path / "out" / "shift.npz")
    assert found["losses"].tolist() == ["iou", "ciou, inner = 0.8", "mine"]
    np.testing.assert_array_equal(found["value"][2], 2 * found["value"][0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--plane", "sideways"), "unknown --plane 'sideways': there are: aspect, scale, shift"),
        (("--format", "gif"), "unknown --format 'gif': there are: pdf, png, svg"),
        (("--data", "xlsx"), "unknown --data 'xlsx': there are: csv, npz"),
        (("nolossofthisname",), "unknown loss 'nolossofthisname'"),
    ],
)
def test_refusals(words, message, tmp_path):
    done = run(*words, "--out", tmp_path / "out")
    assert isinstance(done.exception, BoxLossError)
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_it_knows_the_planes():
    assert tuple(PLANES) == cli_landscape.PLANES
