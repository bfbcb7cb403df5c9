"""Any number of cases: killed and gone on with, on threads or on Ray, the result has the same bits and memory does not grow."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from boxloss.errors import MissingExtraError, ParameterError, UnknownNameError
from boxloss.simulate import run
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.stream import engine_named, stream

PLAN = PRESETS["quick"].with_(name="streamed", n_centres=4, steps=20)
GO = Path(__file__).with_name("go.py")


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(run, "TILE", 128)
    monkeypatch.setattr(run, "SHARD", 256)


def tallies(plan=PLAN, **how):
    return [tally for _, tally in stream(chosen("giou,diou"), plan, **how)]


def test_only_counted_and_stored_are_the_same(small_shards, tmp_path):
    pytest.importorskip("pyarrow")
    assert tallies() == tallies(out=tmp_path)


def test_many_tallies_are_added_up_in_turn(small_shards, monkeypatch):
    want = tallies()
    monkeypatch.setattr("boxloss.simulate.stream.AT_ONCE", 2)
    assert tallies() == want


def test_progress_has_every_case_once(small_shards, tmp_path):
    pytest.importorskip("pyarrow")
    for resume in (False, True):
        told = Counter()
        tallies(out=tmp_path, resume=resume, tell=lambda loss, n, told=told: told.update({loss.label: n}))
        assert told == {"giou": PLAN.n_cases, "diou": PLAN.n_cases}


def test_what_does_not_go_together_is_refused_before_anything_is_done(tmp_path):
    with pytest.raises(ParameterError, match="the released update moves cxcywh"):
        stream(chosen("giou", ()), PLAN.with_(parameters="xyxy"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_engines():
    with pytest.raises(UnknownNameError, match="unknown engine 'rai': did you mean ray"):
        engine_named("rai")
    with pytest.raises(ParameterError, match="an address, 'here', is for --engine ray"):
        engine_named("local", "here")


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"--engine ray needs ray, which is not installed: pip install 'boxloss\[ray\]'"):
        tallies(engine=engine_named("ray"))


def test_a_cluster_that_is_not_there_is_refused_at_once():
    pytest.importorskip("ray")
    for address in ("127.0.0.1:1", "127.0.0.1:port"):
        with pytest.raises(ParameterError, match=f"no Ray cluster at {address}"):
            tallies(engine=engine_named("ray", address))


# ---- killed


def start(out):
    return subprocess.Popen([sys.executable, GO, str(out)], stdout=subprocess.PIPE, text=True)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path):
    pytest.importorskip("pyarrow")
    undisturbed = start(tmp_path / "undisturbed")
    undisturbed.communicate(timeout=120)
    assert undisturbed.returncode == 0
    chance, kills = random.Random(6), 0
    while True:
        process = start(tmp_path / "killed")
        if process.stdout.readline() == "":  # it ended without a shard of its own: all were there
            break
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += process.returncode == -signal.SIGKILL
    assert process.wait() == 0
    assert kills > 2
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")


# ---- memory

# Of its own memory: getrusage's maximum is handed down from the process that started it, here the tests' own.
MEMORY = """
import sys
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.loss import chosen
from boxloss.simulate.stream import stream
plan = PRESETS["quick"].with_(n_centres=int(sys.argv[1]), steps=1)
from pathlib import Path
for _ in stream(chosen("l1"), plan, out=Path(sys.argv[2])): pass
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the size of a process is read from /proc")
def test_memory_does_not_grow_with_the_cases(tmp_path):
    """Eight times the cases, all of whose boxes together would take 770 MB."""
    pytest.importorskip("pyarrow")
    few, many = (
        int(subprocess.run([sys.executable, "-c", MEMORY, str(n), str(tmp_path / str(n))], check=True, capture_output=True, text=True).stdout)
        for n in (5_000, 40_000)
    )
    assert many < few + 100_000  # kB
    assert many < 1_000_000
