"""Data sets: strict readers for Pascal VOC, COCO and YOLO, the embedded set, conversion and a summary."""

from boxloss.datasets.convert import convert
from boxloss.datasets.load import load
from boxloss.datasets.summary import Summary, summarise
from boxloss.datasets.types import Dataset, Picture

__all__ = ["Dataset", "Picture", "Summary", "convert", "load", "summarise"]
