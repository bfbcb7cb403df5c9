"""`boxloss anchors` as a user meets it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from shared_data import shared


def boxloss(*words):
    return subprocess.run([sys.executable, "-m", "boxloss", "anchors", *map(str, words)], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Sizes of 400 boxes."""
    path = tmp_path_factory.mktemp("sizes") / "sizes.npy"
    np.save(path, np.exp(np.random.Generator(np.random.PCG64(0)).normal(4, 0.7, (400, 2))))
    return path


def test_piped_there_are_two_tables_with_tabs_and_pictures_where_asked(file, tmp_path):
    done = boxloss(file, "-k", 3, "--curve", 4, "--restarts", 2, "--out", tmp_path / "pictures")
    assert done.returncode == 0, done.stderr
    anchors, worth = ([line.split("\t") for line in table.splitlines()] for table in done.stdout.split("\n\n"))
    assert anchors[0] == ["width", "height", "share of boxes", "mean IoU"]
    assert len(anchors) == 1 + 3
    assert worth[0] == ["anchors", "number", "mean best IoU", "IoU >= 0.5", "sides within x 4"]
    assert [row[0] for row in worth[1:6]] == ["k-means, k = 1", "k-means, k = 2", "k-means, k = 3", "k-means, k = 4", "SSD300, VOC's scales"]
    assert {drawn.name for drawn in (tmp_path / "pictures").iterdir()} == {"sizes.png", "anchors.png", "curve.png"}
    assert "drawn: " in done.stderr


def test_json_and_a_seed_that_repeats(file):
    words = (file, "-k", 2, "--restarts", 1, "--seed", 5, "--refine", "--json")
    one, other = boxloss(*words), boxloss(*words)
    assert one.stdout == other.stdout
    found = json.loads(one.stdout)
    assert found["n_boxes"] == 400
    assert found["image_size"] == [640, 640]
    assert len(found["anchors"]) == 2


def test_a_data_set_and_a_size_of_the_input():
    cells = shared("data", "bccd")
    small, large = (json.loads(boxloss(cells, "-k", 2, "--restarts", 1, "--image-size", size, "--json").stdout) for size in ("320", "640x480"))
    assert small["n_boxes"] == large["n_boxes"] == 4886
    assert small["image_size"] == [320, 320]
    assert np.array_equal(np.round(np.array(small["anchors"]) * 2), np.round(large["anchors"]))  # pictures of 640 x 480 become 320 x 240


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("embedded", "--image-size", "big"), "--image-size is 'big', expected WIDTHxHEIGHT in pixels (640x480), or one number for both (640)"),
        (("nowhere.npy",), None),
        (("nowhere.npy", "--out", __file__), f"--out: cannot write {__file__}: it is a file, where a folder has to be; choose another place"),
    ],
)
def test_refusals_are_one_line_and_exit_code_2(words, message):
    done = boxloss(*words)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("boxloss: error: ")
    assert message is None or line == f"boxloss: error: {message}"
