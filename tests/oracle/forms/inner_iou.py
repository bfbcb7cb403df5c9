"""Inner-IoU: the IoU of boxes that were scaled about their centres."""

from typing import Any

from oracle.arithmetic import Pair
from oracle.forms.ciou import ciou, ciou_alpha
from oracle.moved import scaled


def inner_iou(pair: Pair, ratio: float = 0.75) -> Any:
    return scaled(pair, ratio).jaccard


def inner_ciou(pair: Pair, ratio: float = 0.75, held_at: Any = None) -> Any:
    """The released code's: CIoU with another IoU in its first place."""
    return ciou(pair, held_at) + (1 - pair.jaccard) - (1 - inner_iou(pair, ratio))


FORMS = (inner_iou, inner_ciou)
HELD = {"inner_ciou": ciou_alpha}
VARIANTS = {"inner_iou": (({"ratio": 1.25}, None), ({"ratio": 0.5}, None)), "inner_ciou": (({"ratio": 1.25}, None),)}
