"""Everything at once is the same as each part alone."""

import pytest

pytest.importorskip("faster_coco_eval")

from boxloss.errors import UnknownNameError
from boxloss.evaluate import errors, evaluate, examine, localisation, suppressions
from boxloss.evaluate.words import tables
from evaluate.small_cases import SQUARE, truth
from shared_data import shared


def test_the_parts_are_those_of_each_function():
    files = shared("data", "detections", "ground_truth.json"), shared("data", "detections", "centernet.json")
    heard = []
    found = examine(*files, nms=["greedy"], tell=heard.append)
    assert found.metrics == evaluate(*files)
    assert found.localisation.as_dict() == localisation(*files).as_dict()
    assert found.errors == errors(*files)
    assert list(found.nms) == suppressions(*files, ["greedy"])
    assert (heard[0], heard[-1]) == ("reading", "suppression: greedy")
    record = found.as_dict()
    assert list(record)[:4] == ["ap", "ap50", "ap75", "ap90"]
    assert list(record)[-3:] == ["localisation", "errors", "nms"]


def test_a_wrong_kind_is_refused_before_anything_is_read():
    with pytest.raises(UnknownNameError):
        examine("no/such/file.json", "none.json", nms=["gredy"])


def test_tables_of_text_where_nothing_is_found_or_defined():
    for ground_truth in (truth((SQUARE, 1)), truth()):
        titles = []
        for title, header, rows in tables(examine(ground_truth, [], nms=["greedy"])):
            titles.append(title)
            assert {len(row) for row in rows} == {len(header)}
        assert len(titles) == 5
