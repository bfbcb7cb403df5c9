"""Alpha-IoU: 1 - IoU^a, and each penalty to the power a."""

from typing import Any

from oracle.arithmetic import Pair, as_real, real, to_the
from oracle.forms.ciou import ciou_alpha


def alpha_iou(pair: Pair, alpha: float = 3.0) -> Any:
    return 1 - to_the(1 - pair.jaccard, alpha)


def alpha_giou(pair: Pair, alpha: float = 3.0) -> Any:
    return alpha_iou(pair, alpha) + to_the(pair.waste_share, alpha)


def alpha_diou(pair: Pair, alpha: float = 3.0) -> Any:
    return alpha_iou(pair, alpha) + to_the(pair.offset_share, alpha)


def alpha_ciou(pair: Pair, alpha: float = 3.0, held_at: Any = None) -> Any:
    beta = ciou_alpha(pair) if held_at is None else held_at
    return alpha_diou(pair, alpha) + to_the(real(beta) * as_real(pair.aspect), alpha)


FORMS = (alpha_iou, alpha_giou, alpha_diou, alpha_ciou)
HELD = {"alpha_ciou": ciou_alpha}
VARIANTS = {
    "alpha_iou": (({"alpha": 0.5}, None), ({"alpha": 1.7}, None)),
    "alpha_giou": (({"alpha": 2.0}, None),),
    "alpha_diou": (({"alpha": 1.0}, None),),
    "alpha_ciou": (({"alpha": 2.0}, "[0, 2.25)"),),
}
