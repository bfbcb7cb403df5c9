"""Results on disk: what is read back is what was written, and what does not go together is refused."""

import json

import numpy as np
import pytest

from boxloss.errors import ParameterError
from boxloss.simulate import load, run, simulate
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS, read
from boxloss.simulate.stream import stream

parquet = pytest.importorskip("pyarrow.parquet")

PLAN = PRESETS["quick"].with_(name="stored", n_centres=3, steps=20)
TILE, SHARD = 64, 256


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(run, "TILE", TILE)
    monkeypatch.setattr(run, "SHARD", SHARD)


def go(out, losses="giou,diou:inner=0.8", plan=PLAN, resume=False):
    return {loss.label: tally for loss, tally in stream(chosen(losses), plan, out=out, resume=resume)}


def files(folder):
    """What lies there, byte for byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_loaded_is_what_came_out(tmp_path):
    tallies = go(tmp_path / "new" / "out")
    found = load(tmp_path / "new" / "out")
    assert list(found) == ["diou-inner=0.8", "giou"]
    for label, parameters in (("giou", {}), ("diou-inner=0.8", {"inner": 0.8})):
        want = simulate(label.split("-")[0], PLAN, **parameters)
        assert found[label].plan == PLAN
        for name in ("boxes", "errors", "ious", "sums"):
            assert np.array_equal(getattr(found[label], name), getattr(want, name))
        assert np.array_equal(tallies[label].curve(), want.sums)
        assert tallies[label].n == PLAN.n_cases
        assert np.array_equal(found[label].surface(), want.surface())


def test_the_files_say_what_they_are(tmp_path):
    go(tmp_path)
    assert read(tmp_path / "protocol.json") == PLAN
    shards = sorted((tmp_path / "giou" / "cases").iterdir())
    assert len(shards) == -(-PLAN.n_cases // SHARD)
    for file in (*shards, tmp_path / "giou" / "curve.parquet"):
        about = parquet.read_schema(file).metadata
        assert json.loads(about[b"boxloss.protocol"])["n_centres"] == 3
        assert json.loads(about[b"boxloss.loss"])["name"] == "giou"
    table = parquet.read_table(tmp_path / "giou" / "cases")
    assert table.column_names == ["case", "x", "y", "w", "h", "error", "iou"]
    assert sorted(table["case"].to_pylist()) == list(range(PLAN.n_cases))
    assert parquet.read_table(tmp_path / "giou" / "curve.parquet")["step"].to_pylist() == list(range(21))


def test_shards_of_another_size_hold_the_same(tmp_path, monkeypatch):
    one = go(tmp_path / "one")
    monkeypatch.setattr(run, "SHARD", 3 * TILE)
    assert go(tmp_path / "other") == one
    assert np.array_equal(load(tmp_path / "one")["giou"].boxes, load(tmp_path / "other")["giou"].boxes)


@pytest.mark.parametrize("lost", ["giou/curve.parquet", "giou/cases/0000000000256.parquet", "diou-inner=0.8/*", "*/curve.parquet", "giou/cases/*"])
def test_what_is_missing_is_done_again_to_the_same_bytes(tmp_path, lost):
    go(tmp_path)
    before = files(tmp_path)
    for path in sorted(tmp_path.glob(lost)):
        if path.is_file():
            path.unlink()
    (tmp_path / "giou" / "cases" / "0000000000000.parquet.99.part").write_bytes(b"torn")
    go(tmp_path, resume=True)
    assert files(tmp_path) == before


def test_what_is_there_is_not_done_again(tmp_path, monkeypatch):
    go(tmp_path)
    monkeypatch.setattr(run.Simulation, "shard", lambda *_: pytest.fail("a shard was moved again"))
    assert go(tmp_path, resume=True)["giou"].n == PLAN.n_cases


def test_more_losses_in_the_same_folder(tmp_path):
    go(tmp_path, "giou")
    go(tmp_path, "iou,giou", resume=True)
    assert list(load(tmp_path)) == ["giou", "iou"]


def test_results_are_not_written_over(tmp_path):
    go(tmp_path, "giou")
    with pytest.raises(ParameterError, match="holds results already: --resume goes on with them"):
        go(tmp_path, "giou")


def test_another_protocols_folder_is_refused(tmp_path):
    go(tmp_path, "giou")
    with pytest.raises(ParameterError, match=r"another protocol \(seed: 0, not 1\)"):
        go(tmp_path, "giou", PLAN.with_(seed=1), resume=True)


def test_another_text_under_the_same_name_is_refused(tmp_path):
    mine = tmp_path / "mine.py"
    text = "import boxloss as bl\n@bl.formula(title='', paper='', bounds='[0, 3]', symmetric=True, scale_free=True)\ndef mine(p): return {} * p.jaccard\n"
    mine.write_text(text.format("1.0"))
    go(tmp_path / "out", f"{mine}:mine")
    mine.write_text(text.format("2.0"))
    with pytest.raises(ParameterError, match="was made by another loss of that name"):
        go(tmp_path / "out", f"{mine}:mine", resume=True)


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ParameterError, match=r"holds other files, and no protocol\.json"):
        go(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_cannot_be_loaded(tmp_path):
    with pytest.raises(ParameterError, match="no such file"):
        load(tmp_path)
    go(tmp_path, "giou")
    shard = tmp_path / "giou" / "cases" / "0000000000256.parquet"
    shard.unlink()
    with pytest.raises(ParameterError, match=f"has {PLAN.n_cases - SHARD} of the protocol's {PLAN.n_cases} cases"):
        load(tmp_path)
    (tmp_path / "giou" / "curve.parquet").unlink()
    with pytest.raises(ParameterError, match="no loss is finished yet"):
        load(tmp_path)
    shard.write_bytes(b"PAR1 no more")
    with pytest.raises(ParameterError, match="is no file of a simulation"):
        go(tmp_path, "giou", resume=True)


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"storing a simulation needs pyarrow, which is not installed: pip install 'boxloss\[simulate\]'"):
        go(tmp_path, "giou")
