"""Oddities that are kept, counted and told: what real data has, and what a reader would want to know."""

from collections.abc import Mapping, Sequence

import numpy as np

from boxloss.datasets.types import Picture
from boxloss.words import plural


def first_few(names: Sequence[str]) -> str:
    """At most three names, and how many more there are."""
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def oddities(splits: Mapping[str, Sequence[Picture]]) -> tuple[str, ...]:
    """One sentence for each kind of oddity that the pictures hold; the same for every format.

    Boxes without size, boxes that hang over the edge, boxes written twice, pictures without boxes, pictures in more than one split.
    """
    pictures = [picture for split in splits.values() for picture in split]
    notes: list[str] = []
    for count, one, many in (
        (_flat, "box has no size, and is kept", "boxes have no size, and are kept"),
        (_over, "box hangs slightly over the picture's edge, and is kept as written", "boxes hang slightly over the picture's edge, and are kept as written"),
        (_repeats, "box repeats another of the same class to the digit, and is kept", "boxes repeat another of the same class to the digit, and are kept"),
    ):
        counts = sorted((picture.name, n) for picture in pictures if (n := count(picture)))
        if counts:
            notes.append(f"{plural(sum(n for _, n in counts), one, many)}: in {first_few(list(dict(counts)))}")
    empty = [p.name for p in pictures if not len(p.boxes)]
    if empty:
        notes.append(f"{plural(len(empty), 'picture has no boxes', 'pictures have no boxes')}: {first_few(empty)}")
    shared = _shared(splits)
    if shared:
        notes.append(f"{plural(len(shared), 'picture is', 'pictures are')} in more than one split: {first_few(shared)}")
    return tuple(notes)


def _flat(picture: Picture) -> int:
    return int((picture.boxes[:, 2:] == picture.boxes[:, :2]).any(axis=1).sum())


def _over(picture: Picture) -> int:
    size = np.tile([picture.width, picture.height], 2)
    return int(((picture.boxes < 0) | (picture.boxes > size)).any(axis=1).sum())


def _repeats(picture: Picture) -> int:
    rows = np.column_stack([picture.boxes, picture.labels])
    return len(rows) - len(np.unique(rows, axis=0))


def _shared(splits: Mapping[str, Sequence[Picture]]) -> list[str]:
    """Pictures whose very file (or, without files, whose name) is in more than one split."""
    seen: dict[object, str] = {}
    shared: list[str] = []
    for split, pictures in splits.items():
        for picture in pictures:
            key = picture.path or (picture.name, picture.boxes.tobytes())
            if seen.setdefault(key, split) != split:
                shared.append(picture.name)
    return shared
