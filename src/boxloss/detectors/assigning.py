"""The rules by which a training can decide which point learns from which object, by name."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from boxloss.anchors.points import Points
from boxloss.assign import centre_sampling
from boxloss.errors import UnknownNameError

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]


class Objects(NamedTuple):
    """What there is to find in a picture. `boxes`: (N, 4) xyxy in pixels of the input; `labels`: (N,)."""

    boxes: Floats
    labels: Integers


class Predictions(NamedTuple):
    """What the detector says of the picture at this step, apart from its graph. `boxes`: (P, 4) xyxy; `scores`: (P, C), each class's, in [0, 1]."""

    boxes: Floats
    scores: Floats


class Assigned(Protocol):
    """What a rule decided. `index`: (P,) the row of the object that a point learns from, `BACKGROUND` or `IGNORED`."""

    @property
    def index(self) -> Integers: ...


class Index(NamedTuple):
    index: Any  # a tuple's method of that name keeps mypy from Integers


Assigner = Callable[[Points, Objects, Predictions], Assigned]
"""assigner(priors, objects, predictions): one picture at a time; rules that do not look at the predictions leave them alone."""


def _centre_sampling(priors: Points, objects: Objects, _: Predictions) -> Index:
    return Index(centre_sampling(priors.xy, priors.strides, objects.boxes))


ASSIGNERS: dict[str, Assigner] = {"centre_sampling": _centre_sampling}


def find_assigner(name: str) -> Assigner:
    if name not in ASSIGNERS:
        raise UnknownNameError("assigner", name, ASSIGNERS)
    return ASSIGNERS[name]
