"""A comparison from end to end, with real workers on a data set that takes seconds."""

import shutil

import pytest

pytest.importorskip("lightning")
pytest.importorskip("faster_coco_eval")

from boxloss.compare import files, run
from boxloss.compare.engine import Engine
from boxloss.compare.run import Interrupted, TrialsFailed, compare
from boxloss.errors import BoxLossError, CompareError, MissingExtraError
from compare.test_chosen import MINE
from compare.tiny import figures, tiny

OPTIONS = {"losses": "iou,l1", "seeds": 2, "epochs": 2, "batch_size": 8, "eval_every": 1, "quiet": True}


@pytest.fixture(autouse=True)
def reports(monkeypatch):
    """The report has its own tests; here we only see that it is asked for, and for what."""
    asked = []
    monkeypatch.setattr(run, "_report", lambda results, dataset, out: asked.append(results.losses))
    return asked


@pytest.fixture
def no_workers(monkeypatch):
    def refuse(self, *_):
        raise AssertionError("a finished run needs no workers")

    monkeypatch.setattr(Engine, "__init__", refuse)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A run with two jobs; tests copy it before they change it."""
    out = tmp_path_factory.mktemp("two") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_report", lambda *_: None)
        results = compare(tiny(), out=out, jobs=2, **OPTIONS)
    return out, results


def test_every_trial_is_there_and_nothing_else(finished_run):
    out, results = finished_run
    assert [(trial["loss"], trial["seed"]) for trial in results.trials] == [("iou", 0), ("l1", 0), ("iou", 1), ("l1", 1)]
    assert results.missing == []
    assert results.weights["iou"] == 1.0
    assert 0 < results.weights["l1"] < 1
    assert sorted(path.name for path in out.iterdir()) == [".lock", "pixels.json", "plan.json", "trials", "weights.json"]


def test_the_number_of_jobs_changes_no_figure(finished_run, tmp_path):
    compare(tiny(), out=tmp_path, jobs=1, **OPTIONS)
    ours, theirs = figures(tmp_path), figures(finished_run[0])
    assert ours == theirs
    assert sum("result.json" in name for name in ours) == 4


@pytest.mark.usefixtures("no_workers")
def test_a_finished_run_is_only_reported_again(finished_run, tmp_path, reports):
    out = shutil.copytree(finished_run[0], tmp_path / "run")
    before = figures(out)
    results = compare(tiny(), out=out, **OPTIONS)
    assert len(results.trials) == 4
    assert reports == [["iou", "l1"]]
    assert figures(out) == before


def test_what_is_missing_damaged_or_new_is_run_and_nothing_else(finished_run, tmp_path):
    out = shutil.copytree(finished_run[0], tmp_path / "run")
    (out / "trials/iou-seed1/result.json").write_text('{"half": ')
    (out / "weights.json").unlink()
    own = tmp_path / "my_loss.py"
    own.write_text(MINE)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("trials/*/result.json") if "iou-seed1" not in str(path)}
    results = compare(tiny(), out=out, jobs=1, **{**OPTIONS, "losses": f"iou,l1,{own}:mine"})
    assert [(trial["loss"], trial["seed"]) for trial in results.trials] == [(loss, seed) for seed in (0, 1) for loss in ("iou", "l1", f"{own}:mine")]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "a finished trial is never run again"
    now, before = figures(out), figures(finished_run[0])
    assert {name: now[name] for name in before if name.startswith("trials")} == {name: before[name] for name in before if name.startswith("trials")}


def test_one_failure_does_not_stop_the_others(tmp_path, reports):
    table = tmp_path / "weights.json"
    table.write_text('{"iou": 1.0, "l1": 1e39}')
    out = tmp_path / "run"
    options = {**OPTIONS, "losses": "l1,iou", "seeds": 1, "weights": table, "jobs": 1}
    with pytest.raises(TrialsFailed, match=r"1 of 2 trials failed: l1 seed 0: the training diverged in epoch 1.*error\.log.*tries them again") as caught:
        compare(tiny(), out=out, **options)
    assert [failure.key for failure in caught.value.failed] == [("l1", 0)]
    assert "Traceback" in caught.value.failed[0].log.read_text()
    assert (out / "trials/iou-seed0/result.json").exists()
    assert reports == [["l1", "iou"]], "the report says itself what is missing"


def test_ctrl_c_says_how_to_go_on(tmp_path, monkeypatch, reports):
    def interrupt(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "weigh", interrupt)
    with pytest.raises(Interrupted, match=r"the same command goes on: boxloss compare tiny .*--seeds 2"):
        compare(tiny(), out=tmp_path, **OPTIONS)
    with pytest.raises(Interrupted, match="goes on: what I typed"):
        compare(tiny(), out=tmp_path, command="what I typed", **OPTIONS)
    assert reports == []
    with files.locked(tmp_path, patience=5):
        pass  # nobody holds the folder any more


def test_a_worker_that_cannot_begin_is_an_error_and_not_a_loop(tmp_path, monkeypatch):
    monkeypatch.setattr("boxloss.compare.engine.sys.executable", "/bin/false")
    with pytest.raises(CompareError, match=r"a worker process ended with exit code 1 before it could train.*workers\.log"):
        compare(tiny(), out=tmp_path, **OPTIONS)


def test_a_folder_at_work_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.0)
    with files.locked(tmp_path), pytest.raises(CompareError, match="another run"):
        compare(tiny(), out=tmp_path, **OPTIONS)


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "lightning" else object())
    with pytest.raises(MissingExtraError, match=r"needs lightning.*pip install 'boxloss\[compare\]'"):
        compare(tiny(), out=tmp_path, **OPTIONS)


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs: 0"),
        ({"epochs": 3}, "epochs: it was 2, now 3"),
        ({"weights": "none.json"}, "another plan|cannot read"),
        ({"losses": "iou"}, "not fewer"),
    ],
)
def test_what_is_refused_changes_nothing(finished_run, tmp_path, options, message):
    out = shutil.copytree(finished_run[0], tmp_path / "run")
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    with pytest.raises(CompareError, match=message):
        compare(tiny(), out=out, **{**OPTIONS, **options})
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"losses": "iou,goiu"}, "unknown loss 'goiu'"),
        ({"losses": "nowhere.py:mine"}, r"nowhere\.py: no such file"),
        ({"baseline": "giou"}, "baseline: giou is not among"),
        ({"assigner": "atsss"}, "unknown assigner 'atsss'"),
        ({"nms": "gredy"}, r"unknown kind of suppression 'gredy'.*there are: cluster"),
        ({"image_size": "12"}, "image_size: '12'"),
        ({"epochs": 0}, "epochs: 0"),
        ({"out": "./data"}, "the data's own folder"),
        ({"out": __file__}, r"--out: cannot write .*test_run\.py: it is a file"),
    ],
)
def test_what_can_be_refused_without_the_data_is_refused_before_they_are_read(options, message, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "load", lambda data: pytest.fail("the data were read"))
    with pytest.raises(BoxLossError, match=message):
        compare("data", **{**OPTIONS, "out": tmp_path / "run", **options})
    assert not (tmp_path / "run").exists()
