"""The zoo as files: the table for programs, and a page for people, whose every number comes from it."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np

from boxloss.boxes import convert
from boxloss.formulas import find
from boxloss.losses import Similarity
from boxloss.simulate.store import libraries
from boxloss.simulate.zoo import ADAM_RATE, COLUMNS, IN_THIS_UNIT, PLAN, VARIANTS, Row, as_csv, as_dicts, best, by_loss, table

PAGE = """\
# The zoo: every loss through the DIoU paper's simulation

Written by `{command}`{took}. Numbers: [zoo.csv]({folder}/zoo.csv), and the same as
[zoo.parquet]({folder}/zoo.parquet).

Boxes are moved to their targets by the gradient of a loss alone: {n_losses} losses, {n_cases:,} cases each. There are {n_centres} centres of anchors in
a disc of radius {radius:g} about the targets' centre, 7 targets of area 1, and 7 x 7 anchors on each centre. A box makes {steps} steps, each times
2 - IoU. The rate is that of the first 160; then a tenth of it for 20, and a hundredth for 20. Adam goes the same way at {adam_rate:g}.

A cell is the mean error after the last step, |x - x'| + |y - y'| + |w - w'| + |h - h'|, and the mean IoU. The losses whose best rate of plain
descent brings the best IoU come first.

{cells}

## Ranks

By the mean error, 1 for the least. The last column is how far a loss moves in the ranks of plain descent.

{ranks}

How well the order at one rate tells the order at another (Spearman's correlation of the ranks; 1: the same order, 0: nothing):

{correlations}

## What it can say

- **The rate decides.** Between rates {movers} move by more than half of the table.
  At a rate of 0.1 GIoU's error is {giou_1} and DIoU's {diou_1}; at 0.2 they are {giou_2} and {diou_2}.
- **Plain distances win here.** The first three at a rate of 0.1 are {winners}.
  All targets have one area. What overlap losses were invented for, boxes of very different sizes under one rate, does not occur.
- **Without a pull across a gap a box stays where it is.** {apart:.0%} of the cases begin apart. With a mean IoU below 0.3 at every rate of plain descent end
  {stuck}.
  Some of these have no gradient between boxes apart, others a weak one, or one that points away.
- **Adam hides what a loss's slopes are worth.** It divides by their size, so weak pulls count as much as strong ones: with it {adam_good} of {n_losses} losses
  come to a mean IoU above 0.99; with their best rate of plain descent {descent_good} do.

## What it cannot say

- Which loss trains a better detector. Real positives nearly always overlap their objects, a network moves all boxes together, and a loss is one
  term of several. For that there is `boxloss compare`.
- Which of two losses with similar figures is better: {n_centres} centres are one draw, and another (`--seed {other_seed}`) gives other figures.
- Anything about rates between these or beyond, or about parameters other than those named. Those of {units} are lengths, in pixels by
  default, and were given for boxes of this size; {variants} are there beside the defaults.

Nothing is clamped: a width may pass through 0 on its way, and a box that is inverted is pulled back by its inversion's cost. A sweep that holds
widths and heights above some small number, as one often sees, gives other figures where steps are large.
"""


def page_file(out: Path) -> Path:
    """FOLDER.md, beside the folder."""
    named = out if out.name.strip(".") else out.resolve()  # "." and ".." have no name of their own
    return named.with_name(f"{named.name}.md")


def write(rows: Sequence[Row], out: Path, seed: int = PLAN.seed) -> list[Path]:
    """The files: FOLDER/zoo.csv, FOLDER/zoo.parquet, and the page FOLDER.md. `seed`: what the rows came of."""
    arrow, parquet = libraries()
    out.mkdir(parents=True, exist_ok=True)
    files = [out / "zoo.csv", out / "zoo.parquet", page_file(out)]
    files[0].write_text(as_csv(rows), encoding="utf-8")
    parquet.write_table(arrow.table({name: [row[name] for row in as_dicts(rows)] for name in COLUMNS}), files[1])
    files[2].write_text(page(rows, out, seed), encoding="utf-8")
    return files


def page(rows: Sequence[Row], out: Path, seed: int = PLAN.seed) -> str:
    animals = by_loss(rows)
    n_cases = rows[0].cases
    plan = PLAN.with_(n_centres=n_cases // PLAN.cases_per_centre, seed=seed)
    options = {"--centres": (plan.n_centres, PLAN.n_centres), "--seed": (seed, PLAN.seed)}
    given = [word for option, (value, default) in options.items() if value != default for word in (option, str(value))]
    ranks = {loss: [row.rank for row in its] for loss, its in animals}
    moves = {loss: max(of[:-1]) - min(of[:-1]) for loss, of in ranks.items()}
    ways = [row.way for row in animals[0][1]]
    error = {(row.loss, row.way): f"{row.mean_error:.4f}" for row in rows}
    first = sorted((row for row in rows if row.way == "0.1"), key=lambda row: row.rank)
    anchors, targets = (convert(boxes, "cxcywh", "xyxy") for boxes in plan.cases(0, plan.n_cases))
    return PAGE.format(
        command=shlex.join(["boxloss", "zoo", "--out", str(out), *given]),
        took="" if "--centres" in given else ", in half a minute on two cores once its kernels are compiled, which takes some minutes",
        folder=quote(page_file(out).stem), other_seed=seed + 1,
        n_losses=len(animals), n_cases=n_cases, n_centres=plan.n_centres, radius=plan.radius, steps=plan.steps,
        adam_rate=ADAM_RATE, cells=_markdown(*table(rows)),
        ranks=_markdown(("loss", *ways, "moves"), [(loss, *map(str, of), str(moves[loss])) for loss, of in ranks.items()]),
        correlations=_markdown(("", *ways), _correlations(ways, np.array(list(ranks.values())))),
        movers=_listed(loss for loss, move in moves.items() if move > len(animals) / 2),
        giou_1=error["giou", "0.1"], diou_1=error["diou", "0.1"], giou_2=error["giou", "0.2"], diou_2=error["diou", "0.2"],
        winners=_listed(row.loss for row in first[:3]), apart=float((Similarity(find("iou"))(anchors, targets) == 0).mean()),
        stuck=_listed(loss for loss, its in animals if best(its).mean_iou < 0.3),
        adam_good=sum(its[-1].mean_iou > 0.99 for _, its in animals), descent_good=sum(best(its).mean_iou > 0.99 for _, its in animals),
        units=_listed(IN_THIS_UNIT), variants=_listed(VARIANTS),
    )  # fmt: skip


def _correlations(ways: list[str], ranks: np.ndarray) -> list[tuple[str, ...]]:
    # Ranks are whole and have no ties: their plain correlation is Spearman's.
    return [(way, *(f"{x:.2f}" for x in line)) for way, line in zip(ways, np.corrcoef(ranks.T), strict=True)]


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *((f"`{loss}`" if re.match("[a-z]", loss) else loss, *cells) for loss, *cells in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(names: Iterable[str]) -> str:
    *others, last = [f"`{name}`" for name in names] or ["none"]
    return f"{', '.join(others)} and {last}" if others else last
