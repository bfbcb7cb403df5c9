"""What a user sees of a run."""

import io
from pathlib import Path

import pytest

pytest.importorskip("rich")

from rich.console import Console

from boxloss.compare import progress
from boxloss.compare.events import Began, Epoch, Failed, Finished, Stepped
from boxloss.compare.progress import Lines, LiveTable, Quiet, display_for, render, visible
from boxloss.compare.tally import DONE, FAILED, RUNNING, WAITING, Row, Tally

KEYS = [(loss, seed) for seed in range(3) for loss in ("iou", "giou")]
STORY = [
    Began(("iou", 0), 0),
    Stepped(("iou", 0), 0.5, 2.0),
    Epoch(("iou", 0), 1, 1.5, 0.123),
    Finished(("iou", 0), 0.345, 61.0),
    Began(("giou", 0), 4),
    Failed(("giou", 0), "the training diverged in epoch 5", Path("trials/giou-seed0/error.log")),
]


def tell(display):
    display.start(Tally(10, {key: Row(key) for key in KEYS}))
    for event in STORY:
        display.event(event)
        display.tick()
    display.stop()


def test_without_a_terminal_there_are_a_few_plain_lines():
    stream = io.StringIO()
    tell(Lines(stream))
    text = stream.getvalue()
    assert text.splitlines() == [
        "6 trials of 10 epochs",
        "iou seed 0: AP .345 in 1 min, 1 of 6 trials done, nearly done",
        "giou seed 0: going on after epoch 4",
        "giou seed 0: failed: the training diverged in epoch 5 (see trials/giou-seed0/error.log)",
    ]
    assert "\x1b" not in text


def test_one_trial_of_one_epoch_is_no_plural():
    stream = io.StringIO()
    Lines(stream).start(Tally(1, {("iou", 0): Row(("iou", 0))}))
    assert stream.getvalue() == "1 trial of 1 epoch\n"


def test_now_and_then_a_line_says_how_far_it_is(monkeypatch):
    stream = io.StringIO()
    display = Lines(stream)
    display.start(Tally(10, {key: Row(key) for key in KEYS}))
    display.event(Began(("iou", 0), 0))
    display.event(Stepped(("iou", 0), 2.5, 1.0))
    display.tick()
    assert len(stream.getvalue().splitlines()) == 1
    monkeypatch.setattr(progress, "OFTEN", 0.0)
    display.tick()
    assert stream.getvalue().splitlines()[-1].startswith("4%, iou seed 0 at 2.5 of 10")


def test_quiet_says_nothing(capfd):
    display = display_for(quiet=True)
    assert isinstance(display, Quiet)
    tell(display)
    assert capfd.readouterr() == ("", "")


def test_the_display_fits_the_stream():
    assert isinstance(display_for(False, io.StringIO()), Lines)


def test_the_live_table_shows_every_trial():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=30)
    tell(LiveTable(console))
    text = stream.getvalue()
    for word in ("1 of 6 trials done, 1 failed", ".345", "diverged", "waiting", "giou"):
        assert word in text


@pytest.mark.parametrize("height", [8, 12, 24])
def test_the_live_table_never_grows_over_the_screen(height):
    keys = [(f"loss{i}", seed) for i in range(10) for seed in range(5)]
    tally = Tally(10, {key: Row(key) for key in keys})
    console = Console(file=io.StringIO(), width=100, height=height)
    with console.capture() as capture:
        console.print(render(tally, height))
    lines = capture.get().splitlines()
    assert len(lines) <= height
    assert f"and {50 - (height - 5)} more" in lines[-1]


def test_what_matters_most_stays_visible():
    rows = [Row(("x", i), state) for i, state in enumerate([DONE, DONE, RUNNING, WAITING, FAILED, RUNNING, WAITING])]
    assert [row.key[1] for row in visible(rows, 4)] == [2, 3, 4, 5]
    assert [row.key[1] for row in visible(rows, 6)] == [1, 2, 3, 4, 5, 6], "of those done, the latest first"
    assert visible(rows, 9) == rows
