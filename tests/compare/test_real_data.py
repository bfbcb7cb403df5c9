"""The main job on real pictures: blood cells, as they come and as other formats hold them."""

import json

import pytest

from boxloss.compare import compare
from boxloss.datasets import convert, load
from shared_data import shared

FIGURES = ("loss", "seed", "metrics", "epochs", "box_weight")


def outcome(data, out, **options):
    """What a run found: its trials' figures, its weights, and its predictions, to the digit."""
    results = compare(data, out=out, jobs=2, quiet=True, **options)
    trials = [{key: trial[key] for key in FIGURES} for trial in results.trials]
    predictions = [(results.folder(out, trial["loss"], trial["seed"]) / "predictions.json").read_bytes() for trial in results.trials]
    return json.dumps([trials, results.weights]), predictions


@pytest.mark.slow
def test_the_same_data_in_another_format_gives_the_same_figures_to_the_digit(tmp_path):
    source = shared("data", "bccd")
    options = {"losses": "iou,smooth_l1", "seeds": 1, "epochs": 1, "image_size": "96x72"}
    want = outcome(source, tmp_path / "voc", **options)
    for format in ("coco", "yolo"):
        folder = convert(load(source), format, tmp_path / f"bccd-{format}")
        assert outcome(folder, tmp_path / format, **options) == want, format


@pytest.mark.slow
def test_blood_cells_are_found_and_fitted(tmp_path):
    results = compare(shared("data", "bccd"), "iou", out=tmp_path, seeds=1, epochs=25, image_size="192x144", quiet=True)
    (trial,) = results.trials
    assert set(results.plan["evaluate"]) == {"val", "test"}
    assert trial["metrics"]["ap"] >= 0.30
    assert trial["metrics"]["ap75"] >= 0.30
