"""A loss on one card: what it is, what is claimed of it, and how it behaves when a box is moved or scaled."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator

from boxloss.draw import probe, terminal
from boxloss.draw.colours import FAINT, INK, colour
from boxloss.draw.style import literal, new_figure, styled
from boxloss.formulas import find

ARROWS = slice(2, None, 4)  # of the field's grid: every 0.2 sides, where no edges of the two boxes meet


@dataclass(frozen=True)
class Card:
    """The text of a loss's card. `claims`: one sentence each; `curves`: titled curves in characters, one list of lines each."""

    name: str
    title: str
    paper: str
    bounds: str
    claims: tuple[str, ...]
    doc: str
    parameters: dict[str, Any]
    curves: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.parameters.items())
        lines = [f"{self.name}: {self.title}", "", self.doc, "", f'Use:    bl.loss("{self.name}"{given})', f"Paper:  {self.paper}", f"Values: {self.bounds}"]
        lines += [f"Claim:  {claim}" for claim in self.claims]
        for curve in self.curves:
            lines += ["", *curve]
        return "\n".join(lines)


def card_text(name: str, width: int = 48, **parameters: Any) -> Card:
    """The card's text, with its curves in characters, `width` of them wide.

    Raises:
        UnknownNameError: there is no such loss; the message suggests the nearest names.
    """
    formula = find(name)
    claims = [
        "the two boxes may change places: the same value, to the bit" if formula.symmetric else "prediction and target may not change places",
        "the boxes' unit does not matter: both times a power of two give the same value, to the bit" if formula.scale_free else "the value depends on the unit",
    ]
    if formula.held:
        claims.append(f"held constant in the gradient: {', '.join(formula.held)}")
    shift, scale = probe.shift_trace(name, **parameters), probe.scale_trace(name, **parameters)
    curves = (
        _curve(shift.value, "loss of a unit box moved sideways", "0", f"{probe.FARTHEST_SHIFT:g} sides", width),
        _curve(np.abs(shift.slope), "size of its gradient along the move, per side", "0", f"{probe.FARTHEST_SHIFT:g} sides", width),
        _curve(scale.value, "loss of a unit box scaled about its centre", "1/4", "4 times", width),
    )
    return Card(name, formula.title, formula.paper, formula.bounds, tuple(claims), inspect.cleandoc(formula.doc), {**formula.parameters, **parameters}, curves)


def _curve(values: probe.Floats, title: str, left: str, right: str, width: int) -> tuple[str, ...]:
    top = _top(values)
    cut = f" (cut: it goes up to {values.max():.3g})" if top is not None else ""
    return tuple(terminal.labelled(values.tolist(), left, right, title + cut, width, top=top))


def _top(values: probe.Floats) -> float | None:
    """Where to cut the axis of `values`: below a far plateau, or where a few values near a pole would flatten all others."""
    size = np.abs(values)
    plateau = probe.ceiling(size)
    kept = size[size <= plateau] if plateau is not None else size
    usual = float(np.median(kept[kept > 0])) if (kept > 0).any() else 0.0
    if usual and kept.max() > 30 * usual:
        return 10 * usual
    return plateau


@styled
def card_figure(name: str, **parameters: Any) -> Figure:
    """The card's figure: value against shift and scale, gradient against shift, and where a small box's centre is pulled.

    Raises:
        UnknownNameError: there is no such loss; the message suggests the nearest names.
    """
    formula = find(name)
    figure = new_figure(8.0, 7.4)
    given = f" ({', '.join(f'{key}={value!r}' for key, value in parameters.items())})" if parameters else ""
    figure.suptitle(literal(f"{name}{given}: {formula.title}"), x=0.02, ha="left", fontweight="bold", fontsize=12)
    (by_shift, by_scale), (slope, pull) = figure.subplots(2, 2)
    shift, scale = probe.shift_trace(name, **parameters), probe.scale_trace(name, **parameters)
    _line(by_shift, name, shift.x, shift.value, "Moved sideways", "shift (sides of the box)", "loss")
    _apart(by_shift)
    _line(by_scale, name, scale.x, scale.value, "Scaled about its centre", "predicted side / true side", "loss")
    by_scale.set_xscale("log", base=2)
    by_scale.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4]))
    by_scale.xaxis.set_minor_locator(NullLocator())
    by_scale.xaxis.set_major_formatter(lambda value, _: {0.25: "1/4", 0.5: "1/2"}.get(value, f"{value:g}"))
    _line(slope, name, shift.x, shift.slope, "Gradient when moved sideways", "shift (sides of the box)", "d loss / d shift (per side)")
    _apart(slope)
    _field(pull, name, probe.field(name, **parameters))
    note = "Arrows: the pull, minus the gradient; longer is stronger, though not in proportion. Dots: no pull. Grey: the loss, darker is larger."
    figure.supxlabel(note, x=0.02, ha="left", fontsize=8, color=FAINT)
    return figure


def _line(axes: Axes, name: str, x: probe.Floats, y: probe.Floats, title: str, xlabel: str, ylabel: str) -> None:
    axes.plot(*_with_breaks(x, y), color=colour(name))
    axes.axhline(0.0, color=FAINT, linewidth=0.8)
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    top = _top(y)
    if top is not None:
        axes.set_ylim(min(0.0, float(y.min())), top)
        axes.text(0.5, 0.93, f"cut: goes up to {y.max():.3g}", transform=axes.transAxes, ha="center", va="top", fontsize=9, color=INK)
    elif y.max() - y.min() < 1e-9:  # a flat line at 0 must not be blown up to rounding noise
        axes.set_ylim(-0.1, 1.0)


def _with_breaks(x: probe.Floats, y: probe.Floats) -> tuple[probe.Floats, probe.Floats]:
    """The line with a gap where it jumps, so that no slope is drawn where there is none."""
    steps = np.abs(np.diff(y))
    jumps = np.flatnonzero(steps > 0.08 * max(float(np.ptp(y)), 1e-12)) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


def _apart(axes: Axes) -> None:
    axes.axvspan(1.0, probe.FARTHEST_SHIFT, color="#EEEEEE", zorder=0, linewidth=0)
    axes.text(probe.FARTHEST_SHIFT - 0.05, 0.5, "no overlap", transform=axes.get_xaxis_transform(), fontsize=9, color=FAINT, va="center", ha="right")
    axes.set_xlim(0.0, probe.FARTHEST_SHIFT)


def _field(axes: Axes, name: str, seen: probe.Field) -> None:
    """Grey: the loss. Arrows: where the centre is pulled, longer where harder, but not in proportion. Dots: no pull at all."""
    top = _top(seen.value)
    value = np.minimum(seen.value, top) if top is not None else seen.value
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
    axes.set_ylabel("offset in y (sides of the target)")
    axes.set_aspect("equal")
    axes.grid(visible=False)
