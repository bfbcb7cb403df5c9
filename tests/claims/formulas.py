"""Losses whose claims are false, each in one way, and one whose claims hold."""

import boxloss as bl
from boxloss import ops

TRUE = {"title": "for a test", "paper": "none", "bounds": "[0, 2]", "symmetric": True, "scale_free": True}


@bl.formula(**TRUE)
def honest(p):
    """DIoU's loss again.

    loss = jaccard + offset2 / hull_diagonal2
    """
    return p.jaccard + ops.ratio(p.offset2, p.hull_diagonal2)


@bl.formula(**TRUE | {"bounds": "[0, 1]"})
def too_narrow(p):
    return p.jaccard + ops.ratio(p.offset2, p.hull_diagonal2)


@bl.formula(**TRUE)
def one_sided(p):
    return p.jaccard + ops.ratio(p.x.a_side, p.x.hull) - ops.ratio(p.x.a_side, p.x.hull + p.x.b_excess)


@bl.formula(**TRUE | {"symmetric": False})
def symmetric_after_all(p):
    return p.jaccard + ops.ratio(p.waste, p.hull)


@bl.formula(**TRUE | {"bounds": "[0, inf)"})
def in_pixels(p):
    return p.jaccard + ops.absolute(p.edges[0])


@bl.formula(**TRUE | {"scale_free": False})
def scale_free_after_all(p):
    return p.jaccard + ops.ratio(p.waste, p.hull)


@bl.formula(**TRUE, metric=True)
def no_metric(p):
    return p.jaccard * p.jaccard + ops.ratio(p.offset2, p.hull_diagonal2)


@bl.formula(**TRUE | {"bounds": "[0, 1.5]"})
def costly_at_home(p):
    return 0.5 + 0.5 * p.jaccard


@bl.formula(**TRUE | {"bounds": "[0, inf)"})
def infinite(p):
    return p.jaccard / (p.iou * p.iou)


@bl.formula(**TRUE)
def secretly_held(p):
    return p.jaccard + ops.hold(ops.ratio(p.offset2, p.hull_diagonal2))


@bl.formula(**TRUE, held=("penalty",))
def openly_held(p):
    return p.jaccard + ops.hold(ops.ratio(p.offset2, p.hull_diagonal2))


@bl.formula(**TRUE)
def wrong_slope(p):
    return ops.with_slope(p.jaccard, 2.0 * p.jaccard)


@bl.formula(**TRUE, cases=(((0, 0, 1, 1), (0, 0, 1, 1), 0.0), ((0, 0, 1, 1), (2, 0, 3, 1), 1.5)))
def wrong_case(p):
    return p.jaccard + ops.ratio(p.offset2, p.hull_diagonal2)


@bl.formula(**TRUE)
def repulsive(p):
    return p.jaccard * ops.exp(-ops.ratio(p.offset2, p.hull_diagonal2))
