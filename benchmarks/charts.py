"""Charts for the page, the README and a slide."""

from pathlib import Path
from typing import Any

from matplotlib.ticker import EngFormatter

from benchmarks.figures import Results, rows
from benchmarks.page import digits
from boxloss.draw.colours import FAINT, INK, RULE
from boxloss.draw.style import new_figure, save, styled

OURS, MISSED = "#CC4F00", "#9A7B8A"
# Ours strong, peers apart by colour and marker, limits grey and without markers.
LOOKS: dict[str, dict[str, Any]] = {
    "boxloss": {"color": OURS, "marker": "o", "linewidth": 3, "zorder": 3},
    "boxloss, NumPy": {"color": OURS, "marker": "o", "linewidth": 3, "zorder": 3},
    "boxloss, PyTorch": {"color": OURS, "marker": "^", "linewidth": 3, "zorder": 3, "linestyle": "--"},
    "torchvision": {"color": "#2F7FE0", "marker": "s"},
    "clean formula": {"color": "#12A37A", "marker": "D"},
    "clean formula, torch.compile": {"color": "#6A1BB0", "marker": "v"},
    "boxloss, plain": {"color": "#6E7B12", "marker": "P"},
    "powerboxes": {"color": "#12A37A", "marker": "D"},
    "powerboxes, parallel": {"color": "#6A1BB0", "marker": "v"},
    "p.sum().backward()": {"color": FAINT, "linestyle": "--"},
    "copy": {"color": FAINT, "linestyle": ":"},
    "fill, NumPy": {"color": FAINT, "linestyle": ":"},
    "fill, PyTorch": {"color": FAINT, "linestyle": "--"},
}


def draw(results: dict[str, Any], folder: Path) -> list[str]:
    """Writes what there are results for, and gives the files' names."""
    written = []
    found = Results(results["works"])
    if any(got is not None for figure, got in rows(found) if figure.more_is_better):
        ratios(found, folder / "ratios.svg")
        written.append("ratios.svg")
    for name, title, across in (
        ("ciou", "CIoU loss, forward + backward", "boxes"),
        ("pairwise", "IoU of every box with every box", "boxes on either side"),
    ):
        if name in results["works"]:
            speed(results["works"][name]["rows"], title, across, folder / f"{name}.svg")
            written.append(f"{name}.svg")
    return written


@styled
def speed(found: list[dict[str, Any]], title: str, across: str, path: Path) -> None:
    """Time of a call against size, both logarithmic, a line a contender; the band is the samples' middle half."""
    figure = new_figure(9, 5)
    axes = figure.subplots()
    for name, look in LOOKS.items():
        points = [(row["n"], row["median_s"], row["low_s"], row["high_s"]) for row in found if row["contender"] == name and "left_out" not in row]
        if not points:
            continue
        n, median, low, high = zip(*points, strict=True)
        axes.plot(n, median, label=name, markersize=6, **look)
        axes.fill_between(n, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel=across, ylabel="time of a call", title=title)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.tick_params(labelsize=12)
    # In the order in which the lines lie.
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda k: -float(handles[k].get_ydata()[-1]))
    figure.legend([handles[k] for k in order], [labels[k] for k in order], loc="outside right upper", fontsize=12, labelspacing=0.8)
    save(figure, path)


@styled
def ratios(results: Results, path: Path) -> None:
    """A bar a figure that says "x faster", with a mark where it should be."""
    bars = [(figure, got) for figure, got in rows(results) if figure.more_is_better and got is not None]
    figure = new_figure(9, 1.2 + 0.62 * len(bars))
    axes = figure.subplots()
    for k, (one, got) in enumerate(bars):
        reached = one.reached(got)
        axes.barh(k, got.value, color=OURS if reached else MISSED, height=0.6)
        axes.plot([one.target] * 2, [k - 0.38, k + 0.38], color=INK, linewidth=2)
        axes.text(1.12 * max(got.value, one.target), k, f"{digits(got.value)} x", va="center", fontsize=12, fontweight="bold")
    labels = [f"{one.work.replace('`', '')}\nagainst {one.against.replace('`', '')}" for one, _ in bars]
    axes.set(xscale="log", xlabel="times faster; the black mark is what was to be reached", title="boxloss against what one would use instead")
    axes.set_yticks(range(len(bars)), labels, fontsize=11)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.invert_yaxis()
    axes.set_xlim(1, 5 * max(max(got.value, one.target) for one, got in bars))
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=RULE)
    save(figure, path)
