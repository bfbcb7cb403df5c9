"""Detections judged, from files, dictionaries or pictures in memory: COCO's figures, how well boxes fit, what the mistakes are, what suppression does."""

from boxloss.evaluate.examine import Examination, examine
from boxloss.evaluate.localising import Localisation, localisation
from boxloss.evaluate.metrics import Metrics, evaluate, evaluate_pictures
from boxloss.evaluate.mistakes import Errors, errors
from boxloss.evaluate.suppressed import Suppressed, suppressions

__all__ = [
    "Errors",
    "Examination",
    "Localisation",
    "Metrics",
    "Suppressed",
    "errors",
    "evaluate",
    "evaluate_pictures",
    "examine",
    "localisation",
    "suppressions",
]
