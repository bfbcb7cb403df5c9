"""COCO's figures for boxes: average precision and recall, from files, dictionaries or pictures in memory."""

from boxloss.evaluate.metrics import Metrics, evaluate, evaluate_pictures

__all__ = ["Metrics", "evaluate", "evaluate_pictures"]
