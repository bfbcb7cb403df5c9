"""The report's losses alone: what can be simulated is shown, once, and nothing else."""

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
