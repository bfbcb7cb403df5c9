"""A worker carries out orders, and reports errors instead of dying of them."""

import os
import pickle
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe

import pytest

pytest.importorskip("lightning")

from boxloss.compare.events import Began, Epoch, Failed, Finished, Prepare, Ready, Stepped, Train, Weigh, Weighed
from boxloss.compare.plan import describe, make_plan
from boxloss.compare.worker import Worker
from compare.tiny import tiny

pytestmark = pytest.mark.usefixtures("one_thread")


def order(out, **options):
    data = tiny()
    plan = make_plan(data, **{"data": "tiny", "losses": "iou,l1", "seeds": 1, "epochs": 1, "batch_size": 8, **options})
    return Prepare(plan, data, out, describe(plan, data, "command"))


def heard(connection):
    events = []
    while connection.poll():
        events.append(connection.recv())
    return events


def test_orders_are_carried_out_and_an_error_does_not_end_the_worker(tmp_path):
    ours, theirs = Pipe()
    worker = Worker(theirs)
    worker.obey(order(tmp_path))
    worker.obey(Weigh(("l1",)))
    worker.obey(Train(("l1", 0), 1e39))  # diverges
    worker.obey(Train(("iou", 0), 1.0))
    ready, weighed, began, *rest = heard(ours)
    assert (ready, began) == (Ready(), Began(("l1", 0), 0))
    assert isinstance(weighed, Weighed)
    assert set(weighed.gradients) == {"iou", "l1"}
    (failed,) = [event for event in rest if isinstance(event, Failed)]
    assert failed.key == ("l1", 0)
    assert failed.message.startswith("the training diverged in epoch 1")
    assert failed.log == tmp_path / "trials/l1-seed0/error.log"
    assert "Traceback" in failed.log.read_text()
    assert isinstance(rest[-1], Finished)


def test_what_cannot_be_prepared_is_reported_without_a_trial(tmp_path):
    ours, theirs = Pipe()
    prepare = order(tmp_path)
    gone = dict.fromkeys(prepare.dataset.splits, ())
    object.__setattr__(prepare.dataset, "splits", gone)
    Worker(theirs).obey(prepare)
    (failed,) = heard(ours)
    assert failed.key is None
    assert failed.message.startswith("no pictures")
    assert "Traceback" in (tmp_path / "error.log").read_text()


def test_an_unexpected_error_is_named_on_one_line(tmp_path):
    worker = Worker(Pipe()[1])
    worker.out = tmp_path
    failed = worker.failure(None, KeyError("two\nlines"))
    assert failed.message.startswith("KeyError: ")
    assert "\n" not in failed.message


@pytest.mark.parametrize("event", [Ready(), Weighed({"iou": 1.0}), Began(("iou", 0), 1), Stepped(("iou", 0), 1.5, 0.3), Epoch(("iou", 0), 2, 0.2, None)])
def test_events_travel(event):
    assert pickle.loads(pickle.dumps(event)) == event


def start_worker():
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "boxloss.compare.worker", str(theirs.fileno()), str(os.getpid())]
    process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    theirs.close()
    return ours, process


def test_a_worker_outlives_ctrl_c_but_not_its_run(tmp_path):
    ours, process = start_worker()
    try:
        ours.send(order(tmp_path))
        while not (tmp_path / "pixels.json").exists():  # it has long begun, and is about to say Ready
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert ours.recv() == Ready()
        ours.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()


def test_a_worker_whose_run_died_before_it_began_ends():
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "boxloss.compare.worker", str(theirs.fileno()), "1"]  # process 1 is not its parent
    assert subprocess.run(command, pass_fds=(theirs.fileno(),), timeout=60).returncode == 1
    ours.close()
