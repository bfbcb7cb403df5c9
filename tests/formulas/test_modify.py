"""Modifiers of losses: right beside exact arithmetic, alone and together, in every library; what is refused, and how."""

from dataclasses import replace

import numpy as np
import pytest

import boxloss as bl
from boxloss.calculus.javascript import module_text
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas.modify import MODIFIERS
from calculus.node import elementwise
from close import close
from each import by_default
from kernels.gpu.through_triton import TritonInterpreter, on_arrays
from kernels.gpu.through_triton import loss as triton_loss
from oracle import exact
from oracle.modifiers import TERMS, modified
from properties.asking import require_same_bits
from properties.backends import NumPy, PlainTorch, Torch
from properties.check_gradients import check_gradient_against_oracle, check_gradient_at_ties
from properties.check_values import (
    check_finite,
    check_identical_is_zero,
    check_inverted,
    check_power_of_two_scaling,
    check_symmetric,
    check_transpose,
    check_value_against_oracle,
)
from properties.samples import sample
from properties.subjects import Subject
from strategies import CLASSES

# Where a small value is a difference of what was rounded before, it may be as far off as a larger one.
AT_A_MARK = 1 / 8
# Roundoffs of a value with several modifiers: a power makes three of each of a term's, and what the sum is multiplied by has its own. 9.6 seen.
TOGETHER = 12
MODIFIED = [
    ("iou", {"inner": 0.75}, 0.0),
    ("iou", {"wise": True}, 0.0),
    ("iou", {"power": 0.5}, 0.0),
    ("giou", {"power": 3}, 0.0),
    ("giou", {"log": True}, 0.0),
    ("diou", {"squared": True}, 0.0),
    ("diou", {"inner": 0.8, "power": 3}, 0.0),
    ("diou", {"focaler": (0.0, 0.95)}, AT_A_MARK),
    ("diou", {"focal_inverse": 2.0}, 0.0),
    ("ciou", {"inner": 1.25}, 0.0),
    ("ciou", {"power": 2}, 0.0),
    ("ciou", {"focaler": (0.0, 0.95), "power": 1.5}, AT_A_MARK),
    ("efficient_iou", {"focal": 0.5}, 0.0),
    ("efficient_iou", {"power": 3, "wise": True}, 0.0),
    ("ciou", {"inner": 0.75, "focaler": (0.125, 0.875), "power": 2, "wise": True, "focal": 0.5}, AT_A_MARK),
]
DTYPES = ("float32", "float64")


def subject(name, modifiers, floor, loss=None):
    return Subject(
        name=f"modified {name}",
        loss=loss or bl.loss(name, **modifiers),
        pairwise=lambda a, b: bl.pairwise(name, a, b, **modifiers),
        elementwise=lambda a, b: 1 - bl.loss(name, **modifiers)(a, b, reduction="none"),
        symmetric=True,
        scale_free=True,
        bounds="[0, inf)",
        parameters=modifiers,
        has_sides=True,
        accuracy="value" if len(modifiers) == 1 else TOGETHER,
        floor=floor,
    )


@pytest.fixture
def _interpreter(monkeypatch, tmp_path_factory):
    """Triton's interpreter. Kernels' files outlive the test: it reads them late."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path_factory.mktemp("kernels")))
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(autouse=True)
def _forms(monkeypatch):
    for name in TERMS:
        monkeypatch.setitem(exact.LOSSES, f"modified {name}", modified(name))


BY_DEFAULT = (6, 14)  # two modifiers, and as many as go together


def cases(dtypes=("float32",)):
    """In float32 two of them by default, all in the slow run. float64 is the same graph, and takes as long to compile again: two of them there, or none."""
    asked = [(k, *case, dtype) for k, case in enumerate(MODIFIED) for dtype in dtypes if dtype == "float32" or k in BY_DEFAULT]
    marks = [[] if k in BY_DEFAULT and dtype == "float32" else [pytest.mark.slow] for k, *_, dtype in asked]
    params = [pytest.param(*case, marks=mark, id=f"{case[0]}-{case[1]}-{case[3]}") for (_, *case), mark in zip(asked, marks, strict=True)]
    return pytest.mark.parametrize(("name", "modifiers", "floor", "dtype"), params)


def test_every_modifier_is_tried():
    assert {modifier for _, modifiers, _ in MODIFIED for modifier in modifiers} == set(MODIFIERS)


@cases(DTYPES)
def test_values(name, modifiers, floor, dtype):
    asked = subject(name, modifiers, floor)
    check_value_against_oracle(asked, NumPy(), dtype, n=40)
    check_identical_is_zero(asked, NumPy(), dtype)
    for check in (check_symmetric, check_transpose, check_power_of_two_scaling):
        check(asked, NumPy(), dtype)


@cases()
def test_gradients(name, modifiers, floor, dtype):
    asked = subject(name, modifiers, floor)
    check_gradient_against_oracle(asked, Torch(), dtype, n=8)
    check_gradient_at_ties(asked, Torch(), dtype)
    check_inverted(asked, Torch(), dtype)
    check_finite(asked, Torch(), dtype)


@cases(DTYPES)
def test_the_plain_formula(name, modifiers, floor, dtype):
    asked = subject(name, modifiers, floor)
    with bl.plain():
        check_value_against_oracle(asked, PlainTorch(), dtype, n=10)
        check_gradient_against_oracle(asked, PlainTorch(), dtype, n=4)


@pytest.mark.parametrize("name", [pytest.param(name, marks=by_default(name)) for name in TERMS])
def test_modifiers_that_change_nothing_leave_the_bits(name):
    boxes = sample(CLASSES, 20, "float32")
    plain = bl.loss(name)(boxes.a, boxes.b, reduction="none")
    for modifiers in ({"power": 1}, {"inner": 1.0}, {"focaler": (0, 1)}, {"squared": False, "log": False, "wise": False}):
        require_same_bits(subject(name, modifiers, 0.0), bl.loss(name, **modifiers)(boxes.a, boxes.b, reduction="none"), plain, "unchanged", boxes.cases)


EVERYTHING = MODIFIED[-1]


@pytest.mark.usefixtures("_interpreter")
def test_the_same_bits_in_numpy_torch_javascript_and_the_interpreted_gpu():
    name, modifiers, floor = EVERYTHING
    formula, boxes = bl.catalogue()[name], sample(CLASSES, 10, "float64")
    asked = subject(name, modifiers, floor)
    want = on_arrays(formula, modifiers, boxes.a, boxes.b)
    for other in (
        bl.loss(name, **modifiers)(boxes.a, boxes.b, reduction="none"),
        Torch().numbers(asked.loss(Torch().array(boxes.a, "float64"), Torch().array(boxes.b, "float64"), reduction="none")),
        np.asarray(elementwise(formula, modifiers)(boxes.a, boxes.b)),
        Torch().numbers(triton_loss(formula, modifiers)(Torch().array(boxes.a, "float64"), Torch().array(boxes.b, "float64"), reduction="none")),
    ):
        require_same_bits(asked, other, want, "another library", boxes.cases)
    gpu = replace(asked, loss=triton_loss(formula, modifiers))
    check_gradient_against_oracle(gpu, TritonInterpreter(), "float64", n=2)


def test_a_modified_loss_is_one_kernel_whose_names_can_be_read():
    """One function of eight numbers, without a call to another one; what was scaled says so."""
    text = bl.source("diou", target="numba", inner=0.8, power=3)
    assert text.count("def diou(") == 1
    for name in ("scaled_x_overlap", "scaled_y_low_way", "scaled_jaccard", "offset2", "hull_diagonal2"):
        assert f"{name} = " in text, text
    assert "// with inner = 0.8, power = 3" in module_text(bl.catalogue()["diou"], {"inner": 0.8, "power": 3})


def test_a_modified_siou_is_one_kernel():
    text = bl.source("siou", target="numba", inner=0.8, power=3)
    assert text.count("\ndef siou(") == 1
    boxes = sample(("coco", "integers"), 20, "float64")
    got = bl.loss("siou", inner=0.8, power=3)(boxes.a, boxes.b, reduction="none")
    inner = bl.loss("inner_iou", ratio=0.8)(boxes.a, boxes.b, reduction="none")
    beside = bl.loss("siou")(boxes.a, boxes.b, reduction="none") - bl.loss("iou")(boxes.a, boxes.b, reduction="none")
    want = 1 - (1 - inner) ** 3 + beside**3
    close(got, want, "float64", "sum", scale=np.maximum(want, 1))


@bl.formula(title="GIoU's waste and a share of DIoU's offset", paper="a test's", bounds="[0, 3]", symmetric=True, scale_free=True)
def of_my_own(p, *, share=0.5):
    """loss = jaccard + waste / hull + share offset2 / hull_diagonal2."""
    return p.jaccard, bl.ops.ratio(p.waste, p.hull), share * bl.ops.ratio(p.offset2, p.hull_diagonal2)


def test_a_formula_of_ones_own_takes_modifiers():
    a, b = np.array([[0.0, 0, 1, 1]]), np.array([[2.0, 0, 3, 1]])
    # Apart: 1, a third of the hull wasted, and 4 of 10.
    close(bl.loss(of_my_own, power=2)(a, b), 1 + 1 / 9 + 0.04, "float64")
    close(bl.loss(of_my_own, power=2, share=1.0)(a, b), 1 + 1 / 9 + 0.16, "float64")
    close(bl.loss(of_my_own, focal=2, power=2)(a, a + np.array([0.5, 0, 0.5, 0])), (1 / 9) * (8 / 9 + (0.5 * 0.25 / 3.25) ** 2), "float64")


def test_a_parameter_of_ones_own_may_be_called_like_a_modifier():
    def mine(p, *, power=2.0):
        return p.jaccard, bl.ops.power(bl.ops.ratio(p.waste, p.hull), power)

    formula = bl.formula(title="Mine", paper="a test's", bounds="[0, 2]", symmetric=True, scale_free=True)(mine)
    # Its own power is of the waste alone, a third: the overlap is not touched.
    close(bl.loss(formula, power=3)(np.array([[0.0, 0, 1, 1]]), np.array([[2.0, 0, 3, 1]])), 1 + 1 / 27, "float64")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"power": 0}, "diou: power is 0, expected a finite number > 0"),
        ({"power": float("nan")}, "diou: power is nan, expected a finite number > 0"),
        ({"inner": True}, "diou: inner is True, expected a finite number > 0"),
        ({"inner": "0.75"}, "diou: inner is '0.75', expected a finite number > 0"),
        ({"focaler": 0.95}, "diou: focaler is 0.95, expected two numbers (d, u) with 0 <= d < u <= 1"),
        ({"focaler": (0.95, 0.0)}, "diou: focaler is (0.95, 0.0), expected two numbers (d, u) with 0 <= d < u <= 1"),
        ({"wise": 1}, "diou: wise is 1, expected True or False"),
        ({"power": 3, "squared": True}, "diou: power and squared do not go together: squared=True is the power 2 of the IoU alone: give one of the two"),
        ({"power": 3, "log": True}, "diou: power and log do not go together: -ln(IoU^a) is a times -ln IoU: give the loss a weight instead"),
        ({"squared": True, "log": True}, "diou: squared and log do not go together: -ln(IoU^2) is twice -ln IoU: give the loss a weight instead"),
        ({"focaler": (0, 0.9), "log": True}, "diou: focaler and log do not go together: focaler makes IoU 0 below d, and 0 has no logarithm"),
        ({"focal": 1, "focal_inverse": 1}, "diou: focal and focal_inverse do not go together: the one undoes what the other does: give one of the two"),
    ],
)
def test_what_has_no_meaning_is_refused(given, message):
    with pytest.raises(ParameterError) as refusal:
        bl.loss("diou", **given)
    assert str(refusal.value) == message


def test_a_flag_that_is_off_goes_with_anything():
    assert float(bl.loss("iou", power=3, squared=False, log=False)([0, 0, 4, 4], [0, 0, 2, 4])) == 7 / 8


def test_losses_that_are_no_sum_with_the_overlap_take_no_modifier():
    for name in ("l1", "iou_squared", "alpha_iou"):
        with pytest.raises(ParameterError, match=f"{name} takes no modifier, but inner was given: modifiers change the IoU of losses that are 1 - IoU plus"):
            bl.loss(name, inner=0.5)
    with pytest.raises(UnknownNameError, match="did you mean focaler"):
        bl.loss("giou", focaller=(0, 0.95))


@pytest.mark.parametrize("name", ["alpha_iou", "alpha_ciou"])
def test_named_losses_are_the_modified_ones(name):
    boxes = sample(CLASSES, 20, "float32")
    plain = name.removeprefix("alpha_")
    got, want = (loss(boxes.a, boxes.b, reduction="none") for loss in (bl.loss(name, alpha=2), bl.loss(plain, power=2)))
    assert np.array_equal(got, want)
