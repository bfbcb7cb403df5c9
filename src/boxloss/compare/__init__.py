"""The main job: train a detector with each loss over several seeds, and say what the data can tell of them.

from boxloss.compare import compare
results = compare("path/to/data", "iou,giou,ciou", seeds=5, out="runs/mine")
"""

from boxloss.compare.results import Results, read
from boxloss.compare.run import Interrupted, TrialsFailed, compare

__all__ = ["Interrupted", "Results", "TrialsFailed", "compare", "read"]
