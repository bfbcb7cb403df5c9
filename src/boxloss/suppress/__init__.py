"""Suppression: of detections that overlap too much, the best stays."""

from boxloss.suppress.kinds import KINDS, nms
from boxloss.suppress.soft import soft_nms

__all__ = ["KINDS", "nms", "soft_nms"]
