"""Losses as a user writes them, and what their folders are called."""

import pickle

import numpy as np
import pytest

import boxloss as bl
from boxloss.errors import FormulaError, ParameterError, UnknownNameError
from boxloss.simulate.gradients import FAULTS
from boxloss.simulate.loss import Loss, chosen, fault_words, word
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.run import Simulation

MINE = """
import boxloss as bl

@bl.formula(title="mine", paper="mine", bounds="[0, 1.5]", symmetric=True, scale_free=True)
def mild_giou(p, *, share=0.5):
    return p.jaccard, share * bl.ops.ratio(p.waste, p.hull)
"""


def labels(text, faults=None):
    return [loss.label for loss in chosen(text, faults)]


def test_labels():
    assert labels("giou, ciou:inner=.8,diou:focaler=0..0.95:wise=true") == ["giou", "ciou-inner=0.8", "diou-focaler=0..0.95-wise=true"]
    assert labels("eiou") == ["efficient_iou"]
    assert labels("giou,iou", FAULTS) == ["giou-released", "iou-released"]
    assert labels("diou", ["cross-axis", "diagonal's sign"]) == labels("diou", ["diagonal's sign", "cross-axis"]) == ["diou-released-diagonals-sign+cross-axis"]
    assert labels("diou", []) == ["diou-released-faultless"]


@pytest.mark.parametrize("name", bl.catalogue())
def test_every_loss_has_its_name_for_a_label(name):
    assert labels(name) == [name]


def test_a_formula_of_ones_own(tmp_path):
    file = tmp_path / "my_loss.py"
    file.write_text(MINE)
    half, other = chosen(f"{file}:mild_giou,{file}:mild_giou:share=0.25")
    assert (half.label, other.label) == ("mild_giou", "mild_giou-share=0.25")
    assert other.parameters == {"share": 0.25}


def test_a_simulation_travels_without_its_formula(tmp_path):
    """To a machine that has no such file."""
    file = tmp_path / "my_loss.py"
    file.write_text(MINE)
    (loss,) = chosen(f"{file}:mild_giou")
    sent = Simulation.of(loss, PRESETS["quick"].with_(n_centres=1, steps=5))
    text = pickle.dumps(sent)
    assert b"my_loss" not in text
    came = pickle.loads(text)
    assert came.digest == sent.digest
    assert came.plan == sent.plan
    with bl.plain():
        assert (came.shard(0, 343).boxes == sent.shard(0, 343).boxes).all()


def test_another_text_has_another_digest():
    plan = PRESETS["quick"]
    digests = [Simulation.of(loss, plan).digest for loss in chosen("giou,diou,diou:inner=0.8")]
    digests += [Simulation.of(loss, plan).digest for loss in chosen("diou", FAULTS)]
    digests += [Simulation.of(*chosen("giou"), plan.with_(optimiser="adam")).digest, Simulation.of(*chosen("giou"), plan.with_(factor=False)).digest]
    assert len(set(digests)) == len(digests)


def test_fault_words():
    assert fault_words("doubled-sizes, diagonal's sign") == ("doubled sizes", "diagonal's sign")
    assert fault_words(",".join(map(word, FAULTS))) == tuple(FAULTS)
    with pytest.raises(UnknownNameError, match="did you mean cross-axis"):
        fault_words("crossaxis")


@pytest.mark.parametrize(
    ("text", "faults", "error", "said"),
    [
        ("", None, ParameterError, "none is named"),
        ("giou,giou", None, ParameterError, "giou comes twice"),
        ("giuo", None, UnknownNameError, "did you mean giou"),
        ("giou:power", None, ParameterError, "cannot read 'power'"),
        ("giou:power=0", None, ParameterError, "power is 0"),
        ("nowhere.py:mine", None, FormulaError, "no such file"),
        ("siou", FAULTS, ParameterError, "no released update of 'siou'"),
        ("giou:inner=0.8", FAULTS, ParameterError, "giou: inner was given, but the released update has no parameters"),
        ("giou", ("slip",), UnknownNameError, "unknown fault 'slip'"),
    ],
)
def test_errors(text, faults, error, said):
    with pytest.raises(error, match=said):
        chosen(text, faults)


def test_the_released_update_moves_centres_and_sizes_alone():
    with pytest.raises(ParameterError, match="the released update moves cxcywh, and the protocol wiou-paper moves xyxy"):
        Loss(bl.catalogue()["giou"], faults=()).update(PRESETS["wiou-paper"], "float64")


def test_parameters_move_boxes_otherwise():
    plan = PRESETS["quick"].with_(n_centres=1, steps=3)
    with bl.plain():
        ends = [Simulation.of(loss, plan).shard(0, 343).boxes for loss in chosen("diou,diou:inner=0.8")]
    assert not np.array_equal(*ends)
