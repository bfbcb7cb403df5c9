"""A plan: what is filled in, what is refused, and what a run may go on with."""

import dataclasses
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from boxloss.compare import files, trial
from boxloss.compare.plan import DEFAULTS, describe, keep, make_plan, previous
from boxloss.datasets import Dataset, Picture
from boxloss.detectors.assigning import ASSIGNERS
from boxloss.errors import BoxLossError, CompareError, UnknownNameError
from boxloss.evaluate.suppressed import KINDS
from compare.test_chosen import MINE
from compare.tiny import tiny


def plan(**options):
    return make_plan(tiny(), **{"data": "tiny", "losses": "iou,l1", "seeds": 2, "epochs": 2, **options})


def begin(out, **options):
    record = describe(plan(**options), tiny(), "command")
    keep(out, record, previous(out, record), True)
    return record


def test_what_is_left_open_is_filled_in():
    whole = plan(losses="giou,iou", seeds=3, epochs=25)
    assert (whole.seeds, whole.baseline, whole.train, whole.evaluate, whole.eval_every) == ((0, 1, 2), "iou", "train", ("test",), 5)
    assert plan(losses="giou,l1").baseline == "giou"
    assert plan(losses="giou,smooth_l1:beta=.5", baseline="smooth_l1:beta=0.50").baseline == "smooth_l1:beta=0.5"
    assert plan(seeds=[7, 3]).seeds == (7, 3)


@pytest.mark.parametrize(("size", "want"), [((640, 480), (192, 144)), ((96, 96), (96, 96)), ((1000, 200), (192, 32)), ((3000, 4000), (144, 192))])
def test_the_default_image_size_has_the_pictures_shape(size, want):
    one = Picture("a", *size, np.array([[0, 0, 5, 5.0]]), np.zeros(1), np.zeros(1))
    data = Dataset("x", "coco", ("c",), {"train": (one,), "val": (one,)})
    assert make_plan(data, data="x", losses="iou").image_size == want


def test_image_size_is_read_either_way():
    assert plan(image_size="192x144").image_size == plan(image_size=(192, 144)).image_size == (192, 144)


def test_trials_come_seed_by_seed_so_that_a_run_stopped_half_way_is_paired():
    assert plan().trials == [("iou", 0), ("l1", 0), ("iou", 1), ("l1", 1)]


def test_the_command_says_the_plan():
    words = shlex.split(plan(losses="iou,smooth_l1:beta=0.5", data="my data").command("runs/a b"))
    assert words[:3] == ["boxloss", "compare", "my data"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--losses"] == "iou,smooth_l1:beta=0.5"
    assert options["--seeds"] == "2"
    assert options["--image-size"] == "64x64"
    assert options["--out"] == "runs/a b"
    assert (options["--assigner"], options["--nms"], options["--nms-threshold"]) == ("centre_sampling", "greedy", "0.6")
    assert words.count("--train") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: 0 is not a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs: 2.5"),
        ({"epochs": True}, "epochs: True"),
        ({"batch_size": 0}, "batch_size: 0"),
        ({"seeds": 0}, "seeds: 0"),
        ({"seeds": []}, "seeds: none"),
        ({"seeds": [1, 1]}, "has one twice"),
        ({"seeds": [-1]}, "seeds: -1"),
        ({"image_size": "192"}, "not WIDTHxHEIGHT"),
        ({"image_size": "axb"}, "not WIDTHxHEIGHT"),
        ({"image_size": (16, 64)}, "image_size: 16 is not a whole number of 32 to 4096"),
        ({"eval_every": 0}, "eval_every: 0"),
        ({"baseline": "giou"}, "baseline: giou is not among the losses compared: iou, l1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(CompareError, match=message) as caught:
        plan(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nms": "gredy"}, "unknown kind of suppression 'gredy': did you mean greedy"),
        ({"nms_threshold": 1.5}, r"nms: threshold is 1\.5"),
        ({"assigner": "centre"}, "unknown assigner 'centre': did you mean centre_sampling"),
    ],
)
def test_suppression_and_assigner_that_are_not_there(options, message):
    with pytest.raises(BoxLossError, match=message):
        plan(**options)


def test_a_run_from_before_there_was_a_choice_goes_on(tmp_path):
    record = begin(tmp_path)
    old = {key: value for key, value in record.items() if key not in DEFAULTS}
    files.write_record(tmp_path / "plan.json", old)
    with pytest.raises(CompareError, match=r"nms_threshold: it was 0\.6, now 0\.5"):
        begin(tmp_path, nms_threshold=0.5)
    begin(tmp_path)
    assert files.read_record(tmp_path / "plan.json") == record


def test_an_unknown_loss_is_named():
    with pytest.raises(UnknownNameError, match="did you mean giou"):
        plan(losses="iou,gious")


def test_the_same_again_goes_on(tmp_path):
    record = begin(tmp_path)
    before = previous(tmp_path, describe(plan(), tiny(), "command"))
    assert before == record == files.read_record(tmp_path / "plan.json")


@pytest.mark.parametrize("options", [{"losses": "giou,l1,iou"}, {"seeds": 3}, {"baseline": "l1"}, {"data": "elsewhere"}])
def test_more_losses_more_seeds_another_baseline_or_place_go_on(tmp_path, options):
    begin(tmp_path)
    record = begin(tmp_path, **options)
    assert files.read_record(tmp_path / "plan.json") == record


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 3}, "epochs: it was 2, now 3"),
        ({"image_size": "96x96"}, "image_size: it was 64, 64, now 96, 96"),
        ({"batch_size": 4}, "batch_size: it was 16, now 4"),
        ({"weights": "one"}, "weights: it was equal-gradient, now one"),
        ({"eval_every": 2}, "eval_every: it was 1, now 2"),
        ({"nms_threshold": 0.5}, r"nms_threshold: it was 0\.6, now 0\.5"),
        ({"nms": "other"}, "nms: it was greedy, now other"),
        ({"assigner": "other"}, "assigner: it was centre_sampling, now other"),
        ({"losses": "iou"}, "losses: it also has l1; a run can get more losses, not fewer"),
        ({"seeds": 1}, "seeds: it also has 1; a run can get more seeds, not fewer"),
    ],
)
def test_another_plan_in_the_same_folder_is_refused_and_says_what_differs(tmp_path, monkeypatch, options, message):
    monkeypatch.setitem(KINDS, "other", KINDS["greedy"])
    monkeypatch.setitem(ASSIGNERS, "other", ASSIGNERS["centre_sampling"])
    begin(tmp_path)
    before = (tmp_path / "plan.json").read_bytes()
    with pytest.raises(CompareError, match=message) as caught:
        begin(tmp_path, **options)
    assert "choose another --out" in str(caught.value)
    assert (tmp_path / "plan.json").read_bytes() == before


def test_other_data_are_refused(tmp_path):
    begin(tmp_path)
    other = describe(plan(), tiny(seed=1), "command")
    with pytest.raises(CompareError, match="the data set: it was tiny with 24 pictures"):
        previous(tmp_path, other)


def test_other_releases_are_refused_while_trials_are_left_only(tmp_path):
    record = begin(tmp_path)
    then = {**record, "versions": {**record["versions"], "torch": "1.0"}}
    files.write_record(tmp_path / "plan.json", then)
    with pytest.raises(CompareError, match=r"torch was 1\.0, now 2.*install those again"):
        keep(tmp_path, record, previous(tmp_path, record), True)
    assert keep(tmp_path, record, previous(tmp_path, record), False) == then


def test_a_damaged_plan_is_rebuilt_from_the_trials(tmp_path):
    record = begin(tmp_path)
    trial.begin(trial.folder_of(tmp_path, "l1", 1), trial.config_of(record, "l1", 1, 0.5))
    (tmp_path / "plan.json").write_bytes((tmp_path / "plan.json").read_bytes()[:-20])
    with pytest.raises(BoxLossError, match="epochs: it was 2, now 3"):
        begin(tmp_path, epochs=3)
    with pytest.raises(BoxLossError, match="losses: it also has l1"):
        begin(tmp_path, losses="iou")
    begin(tmp_path)
    assert files.read_record(tmp_path / "plan.json") == record


def test_other_people_s_files_are_not_overwritten(tmp_path):
    (tmp_path / "results.csv").write_text("mine")
    with pytest.raises(CompareError, match=r"holds results\.csv, and no run .*choose another --out"):
        begin(tmp_path)
    (tmp_path / "results.csv").rename(tmp_path / "other.csv")
    begin(tmp_path)


def test_a_formula_s_file_that_has_changed_is_refused(tmp_path):
    file, out = tmp_path / "my_loss.py", tmp_path / "run"
    file.write_text(MINE)
    losses = f"iou,{file}:mine"
    record = begin(out, losses=losses)
    assert record["formulas"][f"{file}:mine"] == {"title": "Half the distance", "paper": "mine", "file_sha256": files.digest(MINE.encode())}
    begin(out, losses=f"{losses},l1")
    trial.begin(trial.folder_of(out, f"{file}:mine", 0), trial.config_of(record, f"{file}:mine", 0, 0.5))
    file.write_text(MINE.replace("0.5", "0.25"))
    for _ in range(2):
        with pytest.raises(CompareError, match=r"my_loss\.py has changed since the run was begun.*put the file back.*choose another --out"):
            begin(out, losses=f"{losses},l1")
        (out / "plan.json").unlink(missing_ok=True)  # the trials tell of it, too
    file.write_text(MINE)
    begin(out, losses=losses)


def test_a_plan_is_plain_json(tmp_path):
    begin(tmp_path)
    record = json.loads((tmp_path / "plan.json").read_text())
    fields = {field.name for field in dataclasses.fields(plan())}
    assert fields | {"dataset", "format", "classes", "pictures", "notes", "fingerprint", "versions", "command"} <= set(record)


def test_every_source_file_that_can_change_a_figure_is_in_the_digest(monkeypatch):
    from boxloss.compare import plan as module

    package = Path(module.__file__).parents[1]
    for pattern in module.FIGURES:
        assert list(package.glob(pattern)), f"{pattern} is no file any more"
    commands = {"cli.py", "cli_draw.py", "cli_landscape.py", "__main__.py"}
    others = commands | {
        "errors.py",
        "places.py",
        "words.py",
        "__init__.py",
        "draw",
        "claims",
        "compare",
        "simulate",
        "integrations",
        "py.typed",
        "__pycache__",
    }
    covered = {pattern.split("/")[0] for pattern in module.FIGURES}
    assert {path.name for path in package.iterdir()} <= others | covered, "a new part of the package: does it change figures?"
    before = module.versions()["boxloss"]
    monkeypatch.setattr(module, "FIGURES", module.FIGURES[1:])
    assert module.versions()["boxloss"] != before
