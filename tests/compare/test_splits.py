"""Which pictures are trained on and which judge."""

import dataclasses

import numpy as np
import pytest

from boxloss.compare.splits import median_size, share, splits_of
from boxloss.datasets import Dataset
from boxloss.errors import CompareError, UnknownNameError
from compare.tiny import tiny


def names(pictures):
    return [picture.name for picture in pictures]


def test_train_on_train_and_judge_by_all_others():
    data = tiny({"train": 6, "val": 3, "test": 2, "empty": 0})
    assert splits_of(data, None, None) == ("train", ("val", "test"))
    train, held = share(data, "train", ("val", "test"))
    assert names(train) == names(data.splits["train"])
    assert names(held) == sorted(names(data.splits["val"]) + names(data.splits["test"]))


def test_a_single_split_is_shared_out_the_same_in_any_order():
    data = tiny({"all": 23})
    assert splits_of(data, None, None) == ("all", ())
    train, held = share(data, "all", ())
    assert (len(train), len(held)) == (19, 4)
    assert sorted(names(train) + names(held)) == names(data.splits["all"])
    turned = dataclasses.replace(data, splits={"all": data.splits["all"][::-1]})
    assert [names(part) for part in share(turned, "all", ())] == [names(train), names(held)]
    assert names(held) != names(data.splits["all"])[-4:], "a draw, not the end of the list"


def test_a_name_in_two_splits_is_told_apart():
    data = tiny({"train": 2, "val": 2, "test": 2})
    same = tuple(dataclasses.replace(picture, name=f"val{i:03d}") for i, picture in enumerate(data.splits["test"]))
    held = share(dataclasses.replace(data, splits={**data.splits, "test": same}), "train", ("val", "test"))[1]
    assert names(held) == ["test/val000", "test/val001", "val/val000", "val/val001"]
    assert np.array_equal(held[0].array, same[0].array)


@pytest.mark.parametrize(
    ("splits", "train", "evaluate", "kind", "message"),
    [
        ({"a": 2, "b": 2}, None, None, CompareError, "no split named train .it has a, b."),
        ({"train": 2, "val": 2}, "trian", None, UnknownNameError, "did you mean train"),
        ({"train": 2, "val": 2}, None, ["test"], UnknownNameError, "unknown split 'test'"),
        ({"train": 2, "val": 2}, None, ["train"], CompareError, "by heart"),
        ({}, None, None, CompareError, "has no pictures"),
    ],
)
def test_errors(splits, train, evaluate, kind, message):
    with pytest.raises(kind, match=message):
        splits_of(tiny(splits) if splits else Dataset("none", "coco", ("x",), {}), train, evaluate)


def test_too_few_to_share_out():
    with pytest.raises(CompareError, match="4 pictures in its only split; at least 5"):
        share(tiny({"all": 4}), "all", ())


def test_nothing_to_learn_from():
    data = tiny({"train": 1, "test": 1})
    (one,) = data.splits["train"]
    bare = dataclasses.replace(one, boxes=np.zeros((0, 4)), labels=np.zeros(0), ignore=np.zeros(0))
    with pytest.raises(CompareError, match="no boxes to learn from"):
        splits_of(dataclasses.replace(data, splits={**data.splits, "train": (bare,)}), None, None)


def test_median_size():
    assert median_size(tiny().splits["train"]) == (64, 64)
