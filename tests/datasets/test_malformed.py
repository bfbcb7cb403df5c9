"""Every malformed data set is refused with the message that the corpus says, whole and on one line."""

from pathlib import Path

import malformed_coco
import malformed_voc
import malformed_yolo
import pytest
from malformed import Malformed
from small_sets import SOUND, plain_message, write

from boxloss.datasets import load
from boxloss.errors import DataError

CORPUS = {"voc": malformed_voc.CASES, "coco": malformed_coco.CASES, "yolo": malformed_yolo.CASES}
ALL = [pytest.param(format, case, id=f"{format}: {case.name}") for format, cases in CORPUS.items() for case in cases]


@pytest.mark.parametrize(("format", "case"), ALL)
def test_a_malformed_data_set_is_refused_with_its_message(format: str, case: Malformed, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(case.make(tmp_path, format), format=format)
    message = plain_message(caught.value, tmp_path)
    assert message == case.message
    assert message.isprintable()
    assert type(caught.value) is DataError
    assert caught.value.__cause__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("format", SOUND)
def test_the_sound_data_set_is_read_without_a_note(format: str, tmp_path: Path) -> None:
    dataset = load(write(tmp_path, format))
    assert dataset.format == format
    assert dataset.classes == ("cat", "dog")
    assert dataset.notes == ()
    assert dataset.splits["train"][0].boxes[0].tolist() == [10, 20, 30, 40.5]


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(ALL) >= 60
    for cases in CORPUS.values():
        assert len({case.name for case in cases}) == len(cases)


@pytest.mark.parametrize(("format", "case"), ALL)
def test_a_message_names_file_record_field_value_rule_and_hint(format: str, case: Malformed, tmp_path: Path) -> None:
    head, _, hint = case.message.partition("; hint: ")
    place, equals, value_and_rule = head.partition(" = ")
    assert hint
    assert equals
    assert place.count(": ") >= 2  # file: record: field
    assert "must" in value_and_rule
