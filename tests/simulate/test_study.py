"""The command's work: options as a user gives them, and the table."""

import pytest

from boxloss.errors import ParameterError, UnknownNameError
from boxloss.kernels import threads
from boxloss.simulate import simulate
from boxloss.simulate.gradients import FAULTS
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.study import HEADER, as_dicts, changed, row, study
from close import as_printed

PLAN = PRESETS["quick"].with_(name="small", n_centres=2, steps=20)


def test_the_table_is_the_simulations(capsys):
    (found,) = study("giou", PLAN)
    want = simulate("giou", PLAN)
    loss, mean, total, iou, share, every = row(*found)
    assert (loss, len(HEADER)) == ("giou", 6)
    as_printed(want.errors.mean(), mean)
    as_printed(want.sums[-1], total)
    as_printed(want.ious.mean(), iou)
    as_printed(100 * (want.ious > 0.75).mean(), share.removesuffix("%"))
    as_printed(want.sums[1:].sum(), every)
    (record,) = as_dicts([found])
    assert record["curve"] == want.sums.tolist()
    assert record["cases"] == 686
    assert capsys.readouterr().out == ""


def test_gradients_and_faults():
    labels = [
        study(*args, quiet=True, **how)[0][0].faults
        for args, how in (
            (("giou", PLAN), {}),
            (("giou", PLAN), {"gradient": "as-released"}),
            (("giou", PLAN), {"gradient": "as-released", "faults": "none"}),
            (("giou", PLAN), {"gradient": "as-released", "faults": "doubled-sizes"}),
        )
    ]
    assert labels == [None, tuple(FAULTS), (), ("doubled sizes",)]


def test_changed():
    assert changed("quick", None, {"seed": None}) == PRESETS["quick"]
    found = changed("quick", 0.2, {"n_centres": 3, "optimiser": "adam", "steps": None})
    assert (found.n_centres, found.optimiser, found.steps, found.rates[0]) == (3, "adam", 200, (0.8, 0.2))


@pytest.mark.thread_unsafe(reason="the number of threads is the process's")
def test_workers_are_threads(monkeypatch):
    monkeypatch.setattr(threads, "_chosen", None)
    study("giou", PLAN, workers=3, quiet=True)
    assert threads.get_num_threads() == 3


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"gradient": "wrong"}, UnknownNameError, "unknown --gradient 'wrong'"),
        ({"faults": "cross-axis"}, ParameterError, "give --gradient as-released, too"),
        ({"resume": True}, ParameterError, "--resume goes with --out"),
        ({"engine": "rays"}, UnknownNameError, "did you mean ray"),
    ],
)
def test_errors(how, error, said):
    with pytest.raises(error, match=said):
        study("giou", PLAN, quiet=True, **how)
