"""Extended IoU: an intersection that goes on below 0 where boxes are apart."""

from boxloss.errors import ParameterError
from boxloss.formulas.record import formula
from boxloss.ops import Array, absolute, maximum, minimum, ratio, where
from boxloss.pair import Pair
from boxloss.pair.axis import Axis


@formula(
    title="Extended IoU loss",
    paper="Peng & Yu, A Systematic IoU-Related Method, IEEE Trans. Image Processing 2021",
    bounds="[0, 1.95]",  # 2 - 0.1 / 2, of two points that differ along both axes: I = -U
    symmetric=True,
    scale_free=True,
    math=r"\frac{j^2}{2 s} \;\; (j < s), \quad j - \frac{s}{2} \;\; (j \geq s), \quad j = 1 - \frac{I}{w h + w^g h^g - I}, \quad "
    r"I = x_2 y_2 + \min(x_1, x_2) \min(y_1, y_2) - x_1 \max(y_1, y_2) - \max(x_1, x_2) y_1",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 100, 100), (0, 0, 95, 100), 0.05**2 / 0.2),  # IoU 0.95, within the smooth point
        ((0, 0, 1, 1), (2, 0, 3, 1), 1 + 1 / 3 - 0.05),  # inner edges 2 and 1 along x, 0 and 1 along y: I = -1, U = 2 + 1
        ((0, 0, 1, 1), (2, 3, 3, 4), 1 + 10 / 12 - 0.05),  # 2 and 1, 3 and 1: I = 1 * 1 + 1 * 1 - 2 * 3 - 2 * 3 = -10, U = 12
    ),
    roundoffs=12,
    accuracy="Near a match it is the square of 1 - IoU, whose relative error it doubles: 10.2 seen in 800,000 pairs that differ by a thousandth of a pixel.",
    wild=(
        "mmdet calls it `EIoULoss`: that name is Efficient IoU's (`efficient_iou`) to nearly all others.",
        "The intersection below 0 is measured from the hull's top left corner, so turning the picture by 180 degrees changes the loss of boxes that are apart.",
        "Of two lines or points on one level the extended intersection is 0 at any distance, so that nothing pulls them together.",
    ),
    unsure="All of it is from files derived from mmdet's, not the paper: the extended intersection, where the loss is smooth, and the smooth point of 0.1.",
)
def extended_iou(p: Pair, *, smooth_point: float = 0.1) -> Array:
    """1 - IoU with an intersection that is negative where boxes are apart, squared near 0; smaller is better, in [0, 1.95].

    apart = x.gap (y1 + y2) + y.gap (x1 + x2), with x1 and x2 the inner edges along x, the larger of the left ones and the smaller of the right ones,
    from the hull's left edge, and y1 and y2 likewise
    j = jaccard + apart / (union + apart), which is 1 - I / U with I = overlap - apart
    loss = j^2 / (2 smooth_point) where j < smooth_point, else j - smooth_point / 2

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    smooth_point = 0 is j itself. The most is 2 - smooth_point / 2. Two different points or lines on one level share nothing: j = 1.
    Gradient: 0 at a match, where the loss is smooth. Apart, it pulls the boxes together, and part of the pull enlarges them; nothing is held.
    One number rather than a sum that begins with 1 - IoU, and so without modifiers.
    Raises `ParameterError` unless smooth_point is in [0, 1].
    """
    if not 0 <= smooth_point <= 1:
        raise ParameterError(f"extended_iou: smooth_point is {smooth_point}, expected a number in [0, 1]")
    distance = _distance(p)
    if smooth_point == 0:
        return distance
    near = distance < smooth_point
    # Divided before it is squared, as in Smooth L1.
    inside = where(near, distance, 0.0)
    return where(near, (inside / smooth_point) * (inside * 0.5), distance - smooth_point * 0.5)


def _distance(p: Pair) -> Array:
    """j."""
    # Where both are apart, gap_x (y1 + y2) + gap_y (x1 + x2) is 2 (x1 y1 - x2 y2); it is 0 where they overlap, and the overlap is 0 where it is not.
    apart = p.x.gap * _inner(p.y) + p.y.gap * _inner(p.x)
    # (areas - I - I) / (areas - I) with I = overlap - apart: 1 - IoU where apart is 0, and 1 + apart / (union + apart) elsewhere.
    return p.jaccard + ratio(apart, p.union + apart)


def _inner(axis: Axis) -> Array:
    """The sum of the two inner edges, from the hull's low end."""
    low = absolute(axis.low_way)
    # The lesser high end from the lesser low one: a length of one box or a way between the two, rounded once.
    high = maximum(minimum(axis.a_side, axis.behind), minimum(axis.b_side, axis.ahead))
    return low + high
