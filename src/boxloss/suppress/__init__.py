"""Suppression: of detections that overlap too much, the best stays."""

from boxloss.suppress.greedy import nms

__all__ = ["nms"]
