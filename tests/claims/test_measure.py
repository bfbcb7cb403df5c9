"""What is measured is what a pencil finds, and what a formula gets wrong is seen."""

import json

import pytest

import boxloss as bl
from boxloss.claims import Measured, findings, kept, measure, remembered, similar
from boxloss.claims.findings import is_metric
from boxloss.claims.measured import from_dict
from claims import formulas
from close import as_printed, close


@pytest.fixture(scope="module")
def measured():
    found = {}

    def of(loss, **parameters):
        key = (str(loss if isinstance(loss, str) else loss.name), tuple(parameters.items()))
        if key not in found:
            found[key] = measure(loss, **parameters)
        return found[key]

    return of


def test_iou(measured):
    iou = measured("iou")
    assert (iou.least, iou.most, iou.self_cost, iou.swap, iou.doubled) == (0, 1, 0, 0, 0)
    assert is_metric(iou)
    assert iou.flat == {"apart": 1.0, "nested": 0.0, "overlapping": 0.0}
    assert iou.unmoved == 1  # nested: 1 - (area inside) / (area outside) knows no place
    assert iou.apart == (0, 0, 0)
    assert (iou.shift_top, iou.shift_flat, iou.shift_end) == (8, 1, 1)
    close(iou.match, (2, 1, 1), "float64", "finite differences")  # pencil: overlap 1 - h, union 1 + h; 1 of 1 + h


def test_giou_pulls_and_enlarges(measured):
    # pencil: unit boxes 3 apart: 1 + 2/4; hull 3 + (1 + w) / 2 wide: 2 - (1 + w) / (3.5 + w / 2) at w = 1: -1/4 + 2/32 = -3/16; d/dx 2/16
    giou = measured("giou")
    close(giou.apart, (1 / 8, -3 / 16, 0), "float64", "gradient", scale=(1, 1, 1))
    assert giou.enlarging == 1
    assert giou.repulsion == 0
    assert giou.monotone


def test_diou_is_no_metric_and_giou_may_be_one(measured):
    assert is_metric(measured("giou"))
    diou = measured("diou")
    assert diou.triangle > 0.11  # 0.117 by an independent hunt along the gradient
    loss = bl.loss("diou")
    a, b, c = diou.triangle_at
    close([loss(a, c) - loss(a, b) - loss(b, c)], [diou.triangle], "float64", "textbook")
    assert diou.triangle_random < 0  # random triples alone do not show it


def test_a_loss_that_pushes_away(measured):
    found = measured(formulas.repulsive)
    assert found.repulsion < 0
    assert found.repulsive["apart"] == 1  # the overlap is constant there, and the factor falls
    assert found.fall > 0.1
    assert not found.monotone


@pytest.mark.slow
def test_the_same_without_kernels():
    with bl.plain():
        plain = measure(formulas.honest)
    assert plain.as_dict() == measure(formulas.honest).as_dict()


def test_json_and_back(measured):
    giou = measured("giou")
    assert from_dict(json.loads(json.dumps(giou.as_dict()))) == giou


CAUGHT = {
    "too_narrow": ("bounds", "claims values in [0, 1], but costs 2 for "),
    "one_sided": ("symmetric", "claims to be symmetric, but changes by up to "),
    "symmetric_after_all": ("symmetric", "claims not to be symmetric, but is"),
    "in_pixels": ("scale-free", "claims to be scale-free, but changes by up to "),
    "scale_free_after_all": ("scale-free", "claims not to be scale-free, but is"),
    "no_metric": ("metric", "claims the triangle inequality, but loss(a, c) is larger than "),
    "costly_at_home": ("itself", "a box against itself must cost exactly 0, but costs up to 0.5"),
    "infinite": ("finite", "values and gradients must be finite, but the value is "),
    "secretly_held": ("gradient", "the gradient is not the value's slope, but off by up to "),
    "wrong_slope": ("gradient", "the gradient is not the value's slope: off by up to "),
    "wrong_case": ("cases", "its case (0, 0, 1, 1) against (2, 0, 3, 1) should cost 1.5, and costs 1.4"),
}


QUICK = ("too_narrow", "secretly_held", "wrong_case")  # the others take some seconds each


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in CAUGHT])
def test_a_false_claim_is_found(name, measured):
    formula = getattr(formulas, name)
    wrong = {finding.about: finding.sentence for finding in findings(formula, measured(formula)) if finding.holds is False}
    about, sentence = CAUGHT[name]
    assert about in wrong
    assert wrong[about].startswith(sentence)
    assert set(wrong) <= {about, "bounds", "itself"} or name in ("infinite",)


@pytest.mark.parametrize("name", ["honest", "openly_held"])
def test_true_claims_hold(name, measured):
    formula = getattr(formulas, name)
    assert [finding for finding in findings(formula, measured(formula)) if finding.holds is False] == []


def test_a_figure_is_kept_until_the_formula_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("BOXLOSS_CACHE", str(tmp_path))
    assert kept(formulas.openly_held) is None
    found = remembered(formulas.openly_held)
    assert isinstance(found, Measured)
    assert kept(formulas.openly_held) == found
    changed = bl.formula(**formulas.TRUE, held=("penalty",))(lambda p: p.jaccard)
    object.__setattr__(changed, "name", "openly_held")
    assert kept(changed) is None


def test_what_is_like_a_loss():
    (first, *_), likeness = similar(bl.find("ciou")), similar(formulas.honest, n=1)[0]
    assert first.name == "ciou_attached"  # one value
    assert likeness.name in ("diou", "ciou_gated")
    as_printed(likeness.direction, "1.00")
    as_printed(likeness.rank, "1.00")
