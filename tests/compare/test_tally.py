"""How far a run is, and how long it will take."""

from pathlib import Path

import pytest

from boxloss.compare import tally as module
from boxloss.compare.events import Began, Epoch, Failed, Finished, Ready, Stepped
from boxloss.compare.tally import DONE, FAILED, RUNNING, WAITING, Row, Tally, as_ap, in_words

IOU, GIOU = ("iou", 0), ("giou", 0)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def tally_of(*keys, n_epochs=10):
    return Tally(n_epochs, {key: Row(key) for key in keys})


def test_a_trial_from_waiting_to_done():
    tally = tally_of(IOU, GIOU)
    assert [row.state for row in tally.rows.values()] == [WAITING, WAITING]
    tally.note(Ready())
    tally.note(Began(IOU, 0))
    tally.note(Stepped(IOU, 0.5, 2.0))
    tally.note(Epoch(IOU, 1, 1.5, None))
    tally.note(Epoch(IOU, 2, 1.25, 0.25))
    tally.note(Epoch(IOU, 3, 1.0, None))
    row = tally.rows[IOU]
    assert (row.state, row.epochs, row.loss, row.ap) == (RUNNING, 3, 1.0, 0.25)
    assert tally.share == 3 / 20
    tally.note(Finished(IOU, 0.5, 60.0))
    tally.note(Failed(GIOU, "no", Path("log")))
    assert (row.state, row.epochs, row.ap, tally.rows[GIOU].state) == (DONE, 10, 0.5, FAILED)
    assert (tally.count(DONE), tally.count(FAILED), tally.count(WAITING)) == (1, 1, 0)


def test_time_left_is_from_this_sessions_pace(clock):
    tally = tally_of(IOU, GIOU)
    tally.add_finished({IOU: {"epochs": [{"train_loss": 1.0}], "metrics": {"ap": 0.1}, "cpu_seconds": 5.0}})
    tally.note(Began(GIOU, 4))
    assert tally.seconds_left is None, "no epoch trained: no pace"
    clock.now = 106.0
    tally.note(Epoch(GIOU, 6, 1.0, None))
    # pencil: two epochs in 6 s, four left
    assert tally.seconds_left == 12.0
    assert tally.left == "about 12 s left"


def test_an_epoch_that_is_trained_again_counts_as_work(clock):
    tally = tally_of(IOU)
    tally.note(Began(IOU, 0))
    tally.note(Epoch(IOU, 1, 1.0, None))
    tally.note(Began(IOU, 0))  # its worker died, the checkpoint was damaged
    assert tally.rows[IOU].epochs == 0
    tally.note(Epoch(IOU, 1, 1.0, None))
    assert tally.n_trained == 2


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (89, "1 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")])
def test_spans_in_words(seconds, words):
    assert in_words(seconds) == words


def test_ap_as_tables_print_it():
    assert [as_ap(ap) for ap in (0.3456, 0.0, 1.0, None, float("nan"))] == [".346", ".000", "1.000", "-", "-"]
