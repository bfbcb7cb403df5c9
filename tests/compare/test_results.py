"""Reading a run's folder."""

import math

import pytest

from boxloss.compare import files, results, trial
from boxloss.compare.plan import DEFAULTS, describe, keep, make_plan, previous
from boxloss.errors import CompareError
from compare.tiny import tiny


def folder_with(out, *done, weights=None, ap=0.25):
    """A run's folder as trials leave it, with these trials finished."""
    plan = make_plan(tiny(), data="tiny", losses="iou,l1,giou", seeds=2, epochs=1)
    record = describe(plan, tiny(), "boxloss compare ...")
    keep(out, record, previous(out, record), True)
    table = weights or {"iou": 1.0, "l1": 0.5, "giou": 2.0}
    files.write_record(out / "weights.json", {"mode": "equal-gradient", "reference": "iou", "weights": table, "gradients": {"iou": 0.1}})
    for loss, seed in done:
        folder, config = trial.folder_of(out, loss, seed), trial.config_of(record, loss, seed, table[loss])
        trial.begin(folder, config)
        for name in trial.PRODUCTS:
            files.write_bytes(folder / name, b"{}")
        figures = {"ap": ap, "ap_large": None}
        epochs = [{"epoch": 1, "metrics": None}, {"epoch": 2, "metrics": figures}]
        trial.finish(folder, config, {"loss": loss, "seed": seed, "metrics": figures, "epochs": epochs, "box_weight": table[loss]})
    return out


ALL = [(loss, seed) for seed in (0, 1) for loss in ("iou", "l1", "giou")]


def test_a_finished_run(tmp_path):
    found = results.read(folder_with(tmp_path, *ALL))
    assert [(one["loss"], one["seed"]) for one in found.trials] == ALL
    assert found.missing == []
    assert found.weights == {"iou": 1.0, "l1": 0.5, "giou": 2.0}
    assert found.gradients == {"iou": 0.1}
    assert found.plan["dataset"] == "tiny"
    assert found.losses == ["iou", "l1", "giou"]
    assert (found.folder(tmp_path, "l1", 1) / "predictions.json").exists()


def test_undefined_figures_are_nan(tmp_path):
    (one, *_) = results.read(folder_with(tmp_path, *ALL)).trials
    assert math.isnan(one["metrics"]["ap_large"])
    assert one["metrics"]["ap"] == 0.25
    assert one["epochs"][0]["metrics"] is None
    assert math.isnan(one["epochs"][1]["metrics"]["ap_large"])


def test_a_missing_trial_is_named(tmp_path):
    found = results.read(folder_with(tmp_path, *(key for key in ALL if key != ("iou", 1))))
    assert found.missing == [("iou", 1)]
    assert [(one["loss"], one["seed"]) for one in found.trials] == [key for key in ALL if key != ("iou", 1)]
    assert found.losses == ["iou", "l1", "giou"]


@pytest.mark.parametrize("damage", ["result.json", "predictions.json", "weights.pt"])
def test_a_damaged_file_makes_a_trial_unfinished(tmp_path, damage):
    folder_with(tmp_path, *ALL)
    path = trial.folder_of(tmp_path, "l1", 0) / damage
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    assert results.read(tmp_path).missing == ([("l1", 0)] if damage != "result.json" else [])  # a blank at the end of a record says nothing
    path.unlink()
    assert results.read(tmp_path).missing == [("l1", 0)]


def test_trials_from_before_there_was_a_choice_are_finished_all_the_same(tmp_path):
    folder_with(tmp_path, *ALL)
    for path in (tmp_path / "plan.json", *tmp_path.glob("trials/*/result.json")):
        record = files.read_record(path)
        for place in (record, record.get("config", {})):
            for key in DEFAULTS:
                place.pop(key, None)
        files.write_record(path, record)
    found = results.read(tmp_path)
    assert found.missing == []
    assert {key: found.plan[key] for key in DEFAULTS} == DEFAULTS


def test_a_trial_with_another_weight_is_not_this_runs(tmp_path):
    folder_with(tmp_path, *ALL)
    folder_with(tmp_path, weights={"iou": 1.0, "l1": 0.5, "giou": 3.0})
    assert results.read(tmp_path).missing == [("giou", 0), ("giou", 1)]


def test_a_trial_copied_to_anothers_place_is_not_that_one(tmp_path):
    folder_with(tmp_path, ("iou", 0))
    trial.folder_of(tmp_path, "iou", 0).rename(trial.folder_of(tmp_path, "iou", 1))
    assert len(results.read(tmp_path).missing) == 6


def test_errors(tmp_path):
    with pytest.raises(CompareError, match=r"no run here \(plan\.json is missing or damaged\)"):
        results.read(tmp_path)
    folder_with(tmp_path)
    (tmp_path / "weights.json").unlink()
    with pytest.raises(CompareError, match=r"weights\.json is missing or damaged.*boxloss compare"):
        results.read(tmp_path)
