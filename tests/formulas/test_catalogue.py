"""Every loss's record: its pencil cases, its page, its gradient by finite differences, and that none is forgotten."""

import math
import pkgutil
import re
from pathlib import Path

import pytest
import torch

import boxloss as bl
from boxloss import formulas, losses
from boxloss.errors import ParameterError, UnknownNameError
from close import close

CATALOGUE = bl.catalogue()
# What the field has published, and users look for by these names
FIELD = """
    l1 l2 smooth_l1 huber balanced_l1 l1_cxcywh l2_cxcywh smooth_l1_cxcywh
    iou iou_log iou_squared bounded_iou extended_iou giou diou ciou ciou_gated ciou_attached ciou_simplified iciou cdiou sca mpdiou
    efficient_iou focal_efficient_iou siou siou_mmdet shape_iou shape_iou_released powerful_iou powerful_iou2 powerful_iou2_released
    alpha_iou alpha_giou alpha_diou alpha_ciou inner_iou inner_ciou focaler_iou interp_iou interp_iou_dynamic wise_iou
    nwd dotd rfd
"""
EXPECTED = FIELD.split()


def test_nothing_is_forgotten():
    assert set(CATALOGUE) >= set(EXPECTED)
    assert len(EXPECTED) >= 40
    files = {found.name for found in pkgutil.iter_modules(formulas.__path__)} - {"modify", "record"}
    assert files == {formula.function.__module__.rsplit(".", 1)[1] for formula in CATALOGUE.values()}
    for name in CATALOGUE:
        assert getattr(bl, name).formula is getattr(bl, f"{name}_loss").formula is CATALOGUE[name]


@pytest.mark.parametrize("formula", CATALOGUE.values(), ids=CATALOGUE)
def test_pencil_cases(formula):
    assert len(formula.cases) >= 2
    with bl.plain():  # the contract asks the kernels
        for pred, target, value in formula.cases:
            pred, target = list(map(float, pred)), list(map(float, target))
            close([bl.loss(formula)(pred, target)], [value], "float64")
            close([getattr(bl, formula.name)(pred, target)], [1 - value], "float64", scale=[max(1, value)])


@pytest.mark.parametrize("formula", CATALOGUE.values(), ids=CATALOGUE)
def test_the_page_says_what_a_reader_needs(formula):
    first = formula.doc.splitlines()[0]
    assert first.endswith(f"in {formula.bounds}.") or formula.name == "iou_log"
    assert "smaller is better" in first
    for heading in ("loss = ", "Shapes:", "Gradient"):
        assert heading in formula.doc
    assert formula.title
    assert formula.paper


def test_a_formula_in_the_users_own_file_is_a_loss(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import boxloss as bl\n"
        "@bl.formula(title='Half', paper='mine', bounds='[0, 1)', symmetric=True, scale_free=True)\n"
        "def half_diou(p, *, share=0.5):\n"
        "    return (p.jaccard + bl.ops.ratio(p.offset2, p.hull_diagonal2)) * share\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import mine

    a, b = [0.0, 0, 1, 1], [2.0, 0, 3, 1]
    assert float(bl.loss(mine.half_diou)(a, b)) == float(bl.diou_loss(a, b)) / 2
    assert float(bl.loss(mine.half_diou, share=2)(a, b)) == 2 * float(bl.diou_loss(a, b))
    assert bl.pairwise(mine.half_diou, [a], [b]).shape == (1, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bl.loss("gatd"), UnknownNameError, "unknown loss 'gatd': did you mean ciou_gated"),
        (lambda: bl.loss("l1", beta=1), ParameterError, "l1 has no parameters, but 'beta' was given"),
        (lambda: bl.loss("giou", powr=1), UnknownNameError, "unknown parameter of giou 'powr': did you mean power?"),
        (lambda: bl.loss("smooth_l1", bta=1), UnknownNameError, "unknown parameter of smooth_l1 'bta': did you mean beta?"),
        (
            lambda: bl.smooth_l1_loss([0, 0, 1, 1], [0, 0, 1, 1], beta=-1),
            ParameterError,
            "smooth_l1: beta is -1, expected a finite number >= 0, in the boxes' unit",
        ),
        (
            lambda: bl.formula(title="", paper="", bounds="0..1", symmetric=True, scale_free=True),
            ParameterError,
            "formula: bounds is '0..1', expected an interval such as '[0, 2)'",
        ),
    ],
)
def test_errors_name_what_came_and_what_was_expected(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gio", "did you mean giou"),
        ("giou_los", "did you mean giou_loss"),
        ("suppres", "did you mean suppress?"),
        ("asign", "did you mean assign?"),
        ("anchor", "did you mean anchors?"),
        ("pairwis", "did you mean pairwise?"),
        ("xyz", "boxloss.catalogue() lists the losses"),
    ],
)
def test_an_unknown_attribute_says_what_may_have_been_meant(name, hint):
    with pytest.raises(AttributeError, match=re.escape(f"module 'boxloss' has no attribute {name!r}: {hint}")):
        getattr(bl, name)


def test_the_parts_are_listed():
    assert {"anchors", "assign", "datasets", "draw", "evaluate", "compare", "suppress", "nms"} <= set(dir(bl))


@pytest.mark.parametrize("name", [name for name, formula in bl.catalogue().items() if formula.parameters])
def test_values_are_checked_where_a_loss_is_made(name):
    for parameter in bl.catalogue()[name].parameters:
        for wrong in (-1, math.nan, math.inf, "1", None):
            for make in (bl.loss, bl.nn.BoxLoss):
                with pytest.raises(ParameterError, match=f"{name}.*{parameter}"):
                    make(name, **{parameter: wrong})


def test_smooth_l1_becomes_l1_without_nan_as_beta_vanishes():
    a = torch.tensor([[0.0, 0, 10, 10]], requires_grad=True)
    b = torch.tensor([[0.0, 1, 12, 10]])
    for beta in (0.0, 1e-30):
        value = bl.smooth_l1_loss(a, b, beta=beta)
        assert value.item() == bl.l1_loss(a, b).item()
        assert torch.autograd.grad(value, a)[0].tolist() == [[0, -1, -1, 0]]


def test_every_formula_file_imports_no_array_library():
    for file in Path(formulas.__path__[0]).glob("*.py"):
        assert not {"numpy", "torch", "jax"} & {
            line.split()[1].split(".")[0] for line in file.read_text().splitlines() if line.startswith(("import ", "from "))
        }


def test_the_public_face_of_losses():
    weights = {"by_class", "by_size"}
    of_more_than_boxes = {"decode_distribution", "distribution_focal", "kl_loss"}
    assert set(losses.__all__) == {"Loss", "Similarity", "loss", "nearest", "pairs_above", "pairwise", *weights, *of_more_than_boxes}
