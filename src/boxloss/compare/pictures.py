"""The report's pictures: the same few, for every loss, with what the detector says and what is there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boxloss.compare.document import Gallery, Image, Swatch
from boxloss.compare.results import Results
from boxloss.compare.splits import share
from boxloss.datasets import Dataset, Picture
from boxloss.draw.boxes import Shot, picture_figure, shoot
from boxloss.draw.colours import colour
from boxloss.draw.style import to_jpeg

N_PICTURES = 4

Predictions = dict[str, dict[str, Any]]


def galleries(results: Results, dataset: Dataset, out: Path) -> list[tuple[Picture, Gallery]]:
    """A gallery a picture, with one image a loss, all of the same seed; empty where no loss has finished a trial with a seed that others have."""
    seed = _seed(results)
    predictions = {loss: found for loss in results.plan["losses"] if (found := _predictions(results, out, loss, seed))}
    if not predictions:
        return []
    _, evaluated = share(dataset, results.plan["train"], results.plan["evaluate"])
    chosen = choose_pictures([p for p in evaluated if all(p.name in found for found in predictions.values())])
    return [(picture, _gallery(index, picture, predictions)) for index, picture in enumerate(chosen)]


def choose_pictures(pictures: Sequence[Picture], count: int = N_PICTURES) -> list[Picture]:
    """Pictures with objects, at even steps through the list: chosen by nobody's taste."""
    filled = [picture for picture in pictures if len(_truth(picture)[0])]
    count = min(count, len(filled))
    return [filled[(2 * index + 1) * len(filled) // (2 * count)] for index in range(count)]


def _seed(results: Results) -> int:
    """The first seed that most losses have finished."""
    finished = [trial["seed"] for trial in results.trials]
    seeds: list[int] = results.plan["seeds"]
    return max(seeds, key=finished.count)  # max takes the first of equals


def _predictions(results: Results, out: Path, loss: str, seed: int) -> Predictions:
    if not any(trial["loss"] == loss and trial["seed"] == seed for trial in results.trials):
        return {}
    try:
        found: Predictions = json.loads((results.folder(out, loss, seed) / "predictions.json").read_bytes())
    except OSError:  # only the figures were kept, as in a report that is written anew from an archive
        return {}
    return found


def _truth(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """The boxes that count, with their labels: not ignored, and with a size, for a box of no size cannot be found."""
    sides = picture.boxes[:, 2:] - picture.boxes[:, :2]
    kept = ~picture.ignore & (sides > 0).all(axis=1)
    return picture.boxes[kept], picture.labels[kept]


def _gallery(index: int, picture: Picture, predictions: dict[str, Predictions]) -> Gallery:
    pixels = picture.pixels()
    truth, labels = _truth(picture)
    return Gallery([_image(index, picture, pixels, truth, loss, _shot(found[picture.name], truth, labels)) for loss, found in predictions.items()])


def _shot(found: dict[str, Any], truth: np.ndarray, labels: np.ndarray) -> Shot:
    boxes = np.asarray(found["boxes"], dtype=np.float64).reshape(-1, 4)
    return shoot(truth, labels, boxes, np.asarray(found["scores"], dtype=np.float64), np.asarray(found["labels"], dtype=np.int64))


def _image(index: int, picture: Picture, pixels: np.ndarray, truth: np.ndarray, loss: str, shot: Shot) -> Image:
    figure = picture_figure(pixels, truth, loss, shot)
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in loss)
    alt = f"{picture.name} as the detector trained with {loss} sees it: {shot}"
    return Image(f"picture-{index + 1}-{name}", alt, (Swatch(loss, colour(loss)), f": {shot}"), to_jpeg(figure), "jpg")
