"""A trial comes out the same to the bit, however often it is stopped, whatever is damaged, and whatever ran before it."""

import io
import json

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch

from boxloss.compare import files, trial
from boxloss.compare.chosen import Choice, choose
from boxloss.compare.events import Began, Epoch, Finished, Stepped
from boxloss.errors import CompareError
from boxloss.evaluate import evaluate_pictures
from compare.bench import Killed, deaf, kill_when, workshop
from compare.tiny import figures

pytestmark = pytest.mark.usefixtures("one_thread")
KEY = ("giou", 1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The figures of a trial that nobody stopped."""
    out = tmp_path_factory.mktemp("undisturbed")
    workshop(out).train(KEY, 0.5, deaf)
    return figures(out)


def folder_of(out):
    return trial.folder_of(out, *KEY)


def stop_after(out, epoch):
    """Runs the trial until that epoch is on the disk, and kills it."""
    with pytest.raises(Killed):
        workshop(out).train(KEY, 0.5, kill_when(lambda event: isinstance(event, Epoch) and event.epochs == epoch))


def go_on(out):
    """Finishes the trial; gives the number of epochs that were done before."""
    heard = []
    workshop(out).train(KEY, 0.5, heard.append)
    (began,) = [event.epochs for event in heard if isinstance(event, Began)]
    return began


def test_a_trial_reports_steps_epochs_and_its_end(tmp_path, undisturbed):
    heard = []
    finished = workshop(tmp_path).train(KEY, 0.5, heard.append)
    assert heard[0] == Began(KEY, 0)
    assert [event.epochs for event in heard if isinstance(event, Epoch)] == [1, 2, 3]
    assert [event.ap is not None for event in heard if isinstance(event, Epoch)] == [False, True, True]
    assert any(isinstance(event, Stepped) for event in heard)
    result = json.loads((folder_of(tmp_path) / "result.json").read_text())
    assert finished == Finished(KEY, result["metrics"]["ap"], result["cpu_seconds"])
    assert figures(tmp_path) == undisturbed


def test_a_finished_trial_has_its_files_and_no_others(tmp_path):
    workshop(tmp_path).train(KEY, 0.5, deaf)
    folder = folder_of(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "predictions.json", "result.json", "weights.pt"]
    result = json.loads((folder / "result.json").read_text())
    assert {"loss", "seed", "metrics", "epochs", "box_weight", "versions", "cpu_seconds", "n_parameters"} <= set(result)
    assert (result["loss"], result["seed"], result["box_weight"]) == ("giou", 1, 0.5)
    assert [epoch["epoch"] for epoch in result["epochs"]] == [1, 2, 3]
    assert result["epochs"][-1]["metrics"] == result["metrics"]
    assert 0 < result["cpu_seconds"] < 60
    state = torch.load(folder / "weights.pt", weights_only=True)
    assert sum(tensor.numel() for tensor in state.values()) == result["n_parameters"]
    predictions = json.loads((folder / "predictions.json").read_text())
    assert sorted(predictions) == [f"test{i:03d}" for i in range(8)]
    assert all(set(found) == {"boxes", "scores", "labels"} for found in predictions.values())


def test_the_figures_are_those_of_the_predictions_in_the_folder(tmp_path):
    shop = workshop(tmp_path, epochs=4)
    shop.train(KEY, 0.5, deaf)
    predictions = json.loads((folder_of(tmp_path) / "predictions.json").read_text())
    read = {
        name: (np.array(found["boxes"], np.float32).reshape(-1, 4), np.array(found["scores"], np.float32), np.array(found["labels"], np.int64))
        for name, found in predictions.items()
    }
    again = evaluate_pictures(shop.held_data.pictures, shop.classes, read).as_dict()
    result = json.loads((folder_of(tmp_path) / "result.json").read_text())
    assert {name: value for name, value in again.items() if value == value} == {k: v for k, v in result["metrics"].items() if v is not None}


@pytest.mark.parametrize("epoch", [1, 2])
def test_stopped_after_an_epoch_it_goes_on_to_the_same_bits(tmp_path, undisturbed, epoch):
    stop_after(tmp_path, epoch)
    assert go_on(tmp_path) == epoch
    assert figures(tmp_path) == undisturbed


def test_stopped_within_an_epoch_it_loses_that_epoch_only(tmp_path, undisturbed, monkeypatch):
    stop_after(tmp_path, 1)
    build = Choice.build
    calls = iter(range(9))

    def stops(*args, **kwargs):
        if next(calls) == 1:  # the second of two steps
            raise Killed
        return build(choose("giou"))(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Choice, "build", lambda _: stops)
        with pytest.raises(Killed):
            workshop(tmp_path).train(KEY, 0.5, deaf)
    assert go_on(tmp_path) == 1
    assert figures(tmp_path) == undisturbed


def test_a_damaged_checkpoint_costs_one_epoch(tmp_path, undisturbed):
    stop_after(tmp_path, 2)
    last, _ = trial.checkpoints(folder_of(tmp_path))
    last.write_bytes(last.read_bytes()[:-1000])
    assert go_on(tmp_path) == 1
    assert figures(tmp_path) == undisturbed


def test_all_checkpoints_damaged_cost_the_trial(tmp_path, undisturbed):
    stop_after(tmp_path, 2)
    for path in trial.checkpoints(folder_of(tmp_path)):
        path.write_bytes(b"")
    assert go_on(tmp_path) == 0
    assert figures(tmp_path) == undisturbed


def test_checkpoints_of_another_weight_are_not_gone_on_from(tmp_path):
    stop_after(tmp_path, 1)
    heard = []
    workshop(tmp_path).train(KEY, 0.25, heard.append)
    assert heard[0] == Began(KEY, 0)


def test_it_does_not_matter_what_ran_before_in_the_same_process(tmp_path, undisturbed):
    shop = workshop(tmp_path / "a")
    shop.train(("l1", 0), 0.01, deaf)
    torch.rand(7)
    shop.out = tmp_path / "b"
    shop.train(KEY, 0.5, deaf)
    ours = {name: text for name, text in undisturbed.items() if name.startswith("trials")}
    assert figures(tmp_path / "b") == ours


def test_two_checkpoints_are_kept(tmp_path):
    with pytest.raises(Killed):
        workshop(tmp_path, epochs=5).train(KEY, 0.5, kill_when(lambda event: isinstance(event, Epoch) and event.epochs == 4))
    assert [path.name for path in trial.checkpoints(folder_of(tmp_path))] == ["checkpoint-0004.pt", "checkpoint-0003.pt"]


def test_cpu_seconds_count_what_was_spent_before_a_stop(tmp_path):
    stop_after(tmp_path, 2)
    (path, _) = trial.checkpoints(folder_of(tmp_path))
    spent = torch.load(io.BytesIO(files.read_sealed(path)), weights_only=True)["cpu_seconds"]
    go_on(tmp_path)
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["cpu_seconds"] > spent > 0


def test_a_training_that_diverges_is_an_error_and_not_a_figure(tmp_path):
    with pytest.raises(CompareError, match="the training diverged in epoch 1"):
        workshop(tmp_path).train(KEY, float("1e39"), deaf)
    assert not (folder_of(tmp_path) / "result.json").exists()


def test_lightning_says_nothing_and_leaves_nothing(tmp_path, capfd, recwarn):
    workshop(tmp_path).train(KEY, 0.5, deaf)
    assert capfd.readouterr() == ("", "")
    assert not list(recwarn)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pixels.json", "trials"]
