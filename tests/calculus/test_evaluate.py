"""A graph worked out on arrays has the bits of the formula on arrays."""

import tracemalloc

import numpy as np
import pytest

import boxloss as bl
from boxloss.boxes import corners
from boxloss.calculus.evaluate import OPERATIONS, evaluate
from boxloss.calculus.graph import reachable
from boxloss.calculus.trace import trace
from boxloss.pair import Pair
from properties.asking import require_same_bits
from properties.samples import sample
from properties.subjects import Subject, catalogue
from strategies import CLASSES, inverted

SUBJECTS = catalogue()


def on_arrays(formula, parameters, at, format="xyxy", *, similarity=False):
    with np.errstate(all="ignore"):
        pair = Pair(corners(tuple(at[:4]), format), corners(tuple(at[4:]), format))
        return (formula.measure if similarity else formula)(pair, **parameters)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("similarity", [False, True], ids=["loss", "similarity"])
def test_the_bits_of_the_formula(similarity: bool, dtype: str, subject: Subject) -> None:
    formula, boxes = bl.catalogue()[subject.name], sample(CLASSES, 100, dtype)
    at = [*boxes.a.T, *boxes.b.T]
    (got,) = evaluate(trace(formula, subject.parameters, dtype=dtype, similarity=similarity), at)
    require_same_bits(subject, got, on_arrays(formula, subject.parameters, at, similarity=similarity), "graph against formula", boxes.cases)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
@pytest.mark.parametrize("format", ["xyxy", "xywh", "cxcywh", "ltrb"])
def test_the_bits_of_the_formula_in_every_format_also_for_inverted_boxes(format: str, subject: Subject) -> None:
    formula = bl.catalogue()[subject.name]
    at = np.hstack(inverted(90, "float32")).T  # any eight numbers will do
    (got,) = evaluate(trace(formula, subject.parameters, format=format), at)
    require_same_bits(subject, got, on_arrays(formula, subject.parameters, at, format), f"graph against formula, {format}", list(at.T))


@pytest.mark.parametrize("subject", [x for x in SUBJECTS if x.scale_free and not bl.catalogue()[x.name].coordinates], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tame_pair_has_the_bits_of_any_other(dtype: str, subject: Subject) -> None:
    """Upright boxes of a moderate size: without a unit and without inversion, value and slopes are the same."""
    formula = bl.catalogue()[subject.name]
    boxes = sample(("coco", "near equal", "integers", "nested", "touching", "disjoint", "identical", "slim"), 60, dtype)
    at = [*boxes.a.T, *boxes.b.T]
    any_pair, tame = (evaluate(trace(formula, subject.parameters, dtype=dtype, wrt="ab", tame=tame), at) for tame in (False, True))
    # A slope near the smallest normal number is made of smaller ones, which were rounded in the pair's unit.
    smallest = np.finfo(dtype).smallest_normal * 2**24
    for k, (got, want) in enumerate(zip(tame, any_pair, strict=True)):
        if k > 0:
            got, want = (np.where(np.abs(x) < smallest, np.zeros_like(x), x) for x in (got, want))
        require_same_bits(subject, got, want, "tame against any", boxes.cases)


def test_shapes_broadcast_and_numbers_are_numbers() -> None:
    traced = trace(bl.catalogue()["giou"], {}, wrt="a")
    a, b = np.arange(12.0).reshape(3, 1, 4), np.arange(20.0).reshape(5, 4)
    value, *slopes = evaluate(traced, [*np.moveaxis(a, -1, 0), *np.moveaxis(b, -1, 0)])
    assert {x.shape for x in (value, *slopes)} == {(3, 5)}
    assert {x.dtype.name for x in (value, *slopes)} == {"float32"}
    assert value[2, 4] == evaluate(traced, [*a[2, 0], *b[4]])[0]
    constant = bl.formula(title="One", paper="none", bounds="[1, 1]", symmetric=True, scale_free=True, coordinates=True)(lambda p: p.iou * 0.0 + 1.0)
    (value,) = evaluate(trace(constant, {}), [*np.moveaxis(a, -1, 0), *np.moveaxis(b, -1, 0)])
    assert value.tolist() == np.ones((3, 5)).tolist()


def test_what_comes_out_is_the_callers_own() -> None:
    """Two slopes that are one number are two arrays, and no input is among the outputs."""
    x = np.zeros(3)
    outputs = evaluate(trace(bl.catalogue()["l1"], {}, dtype="float64", wrt="ab"), [x] * 8)
    for k, out in enumerate(outputs):
        out += k
    assert [out.tolist() for out in outputs] == [[float(k)] * 3 for k in range(9)]
    assert x.tolist() == [0, 0, 0]


def test_memory_is_that_of_some_numbers_and_not_of_all() -> None:
    traced = trace(bl.catalogue()["ciou"], {}, dtype="float64", wrt="ab")
    at = [np.full(20_000, float(k % 4 // 2 + k)) for k in range(8)]
    tracemalloc.start()
    try:
        evaluate(traced, at)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(reachable(traced.outputs)) / 3 * at[0].nbytes


def test_every_operation_that_a_graph_may_have_is_known() -> None:
    made = {
        node.op for subject in SUBJECTS for node in reachable(trace(bl.catalogue()[subject.name], subject.parameters, wrt="ab").outputs)
    } - {"input", "const", "truth"}  # fmt: skip
    assert made <= set(OPERATIONS)
    assert {"where", "max", "power_of_two", "div"} <= made
