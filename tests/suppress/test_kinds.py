"""Kinds by name: what each takes, and what is said of what it does not take."""

import re

import numpy as np
import pytest

import boxloss as bl
from boxloss import suppress
from boxloss.errors import BoxLossError, DTypeError, ParameterError, UnknownNameError
from boxloss.evaluate.suppressed import KINDS as ON_THE_COMMAND_LINE
from boxloss.suppress.kinds import KINDS, MOVING
from shared_data import ROOT

BOXES, SCORES = np.array([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]]), np.array([0.6, 0.9, 0.5])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_its_function(kind):
    given = {"densities": np.zeros(3)} if kind == "adaptive" else {}
    found = KINDS[kind](BOXES, SCORES, labels=None, **given)
    assert bl.nms(BOXES, SCORES, kind=kind, **given).tolist() == (found[0] if isinstance(found, tuple) else found).tolist()


def test_the_page_has_the_names():
    table = (ROOT / "docs/suppression.md").read_text().partition("| `bl.nms(kind=...)` |")[2].partition("\n\n")[0]
    rows = [[re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]
    functions = {name: function.__name__ for name, function in (KINDS | MOVING).items()} | {"greedy": "nms", "diou": "nms"}
    assert [kind for kinds, _, _ in rows for kind in kinds] == list(KINDS)
    assert {name for _, names, _ in rows for name in names} == set(ON_THE_COMMAND_LINE)
    for kinds, names, (function,) in rows:
        assert {functions[name.removesuffix("_linear")] for name in (*kinds, *names)} <= {function}
    assert {function for *_, (function,) in rows} == {name for name in suppress.__all__ if re.search("nms|fusion", name)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        # Another kind's
        (lambda: bl.nms(BOXES, SCORES, sigma=0.5), ParameterError, "nms: kind 'greedy' takes no sigma, which is for the kinds soft, matrix, spm"),
        (lambda: bl.nms(BOXES, SCORES, kind="cluster", beta=0.6), ParameterError, "nms: kind 'cluster' takes no beta, which is for the kinds diou, spm"),
        (lambda: bl.nms(BOXES, SCORES, densities=SCORES), ParameterError, "nms: kind 'greedy' takes no densities, which is for the kind adaptive"),
        (
            lambda: bl.nms(BOXES, SCORES, kind="diou", measure="giou"),
            ParameterError,
            "nms: kind 'diou' takes no measure, which is for the kinds greedy, cluster",
        ),
        (lambda: bl.nms(BOXES, SCORES, kind="matrix", threshold=0.5), ParameterError, "nms: kind 'matrix' takes no threshold, which is for the kinds greedy"),
        (lambda: bl.nms(BOXES, SCORES, measure="giou", beta=0.5), ParameterError, "nms: kind 'greedy' takes no beta, which is for the kinds diou, spm"),
        # One that the decay makes nothing of
        (lambda: bl.nms(BOXES, SCORES, kind="soft", threshold=0.5), ParameterError, "soft_nms: threshold is for decay='linear', and the decay is 'gaussian'"),
        (lambda: suppress.soft_nms(BOXES, SCORES, threshold=0.5), ParameterError, "soft_nms: threshold is for decay='linear', and the decay is 'gaussian'"),
        (
            lambda: suppress.soft_nms(BOXES, SCORES, decay="linear", sigma=1),
            ParameterError,
            "soft_nms: sigma is for decay='gaussian', and the decay is 'linear'",
        ),
        (lambda: suppress.matrix_nms(BOXES, SCORES, decay="linear", sigma=1), ParameterError, "matrix_nms: sigma is for decay='gaussian', and the decay is"),
        # Nobody's
        (lambda: suppress.matrix_nms(BOXES, SCORES, threshold=0.5), UnknownNameError, "unknown option of matrix_nms 'threshold': there are: decay, focal"),
        (lambda: bl.nms(BOXES, SCORES, thresold=0.5), UnknownNameError, "unknown option of nms 'thresold': did you mean threshold?"),
        (lambda: bl.nms(BOXES, SCORES, kind="soft", sgima=0.5), UnknownNameError, "unknown option of soft_nms 'sgima': did you mean sigma"),
        (lambda: bl.nms(BOXES, SCORES, measure="mpdiou", image_widht=9), UnknownNameError, "unknown option of nms 'image_widht': did you mean image_width"),
        *(
            (
                lambda function=function: function(BOXES, SCORES, tresold=0.5),
                UnknownNameError,
                f"unknown option of {function.__name__} 'tresold': did you mean thre",
            )
            for function in (suppress.cluster_nms, suppress.fast_nms, suppress.soft_nms, suppress.cluster_spm_nms, *MOVING.values())
        ),
        # What is missing, and kinds
        (lambda: bl.nms(BOXES, SCORES, kind="adaptive"), ParameterError, "nms: kind 'adaptive' needs densities=..., see boxloss.suppress.adaptive_nms"),
        (
            lambda: bl.nms(BOXES, SCORES, kind="weighted"),
            ParameterError,
            "nms: kind 'weighted' moves boxes, and so gives no rows: call boxloss",
        ),
        (lambda: bl.nms(BOXES, SCORES, kind="sotf"), UnknownNameError, "unknown kind of nms 'sotf': did you mean soft"),
        (lambda: bl.nms(BOXES, SCORES, kind=None), UnknownNameError, "unknown kind of nms None: there are: adaptive"),
        # Values
        (lambda: bl.nms(BOXES, SCORES, kind="diou", beta=-1), ParameterError, "nms: beta is -1, expected a number > 0"),
        (lambda: bl.nms(BOXES, SCORES, kind="diou", beta="1"), ParameterError, "nms: beta is '1', expected a number > 0"),
        (lambda: suppress.fast_nms(BOXES, SCORES, threshold=-0.1), ParameterError, "fast_nms: threshold is -0.1, expected a number in [0, 1]"),
        # A threshold without its name
        (lambda: bl.nms(BOXES, SCORES, 0.5), DTypeError, "nms: labels is 0.5, expected integers, (N,): a threshold is given by its name, threshold=0.5"),
        (
            lambda: suppress.weighted_nms(BOXES, SCORES, np.float32(0.5)),
            DTypeError,
            "weighted_nms: labels is 0.5, expected integers, (N,): a threshold is given by",
        ),
        (
            lambda: suppress.adaptive_nms(BOXES, SCORES, 0.5),
            DTypeError,
            "adaptive_nms: densities is 0.5, expected numbers, (N,): a threshold is given by its name",
        ),
        (
            lambda: suppress.weighted_box_fusion([BOXES], [SCORES], 0.5),
            DTypeError,
            "weighted_box_fusion: labels is 0.5, expected a list: a threshold is given by",
        ),
        (
            lambda: suppress.weighted_box_fusion([BOXES], [SCORES], weights=2),
            ParameterError,
            "weighted_box_fusion: weights is 2, expected a number for each model",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(BoxLossError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
    assert type(refusal.value) is error


def test_a_measure_s_own_parameters_and_modifiers_go_through():
    assert bl.nms(BOXES, SCORES, measure="smooth_l1", beta=0.5, threshold=-30).tolist() == [1, 2]
    assert suppress.fast_nms(BOXES, SCORES, measure="giou", power=2).tolist() == [1, 2]
    assert bl.nms(BOXES, SCORES, kind="diou", inner=0.8).tolist() == [1, 2]
