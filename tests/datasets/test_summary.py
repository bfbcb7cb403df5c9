"""The summary: counts and quantiles that a pencil can check."""

import json
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from boxloss.datasets import Dataset, Picture, load, summarise
from boxloss.datasets.summary import as_text, measure, tables
from boxloss.errors import UnknownNameError
from shared_data import shared


def picture(name: str, boxes: list[list[float]], labels: list[int], ignore: bool = False) -> Picture:
    return Picture(
        name, 200, 100, np.array(boxes, dtype=np.float64).reshape(-1, 4), np.array(labels, dtype=np.int64), np.array([ignore] * len(boxes), dtype=bool)
    )


PENCIL = Dataset(
    "pencil",
    "voc",
    ("cat", "dog"),
    {
        # 30 x 30 (small), the same again (IoU 1), and 40 x 10, apart from both
        "train": (picture("a", [[0, 0, 30, 30], [0, 0, 30, 30], [50, 0, 90, 10]], [0, 0, 1]), picture("b", [], [])),
        # 100 x 100 (large), and half of it: IoU 1/2, which is not beyond 1/2
        "val": (picture("c", [[0, 0, 100, 100], [0, 0, 50, 100]], [1, 1], ignore=True),),
    },
    ("a note",),
)


def test_the_numbers_are_those_of_a_pencil() -> None:
    got = summarise(PENCIL)
    assert got.pictures == {"train": 2, "val": 1}
    assert got.boxes == {"train": {"cat": 2, "dog": 1}, "val": {"cat": 0, "dog": 2}}
    assert (got.n_pictures, got.n_boxes, got.n_ignored) == (3, 5, 2)
    assert got.shares == {"small": 3 / 5, "medium": 1 / 5, "large": 1 / 5}
    assert got.picture_sizes == {"200 x 100": 3}
    assert got.root_area["median"] == 30
    assert (got.root_area["min"], got.root_area["max"]) == (20, 100)
    assert (got.aspect["min"], got.aspect["median"], got.aspect["max"]) == (0.5, 1, 4)
    assert (got.per_picture["min"], got.per_picture["median"], got.per_picture["max"]) == (0, 2, 3)
    assert measure(PENCIL).overlap.tolist() == [1, 1, 0, 0.5, 0.5]
    assert got.crowded == 1 / 3
    assert got.class_root_area["cat"] == 30
    assert got.notes == ("a note",)


def test_boxes_without_size_have_a_size_of_0_and_no_aspect_ratio() -> None:
    flat = Dataset("flat", "voc", ("cat",), {"all": (picture("a", [[1, 1, 1, 9], [5, 5, 5, 5]], [0, 0]),)})
    assert summarise(flat).root_area["max"] == 0
    assert math.isnan(summarise(flat).aspect["median"])


def test_one_split_alone() -> None:
    assert summarise(PENCIL, "val").pictures == {"val": 1}
    with pytest.raises(UnknownNameError, match="unknown split 'vla': did you mean val"):
        summarise(PENCIL, "vla")


@pytest.mark.parametrize("dataset", [PENCIL, Dataset("none", "voc", ("cat",), {"all": ()}), Dataset("bare", "voc", ("cat",), {"all": (picture("a", [], []),)})])
def test_a_summary_is_json_and_tables_and_text(dataset: Dataset) -> None:
    summary = summarise(dataset)
    again = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert again["n_boxes"] == summary.n_boxes
    for table in tables(summary):
        assert all(len(row) == len(table.header) for row in table.rows)
        assert not any("nan" in cell for row in table.rows for cell in row)
    text = as_text(summary)
    assert text.startswith(f"{dataset.name} (voc), ")
    assert all(note in text for note in dataset.notes)
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_the_table_of_classes() -> None:
    table = tables(summarise(PENCIL))[0]
    assert table.header == ("", "train", "val", "together", "share", "median √area, px")
    assert table.rows == [
        ("pictures", "2", "1", "3", "", ""),
        ("cat", "2", "0", "2", "40.0%", "30"),
        ("dog", "1", "2", "3", "60.0%", "70.7"),  # the median of 20, 50 sqrt 2, 100
        ("all boxes", "3", "2", "5", "", "30"),
    ]


boxes = st.lists(st.tuples(*[st.integers(0, 20)] * 4).map(lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]), max_size=6)


@given(boxes)
def test_the_order_of_boxes_does_not_count(rows: list[list[float]]) -> None:
    one = Dataset("d", "voc", ("cat",), {"all": (picture("a", rows, [0] * len(rows)),)})
    two = Dataset("d", "voc", ("cat",), {"all": (picture("a", rows[::-1], [0] * len(rows)),)})
    first, second = summarise(one).as_dict(), summarise(two).as_dict()
    assert {key: first[key] for key in first if key != "fingerprint"} == {key: second[key] for key in second if key != "fingerprint"}
    assert (measure(one).overlap <= 1).all()


def test_bccd() -> None:
    summary = summarise(load(shared("data", "bccd"), pixels=False))
    # counts: ../shared/data/README.md
    assert summary.n_pictures == 364
    assert summary.n_boxes == 4888
    assert {name: sum(counts[name] for counts in summary.boxes.values()) for name in summary.class_root_area} == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    assert summary.picture_sizes == {"640 x 480": 364}
    assert summary.root_area["min"] == 0


def test_one_picture_with_one_box_of_one_class_is_no_plural():
    one = Picture("a", 40, 30, np.array([[1.0, 2, 3, 4]]), np.zeros(1, np.int64), np.zeros(1, bool))
    assert as_text(summarise(Dataset("x", "voc", ("cat",), {"all": (one,)}))).startswith("x (voc), 1 picture, 1 box, 1 class\n")
