"""A run that is stopped, in whatever way and at whatever moment, goes on to the same figures to the digit."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("lightning")
pytest.importorskip("faster_coco_eval")

from compare.tiny import figures

pytestmark = pytest.mark.slow
GO = Path(__file__).with_name("go.py")
KILLS = 10
MANY, FEW = 30, 8  # epochs: enough to be killed ten times on a fast machine; enough to be stopped once


def start(out: Path, jobs: int = 2, epochs: int = FEW) -> subprocess.Popen:
    """A run in a process group of its own, as a shell starts it."""
    return subprocess.Popen([sys.executable, GO, str(out), str(jobs), str(epochs)], stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(out: Path, epochs: int = FEW) -> str:
    process = start(out, epochs=epochs)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


def progress(out: Path) -> list[tuple[str, int]]:
    """What lies in the trials' folders: changes with every epoch that ends."""
    return sorted((str(path), path.stat().st_mtime_ns) for path in out.glob("trials/*/[!.]*") if path.exists())


def wait_for_progress(process: subprocess.Popen, out: Path) -> None:
    before, deadline = progress(out), time.monotonic() + 120
    while progress(out) == before and process.poll() is None:
        assert time.monotonic() < deadline, "no epoch ended in two minutes"
        time.sleep(0.02)


def alive(group: int) -> list[int]:
    """The processes of a group that still run, as /proc has it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().rsplit(")", 1)
        except OSError:
            continue
        state, _, of_group = rest.split()[:3]
        if int(of_group) == group and state != "Z":
            found.append(int(name.split()[0]))
    return found


def wait_until_gone(group: int) -> None:
    deadline = time.monotonic() + 10
    while alive(group):
        assert time.monotonic() < deadline, f"still alive: {alive(group)}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    finish(out)
    return figures(out)


def test_killed_at_ten_random_moments_it_ends_with_the_same_figures(tmp_path):
    chance = random.Random(20)
    for kill in range(KILLS):
        process = start(tmp_path, epochs=MANY)
        if kill % 5 == 4:
            time.sleep(chance.uniform(0.0, 5.0))  # most likely while it starts up
        else:
            wait_for_progress(process, tmp_path)
            time.sleep(chance.uniform(0.0, 1.0))
        assert process.poll() is None, f"it ended before kill {kill}: {process.stderr.read()}"
        if chance.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)  # its workers must notice by themselves
        process.communicate()
        wait_until_gone(process.pid)
    said = finish(tmp_path, MANY)
    assert "going on after epoch" in said
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not list(tmp_path.rglob("checkpoint-*"))
    finish(tmp_path / "undisturbed", MANY)
    undisturbed = figures(tmp_path / "undisturbed")
    shutil.rmtree(tmp_path / "undisturbed")
    assert figures(tmp_path) == undisturbed


def test_started_again_at_once_after_a_kill_it_waits_for_the_old_workers(tmp_path, undisturbed):
    process = start(tmp_path)
    wait_for_progress(process, tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    finish(tmp_path)
    process.communicate()
    assert figures(tmp_path) == undisturbed


def test_a_killed_worker_is_replaced(tmp_path, undisturbed):
    process = start(tmp_path)
    wait_for_progress(process, tmp_path)
    (worker, *_) = [pid for pid in alive(process.pid) if pid != process.pid]
    os.kill(worker, signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "4 of 4 trials done" in said
    assert "failed" not in said
    assert figures(tmp_path) == undisturbed


def test_ctrl_c_stops_the_workers_and_says_how_to_go_on(tmp_path, undisturbed):
    process = start(tmp_path)
    wait_for_progress(process, tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on: boxloss compare tiny" in said.splitlines()[-1]
    assert "Traceback" not in said
    wait_until_gone(process.pid)
    assert not (tmp_path / "workers.log").exists(), "workers had nothing to say"
    finish(tmp_path)
    assert figures(tmp_path) == undisturbed


def test_two_runs_on_one_folder_are_refused(tmp_path):
    process = start(tmp_path, jobs=1, epochs=MANY)
    wait_for_progress(process, tmp_path)
    second = start(tmp_path)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"another run (process {process.pid}) is at work here" in said
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
