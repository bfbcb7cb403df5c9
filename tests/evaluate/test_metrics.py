"""COCO's figures: published numbers, pencil cases, and what must not change them."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("faster_coco_eval")

from boxloss.errors import DataError
from boxloss.evaluate import evaluate, evaluate_pictures
from shared_data import shared

NONE = np.zeros((0, 4))


@dataclass
class Drawn:
    """A picture without pixels."""

    name: str
    boxes: np.ndarray
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    ignore: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self):
        self.boxes = np.asarray(self.boxes, dtype=np.float64).reshape(-1, 4)
        self.labels = np.asarray(self.labels if len(self.labels) else np.zeros(len(self.boxes), dtype=np.int64))
        self.ignore = np.asarray(self.ignore if len(self.ignore) else np.zeros(len(self.boxes), dtype=bool))


def some_pictures(n=8, seed=0):
    rng = np.random.default_rng(seed)
    pictures, predictions = [], {}
    for i in range(n):
        corner, sides = rng.uniform(0, 200, (5, 2)), rng.uniform(5, 150, (5, 2))
        boxes = np.concatenate([corner, corner + sides], axis=1)
        labels = rng.integers(0, 2, 5)
        pictures.append(Drawn(f"p{i}", boxes, labels))
        predictions[f"p{i}"] = (boxes + rng.normal(0, 1, (5, 4)), rng.uniform(0, 1, 5), labels)
    return pictures, predictions


# Properties


def test_order_of_pictures_changes_nothing():
    pictures, predictions = some_pictures()
    # Equal scores: their order decides, and must come from the names.
    predictions = {name: (boxes, np.full(5, 0.5), labels) for name, (boxes, _, labels) in predictions.items()}
    backwards = dict(reversed(predictions.items()))
    assert evaluate_pictures(pictures, ("a", "b"), predictions) == evaluate_pictures(pictures[::-1], ("a", "b"), backwards)


def test_detections_as_good_as_the_truth_have_all_figures_1():
    pictures, _ = some_pictures()
    perfect = {p.name: (p.boxes, np.ones(5), p.labels) for p in pictures}
    figures = evaluate_pictures(pictures, ("a", "b"), perfect).as_dict()
    assert {name for name, value in figures.items() if value != 1 and not name.startswith("ar1")} == set()
    assert 0 < figures["ar1"] < 1  # one detection a class cannot find five objects
    assert figures["ar10"] == 1


def test_nothing_detected_has_all_figures_0():
    pictures, _ = some_pictures()
    assert set(evaluate_pictures(pictures, ("a", "b"), {}).as_dict().values()) == {0.0}
    empty = {p.name: (NONE, np.zeros(0), np.zeros(0)) for p in pictures}
    assert set(evaluate_pictures(pictures, ("a", "b"), empty).as_dict().values()) == {0.0}


def test_wrong_class_is_wrong():
    pictures, _ = some_pictures()
    swapped = {p.name: (p.boxes, np.ones(5), 1 - p.labels) for p in pictures}
    assert evaluate_pictures(pictures, ("a", "b"), swapped).ap == 0


def test_pictures_and_files_give_the_same_figures():
    pictures, predictions = some_pictures()
    annotations, detections = [], []
    for i, p in enumerate(pictures):
        for box, label in zip(p.boxes, p.labels, strict=True):
            x1, y1, x2, y2 = box.tolist()
            annotations.append({"id": len(annotations), "image_id": i, "category_id": int(label), "bbox": [x1, y1, x2 - x1, y2 - y1]})
        for box, score, label in zip(*predictions[p.name], strict=True):
            x1, y1, x2, y2 = box.tolist()
            detections.append({"image_id": i, "category_id": int(label), "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(score)})
    truth = {"images": [{"id": i} for i in range(len(pictures))], "categories": [{"id": 0}, {"id": 1}], "annotations": annotations}
    assert evaluate(truth, detections) == evaluate_pictures(pictures, ("a", "b"), predictions)


# Oracle


def test_the_twelve_numbers_of_cocos_own_demo():
    # Printed by pycocotools 2.0.11 and by COCO's demo notebook for these detections, to three digits.
    got = evaluate(shared("data", "coco100", "ground_truth.json"), shared("data", "coco100", "detections.json")).as_dict()
    published = {"ap": 0.505, "ap50": 0.697, "ap75": 0.573, "ap_small": 0.586, "ap_medium": 0.519, "ap_large": 0.501}
    published |= {"ar1": 0.387, "ar10": 0.594, "ar100": 0.595, "ar_small": 0.640, "ar_medium": 0.566, "ar_large": 0.564}
    assert {name: round(got[name], 3) for name in published} == published


@pytest.mark.parametrize(("detector", "published"), [("centernet", (0.296, 0.473, 0.324)), ("yolov3_tiny", (0.160, 0.285, 0.166))])
def test_two_real_detectors(detector, published):
    # From pycocotools, in the data's README.
    got = evaluate(shared("data", "detections", "ground_truth.json"), shared("data", "detections", f"{detector}.json"))
    assert (round(got.ap, 3), round(got.ap50, 3), round(got.ap75, 3)) == published


# Pencil cases


@pytest.mark.parametrize(
    ("height", "ap", "ap75", "ap90"),
    [(9, 0.9, 1, 1), (8, 0.7, 1, 0), (7.4, 0.5, 0, 0), (4.9, 0, 0, 0)],  # IoU .9: right at .50 ... .90, nine of ten thresholds
)
def test_one_box_cut_to_a_height(height, ap, ap75, ap90):
    got = evaluate_pictures([Drawn("p", [0, 0, 10, 10])], ("a",), {"p": ([[0, 0, 10, height]], [1], [0])})
    assert (round(got.ap, 12), got.ap75, got.ap90) == (ap, ap75, ap90)


def test_half_of_the_objects_found():
    # Precision 1 up to recall .5: 51 of the 101 recall levels.
    got = evaluate_pictures([Drawn("p", [[0, 0, 10, 10], [50, 50, 60, 60]])], ("a",), {"p": ([[0, 0, 10, 10]], [1], [0])})
    assert round(got.ap, 12) == round(51 / 101, 12)
    assert got.ar100 == 0.5


def test_a_wrong_detection_with_a_higher_score_halves_precision():
    boxes = [[50, 50, 60, 60], [0, 0, 10, 10]]
    got = evaluate_pictures([Drawn("p", [0, 0, 10, 10])], ("a",), {"p": (boxes, [0.9, 0.8], [0, 0])})
    assert round(got.ap, 12) == 0.5


def test_sizes_are_areas_in_original_pixels():
    square = lambda side: [0, 0, side, side]  # noqa: E731
    sides = {"small": 31, "medium": 33, "large": 97}
    for name, side in sides.items():
        figures = evaluate_pictures([Drawn("p", square(side))], ("a",), {"p": ([square(side)], [1], [0])}).as_dict()
        defined = {key for key in ("ap_small", "ap_medium", "ap_large") if not math.isnan(figures[key])}
        assert defined == {f"ap_{name}"}


def test_what_lies_in_an_ignored_region_is_neither_right_nor_wrong():
    picture = Drawn("p", [[0, 0, 10, 10], [50, 50, 90, 90]], ignore=np.array([False, True]))
    inside = [[50, 50, 60, 60], [55, 70, 65, 80], [0, 0, 10, 10]]
    assert evaluate_pictures([picture], ("a",), {"p": (inside, [0.9, 0.8, 0.7], [0, 0, 0])}).ap == 1
    assert evaluate_pictures([Drawn("p", picture.boxes)], ("a",), {"p": (inside, [0.9, 0.8, 0.7], [0, 0, 0])}).ap < 1


def test_an_object_of_no_size_is_an_object_never_found():
    got = evaluate_pictures([Drawn("p", [[0, 0, 10, 10], [5, 5, 5, 5]])], ("a",), {"p": ([[0, 0, 10, 10], [5, 5, 5, 5]], [1, 1], [0, 0])})
    assert got.ar100 == 0.5


def test_without_objects_nothing_is_defined():
    assert all(math.isnan(value) for value in evaluate_pictures([Drawn("p", [])], ("a",), {}).as_dict().values())
    assert all(math.isnan(value) for value in evaluate_pictures([], (), {}).as_dict().values())


def test_a_class_without_objects_does_not_count():
    got = evaluate_pictures([Drawn("p", [0, 0, 10, 10])], ("a", "never"), {"p": ([[0, 0, 10, 10]], [1], [0])})
    assert got.ap == 1


# Errors


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (([[0, 0, 1, 1]], [0.5, 0.5], [0]), "expected boxes (n, 4), scores (n,), labels (n,)"),
        (([[0, 0, 1]], [0.5], [0]), "expected boxes (n, 4)"),
        (([[0, 0, 1, math.nan]], [0.5], [0]), "not finite"),
        (([[0, 0, 1, 1]], [math.inf], [0]), "not finite"),
        (([[0, 0, 1, 1]], [0.5], [1]), "expected indices of 1 classes"),
    ],
)
def test_predictions_that_are_refused(prediction, message):
    with pytest.raises(DataError, match=r"^predictions") as caught:
        evaluate_pictures([Drawn("p", [0, 0, 1, 1])], ("a",), {"p": prediction})
    assert message in str(caught.value)


def test_a_prediction_for_no_picture():
    with pytest.raises(DataError, match="'q' is not among the 1 pictures"):
        evaluate_pictures([Drawn("p", [0, 0, 1, 1])], ("a",), {"q": (NONE, [], [])})
