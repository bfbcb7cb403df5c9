"""The kind of each mistake: cases whose kinds are known by pencil, and that every detection and object has one place."""

import pytest
from hypothesis import given

from boxloss.evaluate.judged import judged
from boxloss.evaluate.kinds import DECIDED, KINDS, OF_DETECTIONS, kinds_of
from evaluate.small_cases import FAR, SQUARE, cases, detections, truth

SLIM, SLIVER = (0, 0, 10, 3), (0, 0, 10, 0.9)  # IoU .3 and .09 with SQUARE


def kinds(objects, *found, **more):
    """The kind of each detection ("" where it is no mistake), and the objects missed."""
    result = kinds_of(judged(truth(*objects, **more), detections(*found)))
    names = ["".join(kind for kind in OF_DETECTIONS if result.detections[kind][row]) for row in range(len(found))]
    return names, result.missed.nonzero()[0].tolist()


@pytest.mark.parametrize(
    ("box", "label", "kind", "missed"),
    [
        (SQUARE, 1, "", []),
        (SLIM, 1, "localisation", []),
        ((0, 0, 10, 1), 1, "localisation", []),  # IoU .1 is not yet background
        ((0, 0, 10, 5), 2, "class", []),  # IoU .5
        (SLIM, 2, "both", [0]),
        (SLIVER, 1, "background", [0]),
        (SLIVER, 2, "background", [0]),
        (FAR, 1, "background", [0]),
        ((0, 0, 0, 0), 1, "background", [0]),
    ],
)
def test_one_detection_of_one_object(box, label, kind, missed):
    assert kinds([(SQUARE, 1)], (box, label, 0.9)) == ([kind], missed)


def test_a_second_detection_of_an_object_is_a_duplicate_whatever_its_box():
    assert kinds([(SQUARE, 1)], ((0, 0, 10, 6), 1, 0.9), (SQUARE, 1, 0.8)) == (["", "duplicate"], [])


def test_where_several_kinds_fit_the_first_counts():
    # IoU .3 with its own class, 1 with another: localisation comes before class, as in tidecv 1.0.1.
    assert kinds([(SLIM, 1), (SQUARE, 2)], (SQUARE, 1, 0.9)) == (["localisation"], [1])
    # A duplicate of its own class that is right of another class's object: class comes before duplicate.
    assert kinds([(SQUARE, 1), (SQUARE, 2)], (SQUARE, 1, 0.9), (SQUARE, 1, 0.8))[0] == ["", "class"]


def test_an_object_that_a_wrong_box_or_class_meant_is_not_missed_though_another_wrong_one_is():
    assert kinds([(SQUARE, 1), (FAR, 1)], (SLIM, 1, 0.9))[1] == [1]


def test_crowds_are_neither_missed_nor_near():
    assert kinds([(SQUARE, 1)], (SLIM, 1, 0.9), crowds={0}) == ([""], [])  # in it, hence ignored
    assert kinds([(SQUARE, 1)], (SQUARE, 2, 0.9), crowds={0}) == (["background"], [])


def test_another_picture_is_far_away():
    assert kinds([(SQUARE, 1, 1)], (SQUARE, 1, 0.9, 2), images=2) == (["background"], [0])


@given(cases())
def test_every_detection_and_object_has_one_place(case):
    found = judged(*case)
    result = kinds_of(found)
    places = [found.matches.right, found.matches.ignored, found.matches.beyond, *result.detections.values()]
    assert (sum(place.astype(int) for place in places) == 1).all()
    meant = result.object[result.object >= 0]
    assert not result.missed[meant].any()
    assert not result.missed[found.objects.crowd].any()
    near = ~(result.missed | found.matches.found | found.objects.crowd)
    assert set(near.nonzero()[0]) <= set(meant.tolist())


def test_the_tables_name_the_same_kinds():
    assert set(DECIDED) == set(OF_DETECTIONS)
    assert set(KINDS) == {*OF_DETECTIONS, "missed"}
