"""Where predictions start from: anchors and points."""

from boxloss.anchors.points import Points, points

__all__ = ["Points", "points"]
