"""MPDIoU: IoU and the distances of two corners, against the picture's size."""

import math

from boxloss.formulas.coordinates import check_positive, total
from boxloss.formulas.record import Terms, formula
from boxloss.pair import Pair
from boxloss.pair.ways import upright_edges


@formula(
    title="Minimum point distance IoU loss",
    paper="Ma & Xu, MPDIoU, 2023, arXiv:2307.07662",
    bounds="[0, inf)",
    symmetric=True,
    scale_free=False,
    math=r"1 - \mathrm{IoU} + \frac{d_1^2}{W^2 + H^2} + \frac{d_2^2}{W^2 + H^2}",
    metric=False,  # 1 + 8 k > 2 (1 + 2 k) for three boxes in a row, k = step^2 / (W^2 + H^2) above 1/4
    cases=(
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0),
        ((0, 0, 64, 64), (64, 0, 128, 64), 1 + 2 * 64**2 / (2 * 640**2)),  # beside each other: both corners 64 apart, 1.01
        ((0, 0, 64, 64), (0, 0, 64, 128), 0.5 + 64**2 / (2 * 640**2)),  # half of it, and the lower right corners 64 apart
    ),
    wild=(
        "The image's size must be in the boxes' unit: 1 and 1 for coordinates in [0, 1], pixels for pixels. In another the corners' terms are all or nothing.",
        "Ports hard-code W^2 + H^2 as 10^2 + 10^2, or give the feature map's size for the image's.",
        "For small boxes the corners' pull is tiny: it is 2 d / (W^2 + H^2), where IoU's is of the order of 1 / side.",
        "The abstract says that other losses cannot be optimised for one aspect ratio and different sizes; only CIoU's v vanishes there, and IoU pulls.",
        "Also written MDPIoU, by mistake.",
    ),
    unsure="The formula, which eight ports agree on, against the paper; its equation's number.",
)
def mpdiou(p: Pair, *, image_width: float = 640.0, image_height: float = 640.0) -> Terms:
    """1 - IoU plus the squared distances of the two corners over the IMAGE's squared diagonal; smaller is better, in [0, inf).

    loss = jaccard + (left^2 + top^2) / (image_width^2 + image_height^2) + (right^2 + bottom^2) / (image_width^2 + image_height^2)

    THE IMAGE'S SIZE MUST BE GIVEN, IN THE BOXES' UNIT: the default is 640 x 640 pixels, and for coordinates in [0, 1] it is image_width=1, image_height=1.

    Shapes: boxes (..., 4) and (..., 4) broadcast to (...). Not scale free: the boxes and the image's size must be scaled together.
    Within the image it is at most 3: 1, and twice the diagonal over itself, for two points in opposite corners.
    A value that its type cannot hold stays at the largest number of the type; the gradient stays right.
    Gradient: IoU's where boxes overlap, and a pull on each edge that grows with its own difference. Apart, it does not enlarge a box to reach another.
    Raises `ParameterError` where a size is not positive and finite.
    """
    check_positive("mpdiou", "image_width", image_width)
    check_positive("mpdiou", "image_height", image_height)
    p.of_rectangles("an image's width and height")
    diagonal = math.hypot(image_width, image_height)
    shares = [edge / diagonal for edge in upright_edges(p)]
    return p.jaccard, total([x * x for x in shares], [x * 2.0 for x in shares], shares)
