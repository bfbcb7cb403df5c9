"""Columns and sparse pairs."""

import numpy as np
from hypothesis import given

from boxloss.evaluate.records import read_detections, read_truth
from boxloss.evaluate.tables import Pairs, best_of, detections_of, objects_of, overlapping, rows_by_image
from close import close
from evaluate.small_cases import cases


def textbook_iou(a, b):
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    shared = max(0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0, min(ay + ah, by + bh) - max(ay, by))
    union = aw * ah + bw * bh - shared
    return shared / union if union and shared else 0


@given(cases())
def test_pairs_are_all_of_one_picture_from_the_threshold_on(case):
    truth = read_truth(case[0])
    objects, found = objects_of(truth), detections_of(read_detections(case[1], truth))
    pairs = overlapping(found, objects, 0.25)
    want = {
        (d, o): iou
        for d in range(len(found))
        for o in range(len(objects))
        if found.image[d] == objects.image[o] and not objects.crowd[o] and (iou := textbook_iou(found.boxes[d], objects.boxes[o])) >= 0.25
    }
    assert list(zip(pairs.detection.tolist(), pairs.object.tolist(), strict=True)) == sorted(want)
    close(pairs.iou, [want[pair] for pair in sorted(want)])


@given(cases())
def test_rows_of_each_picture_are_in_order_and_all_there(case):
    table = objects_of(read_truth(case[0]))
    rows = rows_by_image(table)
    assert sorted(row for found in rows.values() for row in found.tolist()) == list(range(len(table)))
    assert all((table.image[found] == image).all() and (np.diff(found) > 0).all() for image, found in rows.items())


def test_of_equal_overlaps_the_first_object_is_the_best():
    pairs = Pairs(np.array([0, 0, 0, 2]), np.array([3, 4, 5, 1]), np.array([0.5, 0.75, 0.75, 0.25]))
    values, objects = best_of(pairs, 3)
    assert values.tolist() == [0.75, 0, 0.25]
    assert objects.tolist() == [4, -1, 1]
