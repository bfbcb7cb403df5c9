"""What the report tells, in which order and in which words: the verdict first, then what it rests on, then how it was run."""

import math
import statistics as summary
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from boxloss.compare.alone import alone
from boxloss.compare.document import Block, Bullets, Code, Gallery, Heading, Image, Listing, Paragraph, Pieces, Small, Strong, Swatch, Table
from boxloss.compare.results import Results
from boxloss.compare.statistics import ALPHA, DECIDING, FEWEST_SEEDS, METRICS, Estimate, Statistics
from boxloss.compare.verdict import Verdict, listed, p_text, signed
from boxloss.datasets import Dataset, Picture
from boxloss.draw.colours import colour
from boxloss.draw.curves import Row, epoch_figure, interval_figure
from boxloss.draw.style import to_svg, to_svg_file
from boxloss.words import plural

TITLES = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap90": "AP90"}
DASH = "–"
RARE, COMMON = 0.01, 0.1  # shares of disjoint positives, for the words only


def tell(results: Results, dataset: Dataset, statistics: Statistics, verdict: Verdict, galleries: Sequence[tuple[Picture, Gallery]]) -> list[Block]:
    """The report's blocks."""
    return [
        *_answer(results, statistics, verdict),
        *_figures(statistics),
        *_differences(statistics),
        *_weights(results),
        *_training(results),
        *_disjoint(results),
        *_pictures(results, galleries),
        *alone(results.losses),
        *_run(results, dataset),
    ]


def image(figure: Figure, name: str, alt: str, caption: Pieces) -> Image:
    return Image(name, alt, caption, to_svg_file(figure), "svg", to_svg(figure, name))


def _name(loss: str) -> Pieces:
    return (Swatch(loss, colour(loss)),)


# ---- the answer


def _answer(results: Results, statistics: Statistics, verdict: Verdict) -> list[Block]:
    head, _, rest = verdict.sentence.partition(":")
    blocks: list[Block] = [Paragraph((Strong(f"{head}:"), rest), "verdict")]
    if verdict.notes:
        blocks.append(Bullets([(note,) for note in verdict.notes]))
    plan = results.plan
    own = plan.get("formulas", {})
    if own:
        blocks.append(Bullets([(*_name(loss), f": {about['title']} ({about['paper']})") for loss, about in own.items()]))
    width, height = plan["image_size"]
    n_seeds = len(plan["seeds"])
    blocks.append(
        Paragraph(
            (
                f"The same small detector was trained {plural(len(results.trials), 'time')}, with {listed(statistics.losses)} as its box loss and "
                f"{plural(n_seeds, 'seed')} each: {plural(plan['epochs'], 'epoch', 'epochs')} at {width} x {height} pixels. "
                "With one seed, every loss starts from the same weights and sees the same pictures in the same order; only the box loss differs.",
            )
        )
    )
    return blocks


def _cell(one: Estimate) -> Pieces:
    if one.mean is None:
        return (DASH,)
    if one.low is None or one.high is None:
        return (f"{one.mean:.3f}",)
    return (f"{one.mean:.3f}", Small(f"[{one.low:.3f}, {one.high:.3f}]"))


def _figures(statistics: Statistics) -> list[Block]:
    order = sorted(statistics.losses, key=lambda loss: -(statistics.means[loss][DECIDING].mean or -1.0))
    rows = [[_name(loss), *(_cell(statistics.means[loss][metric]) for metric in METRICS), (str(statistics.means[loss][DECIDING].n),)] for loss in order]
    caption = (
        "Mean over seeds, in brackets its 95% t-interval, from 0 (nothing found) to 1; highest AP first. AP50, AP75 and AP90 count a prediction as "
        "right from an IoU of .50, .75 and .90 on; AP is the mean over .50, .55 to .95. Box losses show in AP75 and AP90 more than in AP50. "
        "These intervals hold what a seed does to all losses alike; to compare losses, read the differences below."
    )
    return [Heading("Average precision"), Table(["loss", *(TITLES[metric] for metric in METRICS), "seeds"], rows, (caption,))]


# ---- differences


def _rows(statistics: Statistics, metric: str) -> list[Row]:
    rows = []
    for loss, by_metric in statistics.differences.items():
        one = by_metric[metric]
        if one.estimate.mean is not None:
            rows.append(Row(loss, list(one.by_seed.values()), one.estimate.mean, one.estimate.low, one.estimate.high, one.significant))
    return rows


def _differences(statistics: Statistics) -> list[Block]:
    if not _rows(statistics, DECIDING):
        return []
    baseline = statistics.baseline
    figure = interval_figure({"AP": _rows(statistics, DECIDING)}, baseline)
    spoken = "; ".join(f"{row.loss} {signed(row.mean)}" for row in _rows(statistics, DECIDING))
    others = {TITLES[metric]: rows for metric in METRICS if metric != DECIDING and (rows := _rows(statistics, metric))}
    blocks: list[Block] = [
        Heading(f"Differences from {baseline}, seed by seed"),
        image(
            figure,
            "differences-ap",
            f"AP minus {baseline}'s AP, mean over seeds: {spoken}",
            (
                "Small dots: one seed each. Large marker: their mean, filled where the test shows a difference. "
                "Bar: 95% interval; an arrow where it is wider than the figure.",
            ),
        ),
        _difference_table(statistics),
        Paragraph((_method(statistics),), "note"),
    ]
    if len(others) == len(METRICS) - 1 and len({len(rows) for rows in others.values()}) == 1:
        caption = "The same for the other metrics. They describe; only AP, chosen beforehand, decides. Markers are therefore hollow."
        blocks.append(image(interval_figure(others, baseline), "differences-others", f"AP50, AP75 and AP90 minus {baseline}'s", (caption,)))
    return blocks


def _difference_table(statistics: Statistics) -> Table:
    rows: list[list[Pieces]] = []
    for loss, by_metric in statistics.differences.items():
        deciding = by_metric[DECIDING]
        low, high = deciding.estimate.low, deciding.estimate.high
        interval = f"{signed(low)} to {signed(high)}" if low is not None and high is not None else DASH
        p, corrected = (DASH if value is None else p_text(value).removeprefix("= ") for value in (deciding.p, deciding.p_corrected))
        means = [by_metric[metric].estimate.mean for metric in METRICS]
        shown = [DASH if mean is None else signed(mean) for mean in means]
        rows.append([_name(loss), (shown[0],), (interval,), (p,), (corrected,), *((text,) for text in shown[1:])])
    return Table(
        ["loss", "AP", "95% interval", "p", "p, corrected", "AP50", "AP75", "AP90"], rows, (f"Mean difference from {statistics.baseline}; above 0 is better.",)
    )


def _method(statistics: Statistics) -> str:
    n = statistics.n_compared
    return (
        f"The test is the two-sided paired t-test over seeds, on AP alone; p-values are corrected by Holm's method for the {n} "
        f"{'loss' if n == 1 else 'losses'} held against {statistics.baseline}, and a difference counts as shown where the corrected p is at most {ALPHA:.2f}. "
        f"With fewer than {FEWEST_SEEDS} seeds nothing is tested. Each interval is for its own loss, uncorrected: "
        "with several losses, one that just misses 0 is no proof. "
        "The test trusts that the number of seeds was fixed beforehand; whoever adds seeds until a difference shows will find one."
    )


# ---- weights


def _weights(results: Results) -> list[Block]:
    mode = results.plan["weights"]
    if mode == "equal-gradient":
        why = (
            "Set so that each loss's mean gradient norm on the boxes of the first batches equals that of plain IoU. "
            "A loss then neither wins nor loses merely by pulling harder against the classification loss; what is compared is where it pulls, not how hard."
        )
    elif mode == "one":
        why = (
            "Every loss has weight 1, as asked for with --weights one. Losses pull with different strength, so a difference may come from that strength alone."
        )
    else:
        why = f"The weights were read from the file {mode}, as asked for with --weights."
    gradients = results.gradients
    rows: list[list[Pieces]] = []
    for loss in results.plan["losses"]:
        cells: list[Pieces] = [_name(loss), (f"{results.weights[loss]:.4g}" if loss in results.weights else DASH,)]
        if gradients:
            cells.append((f"{gradients[loss]:.4g}" if loss in gradients else DASH,))
        rows.append(cells)
    head = ["loss", "weight", *(["gradient norm at weight 1"] if gradients else [])]
    caption: Pieces = ("Mean norm of the gradient with respect to a predicted box's four coordinates, before training.",) if gradients else ()
    return [Heading("Weights of the box losses"), Paragraph((why,)), Table(head, rows, caption)]


# ---- training, epoch by epoch

Curves = dict[str, dict[int, list[tuple[float, float]]]]


def _curves(results: Results, key: str) -> Curves:
    """loss -> seed -> (epoch, value), from the epochs' own entries or, where they have none of that name, from their metrics."""
    curves: Curves = {}
    for loss in results.plan["losses"]:
        for trial in results.trials:
            if trial["loss"] == loss:
                points = [(float(epoch["epoch"]), value) for epoch in trial["epochs"] if (value := _value(epoch, key)) is not None]
                if points:
                    curves.setdefault(loss, {})[trial["seed"]] = points
    return curves


def _value(epoch: dict[str, Any], key: str) -> float | None:
    value = epoch[key] if key in epoch else (epoch["metrics"] or {}).get(key)
    return float(value) if value is not None and math.isfinite(value) else None


def _relative(curves: Curves) -> Curves:
    """Each line divided by its first value; lines that start at 0 are left out."""
    return {
        loss: kept
        for loss, by_seed in curves.items()
        if (kept := {seed: [(epoch, value / points[0][1]) for epoch, value in points if value > 0] for seed, points in by_seed.items() if points[0][1] > 0})
    }


def _training(results: Results) -> list[Block]:
    blocks: list[Block] = [Heading("Training, epoch by epoch")]
    ap = _curves(results, DECIDING)
    if ap:
        alt = "AP by epoch for " + listed(list(ap))
        caption = "AP on the evaluation pictures at the epochs that were evaluated. Thick: mean over seeds; thin: each seed."
        blocks.append(image(epoch_figure(ap, "AP", mark=True), "ap-by-epoch", alt, (caption,)))
    box = _relative(_curves(results, "box_loss"))
    if box:
        alt = "Training box loss by epoch, relative to the first epoch, for " + listed(list(box))
        caption = "Mean training box loss of an epoch, as a share of the first epoch's. Each loss has its own unit: shapes may be compared, heights may not."
        blocks.append(image(epoch_figure(box, "box loss / first epoch's", log=True), "box-loss-by-epoch", alt, (caption,)))
    return blocks if len(blocks) > 1 else []


# ---- disjoint positives


def _disjoint(results: Results) -> list[Block]:
    curves = _curves(results, "disjoint_share")
    if not curves:
        return []
    rows: list[list[Pieces]] = []
    firsts, wholes, lasts = [], [], []
    for loss, by_seed in curves.items():
        first, whole, last = (
            summary.fmean(pick) for pick in zip(*((p[0][1], summary.fmean(v for _, v in p), p[-1][1]) for p in by_seed.values()), strict=True)
        )
        firsts.append(first)
        wholes.append(whole)
        lasts.append(last)
        rows.append([_name(loss), (_percent(first),), (_percent(whole),), (_percent(last),)])
    return [
        Heading("Boxes that missed their targets"),
        Paragraph(
            (
                "A positive is a place in the picture that is to predict an object's box. It is disjoint when that box does not overlap the object at all. "
                "There IoU is 0 however far the box is off, so a loss made of IoU alone has no gradient; GIoU, DIoU and CIoU still pull the box nearer. "
                "That is where these losses differ most. In this detector it is rare by design: a predicted box always holds the point that predicts it, "
                "and that point lies inside its object, but for objects too small to hold one.",
            )
        ),
        *([_disjoint_image(curves)] if any(wholes) else []),
        Table(["loss", "first epoch", "whole training", "last epoch"], rows, ("Share of positives that were disjoint from their target, mean over seeds.",)),
        Paragraph((_implication(max(firsts), max(wholes), max(lasts)),)),
    ]


def _disjoint_image(curves: Curves) -> Image:
    return image(
        epoch_figure(curves, "disjoint positives", percent=True),
        "disjoint-by-epoch",
        "Share of positives disjoint from their target, by epoch, for " + listed(list(curves)),
        ("Share of an epoch's positives whose predicted box did not overlap its target. Thick: mean over seeds; thin: each seed.",),
    )


def _percent(share: float) -> str:
    """A share as a percentage; what is not 0 is not printed as 0."""
    return "0" if share == 0 else "< 0.1%" if share < 0.001 else f"{share:.1%}"


def _implication(first: float, whole: float, last: float) -> str:
    """What the largest shares over the losses mean."""
    if whole == 0:
        return (
            "Not one positive was disjoint, in any epoch, with any loss. What GIoU, DIoU and CIoU do for disjoint boxes therefore had no part in these "
            "figures: the losses were compared on boxes that overlap their targets, and a detector whose boxes start farther off may need another one."
        )
    if whole < RARE:
        early = f", though it was {_percent(first)} in the first epoch" if first >= RARE else ""
        return (
            f"Over the whole training, with no loss was the share above {_percent(max(whole, 0.001))}{early}. "
            "Almost every box overlapped its target, so a pull on disjoint boxes had little to act on: these figures say little about that merit."
        )
    size = "a large part" if whole >= COMMON else "a part"
    end = "it had all but ended" if last < RARE else f"it was still up to {_percent(last)}"
    return (
        f"With some loss up to {_percent(whole)} of the positives were disjoint over the whole training (first epoch: up to {_percent(first)}); "
        f"by the last epoch {end}. For plain IoU that is {size} of the lesson that gives no gradient to the box, "
        "so losses that pull on disjoint boxes had something to act on here."
    )


# ---- pictures


def _pictures(results: Results, galleries: Sequence[tuple[Picture, Gallery]]) -> list[Block]:
    if not galleries:
        return []
    blocks: list[Block] = [
        Heading("Predictions against truth"),
        Paragraph(
            (
                "Black and white, dashed: the true boxes. Solid, in the loss's colour: the best-scored predictions, as many as there are true boxes. "
                "A cross marks a prediction that overlaps no true box of its class by an IoU of .50 or more, or only one that a better-scored prediction "
                "has claimed. The pictures are taken at even steps through the evaluation pictures; all predictions are of one seed.",
            )
        ),
    ]
    for picture, gallery in galleries:
        blocks += [Paragraph((Strong(picture.name),), "label"), gallery]
    return blocks


# ---- how it was run


def _run(results: Results, dataset: Dataset) -> list[Block]:
    plan = results.plan
    counts = listed([f"{len(pictures)} {split}" for split, pictures in dataset.splits.items()])
    held = listed(plan["evaluate"]) if plan["evaluate"] else f"a fifth of {plan['train']} that was held out"
    n_boxes = sum(len(picture.boxes) for picture in dataset)
    name = dataset.name if dataset.name == dataset.format else f"{dataset.name} ({dataset.format})"
    often = "every epoch" if plan["eval_every"] == 1 else f"every {plan['eval_every']} epochs and after the last"
    versions = ", ".join(f"{package} {release}" for package, release in plan["versions"].items())
    items: list[Pieces] = [
        (
            Strong("Data set"),
            f": {name}, pictures: {counts}; {plural(n_boxes, 'box')} of {plural(len(dataset.classes), 'class')}: {listed(dataset.classes)}.",
        ),
        (
            Strong("Trained on"),
            f" {plan['train']}, ",
            Strong("evaluated on"),
            f" {held}, {often}, by COCO's rules.",
        ),
        (
            Strong("Points learn"),
            " from objects by ",
            Code(plan["assigner"]),
            "; ",
            Strong("detections are suppressed"),
            " by ",
            Code(plan["nms"]),
            f" beyond an overlap of {plan['nms_threshold']:g}.",
        ),
        (Strong("Fingerprint of the data"), ": ", Code(plan["fingerprint"]), " (classes, pictures' names and sizes, boxes; not the format)."),
        (Strong("Versions"), f": {versions}."),
    ]
    items += [(Strong("A loss from a file"), f": {loss}, SHA-256 ", Code(about["file_sha256"][:16]), ".") for loss, about in plan.get("formulas", {}).items()]
    items += [(Strong("In the data"), f": {note}") for note in dataset.notes]
    return [
        Heading("How it was run"),
        Listing(plan["command"]),
        Paragraph(("The same command, with the same data and versions, gives the same figures to the digit. Stopped anywhere, it goes on where it was.",)),
        Bullets(items),
        _costs(results),
        Paragraph(
            (
                "Beside this page: ",
                Code("results.csv"),
                " (one row a trial), ",
                Code("results.json"),
                " (everything), ",
                Code("trials/"),
                " (each trial's files).",
            )
        ),
    ]


def _costs(results: Results) -> Table:
    rows: list[list[Pieces]] = []
    for loss in results.plan["losses"]:
        seconds = [trial["cpu_seconds"] for trial in results.trials if trial["loss"] == loss]
        if seconds:
            rows.append([_name(loss), (str(len(seconds)),), *((f"{value:.0f}",) for value in (summary.fmean(seconds), min(seconds), max(seconds)))])
    parameters = {trial["n_parameters"] for trial in results.trials}
    size = f" The detector has {parameters.pop():,} parameters." if len(parameters) == 1 else ""
    spent = [trial["setup_cpu_seconds"] for trial in results.trials if trial.get("setup_cpu_seconds")]
    setup = f" Imports and pictures cost {summary.fmean(spent):.0f} CPU-seconds more, once for all trials of a process." if spent else ""
    return Table(["loss", "trials", "CPU-seconds a trial", "least", "most"], rows, (f"Training and evaluation, one thread a trial.{setup}{size}",))
