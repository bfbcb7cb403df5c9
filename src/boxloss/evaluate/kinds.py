"""The kinds of mistakes of a detector, and which kind each of its mistakes is."""

from dataclasses import dataclass

import numpy as np

from boxloss.evaluate.judged import BACKGROUND, Judged
from boxloss.evaluate.matching import FOREGROUND
from boxloss.evaluate.tables import Booleans, Integers, best_of

KINDS = {
    "localisation": "right class, IoU .1 to .5 with its object",
    "class": "wrong class, IoU .5 or more with an object",
    "both": "wrong class, IoU .1 to .5 with an object",
    "duplicate": "right class, IoU .5 or more, but the object is another detection's",
    "background": "IoU below .1 with every object",
    "missed": "an object that no detection found, nor would find with the right class or a better box",
}
"""The kinds of mistakes and what they mean: five of detections, and the last of objects."""
OF_DETECTIONS = tuple(KINDS)[:-1]
DECIDED = ("localisation", "class", "duplicate", "background", "both")
"""Where several fit, the first is the detection's kind."""


@dataclass(frozen=True)
class Kinds:
    """The kind of each mistake. detections: those that are wrong, by kind (masks (D,)). object: (D,), the object that a detection of kind
    "localisation" or "class" should have found, else -1. missed: (O,)."""

    detections: dict[str, Booleans]
    object: Integers
    missed: Booleans


def kinds_of(found: Judged) -> Kinds:
    pairs, matches, n = found.pairs, found.matches, len(found.detections)
    same = found.detections.label[pairs.detection] == found.objects.label[pairs.object]
    own, own_object = best_of(pairs.where(same), n)
    other, other_object = best_of(pairs.where(~same), n)
    fits = {
        "localisation": (own >= BACKGROUND) & (own < FOREGROUND),
        "class": other >= FOREGROUND,
        "duplicate": own >= FOREGROUND,
        "background": np.maximum(own, other) < BACKGROUND,
        "both": np.ones(n, bool),
    }
    kinds, left = {}, matches.wrong
    for kind in DECIDED:
        kinds[kind] = left & fits[kind]
        left = left & ~fits[kind]
    meant = np.where(kinds["localisation"], own_object, np.where(kinds["class"], other_object, -1))
    missed = ~(matches.found | found.objects.crowd)
    missed[meant[meant >= 0]] = False
    return Kinds(kinds, meant, missed)
