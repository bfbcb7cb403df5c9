"""`python -m benchmarks.three_uses [FOLDER]`: docs/three-uses.md's tables and picture: IoU's three uses, each varied alone.

Trains the small detector on the embedded pictures, as `boxloss compare` does: 16 ways and three seeds, some 15 minutes on two cores. Stopped, it goes on.
"""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.peers import ROOT
from boxloss.anchors import points
from boxloss.assign import ASSIGNERS, Objects, from_points, within
from boxloss.compare import compare
from boxloss.datasets import load
from boxloss.draw.colours import INK, look
from boxloss.draw.style import new_figure, save, styled

PICTURE = ROOT / "docs" / "three-uses.png"
SEEDS = (0, 1, 2)
TRAINED = ("smooth_l1", "iou", "giou", "diou", "ciou")
LOSS, RULE, JUDGED = "giou", "centre_sampling", "greedy"
"""What stays where it is not varied."""
SUPPRESSIONS: dict[str, dict[str, Any]] = {
    "none": {"nms_threshold": 1.0},
    **{kind: {"nms": kind} for kind in ("greedy", "diou", "soft_linear", "weighted")},
}
METRICS = {"AP": "ap", "AP50": "ap50", "AP75": "ap75", "AP90": "ap90"}

By = dict[str, list[float]]
"""A metric's values, one a seed."""


@dataclass(frozen=True)
class Use:
    title: str
    fixed: str
    rows: dict[str, By]


def trained(out: Path, losses: tuple[str, ...] = (LOSS,), **options: Any) -> dict[str, By]:
    """Metrics by loss."""
    results = compare("embedded", losses, seeds=SEEDS, epochs=10, batch_size=8, eval_every=10, baseline=LOSS, out=out, **options)
    return {loss: {name: [one["metrics"][key] for one in results.trials if one["loss"] == loss] for name, key in METRICS.items()} for loss in losses}


def uses(out: Path) -> list[Use]:
    of_losses = trained(out / "losses", TRAINED)
    usual = of_losses[LOSS]
    of_rules = {rule: usual if rule == RULE else trained(out / rule, assigner=rule)[LOSS] for rule in ASSIGNERS}
    kinds = {kind: usual if kind == JUDGED else trained(out / f"nms-{kind}", **given)[LOSS] for kind, given in SUPPRESSIONS.items()}
    return [
        Use("assign: who learns", f"loss {LOSS}, suppression {JUDGED}", of_rules),
        Use("judge: who stays", f"loss {LOSS}, assigner {RULE}", kinds),
        Use("train: what is learned", f"assigner {RULE}, suppression {JUDGED}", of_losses),
    ]


def table(use: Use) -> str:
    lines = [f"{use.title}; {use.fixed}", "", f"| | {' | '.join(METRICS)} |", "|---|" + "---:|" * len(METRICS)]
    for name, by in use.rows.items():
        cells = (f"{statistics.mean(values):.3f} ± {(max(values) - min(values)) / 2:.3f}" for values in by.values())
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def whom(rules: tuple[str, ...] = ("max_iou", "ssd", "ratio", "atss", "centre_sampling")) -> str:
    """Who learns, by the rules that look at the objects alone."""
    lines = ["| | positives an object | of these outside of it | objects without |", "|---|---:|---:|---:|"]
    pictures = load("embedded").splits["train"]
    for rule in rules:
        n_positive = n_outside = n_served = n_objects = 0
        for picture in pictures:
            xy, strides = points(picture.width, picture.height)
            boxes = picture.boxes.astype(np.float32)
            found = ASSIGNERS[rule](from_points(xy, strides), Objects(boxes, picture.labels))
            n_positive += int(found.mask.sum())
            n_outside += sum(not within(xy[[p]], boxes[[found.index[p]]])[0] for p in np.flatnonzero(found.mask))
            n_served += len(np.unique(found.index[found.mask]))
            n_objects += len(boxes)
        lines.append(f"| `{rule}` | {n_positive / n_objects:.1f} | {n_outside / n_positive:.0%} | {1 - n_served / n_objects:.0%} |")
    return "\n".join(lines) + "\n"


@styled
def picture(found: list[Use]) -> Figure:
    """AP of each choice, a dot a seed. What is kept in the other panels is bold."""
    figure = new_figure(12.8, 4.2)
    panels = figure.subplots(1, len(found), sharex=True)
    for axes, use in zip(panels, found, strict=True):
        _panel(axes, use)
    figure.supxlabel("AP of three seeds, and their mean", fontsize=10)
    return figure


def _panel(axes: Axes, use: Use) -> None:
    for height, (name, by) in enumerate(use.rows.items()):
        colour = look(name if set(use.rows) == set(TRAINED) else LOSS).colour
        values = by["AP"]
        axes.plot(values, [height] * len(values), "o", color=colour, alpha=0.55, markersize=7, markeredgewidth=0)
        axes.plot([statistics.mean(values)] * 2, [height - 0.3, height + 0.3], color=INK, linewidth=2)
    axes.set_yticks(range(len(use.rows)), list(use.rows))
    for label in axes.get_yticklabels():
        if label.get_text() in (LOSS, RULE, JUDGED):
            label.set_fontweight("bold")
    axes.set_ylim(len(use.rows) - 0.5, -0.5)
    axes.set_title(use.title)


def main(out: Path = Path("runs/three-uses")) -> None:
    found = uses(out)
    for use in found:
        print(table(use))
    print(whom())
    save(picture(found), PICTURE)
    print(f"{PICTURE} is drawn.")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
