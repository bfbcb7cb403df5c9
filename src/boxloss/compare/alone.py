"""The report's look at the losses by themselves: the boxes that they move when nothing else is learned, as in the DIoU paper's simulation."""

import functools
from collections.abc import Sequence

import numpy as np

from boxloss.compare.document import Block, Code, Heading, Image, Paragraph
from boxloss.compare.verdict import listed
from boxloss.draw.curves_of_error import error_figure
from boxloss.draw.paths import TARGET, moving_svg, strip_figure, ways
from boxloss.draw.style import to_svg, to_svg_file
from boxloss.simulate.loss import chosen
from boxloss.simulate.protocol import PRESETS
from boxloss.simulate.run import moved
from boxloss.simulate.zoo import IN_THIS_UNIT

PLAN = PRESETS["quick"]


def alone(losses: Sequence[str]) -> list[Block]:
    """Their error step by step, and one box on its way. Empty where none of the losses can be simulated, or leaves its boxes finite."""
    # Those with parameters in pixels of a picture are left out: boxes with an area of 1 are none of theirs.
    asked = tuple(loss for loss in losses if loss.split(":")[0] not in IN_THIS_UNIT)
    return _blocks(asked) if asked else []


@functools.lru_cache(maxsize=1)
def _blocks(losses: tuple[str, ...]) -> list[Block]:
    asked = {loss.label: loss for text in losses for loss in chosen(text)}  # of two files' losses of one name, the last
    curves = {label: moved(loss, PLAN).sums for label, loss in asked.items()}
    found = ways(list(asked.values()), PLAN)
    lost = [label for label in asked if not (np.isfinite(curves[label]).all() and np.isfinite(found[label]).all())]
    for label in lost:
        del curves[label], found[label]
    if not found:
        return []
    moving = moving_svg(found, TARGET, "alone")
    strip, errors = strip_figure(found), error_figure(curves, PLAN, f"{PLAN.n_cases:,} boxes on their way")
    names = listed(list(found))
    return [
        Heading("The losses alone"),
        Paragraph(
            (
                "Nothing of this is learned from your data: boxes are moved by the gradient of a loss alone, 200 steps, most of them from where they do not "
                "touch their targets. It shows how each loss pulls. A detector starts nearer, and what it learns depends on much else, so the order here "
                "says little of the order above. ",
                Code(f"boxloss simulate {','.join(losses)}"),
                " goes further.",
                *([f" Not drawn, since no finite box comes of it: {listed(lost)}."] if lost else []),
            )
        ),
        Image(
            "alone-moving",
            f"A box on its way to its target under {names}",
            ("Green: the target. Grey, dashed: the start. One colour a loss. The steps pass the faster the later they are. Pointed at, it stands still.",),
            moving.encode(),
            "svg",
            moving,
        ),
        Image("alone-strip", f"The same, six steps of it, for {names}", ("The same, step by step; the numbers are IoUs.",), to_svg_file(strip), "svg",
              to_svg(strip, "alone-strip")),
        Image(
            "alone-errors", f"Mean error against the step, for {names}",
            ("The mean error over all boxes, on a logarithmic scale. Where a line falls steeply, the step has become smaller.",), to_svg_file(errors), "svg",
            to_svg(errors, "alone-errors"),
        ),
    ]  # fmt: skip
