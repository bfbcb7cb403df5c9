"""Who learns from whom: which object, if any, each prior is to predict. Every rule takes priors, objects and predictions, and gives an `Assignment`."""

from collections.abc import Callable

from boxloss.assign.atss import atss
from boxloss.assign.centre import centre_sampling
from boxloss.assign.hungarian import hungarian
from boxloss.assign.inputs import within
from boxloss.assign.max_iou import max_iou
from boxloss.assign.ratio import ratio
from boxloss.assign.simota import simota
from boxloss.assign.ssd import ssd
from boxloss.assign.task_aligned import aligned_scores, task_aligned
from boxloss.assign.types import BACKGROUND, IGNORED, Assignment, Objects, Predictions, Priors, from_points

__all__ = [
    "ASSIGNERS",
    "BACKGROUND",
    "IGNORED",
    "Assignment",
    "Objects",
    "Predictions",
    "Priors",
    "aligned_scores",
    "atss",
    "centre_sampling",
    "from_points",
    "hungarian",
    "max_iou",
    "ratio",
    "simota",
    "ssd",
    "task_aligned",
    "within",
]

ASSIGNERS: dict[str, Callable[..., Assignment]] = {
    "max_iou": max_iou,
    "ssd": ssd,
    "atss": atss,
    "simota": simota,
    "task_aligned": task_aligned,
    "ratio": ratio,
    "hungarian": hungarian,
    "centre_sampling": centre_sampling,
}
"""Every rule by name, with the defaults of its paper: `ASSIGNERS[name](priors, objects, predictions)`."""
