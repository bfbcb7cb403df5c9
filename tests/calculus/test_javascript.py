"""The generated JavaScript, held to the contract by the checks that judge every array library, and to the bits of NumPy."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import boxloss as bl
from boxloss.boxes import convert
from boxloss.calculus.evaluate import evaluate
from boxloss.calculus.javascript import module_text
from boxloss.calculus.trace import trace
from boxloss.pair import Pair
from calculus.node import JavaScript, elementwise, node, running
from close import close
from each import REPRESENTATIVES, by_default
from properties.asking import require_same_bits
from properties.checks import GRADIENT_CHECKS, VALUE_CHECKS, Check
from properties.samples import sample
from properties.subjects import Subject, catalogue
from strategies import CLASSES

# What the others ask of batches and reductions, a function of one pair does not have.
ASKED = {
    name: check
    for name, check in (VALUE_CHECKS | GRADIENT_CHECKS).items()
    if name in ["value", "identical", "symmetric", "transpose", "scaling", "bounds", "finite", "inverted", "nan", "pairwise", "gradient", "ties"]
}


@pytest.fixture(autouse=True, scope="module")
def _node() -> Iterator[None]:
    node()
    yield
    running().close()
    running.cache_clear()


def in_javascript(subject: Subject) -> Subject:
    """The generated function under the claims of `subject`; its similarity is compared with the library's pairwise one."""
    formula = bl.catalogue()[subject.name]
    similarity = elementwise(formula, subject.parameters, gradient=False, similarity=True)
    return replace(subject, loss=elementwise(formula, subject.parameters), elementwise=similarity)


SUBJECTS = [in_javascript(subject) for subject in catalogue()]


def asked() -> list[Any]:
    """Of the representatives: the others' numbers have the bits of NumPy and of the graph, of which the contract is asked."""
    params = []
    for name, subject in product(ASKED, SUBJECTS):
        if subject.name in REPRESENTATIVES:
            params.append(pytest.param(name, subject, marks=by_default(subject.name, subject.parameters), id=f"{name}-{subject}"))
    return params


@pytest.mark.parametrize(("name", "subject"), asked())
def test_contract(name: str, subject: Subject) -> None:
    check: Check = ASKED[name]
    check(subject, JavaScript(), "float64")


def numpy_values(subject: Subject, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The array path itself: the formula on columns of NumPy numbers."""
    with np.errstate(all="ignore"):
        return bl.catalogue()[subject.name](Pair(tuple(a.T), tuple(b.T)), **subject.parameters)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_the_bits_of_numpy(subject: Subject) -> None:
    boxes = sample(CLASSES, 150, "float64")
    got = np.asarray(subject.values(boxes.a, boxes.b))
    require_same_bits(subject, got, numpy_values(subject, boxes.a, boxes.b), "JavaScript against NumPy", boxes.cases)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_slopes_are_the_graphs(subject: Subject) -> None:
    """To the bit, as those of the compiled kernels are."""
    boxes = sample(CLASSES, 150, "float64")
    traced = trace(bl.catalogue()[subject.name], subject.parameters, dtype="float64", wrt="ab")
    want = np.stack(evaluate(traced, [*boxes.a.T, *boxes.b.T]), 1)
    value = subject.values(boxes.a, boxes.b)
    got = np.column_stack([np.asarray(value), value.slopes])
    require_same_bits(subject, got, want, "JavaScript against the graph", boxes.cases)


@pytest.mark.parametrize("name", ["giou", "smooth_l1"])
@pytest.mark.parametrize("format", ["xywh", "cxcywh", "ltrb"])
def test_formats(name: str, format: str) -> None:
    """Integer boxes: the same value in each format, and the gradient by the chain rule, checked by moving a box along x."""
    formula = bl.catalogue()[name]
    boxes = sample(("integers",), 60, "float64")
    a, b = (np.asarray(convert(box, "xyxy", format, points=np.zeros(2))) for box in (boxes.a, boxes.b))
    got, plain = elementwise(formula, {}, format=format)(a, b), elementwise(formula, {})(boxes.a, boxes.b)
    assert np.array_equal(np.asarray(got), np.asarray(plain))
    along_x = {"xywh": [1, 0, 0, 0], "cxcywh": [1, 0, 0, 0], "ltrb": [-1, 0, 1, 0]}[format]
    close(got.slopes[:, :4] @ along_x, plain.slopes[:, :4] @ [1, 0, 1, 0], "float64", "gradient", scale=[1.0] * 60)


@bl.formula(title="All the words", paper="a test's */", bounds="[0, inf)", symmetric=True, scale_free=True)
def words(p: Any) -> Any:
    """loss = words."""
    new = p.iou * 2.0
    delete = bl.ops.exp(-new) + bl.ops.sqrt(p.jaccard) + new
    function = bl.ops.sin(delete) + bl.ops.cos(new * 3.0) + delete
    bits = bl.ops.log(function + 3.0) + function
    Math = bl.ops.absolute(bits - 1.0) + bl.ops.atan2(bits, new)
    return Math + bits + -(new + delete) + delete * new


def test_words_that_javascript_keeps_are_avoided() -> None:
    boxes = sample(("coco", "integers"), 40, "float64")
    got = elementwise(words, {})(boxes.a, boxes.b)
    with np.errstate(all="ignore"):
        want = words(Pair(tuple(boxes.a.T), tuple(boxes.b.T)))
    assert np.array_equal(np.asarray(got), want)
    text = module_text(words)
    assert "const new_2 = " in text
    assert "const delete_2 = " in text


def test_a_formula_that_is_called_like_a_keyword() -> None:
    def delete(p: Any) -> Any:
        return p.jaccard

    formula = bl.formula(title="One", paper="none", bounds="[0, 1]", symmetric=True, scale_free=True)(delete)
    assert elementwise(formula, {})(np.array([[0.0, 0, 1, 1]]), np.array([[0.0, 0, 2, 1]])).tolist() == [0.5]


def test_numbers_that_are_no_digits() -> None:
    def beyond(p: Any) -> Any:
        return bl.ops.minimum(p.jaccard, float("inf")) + bl.ops.maximum(p.iou, -0.0)

    formula = bl.formula(title="One", paper="none", bounds="[0, 1]", symmetric=True, scale_free=True)(beyond)
    assert elementwise(formula, {})(np.array([[0.0, 0, 1, 1]]), np.array([[0.0, 0, 2, 1]])).tolist() == [1.0]


def test_the_text_says_what_it_is_and_runs_without_python() -> None:
    text = module_text(bl.catalogue()["smooth_l1"], {"beta": 0.5}, gradient=False)
    assert text.splitlines()[:4] == [
        "// smooth_l1: Smooth L1 loss",
        "// Girshick, Fast R-CNN, ICCV 2015, arXiv:1504.08083, eq. 3 (beta = 1); beta as in Ren et al., Faster R-CNN, arXiv:1506.01497",
        "// loss = sum of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2",
        "// with beta = 0.5",
    ]
    assert "function powerOfTwo" not in text, "a helper that nothing calls"
    script = text + "console.log(smooth_l1(0, 0, 10, 10, 0.25, -2, 13, 10), smooth_l1(NaN, 0, 1, 1, 0, 0, 1, 1));"
    # 0.25^2 / (2 * 0.5) + (2 - 0.25) + (3 - 0.25)
    ran = subprocess.run([node(), "--input-type=module"], input=script, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(0.0625 + 1.75 + 2.75), "NaN"]
