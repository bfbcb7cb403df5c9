"""The tables of docs/simulation.md. Each is a function without arguments, which measures what it shows."""

import statistics
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.simulated import measure, positives
from benchmarks.simulated.measure import ALL, FAULTS_OF, IOUS, PAPER, RATES, SEEDS, TENTH, Faults, Run
from boxloss.simulate.gradients import FAULTS, RELEASED

STEPS = (0, 1, 50, 100, 160, 180, 200)
TITLES = {"iou": "IoU", "giou": "GIoU", "diou": "DIoU", "ciou": "CIoU"}
UPDATES: dict[str, Faults | None] = {"released": ALL, "exact": None}

ELSEWHERE = {
    ("released", "iou"): (5.858, 1197.0, "5.91"),
    ("released", "giou"): (1.527, 542.1, "1.51"),
    ("released", "diou"): (0.0041, 162.1, "near 0"),
    ("released", "ciou"): (0.0041, 143.6, "near 0"),
    ("exact", "iou"): (5.858, 1200.2, ""),
    ("exact", "giou"): (0.0294, 270.7, ""),
    ("exact", "diou"): (0.0529, 339.2, ""),
    ("exact", "ciou"): (0.0074, 301.9, ""),
}
"""Final sum and sum over all steps, in millions, by another program: a line by line port of the released files to NumPy, and exact gradients beside it, one
draw of the centres. And what one reads off the picture that is published with the released files, to .02."""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def figures(x: float, digits: int = 3) -> str:
    """A number to so many digits that count, without an exponent, and to no more than four behind the point.

    >>> figures(6.6486), figures(0.02914), figures(0.00004), figures(162.31)
    ('6.65', '.0291', '.0000', '162')
    """
    decimals = min(4, max(0, digits - 1 - int(np.floor(np.log10(max(abs(x), 1e-4))))))
    text = f"{x:.{decimals}f}"
    return text.removeprefix("0") if decimals else text


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Their mean, and half of their range to the same places."""
    mean, half = figures(statistics.mean(values), digits), (max(values) - min(values)) / 2
    decimals = len(mean.partition(".")[2])
    text = f"{half:.{decimals}f}"
    return f"{mean} ± {text.removeprefix('0') if decimals else text}"


def each_update() -> Iterable[tuple[str, str, list[Run]]]:
    return ((update, name, measure.seeds(name, PAPER, faults)) for update, faults in UPDATES.items() for name in RELEASED)


def curves() -> str:
    rows = [
        [f"{update} {TITLES[name]}", *(spread([run.sums[step] / 1e6 for run in runs], 3 if step < 200 else 4) for step in STEPS)]
        for update, name, runs in each_update()
    ]  # fmt: skip
    return table(["millions, after step", *map(str, STEPS)], rows)


def ends() -> str:
    rows = []
    for update, name, runs in each_update():
        final, every, read = ELSEWHERE[update, name]
        rows.append([
            f"{update} {TITLES[name]}", ", ".join(figures(run.sums[-1] / 1e6, 4) for run in runs),
            figures(statistics.mean(run.deviation for run in runs) / 1e6, 2), figures(final, 4), read,
            spread([run.sums[1:].sum() / 1e6 for run in runs], 4), figures(every, 4),
            spread([run.mean_iou for run in runs]), f"{100 * statistics.mean(run.high_share for run in runs):.1f} %",
        ])  # fmt: skip
    titles = ["", "final sum, seeds 0, 1, 2", "a draw's deviation", "other program", "published picture", "sum over all steps", "other program"]
    return table([*titles, "final IoU", "IoU > .75"], rows)


RIDGES: tuple[tuple[str, str], ...] = (("released", "giou"), ("exact", "giou"), ("exact", "diou"), ("exact", "ciou"), ("released", "diou"))


def ridge() -> str:
    rows = []
    for update, name in RIDGES:
        runs = measure.seeds(name, PAPER, UPDATES[update])
        axes, diagonals = zip(*(measure.along(PAPER.with_(seed=seed), run.surface) for seed, run in zip(SEEDS, runs, strict=True)), strict=True)
        middle = statistics.mean(float(np.median(run.surface)) for run in runs)
        rows.append([f"{update} {TITLES[name]}", spread(axes), spread(diagonals), figures(middle), figures(statistics.mean(run.surface.max() for run in runs))])
    return table(["", "near the axes", "near the diagonals", "median of all", "largest"], rows)


def ablated(name: str, faults: Faults) -> str:
    return figures(measure.run(name, PAPER, faults).sums[-1] / 1e6)


def faults() -> str:
    rows = [["none", *(cell for name in IOUS for cell in (f"{ablated(name, ())}", ""))]]
    for fault in FAULTS:
        cells = []
        for name in IOUS:
            own = FAULTS_OF[name]
            cells += [ablated(name, (fault,)), ablated(name, tuple(other for other in own if other != fault))] if fault in own else ["", ""]
        rows.append([fault, *cells])
    rows.append(["all", *(cell for name in IOUS for cell in ("", ablated(name, FAULTS_OF[name])))])
    return table(["fault", *(title for name in IOUS for title in (f"{TITLES[name]}: it alone", "all but it"))], rows)


def interactions() -> str:
    crossed, sign = "cross-axis", "diagonal's sign"
    others = tuple(fault for fault in FAULTS_OF["diou"] if fault not in (crossed, sign))
    rows = []
    for also in ((), *((other,) for other in others), others):
        cells = [ablated("diou", tuple(fault for fault in FAULTS if fault in (*also, *these))) for these in ((), (sign,), (crossed,), (crossed, sign))]
        rows.append([" and ".join(also) or "no other", *cells])
    return table(["DIoU; and besides", "neither", "the sign alone", "cross-axis alone", "both"], rows)


RATED = ("iou", "giou", "diou", "ciou", "eiou", "siou", "smooth_l1_cxcywh", "l1_cxcywh", "l2_cxcywh")


def at_rates(parameters: str = "cxcywh", names: Sequence[str] = RATED, faults: Faults | None = None) -> str:
    """The least of GIoU, DIoU and CIoU is bold."""
    rows = []
    columns = [{name: measure.seeds(name, TENTH.with_(parameters=parameters).at_rate(rate), faults) for name in names} for rate in RATES]
    for name in names:
        cells = []
        for column in columns:
            errors = {one: statistics.mean(run.mean_error for run in column[one]) for one in IOUS}
            cell = spread([run.mean_error for run in column[name]])
            cells.append(f"**{cell}**" if name == min(errors, key=errors.__getitem__) else cell)
        rows.append([f"`{name}`", *cells])
    return table(["mean final error, at rate", *map(str, RATES)], rows)


def rates() -> str:
    return at_rates()


def corners() -> str:
    return at_rates("xyxy")


def released_rates() -> str:
    return at_rates(names=IOUS, faults=ALL)


def cosine_row(name: str, on_the_way: bool) -> list[str]:
    found = measure.cosines(name, on_the_way)
    cells = [f"{100 * found.share_apart:.0f} %"]
    for part in (found.apart, found.overlapping):
        cells += [figures(part.min(), 2), figures(float(np.median(part)), 2)] if len(part) else ["", ""]
    n_against = sum(int((part <= 0).sum()) for part in (found.apart, found.overlapping))
    return [f"{TITLES[name]}, {'on the way' if on_the_way else 'at the start'}", *cells, str(n_against)]


def cosines() -> str:
    titles = ["", "apart", "apart: least", "median", "overlapping: least", "median", "not positive"]
    return table(titles, [cosine_row(name, on_the_way) for on_the_way in (False, True) for name in RELEASED])


def positive_row(row: str) -> list[str]:
    start = positives.measured(row)
    later = f"{100 * positives.measured_later(row).apart:.2f} %" if row.startswith(positives.LOOKS_AT_PREDICTIONS) else ""
    return [row, f"{start.positives:.1f}", f"{100 * start.apart:.2f} %", later, f"{start.mean_iou:.2f}"]


def simulation_row() -> list[str]:
    every = [measure.start_overlaps(seed) for seed in SEEDS]
    shares, means = [100 * float((ious == 0).mean()) for ious in every], [float(ious.mean()) for ious in every]
    return ["the simulation's cases", "", f"{statistics.mean(shares):.1f} ± {(max(shares) - min(shares)) / 2:.1f} %", "", f"{statistics.mean(means):.2f}"]


def starts() -> str:
    titles = ["who is moved", "positives an object", "apart at the start", "apart later", "mean IoU at the start"]
    return table(titles, [simulation_row(), *map(positive_row, positives.ROWS)])


TABLES: dict[str, Callable[[], str]] = {
    "curves": curves, "ends": ends, "ridge": ridge, "faults": faults, "interactions": interactions, "rates": rates, "corners": corners,
    "released rates": released_rates, "cosines": cosines, "starts": starts,
}  # fmt: skip
