"""Which pictures a comparison trains on and which it judges by. Nothing here draws at random: the same data set gives the same pictures, in every
format.
"""

import dataclasses
import hashlib
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from boxloss.datasets import Dataset, Picture
from boxloss.errors import CompareError, UnknownNameError
from boxloss.words import plural

HELD_OUT = 5  # one picture in so many is held out where the data set has a single split


def splits_of(dataset: Dataset, train: str | None, evaluate: Iterable[str] | None) -> tuple[str, tuple[str, ...]]:
    """(the split to train on, the splits to evaluate on). No evaluation split means that the only split there is must be shared out.

    Raises:
        CompareError: there is nothing to train on, or a picture would be trained on and judged by.
        UnknownNameError: a split that the data set does not have.
    """
    filled = [name for name, pictures in dataset.splits.items() if pictures]
    if not filled:
        raise CompareError(f"{dataset.name} has no pictures")
    if train is None:
        if "train" not in filled and len(filled) > 1:
            raise CompareError(f"{dataset.name} has no split named train (it has {', '.join(filled)}); say which one to train on")
        train = "train" if "train" in filled else filled[0]
    held = tuple(name for name in filled if name != train) if evaluate is None else tuple(evaluate)
    for name in (train, *held):
        if name not in filled:
            raise UnknownNameError("split", name, filled)
    if train in held:
        raise CompareError(f"{train} is the split to train on; evaluating on it would reward learning by heart")
    if not any(picture.boxes.size for picture in dataset.splits[train]):
        raise CompareError(f"{dataset.name}: the split {train} has no boxes to learn from")
    return train, held


def share(dataset: Dataset, train: str, evaluate: Sequence[str]) -> tuple[list[Picture], list[Picture]]:
    """(the pictures to train on, the pictures to evaluate on); the latter's names are unique, since predictions go by name.

    Without an evaluation split, one picture in five is held out: those whose names have the smallest SHA-256. That is as good as a draw, needs no
    seed, and is the same on every machine, in every format and for every order of the files.
    """
    pictures = dataset.splits[train]
    if evaluate:
        return list(pictures), _unique({name: dataset.splits[name] for name in evaluate})
    by_hash = sorted(pictures, key=lambda picture: hashlib.sha256(picture.name.encode()).digest())
    n_held = len(pictures) // HELD_OUT
    if n_held == 0:
        raise CompareError(f"{dataset.name} has {plural(len(pictures), 'picture')} in its only split; at least {HELD_OUT} are needed to hold some out")
    held = {picture.name for picture in by_hash[:n_held]}
    return [p for p in pictures if p.name not in held], [p for p in pictures if p.name in held]


def _unique(splits: dict[str, Sequence[Picture]]) -> list[Picture]:
    times = Counter(picture.name for pictures in splits.values() for picture in pictures)
    named = [(f"{split}/{p.name}" if times[p.name] > 1 else p.name, p) for split, pictures in splits.items() for p in pictures]
    return [dataclasses.replace(picture, name=name) for name, picture in sorted(named, key=lambda pair: pair[0])]


def median_size(pictures: Sequence[Picture]) -> tuple[float, float]:
    """Width and height in pixels of the picture in the middle."""
    return statistics.median(p.width for p in pictures), statistics.median(p.height for p in pictures)
