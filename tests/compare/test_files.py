"""Files are whole or not there, damage is noticed, and one process holds a folder."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.compare import files
from boxloss.errors import CompareError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)

HOLD = """
import sys, time
from pathlib import Path
from boxloss.compare import files
with files.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@given(st.dictionaries(st.text().filter(lambda key: key != "sha256"), JSON, max_size=5))
def test_a_record_comes_back_as_it_was(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("record") / "record.json"
    files.write_record(path, record)
    assert files.read_record(path) == record


def test_every_damage_to_a_record_is_noticed(tmp_path):
    path = tmp_path / "record.json"
    files.write_record(path, {"ap": 0.25, "loss": "iou", "nothing": None})
    whole = path.read_bytes()
    for end in range(len(whole) - 1):  # the last byte is a line end, which says nothing
        path.write_bytes(whole[:end])
        assert files.read_record(path) is None, f"cut after {end} bytes"
    path.write_bytes(whole.replace(b"0.25", b"0.26"))
    assert files.read_record(path) is None
    path.write_bytes(whole.replace(b"iou", b"\xff\xfeu"))
    assert files.read_record(path) is None
    path.write_bytes(b"[1, 2]")
    assert files.read_record(path) is None
    path.unlink()
    assert files.read_record(path) is None


@given(content=st.binary(max_size=100), cut=st.integers(0, 200), flip=st.integers(0, 200))
def test_every_damage_to_sealed_bytes_is_noticed(tmp_path_factory, content, cut, flip):
    path = tmp_path_factory.mktemp("sealed") / "x.pt"
    files.write_sealed(path, content)
    assert files.read_sealed(path) == content
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)])
    assert files.read_sealed(path) is None
    position = flip % len(whole)
    path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
    assert files.read_sealed(path) is None


def test_nothing_that_is_not_json_is_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        files.write_record(tmp_path / "x.json", {"ap": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_record_stays_readable_by_people(tmp_path):
    files.write_record(tmp_path / "x.json", {"name": "Zürich", "ap": 0.1})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert "Zürich" in text
    assert json.loads(text)["ap"] == 0.1


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x"
    files.write_bytes(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CompareError, match="No space left"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_clean_removes_what_a_killed_process_left(tmp_path):
    (tmp_path / ".tmp-123-result.json").write_text("{")
    (tmp_path / "result.json").write_text("{}")
    files.clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_folder_is_held_once_within_a_process(tmp_path):
    with files.locked(tmp_path), pytest.raises(CompareError, match=r"another run .* is at work"), files.locked(tmp_path, patience=0):
        pass
    with files.locked(tmp_path, patience=0):
        pass


def test_a_killed_holder_lets_go(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.monotonic()
        with pytest.raises(CompareError, match=f"process {holder.pid}"), files.locked(tmp_path, patience=0.2):
            pass
        assert time.monotonic() - began < 5
    finally:
        holder.kill()
        holder.wait()
    with files.locked(tmp_path, patience=5):
        assert Path(tmp_path, ".lock").exists()
