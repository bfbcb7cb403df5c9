"""The experiment as data: the cases of the DIoU paper, counted and drawn as it describes them, and what a protocol refuses."""

import math
import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.simulate.protocol import PRESETS, Protocol, find, read
from close import close
from shared_data import ROOT

PAPER = PRESETS["diou-paper"]
SMALL = PAPER.with_(name="small", n_centres=3)


def test_the_papers_numbers():
    # 5000 centres, 7 targets, 7 scales, 7 ratios; rates .1 to step 160, .01 to 180, .001 to 200
    assert PAPER.n_cases == 5000 * 7 * 7 * 7 == 1_715_000
    assert PAPER.step_sizes().tolist() == [0.1] * 160 + [0.01] * 20 + [0.001] * 20


@pytest.mark.parametrize("steps", [1, 2, 10, 37, 120, 200, 999])
def test_a_rate_ends_at_its_share_of_the_steps(steps):
    rates = PAPER.with_(steps=steps).step_sizes()
    assert len(rates) == steps
    assert (np.diff(rates) <= 0).all()
    assert (rates == 0.1).sum() == math.floor(steps * 8 / 10)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_boxes_have_the_areas_and_ratios_that_they_say(preset):
    plan = preset.with_(n_centres=2)
    anchors, targets = plan.cases(0, plan.n_cases)
    close(targets[:, 2] * targets[:, 3], [plan.target_area] * len(targets))
    assert (targets[:, :2] == plan.centre).all()
    shape = 2, len(plan.ratios), len(plan.scales), len(plan.ratios)
    area = (anchors[:, 2] * anchors[:, 3]).reshape(shape)
    close(area, np.broadcast_to(plan.target_area * np.array(plan.scales)[:, None], shape))
    close((anchors[:, 2] / anchors[:, 3]).reshape(shape), np.broadcast_to(plan.ratios, shape))
    close((targets[:, 2] / targets[:, 3]).reshape(shape), np.broadcast_to(np.array(plan.ratios)[:, None, None], shape))
    assert (anchors[:, :2].reshape(2, -1, 2) == plan.centres()[:, None]).all()


@given(st.integers(0, SMALL.n_cases), st.integers(0, SMALL.n_cases))
def test_a_range_of_cases_is_that_part_of_all(first, last):
    first, last = sorted((first, last))
    for part, whole in zip(SMALL.cases(first, last), SMALL.cases(0, SMALL.n_cases), strict=True):
        assert (part == whole[first:last]).all()


def test_centres_are_even_over_the_disc():
    away = np.hypot(*(PAPER.centres() - PAPER.centre).T) / PAPER.radius
    assert away.max() <= 1
    # Of 5000 each tenth of the area holds 500, with a standard deviation of 21.
    counts, _ = np.histogram(away**2, 10, (0, 1))
    assert 400 < counts.min() <= counts.max() < 600


def test_half_of_a_log_disc_lies_within_a_sixteenth_of_its_radius():
    plan = PRESETS["wiou-paper"].with_(n_centres=4000)
    away = np.hypot(*(plan.centres() - plan.centre).T) / plan.radius
    assert 1800 < (away < 1 / 16).sum() < 2200


def test_the_same_seed_the_same_centres_and_the_first_ones_whatever_their_number():
    assert (PAPER.centres() == PAPER.with_(name="again").centres()).all()
    assert (PAPER.with_(n_centres=9).centres() == PAPER.centres()[:9]).all()
    assert (PAPER.with_(seed=1).centres() != PAPER.centres()).all()


def test_a_preset_by_name_and_a_protocol_itself():
    assert find("quick") is PRESETS["quick"]
    assert find(SMALL) is SMALL
    with pytest.raises(UnknownNameError, match="unknown protocol 'diou': did you mean diou-paper"):
        find("diou")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"n_centres": 0}, ParameterError, "n_centres is 0, expected a whole number >= 1"),
        ({"steps": 1.5}, ParameterError, "steps is 1.5"),
        ({"steps": True}, ParameterError, "steps is True"),
        ({"seed": -1}, ParameterError, "seed is -1"),
        ({"radius": 0}, ParameterError, "radius is 0"),
        ({"ratios": ()}, ParameterError, "ratios is"),
        ({"scales": (1.0, math.inf)}, ParameterError, "scales is"),
        ({"target_area": "one"}, ParameterError, "target_area is 'one'"),
        ({"centre": (1.0,)}, ParameterError, r"centre is \(1.0,\), expected two finite numbers"),
        ({"centre": (1.0, math.nan)}, ParameterError, "centre is"),
        ({"rates": ()}, ParameterError, "rates is"),
        ({"rates": ((0.5, 0.1),)}, ParameterError, "rates is"),
        ({"rates": ((0.8, 0.1), (0.5, 0.1), (1.0, 0.1))}, ParameterError, "rates is"),
        ({"rates": ((1.0, 0.0),)}, ParameterError, "rates is"),
        ({"factor": 1}, ParameterError, "factor is 1, expected True or False"),
        ({"parameters": "xywh"}, UnknownNameError, "parameters of a protocol 'xywh'"),
        ({"optimiser": "adamw"}, UnknownNameError, "did you mean adam"),
        ({"draw": "square"}, UnknownNameError, "draw of a protocol"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, error, said):
    with pytest.raises(error, match=said):
        Protocol("mine", **changes)


def test_another_rate_scales_the_whole_schedule():
    assert PAPER.at_rate(0.2).rates == ((0.8, 0.2), (0.9, 0.02), (1.0, 0.002))
    assert PAPER.at_rate(0.1) == PAPER


def test_a_protocol_in_a_file(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(SMALL.as_json())
    assert find(str(file)) == SMALL
    file.write_text('{"scales": [1, 2], "rates": [[1, 0.5]]}')
    assert find(str(file)) == Protocol("mine", scales=(1, 2), rates=((1, 0.5),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        ("{", "that is not JSON"),
        ("[1]", "that is list, expected an object"),
        ('{"steps": 0}', "steps is 0"),
        ('{"step": 9}', "unknown field of a protocol 'step': did you mean steps"),
        ('{"rates": 3}', "rates is 3"),
        ('{"rates": [[1]]}', "rates is"),
        ('{"name": 3}', "name is 3"),
    ],
)
def test_a_file_that_holds_no_protocol(tmp_path, text, said):
    file = tmp_path / "mine.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        find(str(file))


def test_every_field_is_on_the_page():
    page = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)[: len(fields(Protocol))] == [field.name for field in fields(Protocol)]


def test_a_file_with_a_misspelt_field_is_named(tmp_path):
    file = tmp_path / "mine.json"
    for text, message in (('{"step": 3}', "unknown field of a protocol 'step': did you mean steps"), ('{"optimiser": "adm"}', "did you mean adam")):
        file.write_text(text)
        with pytest.raises(ParameterError, match=f"mine.json: .*{message}"):
            read(file)
