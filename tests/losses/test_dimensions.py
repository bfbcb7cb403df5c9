"""Losses of segments and volumes: which there are, and that they are as exact as those of rectangles."""

import re

import numpy as np
import pytest
import torch

import boxloss as bl
from boxloss.errors import DimensionError, FormatError, ShapeError
from boxloss.formulas import Formula
from close import close
from each import few
from oracle import exact, solids
from shared_data import ROOT
from solid_boxes import ENDS
from solid_boxes import solids as draw
from strategies import CLASSES

EVERYWHERE = [name for name, record in bl.catalogue().items() if record.dimensions == (1, 2, 3)]
RECTANGLES = [name for name in bl.catalogue() if name not in EVERYWHERE]
N = 12  # pairs of a class
# Where slopes are numbers of moderate size.
SMOOTH = ("coco", "near equal", "far from the origin", "integers", "nested", "touching", "disjoint", "slim")
A3, B3 = np.array([[0.0, 0, 0, 2, 2, 2]]), np.array([[1.0, 1, 1, 3, 3, 3]])


@pytest.mark.parametrize("name", bl.catalogue())
def test_a_loss_goes_in_one_and_three_dimensions_or_says_what_it_asks_for(name):
    record = bl.catalogue()[name]
    assert record.dimensions in ((2,), (1, 2, 3))
    for n, format in ((1, "xx"), (3, "xyzxyz")):
        a = [[0.0] * n + [1.0] * n]
        if name in EVERYWHERE:
            assert bl.loss(name)(a, a, format=format) == 0
            continue
        for call in (bl.loss(name), getattr(bl, name), lambda a, b, format: bl.pairwise(name, a, b, format=format)):
            with pytest.raises(DimensionError, match=rf"^{name} has no meaning in {n}-D: it asks for .*\. iou, giou, diou, efficient_iou and l1 have one$"):
                call(a, a, format=format)


def test_the_page_lists_them():
    text = (ROOT / "docs" / "dimensions.md").read_text()
    for heading, names in (("1-D, 2-D and 3-D", EVERYWHERE), ("2-D alone", RECTANGLES)):
        row = f"| {heading} | {', '.join(f'`{name}`' for name in sorted(names))} |"
        assert row in text.splitlines(), f"docs/dimensions.md should have the line\n{row}"


def variants(name):
    return [{}, *(parameters for parameters, _ in exact.VARIANTS.get(name, ()))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", few(EVERYWHERE))
def test_values_are_those_of_exact_arithmetic(name, dtype):
    record = bl.catalogue()[name]
    for n in (1, 3):
        for parameters in variants(name):
            a, b = (np.concatenate(boxes) for boxes in zip(*(draw(kind, n, N, dtype, 1) for kind in CLASSES), strict=True))
            want = [solids.value(name, p.tolist(), q.tolist(), **parameters) for p, q in zip(a, b, strict=True)]
            got = bl.loss(name, **parameters)(a, b, reduction="none", format=ENDS[n])
            close(got, want, dtype, record.roundoffs, scale=[max(abs(w), record.floor) for w in want], where=list(zip(a, b, strict=True)))


@pytest.mark.parametrize("name", few(EVERYWHERE))
def test_gradients_are_the_derivatives_also_at_ties(name):
    record = bl.catalogue()[name]
    for n in (1, 3):
        a, b = (np.concatenate(boxes) for boxes in zip(*(draw(kind, n, N, "float64", 2) for kind in SMOOTH), strict=True))
        want = np.array([[float(slope) for slope in solids.gradient(name, p.tolist(), q.tolist())] for p, q in zip(a, b, strict=True)])
        value, both = bl.loss(name).value_and_gradient(a, b, wrt="both", reduction="none", format=ENDS[n])
        assert np.array_equal(value, bl.loss(name)(a, b, reduction="none", format=ENDS[n]))
        terms = np.abs(want).max(1)
        if record.scale_free or record.is_overlap:
            terms = np.maximum(terms, 1 / np.minimum(a[:, n:] - a[:, :n], b[:, n:] - b[:, :n]).min(1))
        scale = np.repeat(terms, 4 * n)
        where = [pair for pair in zip(a, b, strict=True) for _ in range(4 * n)]
        close(np.hstack(both), want, "float64", record.gradient_roundoffs, scale=scale, where=where)
        tensors = [torch.from_numpy(x).requires_grad_() for x in (a, b)]
        found = torch.autograd.grad(bl.loss(name)(*tensors, reduction="sum", format=ENDS[n]), tensors)
        close(torch.hstack(found), want, "float64", record.gradient_roundoffs, scale=scale, where=where)


MODIFIERS = [{}, {"inner": 0.75}, {"power": 2.5}, {"squared": True}, {"log": True}, {"focal": 0.5}, {"focaler": (0.1, 0.9)}]


@pytest.mark.parametrize("name", ["iou", "giou"])
@pytest.mark.parametrize("given", MODIFIERS, ids=str)
def test_an_axis_that_two_boxes_share_changes_no_ratio_of_areas(name, given):
    if given and not bl.catalogue()[name].is_overlap:
        pytest.skip("takes no modifier")
    for kind in ("coco", "nested", "disjoint", "integers"):
        a, b = draw(kind, 3, 50)
        flat_a, flat_b = a[:, [0, 1, 3, 4]], b[:, [0, 1, 3, 4]]
        b[:, [2, 5]] = a[:, [2, 5]]
        loss = bl.loss(name, **given)
        close(loss(a, b, reduction="none", format="xyzxyz"), loss(flat_a, flat_b, reduction="none"), "float64", 16)
        flat_b[:, [1, 3]] = flat_a[:, [1, 3]]
        line_a, line_b = flat_a[:, [0, 2]], flat_b[:, [0, 2]]
        close(loss(line_a, line_b, reduction="none", format="xx"), loss(flat_a, flat_b, reduction="none"), "float64", 16)


@pytest.mark.parametrize("name", few(EVERYWHERE))
def test_axes_may_change_places(name):
    record = bl.catalogue()[name]
    a, b = (np.concatenate(boxes) for boxes in zip(*(draw(kind, 3, N) for kind in CLASSES), strict=True))
    want = bl.loss(name)(a, b, reduction="none", format="xyzxyz")
    for order in ([1, 0, 2], [2, 0, 1], [0, 2, 1]):
        turned = [*order, *(k + 3 for k in order)]
        got = bl.loss(name)(a[:, turned], b[:, turned], reduction="none", format="xyzxyz")
        close(got, want, "float64", 2 * record.roundoffs, scale=np.maximum(np.abs(want), record.floor))


@pytest.mark.parametrize("name", few(EVERYWHERE))
@pytest.mark.parametrize("n", [1, 3])
def test_the_same_twice_costs_nothing_and_nothing_becomes_nan(name, n):
    for dtype in ("float32", "float64"):
        for kind in CLASSES:
            a, b = draw(kind, n, 30, dtype, 3)
            loss = bl.loss(name)
            assert (loss(a, a, reduction="none", format=ENDS[n]) == 0).all()
            for p, q in ((a, b), (a, a), (a[:, ::-1].copy(), b)):  # the last: all ends crossed
                value, gradient = loss.value_and_gradient(p, q, reduction="none", format=ENDS[n])
                assert np.isfinite(value).all(), kind
                assert not np.isnan(gradient).any(), kind


@pytest.mark.parametrize("name", ["iou", "giou", "diou", "efficient_iou"])
def test_crossed_ends_count_as_their_middle_and_cost_how_far_they_crossed(name):
    for n in (1, 3):
        a, b = draw("coco", n, 60)
        for row in range(60):
            k = row % n
            a[row, [k, k + n]] = a[row, [k + n, k]]
            if row % 4 == 0:
                b[row] = np.roll(b[row], n)
        want = [solids.inverted(name, p.tolist(), q.tolist()) for p, q in zip(a, b, strict=True)]
        close(bl.loss(name)(a, b, reduction="none", format=ENDS[n]), want, "float64", "inverted")


def test_pencil_cases():
    # Cubes of 8 that share 1 of 15; the hull is 27; centres 3 apart squared, the hull's diagonal 27 squared.
    close([bl.iou(A3, B3, format="xyzxyz")[0], bl.giou_loss(A3, B3, format="xyzxyz")], [1 / 15, 14 / 15 + 12 / 27], "float64")
    close(bl.diou_loss(A3, B3, format="xyzxyz"), 14 / 15 + 3 / 27, "float64")
    # Two seconds of 6 are shared, and none; a gap of 1 in a hull of 5.
    close(bl.iou([[0.0, 4]], [[2.0, 6]], format="xx"), [1 / 3], "float64")
    close(bl.giou_loss([[0.0, 2]], [[3.0, 5]], format="xx"), 1 + 1 / 5, "float64")
    # Sides differ by half the hull's, along each axis.
    close(bl.efficient_iou_loss([[0.0, 0, 0, 4, 4, 4]], [[1.0, 1, 1, 3, 3, 3]], format="xyzxyz"), 7 / 8 + 3 / 4, "float64")
    assert bl.l1_loss(A3, B3, format="xyzxyz") == 6


@pytest.mark.parametrize("format", [*bl.boxes.SEGMENTS, *bl.boxes.VOLUMES])
def test_formats_mean_the_same_boxes(format):
    n = bl.boxes.DIMENSIONS[format]
    a, b = draw("integers", n, 20)
    there = [bl.boxes.convert(x, ENDS[n], format, points=np.zeros(n)) for x in (a, b)]
    for name in ("giou", "l1", "efficient_iou"):
        assert np.array_equal(bl.loss(name)(*there, reduction="none", format=format), bl.loss(name)(a, b, reduction="none", format=ENDS[n]))
    # The generated text takes the format's own numbers, and has the same bits.
    names: dict[str, object] = {}
    exec(bl.source("giou", format=format, dtype="float64", gradient=True), names)
    value, *slopes = names["giou"](*there[0].T, *there[1].T)
    assert np.array_equal(value, bl.giou_loss(*there, reduction="none", format=format))
    assert np.array_equal(np.stack(slopes[: 2 * n], -1), bl.giou_loss.value_and_gradient(*there, reduction="none", format=format)[1])


@pytest.mark.parametrize("n", [1, 3])
def test_all_pairs_and_the_best_of_them(n):
    (a, _), (b, _) = draw("coco", n, 40), draw("coco", n, 30, seed=7)
    matrix = bl.pairwise("giou", a, b, format=ENDS[n])
    assert np.array_equal(matrix, bl.giou(a[:, None], b[None], format=ENDS[n]))
    for kind in (np.asarray, torch.from_numpy):
        values, indices = bl.nearest("giou", kind(a), kind(b), format=ENDS[n])
        assert np.array_equal(indices, matrix.argmax(1))
        assert np.array_equal(values, matrix.max(1))
        of_a, of_b, values = bl.pairs_above("giou", kind(a), kind(b), 0.0, format=ENDS[n])
        assert np.array_equal(np.stack([of_a, of_b]), np.nonzero(matrix > 0))
        assert np.array_equal(values, matrix[matrix > 0])
    with bl.plain():
        assert np.array_equal(bl.pairwise("giou", a, b, format=ENDS[n]), matrix)


def test_the_torch_module():
    a, b = (torch.from_numpy(x).requires_grad_() for x in (A3, B3))
    module = bl.nn.GIoULoss(format="xyzxyz")
    module(a, b).backward()
    value, gradient = bl.giou_loss.value_and_gradient(A3, B3, format="xyzxyz")
    assert module(a, b).item() == value
    close(a.grad, gradient, "float64", "gradient")
    seen = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(seen(a, b), module(a, b))


def test_jax_has_them_too():
    jax = pytest.importorskip("jax")
    a, b = jax.numpy.asarray(A3), jax.numpy.asarray(B3)
    got = jax.jit(jax.grad(lambda a: bl.giou_loss(a, b, format="xyzxyz")))(a)
    close(got, bl.giou_loss.value_and_gradient(A3, B3, format="xyzxyz")[1], "float32", "gradient")


def a_formula(function):
    return Formula("mine", function, "mine", "nobody", "[0, 2]", True, True)


@pytest.mark.parametrize(
    ("function", "asked"),
    [
        (lambda p: p.jaccard + p.x.gap * 0.0, "x, one of the two axes of a rectangle"),
        (lambda p: p.jaccard + p.y.gap * 0.0, "y, one of the two axes of a rectangle"),
        (lambda p: p.jaccard + p.aspect_angle, "aspect_angle, which only rectangles have"),
        (lambda p: next(left for left, _, _, _ in [p.edges]), "the four edges of a rectangle (too many values to unpack (expected 4))"),
    ],
)
def test_a_formula_of_ones_own_is_told_what_it_asked_for(function, asked):
    mine = bl.loss(a_formula(function))
    for call in (mine, mine.value_and_gradient, lambda a, b, format: bl.source(mine.formula, format=format)):
        with pytest.raises(DimensionError, match=re.escape(f"mine has no meaning in 3-D: it asks for {asked}. iou")):
            call(A3, B3, format="xyzxyz")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bl.giou_loss(A3, B3),
            ShapeError,
            "(1, 6), expected (..., 4). Six columns may be boxes in three dimensions: their formats are xyzxyz",
        ),
        (lambda: bl.giou_loss(A3, B3, format="xx"), ShapeError, "pred has shape (1, 6), expected (..., 2)"),
        (lambda: bl.pairwise("iou", A3[0], B3, format="xyzxyz"), ShapeError, "expected (..., N, 6)"),
        (lambda: bl.nearest("iou", A3[None], B3, format="xyzxyz"), ShapeError, "expected (N, 6)"),
        (lambda: bl.giou_loss(A3, B3, format="xyxyzz"), FormatError, "the lower ends come first, `xyzxyz`: try boxes[..., [0, 1, 4, 2, 3, 5]]"),
        (lambda: bl.loss("iou", weight_by=bl.by_size(1, 1))(A3, B3, format="xyzxyz"), DimensionError, "weighs by width and height"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()
