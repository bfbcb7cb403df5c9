"""What `boxloss anchors` finds, as numbers."""

import json

import numpy as np
import pytest

from boxloss.anchors import kmeans, quality
from boxloss.anchors.study import QUALITY_HEADER, stock, study
from boxloss.errors import ParameterError

SIZES = np.exp(np.random.Generator(np.random.PCG64(0)).normal(4, 0.7, (500, 2)))


@pytest.fixture(scope="module")
def found():
    return study(SIZES, (640, 480), 3, most=5, restarts=3)


def test_it_is_made_of_kmeans_and_quality(found):
    assert (found.clusters.shapes == kmeans(SIZES, 3, restarts=3).shapes).all()
    assert list(found.curve) == [1, 2, 3, 4, 5]
    assert found.curve[4] == quality(SIZES, kmeans(SIZES, 4, restarts=3).shapes)
    values = [worth.mean_iou for worth in found.curve.values()]
    assert values == sorted(values)


def test_stock_anchors():
    shapes = stock((640, 480))
    assert {name: len(x) for name, x in shapes.items()} == {
        "SSD300, VOC's scales": 30, "SSD300, COCO's scales": 30, "Faster R-CNN, FPN": 15, "RetinaNet": 45, "YOLOv3 and YOLOv5": 9,
    }  # fmt: skip
    # SSD's first square is a tenth of the picture; YOLO's are the same in any picture
    assert shapes["SSD300, VOC's scales"][0].tolist() == [64, 48]
    assert shapes["YOLOv3 and YOLOv5"][0].tolist() == [10, 13]


def test_rows_are_as_wide_as_their_headers_and_json_has_no_nan(found):
    assert {len(row) for row in found.quality_rows()} == {len(QUALITY_HEADER)}
    assert [row[1] for row in found.quality_rows()] == ["1", "2", "3", "4", "5", "30", "30", "15", "45", "9"]
    assert len(found.anchor_rows()) == 3
    text = json.dumps(study([[5, 5]] * 4, (96, 96), 1, most=4).as_dict(), allow_nan=False)
    assert [row["k"] for row in json.loads(text)["curve"]] == [1]  # there is one size
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["n_boxes"] == found.n_boxes


def test_progress_is_told():
    lines = []
    study(SIZES, (640, 480), 2, restarts=1, tell=lines.append)
    assert any(line.startswith("k = 1: start 1 of 1") for line in lines)
    assert "RetinaNet: 45 shapes" in lines


def test_too_few_boxes_are_refused():
    with pytest.raises(ParameterError, match="9 are asked for, and the data has 0 boxes of 0 sizes: are there boxes"):
        study(np.zeros((0, 2)), (640, 640))
    with pytest.raises(ParameterError, match="2 are asked for, and the data has 9,000 boxes of 1 size: take 1 or fewer"):
        study(np.ones((9000, 2)), (640, 640), 2)


def test_the_curve_ends_where_there_are_no_more_different_sizes():
    assert list(study([[3, 4], [3, 4], [5, 6]], (640, 640), 1, most=5).curve) == [1, 2]
