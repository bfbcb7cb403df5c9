"""A loss on one card: what it is, what is claimed of it and what was measured, and how it behaves when a box is moved, scaled or stretched."""

import inspect
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from boxloss.claims import Finding, Likeness, Measured, findings, remembered, similar
from boxloss.claims.findings import figure as short
from boxloss.claims.findings import signed
from boxloss.claims.table import HEADER, row
from boxloss.draw import probe, terminal
from boxloss.draw.colours import FAINT, INK, colour
from boxloss.draw.style import literal, new_figure, styled
from boxloss.formulas import Formula, find

ARROWS = slice(2, None, 4)  # of the field's grid: every 0.2 sides, where no edges of the two boxes meet
LIKE = 0.6  # below this mean correlation a loss is not called like another
MARKS = {True: "holds", False: "FALSE", None: "found"}


@dataclass(frozen=True)
class Card:
    """The text of a loss's card. `findings`: what is claimed and what was measured; `curves`: titled curves in characters, one list of lines each."""

    formula: Formula
    parameters: dict[str, Any]
    measured: Measured
    findings: tuple[Finding, ...]
    likenesses: tuple[Likeness, ...]
    curves: tuple[tuple[str, ...], ...]

    @property
    def holds(self) -> bool:
        """Is nothing that it claims false?"""
        return all(finding.holds is not False for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        formula = self.formula
        claims = [{"about": finding.about, "holds": finding.holds, "sentence": finding.sentence} for finding in self.findings]
        alike = [{"name": other.name, "direction": other.direction, "rank": other.rank} for other in self.likenesses]
        record = {"name": formula.name, "title": formula.title, "paper": formula.paper, "bounds": formula.bounds, "math": formula.math}
        more = {"aliases": list(formula.aliases), "wild": list(formula.wild), "unsure": formula.unsure, "parameters": self.parameters}
        return {**record, **more, "holds": self.holds, "claims": claims, "similar": alike, "measured": _plain(self.measured.as_dict())}

    def __str__(self) -> str:
        formula = self.formula
        lines = [f"{formula.name}: {formula.title}", "", inspect.cleandoc(formula.doc), ""]
        lines += [f"Use:    {use(formula, self.parameters)}", f"Paper:  {formula.paper}"]
        lines += [f"Also:   {', '.join(formula.aliases)}"] if formula.aliases else []
        lines += [f"Values: {formula.bounds}", ""]
        lines += self.sentences()
        lines += ["", *(f"In the wild: {text}" for text in formula.wild)] if formula.wild else []
        lines += ["", f"Not yet checked against the paper: {formula.unsure}"] if formula.unsure else []
        lines += ["", f"Accuracy: {formula.accuracy}"] if formula.accuracy else []
        for curve in self.curves:
            lines += ["", *curve]
        return "\n".join(lines)

    def sentences(self, width: int = 140) -> list[str]:
        """Each finding with its mark, and which losses are like this one."""
        marked = [f"{MARKS[finding.holds]:6}  {finding.sentence}" for finding in self.findings]
        if self.likenesses:
            marked.append(f"{'like it':7} {alike(self.likenesses)}")
        return [line for text in marked for line in textwrap.wrap(text, width, subsequent_indent=" " * 8, break_long_words=False)]


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity and no NaN."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in figures.items()}


def alike(likenesses: Sequence[Likeness]) -> str:
    """Which losses are most like it, in a sentence's end."""
    near = [
        f"{other.name} (gradients' mean cosine {other.direction:.2f}, rank correlation of values {other.rank:.2f})"
        for other in likenesses
        if other.mean >= LIKE
    ]
    return ", ".join(near) or "no other loss of the catalogue"


def use(formula: Formula, parameters: dict[str, Any]) -> str:
    given = "".join(f", {name}={value!r}" for name, value in {**formula.parameters, **parameters}.items())
    from boxloss.formulas import catalogue

    named = f'"{formula.name}"' if catalogue().get(formula.name) is formula else formula.name
    return f"bl.loss({named}{given})"


def card_text(loss: str | Formula, width: int = 48, *, measured: Measured | None = None, **parameters: Any) -> Card:
    """The card's text, with its curves in characters, `width` of them wide. What is not `measured` yet is measured first.

    Raises:
        UnknownNameError: there is no such loss; the message suggests the nearest names.
    """
    formula = find(loss)
    measured = measured or remembered(formula, parameters)
    shift, scale, aspect = (trace(formula, **parameters) for trace in (probe.shift_trace, probe.scale_trace, probe.aspect_trace))
    curves = (
        _curve(shift.value, "loss of a unit box moved sideways", "0", f"{probe.FARTHEST_SHIFT:g} sides", width),
        _curve(np.abs(shift.slope), "size of its gradient along the move, per side", "0", f"{probe.FARTHEST_SHIFT:g} sides", width),
        _curve(scale.value, "loss of a unit box scaled about its centre", "1/4", "4 times", width),
        _curve(aspect.value, "loss of a unit box stretched, its area kept", "1:8", "8:1", width),
    )
    return Card(formula, {**formula.parameters, **parameters}, measured, findings(formula, measured), similar(formula, parameters), curves)


def _curve(values: probe.Floats, title: str, left: str, right: str, width: int) -> tuple[str, ...]:
    top = _top(values)
    cut = f" (cut: it goes up to {values.max():.3g})" if top is not None else "" if np.isfinite(values).all() else " (0 where it is not finite)"
    return tuple(terminal.labelled(values.tolist(), left, right, title + cut, width, top=top))


def _unfit(values: probe.Floats) -> str:
    return f"{np.mean(~np.isfinite(values)):.0%} of its values are not finite"


def _top(values: probe.Floats) -> float | None:
    """Where to cut the axis of `values`: below a far plateau, or where a few values near a pole would flatten all others."""
    size = np.abs(values)
    plateau = probe.ceiling(size)
    kept = size[size <= plateau] if plateau is not None else size
    usual = float(np.median(kept[kept > 0])) if (kept > 0).any() else 0.0
    # Few: where a third of the values is so far above the others, as overlapping boxes' slopes may be, they are what there is to see.
    if usual and kept.max() > 100 * usual and np.mean(kept > 10 * usual) < 0.1:
        return 10 * usual
    return plateau


WIDE, HIGH = 12.0, 7.2  # inches: the shape of a slide


@styled
def card_figure(loss: str | Formula, *, measured: Measured | None = None, **parameters: Any) -> Figure:
    """The card's figure, the shape of a slide: the formula, value against shift, scale and aspect, gradient against shift, where a small box's centre is
    pulled, and what was measured.

    Raises:
        UnknownNameError: there is no such loss; the message suggests the nearest names.
    """
    formula = find(loss)
    measured = measured or remembered(formula, parameters)
    name = formula.name
    figure = new_figure(WIDE, HIGH)
    figure.get_layout_engine().set(rect=(0.01, 0.045, 0.98, 0.755), wspace=0.04, hspace=0.06)  # type: ignore[union-attr, call-arg]
    _heading(figure, formula, parameters)
    (by_shift, by_scale, by_aspect), (slope, pull, facts) = figure.subplots(2, 3)
    shift, scale, aspect = (trace(formula, **parameters) for trace in (probe.shift_trace, probe.scale_trace, probe.aspect_trace))
    _line(by_shift, name, shift.x, shift.value, "Moved sideways", "shift (sides of the box)", "loss")
    _apart(by_shift)
    _line(by_scale, name, scale.x, scale.value, "Scaled about its centre", "predicted side / true side", "loss")
    _doublings(by_scale, [0.25, 0.5, 1, 2, 4])
    _line(by_aspect, name, aspect.x, aspect.value, "Stretched, area and centre kept", "width / height; the target's is 1", "loss")
    _doublings(by_aspect, [0.125, 0.25, 0.5, 1, 2, 4, 8])
    _line(slope, name, shift.x, shift.slope, "Gradient sideways", "shift (sides of the box)", "d loss / d shift")
    _apart(slope)
    _field(pull, name, probe.field(formula, **parameters))
    _facts(facts, formula, measured)
    unit = "" if formula.scale_free else " The loss depends on the unit: here the target's side is 1."
    note = f"Arrows: the pull, minus the gradient; longer is stronger, not in proportion. Dots: no pull. Grey: the loss, darker is larger.{unit}"
    figure.text(0.015, 0.012, note, fontsize=8, color=FAINT)
    return figure


def _heading(figure: Figure, formula: Formula, parameters: dict[str, Any]) -> None:
    """Name, title and paper on the left, the formula below; each shrinks until it fits."""
    given = {**formula.parameters, **parameters}
    words = f" ({', '.join(f'{key} = {_spoken(value)}' for key, value in given.items())})" if given else ""
    _fitted(figure, figure.text(0.015, 0.97, literal(f"{formula.title}: {formula.name}{words}"), fontweight="bold", fontsize=15, va="center"), 0.97)
    _fitted(figure, figure.text(0.015, 0.936, literal(formula.paper), fontsize=9, color=FAINT, va="center"), 0.97)
    typeset = f"${_displayed(formula.math)}$"
    if formula.math and _draws(typeset):
        _fitted(figure, figure.text(0.5, 0.864, typeset, fontsize=18, ha="center", va="center"), 0.95)
    else:
        lines = formula.doc.splitlines() or [""]
        stated = next((line.strip() for line in lines if "loss = " in line), lines[0])
        _fitted(figure, figure.text(0.5, 0.864, literal(stated), fontsize=12, ha="center", va="center", family="monospace"), 0.95)


def _spoken(value: Any) -> str:
    return short(value) if isinstance(value, float) else repr(value)


def _displayed(latex: str) -> str:
    """With fractions at full size, as in a display, but for those in exponents and indices."""
    written, depth, inside = "", 0, None
    for part in re.split(r"(\\frac|\\[{}]|[\^_]\{|[{}])", latex):
        depth += part.endswith("{") and part != r"\{"
        if part in ("^{", "_{") and inside is None:
            inside = depth
        if part == "}":
            inside = None if inside == depth else inside
            depth -= 1
        written += r"\dfrac" if part == r"\frac" and inside is None else part
    return written


def _draws(typeset: str) -> bool:
    """Does Matplotlib know all of this LaTeX?"""
    try:
        MathTextParser("agg").parse(typeset)
    except ValueError:
        return False
    return True


def _fitted(figure: Figure, text: Text, width: float) -> None:
    """Makes `text` small enough for this share of the figure's width, and for the heading's height."""
    extent = text.get_window_extent()
    share = min(width * figure.bbox.width / max(extent.width, 1), 0.088 * figure.bbox.height / max(extent.height, 1))
    if share < 1:
        text.set_fontsize(float(text.get_fontsize()) * share)


def _facts(axes: Axes, formula: Formula, measured: Measured) -> None:
    """What was measured, one line each."""
    axes.set_axis_off()
    axes.set_title("Measured")
    cells = dict(zip(HEADER, row(formula, measured), strict=True))
    x, w, h = map(signed, measured.apart)
    sideways, wider, _ = (short(slope if abs(slope) > 1e-6 else 0.0) for slope in measured.match)
    holds = "no triple breaks it" if cells["triangle inequality"] == "holds" else cells["triangle inequality"]
    lines = [
        ("range", cells["values"]),
        ("symmetric", cells["symmetric"]),
        ("scale-free", cells["scale-free"]),
        ("triangle inequality", holds),
        ("pushes away", cells["pushes away"].replace(", value", "").replace("value", "its value falls")),
        ("enlarges when apart", cells["enlarges when apart"]),
        ("no gradient", cells["no gradient"]),
        ("slopes, 3 apart", f"x {x}, w {w}, h {h}"),
        ("slopes at the match", f"x {sideways}, w {wider}"),
        ("grows with a shift", cells["grows with a shift"]),
    ]
    for index, (head, cell) in enumerate(lines):
        y = 0.95 - index * 0.104
        axes.text(0.0, y, head, transform=axes.transAxes, fontsize=9.5, color=FAINT, va="center")
        size = min(9.5, 9.5 * (46 - 1.45 * len(head)) / len(cell))  # as many characters as fit into the line
        axes.text(1.0, y, literal(cell), transform=axes.transAxes, fontsize=size, va="center", ha="right")
        if index:
            axes.plot([0, 1], [y + 0.052] * 2, transform=axes.transAxes, color="#E4E4E4", linewidth=0.7, clip_on=False)


def _doublings(axes: Axes, places: list[float]) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")


def _line(axes: Axes, name: str, x: probe.Floats, y: probe.Floats, title: str, xlabel: str, ylabel: str) -> None:
    if not np.isfinite(y).all():
        axes.text(0.5, 0.5, f"no curve:\n{_unfit(y)}", transform=axes.transAxes, ha="center", va="center", fontsize=10, color=INK, bbox=_WHITE)
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=(float(x.min()), float(x.max())))
        return
    axes.plot(*_with_breaks(x, y), color=colour(name))
    axes.axhline(0.0, color=FAINT, linewidth=0.8)
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    top = _top(y)
    if top is not None:
        low = float(y.min())
        axes.set_ylim(0.0 if low >= 0 else max(low, -top), top)
        axes.text(0.5, 0.93, f"cut: goes up to {short(y.max())}", transform=axes.transAxes, ha="center", va="top", fontsize=9, color=INK, bbox=_WHITE)
    elif y.max() - y.min() < 1e-9:  # a flat line must not be blown up to rounding noise
        axes.set_ylim(min(-0.1, 1.25 * float(y.min())), max(1.0, 1.25 * float(y.max())))


_WHITE: Any = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


def _with_breaks(x: probe.Floats, y: probe.Floats) -> tuple[probe.Floats, probe.Floats]:
    """The line with a gap where it jumps, so that no slope is drawn where there is none."""
    steps = np.abs(np.diff(y))
    jumps = np.flatnonzero(steps > 0.08 * max(float(np.ptp(y)), 1e-12)) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


def _apart(axes: Axes) -> None:
    axes.axvspan(1.0, probe.FARTHEST_SHIFT, color="#EEEEEE", zorder=0, linewidth=0)
    axes.text(1.0, 1.02, "no overlap", transform=axes.transAxes, fontsize=9, color=FAINT, va="bottom", ha="right")
    axes.set_xlim(0.0, probe.FARTHEST_SHIFT)


def _field(axes: Axes, name: str, seen: probe.Field) -> None:
    """Grey: the loss. Arrows: where the centre is pulled, longer where harder, but not in proportion. Dots: no pull at all."""
    if not np.isfinite(np.stack([seen.value, seen.pull_x, seen.pull_y])).all():
        axes.text(0.5, 0.5, "no picture:\nvalues or slopes are not finite", transform=axes.transAxes, ha="center", va="center", fontsize=10, color=INK)
        axes.set_title("Pull on a half-size box's centre")
        return
    top = _top(seen.value)
    value = np.minimum(seen.value, top) if top is not None else seen.value
    if np.ptp(value) > 0:
        axes.contourf(seen.x, seen.y, value, levels=12, cmap="Greys", vmin=value.min(), vmax=value.min() + 2.5 * np.ptp(value))
    x, y = np.meshgrid(seen.x[ARROWS], seen.y[ARROWS])
    pull_x, pull_y = seen.pull_x[ARROWS, ARROWS], seen.pull_y[ARROWS, ARROWS]
    size = np.hypot(pull_x, pull_y)
    still = size < 1e-9
    usual = float(np.median(size[~still])) if (~still).any() else 1.0
    length = 0.34 / (size + usual)  # at most 0.34 sides, half of it for the usual pull
    axes.quiver(x, y, pull_x * length, pull_y * length, color=colour(name), angles="xy", scale_units="xy", scale=1.0, width=0.007, headwidth=4.5)
    axes.plot(x[still], y[still], linestyle="none", marker=".", markersize=4, color=FAINT)
    axes.add_patch(Rectangle((-0.5, -0.5), 1.0, 1.0, fill=False, edgecolor=INK, linewidth=1.4, linestyle=(0, (4, 2))))
    axes.text(0.0, 0.52, "target", ha="center", va="bottom", fontsize=8.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
    axes.set_title("Pull on a half-size box's centre")
    axes.set_xlabel("centre's offset in x (sides of the target)")
    axes.set_ylabel("offset in y (sides)")
    axes.set_aspect("equal")
    axes.grid(visible=False)
