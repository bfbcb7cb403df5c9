"""Where predictions start from: anchors and points; what four numbers say of a box, seen from there; and anchors of one's own data."""

from boxloss.anchors.coders import (
    SSD_WEIGHTS,
    decode_deltas,
    decode_linear,
    decode_ltrb,
    decode_yolo,
    encode_deltas,
    encode_linear,
    encode_ltrb,
    encode_yolo,
)
from boxloss.anchors.grid import YOLOV3, faster_rcnn, grid, retinanet, shapes, strides_of, yolo
from boxloss.anchors.kmeans import Clusters, kmeans
from boxloss.anchors.points import Points, points
from boxloss.anchors.quality import Quality, quality
from boxloss.anchors.ssd import ssd, ssd_shapes

__all__ = [
    "SSD_WEIGHTS",
    "YOLOV3",
    "Clusters",
    "Points",
    "Quality",
    "decode_deltas",
    "decode_linear",
    "decode_ltrb",
    "decode_yolo",
    "encode_deltas",
    "encode_linear",
    "encode_ltrb",
    "encode_yolo",
    "faster_rcnn",
    "grid",
    "kmeans",
    "points",
    "quality",
    "retinanet",
    "shapes",
    "ssd",
    "ssd_shapes",
    "strides_of",
    "yolo",
]
