"""Complete IoU: the conference paper's, the journal's with its gate, and two more whose gradients differ in code that people train with."""

import math

from boxloss.formulas.diou import diou
from boxloss.formulas.record import Terms, formula
from boxloss.ops import Array, constant, hold, ratio, where, with_slope
from boxloss.pair import Pair
from boxloss.pair.sides import own_sides

# (0, 0, 4, 1) against (0, 0, 1, 4): overlap 1, union 7, centres (1.5, 1.5) apart, hull 4 x 4.
_CROSS_V = 4 / math.pi**2 * (math.atan(4) - math.atan(1 / 4)) ** 2
_CROSS_DIOU = 6 / 7 + 4.5 / 32
_CROSS_CIOU = _CROSS_DIOU + _CROSS_V**2 / (6 / 7 + _CROSS_V)

_MATH = r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2} + \alpha v, \quad v = \frac{4}{\pi^2} \left( \arctan \frac{w^g}{h^g} - \arctan \frac{w}{h} \right)^2, \quad "
_ALPHA = r"\alpha = \frac{v}{1 - \mathrm{IoU} + v}"


def _aspect(p: Pair) -> Array:
    return 4 / math.pi**2 * (p.aspect_angle * p.aspect_angle)


@formula(
    title="Complete IoU loss",
    paper="Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, eq. 8 to 11",
    bounds="[0, 2.5)",
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    math=_MATH + _ALPHA,
    wild=(
        "Three alphas are published under one name: this one, the journal's with a gate (`ciou_gated`), and one that is not held (`ciou_attached`). "
        "Their authors' gradient is a fourth loss (`ciou_simplified`).",
        "The paper prints the derivatives of v with the opposite signs (DIoU#19, tensorflow/addons#2701).",
        "DIoU-SSD-pytorch had the sign of v's gradient turned from November 2019 to April 2020, five months in which it trained boxes towards other aspects; "
        "lecture slides still show that code. Its alpha is 0/0, and value and gradient NaN, for identical boxes.",
        "The authors' repositories and mmdet clamp CIoU to [-1, 1], which takes the gradient from far boxes of another shape, as (0, 0, 1, 40) against "
        "(500, 0, 540, 1): unclamped CIoU goes down to -1.5.",
        "torchvision 0.28.0's absolute eps of 1e-7 makes two identical boxes with sides of 1e-4 cost 0.909, and the gradient of a box without height NaN.",
        "YOLACT's repository computes it of encoded offsets, not of decoded boxes (multibox_loss.py).",
    ),
    unsure="The equations' numbers.",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # one aspect: DIoU
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_CIOU),
    ),
)
def ciou(p: Pair) -> Terms:
    """1 - CIoU: DIoU's loss plus a cost for another aspect ratio; smaller is better, in [0, 2.5).

    v = 4 / pi^2 aspect_angle^2;  alpha = v / (jaccard + v), held constant in the gradient;  loss = jaccard + offset2 / hull_diagonal2 + alpha v

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Identical boxes cost 0. A point has no aspect ratio: v = 0. A line has one, as the limit of thin boxes.
    Gradient: the exact derivative of v, with its factor 1 / (w^2 + h^2), which the authors' code drops; alpha held, as the paper has it.
    Boxes of one aspect and one centre but different size differ by 1 - IoU alone.
    """
    v = _aspect(p)
    alpha = hold(ratio(v, p.jaccard + v))
    return *diou.function(p), alpha * v


@formula(
    title="Complete IoU loss, gated",
    paper="Zheng et al., Enhancing Geometric Factors, IEEE Trans. Cybernetics 2021, arXiv:2005.03572, eq. 12",
    bounds="[0, 2]",
    symmetric=True,
    scale_free=True,
    held=("alpha",),
    math=_MATH + _ALPHA + r" \;\; (\mathrm{IoU} > 0.5), \quad 0 \;\; (\mathrm{IoU} \leq 0.5)",
    wild=(
        "The authors' YOLACT has it (multibox_loss.py), and mmdet since its pull request #5835, both under the name of CIoU, which is the conference paper's.",
        "The gate makes the loss jump: a box that comes nearer, past IoU 0.5, may cost more than before.",
    ),
    unsure="The equation's number.",
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_DIOU),  # IoU 1/7: the gate is shut
    ),
)
def ciou_gated(p: Pair) -> Terms:
    """1 - CIoU with the aspect term only where IoU is above 0.5; smaller is better, in [0, 2].

    loss = jaccard + offset2 / hull_diagonal2 + alpha v, with alpha as in `ciou` where IoU > 0.5, else 0

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    The value jumps where IoU passes 0.5, by up to the aspect term there. Gradient: as `ciou`'s above the gate, `diou`'s below.
    """
    v = _aspect(p)
    alpha = hold(where(p.jaccard < 0.5, ratio(v, p.jaccard + v), 0.0))
    return *diou.function(p), alpha * v


@formula(
    title="Complete IoU loss, alpha attached",
    paper="OpenMMLab, mmdetection's CIoULoss before August 2021; after Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287",
    bounds="[0, 2.5)",
    symmetric=True,
    scale_free=True,
    math=_MATH + _ALPHA,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # one aspect: DIoU
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_CIOU),
    ),
    wild=(
        "mmdet's code at 030b568 has v^2 / (1 - IoU + v), through which the gradient flows: it was called CIoU, whose paper holds alpha.",
        "Through alpha a worse overlap makes the aspect cost less: the term pulls against 1 - IoU, by up to v^2 / (1 - IoU + v)^2 of it.",
    ),
)
def ciou_attached(p: Pair) -> Terms:
    """1 - CIoU with alpha not held in the gradient: `ciou`'s value, with another gradient; smaller is better, in [0, 2.5).

    v = 4 / pi^2 aspect_angle^2;  alpha = v / (jaccard + v);  loss = jaccard + offset2 / hull_diagonal2 + alpha v

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). No unit: the boxes' unit cancels.
    Gradient: the exact derivative of the value, alpha's part included: it pulls the aspect up to twice as hard as `ciou` does, and 1 - IoU less.
    """
    v = _aspect(p)
    return *diou.function(p), ratio(v, p.jaccard + v) * v


@formula(
    title="Complete IoU loss, gradient simplified",
    paper="Zheng et al., Distance-IoU Loss, AAAI 2020, arXiv:1911.08287, with the gradient as the authors' code has it",
    bounds="[0, 2.5)",
    symmetric=True,
    scale_free=True,
    held=("alpha", "1 / (w^2 + h^2), as if it were 1"),
    math=_MATH + _ALPHA,
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 1, 1), (2, 0, 3, 1), 1.4),  # one aspect: DIoU
        ((0, 0, 4, 1), (0, 0, 1, 4), _CROSS_CIOU),
    ),
    wild=(
        "The factor 1 / (w^2 + h^2) is dropped because it is large for sides far below 1. That assumes sides in [0, 1]: in pixels the gradient of v then is "
        "w^2 + h^2 times the true one, ten thousand times for a box of 100.",
        "darknet adds 8 / pi^2 D h to a width's delta, an ascent's sign: the paper's printed signs are the opposite ones.",
    ),
    unsure="The paper's reason for dropping the factor is from issue threads. The rule for the target's sides is ours, by symmetry: targets are not trained.",
    gradient_roundoffs=4096,
    accuracy="Where sides are huge all of the gradient is a multiple of the aspect angle, as exact as an angle is, not beside itself: 2012 seen at 1e25.",
)
def ciou_simplified(p: Pair) -> Terms:
    """1 - CIoU with the authors' gradient of v, without its factor 1 / (w^2 + h^2): `ciou`'s value; smaller is better, in [0, 2.5).

    loss = jaccard + offset2 / hull_diagonal2 + alpha v, v and alpha as in `ciou`

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). The value has no unit; the gradient depends on the boxes' unit.
    Gradient: not the value's derivative. Along a box's width v's is -8 / pi^2 D h and along its height 8 / pi^2 D w, with D the aspect_angle; of the
    target's with the opposite signs. alpha is held. Meant for boxes in shares of the picture: in pixels the aspect outweighs all else.
    """
    angle = _simplified_angle(p)
    v = 4 / math.pi**2 * (angle * angle)
    alpha = hold(ratio(v, p.jaccard + v))
    return *diou.function(p), alpha * v


def _simplified_angle(p: Pair) -> Array:
    """The aspect angle, whose derivative along each side is times the box's squared diagonal."""
    held = [hold(side) for side in own_sides(p)]
    # Each is 0, with the derivative of a side: a product of two sides may be beyond the type, that of a side and 0 is not.
    ways = [with_slope(constant(side, 0.0), side) for side in own_sides(p)]
    a = held[1] * ways[0] - held[0] * ways[1]
    b = held[3] * ways[2] - held[2] * ways[3]
    return with_slope(p.aspect_angle, b - a)
