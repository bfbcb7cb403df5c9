"""Who learns from whom: which object, if any, each prior is to predict."""

from boxloss.assign.centre import BACKGROUND, IGNORED, centre_sampling, within

__all__ = ["BACKGROUND", "IGNORED", "centre_sampling", "within"]
