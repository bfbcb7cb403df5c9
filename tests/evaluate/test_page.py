"""The page on judging detections shows what the command prints."""

import re

import pytest

pytest.importorskip("faster_coco_eval")

from boxloss.evaluate import examine
from boxloss.evaluate.words import tables
from shared_data import ROOT, shared

PAGE = (ROOT / "docs" / "evaluate.md").read_text()
COMMANDS = re.findall(r"^boxloss evaluate ground_truth.json (\w+).json --nms (\S+)", PAGE, flags=re.MULTILINE)
NAMES = {"CenterNet": "centernet", "YOLOv3-tiny": "yolov3_tiny"}


def tables_of_the_page(name):
    """Header and rows of each table that follows the detector's name and a colon."""
    for text in re.findall(rf"^{name}:\n\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE):
        header, _, *rows = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines())
        yield header, rows


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_what_the_command_prints(name):
    kinds = dict(COMMANDS)[NAMES[name]].split(",")
    found = examine(shared("data", "detections", "ground_truth.json"), shared("data", "detections", f"{NAMES[name]}.json"), nms=kinds)
    printed = {header: rows for _, header, rows in tables(found)}
    shown = list(tables_of_the_page(name))
    assert [header[0] for header, _ in shown] == ["localisation", "IoU", "mistake", "nms"]
    for header, rows in shown:
        assert rows == printed[header]
