"""The report's losses alone: what can be simulated is shown, once, and nothing else."""

from pathlib import Path

from boxloss.compare.alone import alone
from boxloss.compare.document import Image


def test_losses_in_pixels_are_left_out():
    assert alone(["nwd", "dotd:size=3"]) == []


def test_two_losses_have_three_figures_and_the_command():
    blocks = alone(["giou", "nwd", "smooth_l1:beta=0.5"])
    figures = [block for block in blocks if isinstance(block, Image)]
    assert [figure.name for figure in figures] == ["alone-moving", "alone-strip", "alone-errors"]
    assert all("giou" in figure.alt and "smooth_l1" in figure.alt and "nwd" not in figure.alt for figure in figures)
    assert "boxloss simulate giou,smooth_l1:beta=0.5" in str(blocks)
    assert alone(["giou", "nwd", "smooth_l1:beta=0.5"]) is blocks, "kept, so that a report that is written again costs nothing"


LOST = """import boxloss as bl
@bl.formula(title="The root of less than nothing", paper="mine", bounds="[0, 1]", symmetric=True, scale_free=True)
def {}(p):
    return bl.ops.sqrt(p.jaccard - 2.0)
"""


def test_losses_that_leave_no_finite_box_are_named_and_not_drawn(tmp_path):
    """With every loss NaN, Matplotlib was asked for a figure without a size."""
    for name in ("lost", "gone"):
        (tmp_path / f"{name}.py").write_text(LOST.format(name))
    lost, gone = f"{tmp_path}/lost.py:lost", f"{tmp_path}/gone.py:gone"
    assert alone([lost, gone]) == []
    blocks = alone(["giou", lost])
    assert "no finite box comes of it: lost." in str(blocks)
    assert all("lost" not in block.alt for block in blocks if isinstance(block, Image))


def test_two_files_may_call_their_losses_the_same(tmp_path):
    places = [f"{tmp_path}/{file}.py:lost" for file in "ab"]
    for place in places:
        Path(place.split(":")[0]).write_text(LOST.format("lost").replace("p.jaccard - 2.0", "p.jaccard"))
    assert len([block for block in alone(places) if isinstance(block, Image)]) == 3
