"""Focaler-IoU: IoU between two marks, stretched."""

from boxloss.errors import ParameterError
from boxloss.formulas.modify import is_number, total
from boxloss.formulas.record import formula
from boxloss.ops import Array
from boxloss.pair import Pair


@formula(
    title="Focaler-IoU loss",
    paper="Zhang & Zhang, Focaler-IoU: More Focused Intersection over Union Loss, arXiv:2401.10525",
    bounds="[0, 1]",
    symmetric=True,
    scale_free=True,
    math=r"1 - \mathrm{max} \left( 0, \mathrm{min} \left( 1, \frac{\mathrm{IoU} - d}{u - d} \right) \right)",
    metric=False,  # three boxes in a row, each with an IoU above .95 with the next, but not the first with the last
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 2, 1), (1, 0, 3, 1), 37 / 57),  # IoU 1/3: 1 - 1/3 / .95
        ((0, 0, 64, 10), (0, 0, 62, 10), 0.0),  # IoU 31/32, above .95
        ((0, 0, 1, 1), (1, 0, 2, 1), 1.0),
    ),
    floor=1 / 16,
    accuracy="The loss is the distance of IoU to a mark, a difference of two numbers that were rounded before; up to 1/16 its error is that of 1/16.",
    wild=(
        "With the default marks a pair with an IoU above 0.95 has no gradient: training stops there.",
        "Boxes that differ may cost 0: it ranks the best predictions of an object no more.",
    ),
    unsure="the paper's own equation of Focaler-X, L_X + IoU - IoU', has yet to be read; the marks are those of the released code",
)
def focaler_iou(p: Pair, *, low: float = 0.0, high: float = 0.95) -> Array:
    """1 - IoU with IoU's interval [low, high] stretched to [0, 1], and cut off beyond; smaller is better, in [0, 1].

    loss = 1 - clamp((iou - low) / (high - low), 0, 1)

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0, and so does a pair whose IoU is `high` or more; where it is `low` or less the loss is 1. low = 0 and high = 1 is `iou`.
    Gradient: 1 / (high - low) times that of 1 - IoU between the marks, half of that on a mark, 0 beyond.
    Raises `ParameterError` unless 0 <= low < high <= 1.
    """
    if not (is_number(low) and is_number(high) and 0 <= low < high <= 1):
        raise ParameterError(f"focaler_iou: low is {low!r} and high is {high!r}, expected 0 <= low < high <= 1")
    return total(p, (p.jaccard,), {"focaler": (low, high)})
