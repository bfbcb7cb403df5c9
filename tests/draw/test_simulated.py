"""What figures are drawn from: a run's folder, or losses that are simulated on the spot, to the same bits."""

import numpy as np
import pytest

import boxloss as bl
from boxloss.draw.simulated import results, write_rows
from boxloss.errors import ParameterError
from boxloss.simulate import PRESETS, study
from boxloss.simulate.loss import chosen

PLAN = PRESETS["quick"].with_(n_centres=1, steps=3)


def test_a_folder_has_what_is_made_on_the_spot(tmp_path):
    pytest.importorskip("pyarrow")
    with bl.plain():
        study.study("giou,l1", PLAN, out=tmp_path / "run", quiet=True)
        kept, made = (results(source, chosen, PLAN, quiet=True) for source in (str(tmp_path / "run"), "giou,l1"))
    assert list(kept) == list(made) == ["giou", "l1"]
    for label in kept:
        assert (kept[label].boxes == made[label].boxes).all()
        assert (kept[label].sums == made[label].sums).all()


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="not the --out of a boxloss simulate"):
        results(str(tmp_path), chosen, PLAN)


def test_rows_as_csv(tmp_path):
    write_rows((("loss", "step", "error"), [("a,b", 0, float(np.float64(0.1)))]), tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == 'loss,step,error\n"a,b",0,0.1\n'
