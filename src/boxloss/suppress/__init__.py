"""Suppression: of detections that overlap too much, the best stays.

What a kind gives back says what it does: one that only drops boxes gives rows (int64), one that lowers scores gives rows and scores, one that moves boxes gives
`Fused`: boxes, scores and labels. Always the best score first, and equal scores in the order given.
"""

from boxloss.suppress.averaging import Fused, cluster_weighted_nms, weighted_nms
from boxloss.suppress.decaying import cluster_spm_nms, matrix_nms
from boxloss.suppress.dropping import adaptive_nms, cluster_nms, fast_nms
from boxloss.suppress.fusion import weighted_box_fusion
from boxloss.suppress.kinds import KINDS, nms
from boxloss.suppress.soft import soft_nms

__all__ = [
    "KINDS",
    "Fused",
    "adaptive_nms",
    "cluster_nms",
    "cluster_spm_nms",
    "cluster_weighted_nms",
    "fast_nms",
    "matrix_nms",
    "nms",
    "soft_nms",
    "weighted_box_fusion",
    "weighted_nms",
]
