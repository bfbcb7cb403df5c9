"""The bound over a block of boxes is never below what the formula computes for any of them; and where boxes are apart it says so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import boxloss as bl
from boxloss.calculus.bounds import upper_bound
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.trace import Traced, trace, value_node
from boxloss.ops import exp, maximum, minimum, ratio, sqrt, where
from close import close

NAMES = list(bl.catalogue())


def user(function, **claims):
    return bl.formula(title="A user's", paper="none", bounds="[0, inf)", symmetric=False, scale_free=True, **claims)(function)


def bounded(formula, dtype, block="a", similarity=True, format="xyxy"):
    tame = formula.scale_free and not formula.coordinates
    value, inputs = value_node(formula, {}, dtype=dtype, format=format, similarity=similarity, tame=tame)
    return upper_bound(value, inputs, block), trace(formula, {}, dtype=dtype, format=format, similarity=similarity, tame=tame)


def boxes(rng, n, spread, size, dtype):
    centre, side = rng.uniform(0, spread, (n, 2)), rng.uniform(size / 3, size, (n, 2))
    return np.hstack([centre - side / 2, centre + side / 2]).astype(dtype)


def highest_and_values(bound, traced: Traced, rows, others, block):
    """The bound of each of `others` over all `rows`, and the values of all pairs, (rows, others)."""
    asked = evaluate(bound.block, list(rows.T))
    ends = [end for x in asked for end in (x.min(), x.max())]
    highest = evaluate(bound.highest, [*ends, *others.T])[0]
    pairs = [rows[:, None, side] for side in range(4)], [others[None, :, side] for side in range(4)]
    first, second = pairs if block == "a" else pairs[::-1]
    return np.broadcast_to(highest, len(others)), evaluate(traced, [*first, *second])[0]


@pytest.mark.parametrize("block", ["a", "b"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("similarity", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_above_its_bound(name, similarity, dtype, block):
    bound, traced = bounded(bl.catalogue()[name], dtype, block, similarity)
    if bound is None:
        pytest.skip(f"nothing bounds {name}")
    rng = np.random.default_rng(0)
    for spread in (0.0, 1.0, 30.0, 400.0):
        for whole in (False, True):
            rows, others = boxes(rng, 64, spread, 40, dtype), boxes(rng, 200, 500, 60, dtype)
            others[:64] = rows
            if whole:
                rows, others = np.round(rows / 10) * 10, np.round(others / 10) * 10
            highest, values = highest_and_values(bound, traced, rows, others, block)
            assert not np.isnan(highest).any()
            assert (values <= highest).all()


def half_angle(p):
    return ratio(p.x.a_side, p.x.a_side + p.x.hull) - p.jaccard * sqrt(p.waste)


def powers(p):
    return (p.x.double_offset**3) * (p.y.double_offset - p.x.gap) - exp(-p.iou) * where(p.x.gap > p.y.gap, p.iou, -p.jaccard)


def divides_by_anything(p):
    return p.offset2 / p.x.double_offset + abs(p.y.double_offset) * (1.0 / (p.x.a_side - p.x.b_side))


def far_beyond_the_type(p):
    return (p.hull**8) * p.jaccard - (p.hull**9) * minimum(p.iou, maximum(p.jaccard, 0.5))


@pytest.mark.parametrize("function", [half_angle, powers, divides_by_anything, far_beyond_the_type])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), spread=st.sampled_from([0.0, 2.0, 50.0, 300.0]), whole=st.booleans())
def test_a_users_formulas(function, seed, spread, whole):
    """Signs that change, quotients by what may be 0, cancelling infinities: a bound that is infinite is right, one that is too low is not."""
    bound, traced = bounded(user(function), "float32")
    if bound is None:
        return
    rng = np.random.default_rng(seed)
    rows, others = boxes(rng, 16, spread, 40, "float32"), boxes(rng, 50, 300, 60, "float32")
    if whole:
        rows, others = np.round(rows / 20) * 20, np.round(others / 20) * 20
    highest, values = highest_and_values(bound, traced, rows, others, "a")
    assert not np.isnan(highest).any()
    assert ((values <= highest) | np.isnan(values)).all()


def test_boxes_that_are_apart_are_known_to_be():
    bound, traced = bounded(bl.catalogue()["iou"], "float32")
    rng = np.random.default_rng(1)
    rows, others = boxes(rng, 64, 50, 40, "float32"), boxes(rng, 300, 1000, 60, "float32")
    highest, _ = highest_and_values(bound, traced, rows, others, "a")
    hull = np.concatenate([rows[:, :2].min(0), rows[:, 2:].max(0)])
    apart = (others[:, :2] >= hull[2:]).any(1) | (others[:, 2:] <= hull[:2]).any(1)
    assert apart.sum() > 200
    assert (highest[apart] == 0).all()


@pytest.mark.parametrize("name", ["iou", "giou", "diou", "ciou"])
def test_a_block_of_one_box_is_bounded_closely(name):
    """Boxes that hardly overlap: the bound of a single box is its value, but for what the aspect's angle adds."""
    bound, traced = bounded(bl.catalogue()[name], "float64")
    rng = np.random.default_rng(2)
    rows, others = boxes(rng, 1, 500, 60, "float64"), boxes(rng, 300, 500, 60, "float64")
    others[:, 2:] = others[:, :2] + (rows[0, 2:] - rows[0, :2])  # one shape
    highest, values = highest_and_values(bound, traced, rows, others, "a")
    overlapping = bl.pairwise("iou", rows, others)[0] < 0.3
    assert overlapping.sum() > 200
    close(highest[overlapping], values[0][overlapping].tolist(), "float64", "sum", scale=[1.0] * int(overlapping.sum()))


@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_formats(format):
    bound, traced = bounded(bl.catalogue()["giou"], "float32", format=format)
    rng = np.random.default_rng(3)
    points = {"points": np.zeros(2)} if format == "ltrb" else {}
    rows, others = (np.asarray(bl.boxes.convert(boxes(rng, n, 60, 40, "float32"), "xyxy", format, **points), "float32") for n in (32, 100))
    highest, values = highest_and_values(bound, traced, rows, others, "a")
    assert (values <= highest).all()


def test_what_nothing_bounds():
    assert bounded(user(lambda p: exp(p.offset2)), "float32", similarity=False)[0] is None
