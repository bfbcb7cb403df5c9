"""Bounded IoU: what IoU could be at most, coordinate by coordinate."""

from boxloss.errors import ParameterError
from boxloss.formulas.record import formula
from boxloss.ops import Array, absolute, constant, maximum, minimum, ratio, where
from boxloss.pair import Pair
from boxloss.pair.axis import Axis
from boxloss.pair.ways import double_offset, side_difference


@formula(
    title="Bounded IoU loss",
    paper="Tychsen-Smith & Petersson, Improving Object Localization with Fitness NMS and Bounded IoU Loss, CVPR 2018, arXiv:1711.00164",
    bounds="[0, 3.6]",  # reached by points that lie off the centre of a box along both axes
    symmetric=False,
    scale_free=True,
    math=r"\sum_{c} s(c), \quad c_x = 1 - \max \left( 0, \frac{w^g - 2 |x - x^g|}{w^g + 2 |x - x^g|} \right), \quad "
    r"c_w = 1 - \min \left( \frac{w}{w^g}, \frac{w^g}{w} \right), \quad "
    r"s(c) = \frac{c^2}{2 \beta} \;\; (c < \beta), \quad c - \frac{\beta}{2} \;\; (c \geq \beta)",
    metric=False,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 4), (1, 0, 5, 4), 2 / 3 - 0.1),  # c_x = 1 - (4 - 2) / (4 + 2)
        ((0, 0, 2, 4), (0, 0, 4, 4), 2 / 3 - 0.1 + 0.5 - 0.1),  # the same, and c_w = 1 - 2 / 4
    ),
    wild=(
        "Nothing moves a centre that is more than half of the target's side off, though the boxes may still overlap.",
        "mmdet's has an eps of 1e-3 in its quotients, in the boxes' unit: for boxes of sides 1e-3, in coordinates of [0, 1], that is as much as they are.",
    ),
    unsure="The equation's number; that beta = 0.2, mmdet's default, is the paper's.",
)
def bounded_iou(p: Pair, *, beta: float = 0.2) -> Array:
    """1 - the largest IoU that each of x, y, w and h alone allows, by Smooth L1, summed over the four; smaller is better, in [0, 3.6].

    c = 1 - max(0, (w - 2 |dx|) / (w + 2 |dx|)) with w the target's, and 1 - the smaller width over the larger; the same along y
    loss = sum of c^2 / (2 beta) where c < beta, else c - beta / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels. At most 4 - 2 beta, by a point off a box's centre.
    Not symmetric: an offset is held against the target's side alone. A target without width allows no offset; widths of 0 and 0 agree.
    Gradient: fades at the match, like L2's. Along the offset it is 0 from half of the target's side on; the sizes are pulled at any distance.
    Raises `ParameterError` where beta is not in (0, 1].
    """
    if not 0 < beta <= 1:
        raise ParameterError(f"bounded_iou: beta is {beta}, expected a number in (0, 1]")

    def smooth(c: Array) -> Array:
        near = c < beta
        inside = where(near, c, 0.0)
        return where(near, (inside / beta) * inside * 0.5, c - beta * 0.5)

    return p.sum_over_axes(lambda axis: smooth(_offset_cost(axis)) + smooth(_side_cost(axis)))


def _offset_cost(axis: Axis) -> Array:
    # 1 - (w - d) / (w + d) = 2 d / (w + d), which is 1 at d = w.
    d = absolute(double_offset(axis))
    return minimum(ratio(2.0 * d, axis.b_side + d), constant(d, 1.0))


def _side_cost(axis: Axis) -> Array:
    return ratio(absolute(side_difference(axis)), maximum(axis.a_side, axis.b_side))
