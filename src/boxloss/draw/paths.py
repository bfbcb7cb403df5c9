"""One case, step by step: a box a loss on its way from an anchor to a target, as a filmstrip and as an animation, in the lecture's manner."""

import json
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import animation, rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from boxloss.boxes import convert
from boxloss.draw.colours import INK, looks
from boxloss.draw.curves_of_error import Table
from boxloss.draw.scene import LARGE, START_GROUND, TARGET_GROUND, WIDE, draw_key, draw_start, draw_target, frame, rectangle, start_key
from boxloss.draw.scene import TARGET as TARGET_COLOUR
from boxloss.draw.style import literal, new_figure, shortened, styled
from boxloss.errors import MissingExtraError, ParameterError
from boxloss.formulas import find
from boxloss.losses import Similarity
from boxloss.places import check_file
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import Boxes, Protocol
from boxloss.simulate.run import Simulation

ANCHOR, TARGET = (12.4, 11.2, 1.5, 0.6), (10.0, 10.0, 0.8, 1.3)
"""cxcywh: apart, of other sides and another area, as most cases of the DIoU paper are."""
PER_SECOND = 20
HELD = 20
"""Frames at the end, to look at."""
LONG, LONGEST = 14, 28
"""Characters of a name in a filmstrip: two names side by side, or one in a line."""
SUFFIXES = (".gif", ".mp4", ".html")

Ways = Mapping[str, Boxes]
"""Of each label the box before the first step and after each, (steps + 1, 4), cxcywh."""


def ways(losses: Sequence[Loss], plan: Protocol, anchor: Sequence[float] = ANCHOR, target: Sequence[float] = TARGET) -> dict[str, Boxes]:
    """Where each loss takes the anchor, under the steps and rates of `plan`. Boxes are cxcywh, in units in which the plan's rates make sense."""
    found = {}
    for name, box in (("anchor", anchor), ("target", target)):
        if len(box) != 4 or not all(np.isfinite(box)) or min(box[2:]) <= 0:
            raise ParameterError(f"{name} is {tuple(box)}, expected x,y,w,h: the centre, and sides > 0")
    for loss in losses:
        _, path, _ = Simulation.of(loss, plan).move(np.array([anchor], float), np.array([target], float), path=True)
        assert path is not None
        found[loss.label] = np.concatenate([[anchor], path[:, 0]])
    return found


def path_rows(found: Ways, target: Sequence[float]) -> Table:
    rows = [
        (label, step, *box, iou)
        for label, boxes in found.items()
        for step, (box, iou) in enumerate(zip(boxes.tolist(), _ious(boxes, target).tolist(), strict=True))
    ]
    return ("loss", "step", "x", "y", "w", "h", "iou"), rows


def _ious(boxes: Boxes, target: Sequence[float]) -> np.ndarray:
    return np.asarray(Similarity(find("iou"))(boxes, np.array(target), format="cxcywh"))


def _corners(box: Sequence[float] | np.ndarray) -> list[float]:
    found: list[float] = convert(np.asarray(box, float), "cxcywh", "xyxy").tolist()
    return found


def _view(found: Ways, target: Sequence[float]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle and the span of all that will be seen: a box may grow out of it for a while, when it becomes enormous."""
    every = np.concatenate([np.stack([boxes[0], np.nanquantile(boxes, 0.98, axis=0), *boxes[::5]]) for boxes in found.values()] + [np.array([target])])
    corners = convert(every[np.isfinite(every).all(1)], "cxcywh", "xyxy")
    low, high = corners[:, :2].min(0), corners[:, 2:].max(0)
    middle, span = (low + high) / 2, (high - low) * 1.08
    return (float(middle[0]), float(middle[1])), (float(span[0]), float(span[1]))


def _frames(n_steps: int, n: int = 6) -> list[int]:
    """Steps to show: the start, the end, and between them the more the earlier, when most happens."""
    return sorted({0, *(round(n_steps * (k / (n - 1)) ** 2) for k in range(1, n))})


@styled
def strip_figure(found: Ways, target: Sequence[float] = TARGET, frames: Sequence[int] | None = None) -> Figure:
    """A column a step, with the target, the start and each loss's box; below, the IoU of each."""
    n_steps = len(next(iter(found.values()))) - 1
    shown = _frames(n_steps) if frames is None else list(frames)
    columns = min(len(shown), 3)
    n_rows = -(-len(shown) // columns)
    middle, span = _view(found, target)
    high = WIDE * 0.96 / columns * span[1] / span[0]
    beside = 2 if max(map(len, found)) <= LONG else 1
    lines = -(-len(found) // beside)
    figure = new_figure(WIDE, (high + 0.35 + 0.22 * lines) * n_rows + 0.5)
    for k, step in enumerate(shown, 1):
        axes = figure.add_subplot(n_rows, columns, k)
        frame(axes, middle, span)
        axes.set_anchor("N")  # what its shape leaves of its place is for the names below
        _draw(axes, found, target, step)
        axes.set_title("start" if step == 0 else f"step {step}", loc="center", fontsize=LARGE)
        for m, (label, boxes) in enumerate(found.items()):
            iou = _ious(boxes[step : step + 1], target)[0]
            words = f"{shortened(label, LONG if beside == 2 else LONGEST)} {iou:.2f}" if np.isfinite(iou) else f"{shortened(label, LONG)}: no number"
            at, down = 0.27 + 0.46 * (m % 2) if beside == 2 else 0.5, -4.0 - 14.4 * (m // beside)  # in points: the layout settles then
            axes.annotate(
                literal(words), (at, 0), xycoords="axes fraction", xytext=(0, down), textcoords="offset points", ha="center", va="top", fontsize=10.5,
                color=_colour(label, found), fontweight="bold",
            )  # fmt: skip
    draw_key(figure, start_key(), _keys(found))
    return figure


def _keys(found: Ways) -> list[Line2D]:
    return [Line2D([], [], linewidth=2.6, label=literal(shortened(label, LONGEST)), **_line(label, found)) for label in found]


def _line(label: str, found: Ways) -> dict[str, Any]:
    dashes: Any = (0, (5, 2)) if "-released" in label else "-"
    return {"color": _colour(label, found), "linestyle": dashes}


def _colour(label: str, found: Ways) -> str:
    """Of a loss: the released update has that of the exact gradient, and one with parameters its own."""
    own = label.split("-released")[0]
    return looks(other.split("-released")[0] for other in found)[own].colour


def _draw(axes: Axes, found: Ways, target: Sequence[float], step: int) -> None:
    draw_target(axes, _corners(target))
    draw_start(axes, _corners(next(iter(found.values()))[0]))
    for label, boxes in found.items():
        colour = _line(label, found)
        axes.plot(*boxes[: step + 1, :2].T, linewidth=1.0, zorder=4, color=colour["color"])
        if step:
            rectangle(axes, _corners(boxes[step]), fill=False, edgecolor=colour["color"], linestyle=colour["linestyle"], linewidth=2.8, zorder=5)


@styled
def animate(found: Ways, target: Sequence[float], path: Path, title: str = "") -> None:
    """Writes the animation as the suffix says: .gif; .mp4, which takes ffmpeg; or .html, a page by itself with a slider. Folders on the way are made."""
    check_file(path, SUFFIXES, "path")
    suffix = path.suffix.lower()
    video = ffmpeg() if suffix == ".mp4" else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".html":
        path.write_text(page(found, target, title))
        return
    n_steps = len(next(iter(found.values()))) - 1
    steps = [*range(0, n_steps + 1, max(1, n_steps // 100)), *[n_steps] * HELD]
    middle, span = _view(found, target)
    figure = new_figure(8.0, min(8.0 * span[1] / span[0], 7.0) + 0.9)
    axes = figure.subplots()

    def show(step: int) -> list[Artist]:
        axes.clear()
        frame(axes, middle, span)
        _draw(axes, found, target, step)
        axes.set_title(f"step {step}", loc="center", fontsize=LARGE)
        return []

    draw_key(figure, start_key(), _keys(found))
    moving = animation.FuncAnimation(figure, show, frames=steps, interval=1000 / PER_SECOND, blit=False)
    writer = animation.PillowWriter(fps=PER_SECOND) if suffix == ".gif" else animation.FFMpegWriter(fps=PER_SECOND)
    with rc_context({"animation.ffmpeg_path": video} if video else {}):
        moving.save(str(path), writer=writer, dpi=75)


def ffmpeg() -> str:
    """The program that makes an .mp4: the machine's, or that which the package imageio-ffmpeg brings. Raises `MissingExtraError` where there is neither."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as missing:  # the latter: a package without the program
        raise MissingExtraError("ffmpeg", "mp4", "an .mp4 (unlike .gif and .html)") from missing


def page(found: Ways, target: Sequence[float], title: str = "") -> str:
    """The animation as an HTML page that needs nothing else."""
    fragment = scene(found, target)
    heading = escape(title or "A box on its way: " + ", ".join(found))
    style = "h1 { font: bold 1.3rem system-ui, sans-serif }"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">\n<title>{heading}</title>\n<style>{style}</style>'
    return f'<!doctype html>\n<html lang="en">{head}\n<h1>{heading}</h1>\n{fragment}\n</html>\n'


def scene(found: Ways, target: Sequence[float]) -> str:
    """The animation as a piece of HTML, to stand in a page."""
    middle, span = _view(found, target)
    losses = [_for_page(label, boxes, target, _colour(label, found)) for label, boxes in found.items()]
    left, top = middle[0] - span[0] / 2, middle[1] - span[1] / 2
    data = {"view": [round(x, 4) for x in (left, top, *span)], "target": list(target), "anchor": losses[0]["boxes"][0], "losses": losses}
    text = (files("boxloss.draw") / "paths.html").read_text()
    return text.replace("DATA", json.dumps(data).replace("<", "\\u003c"))


def _for_page(label: str, boxes: Boxes, target: Sequence[float], colour: str) -> dict[str, Any]:
    said = {"name": label, "colour": colour, "dashed": "-released" in label}
    return said | {"boxes": _numbers(boxes.round(4)), "ious": _numbers(_ious(boxes, target).round(3))}


def _numbers(values: np.ndarray) -> list[Any]:
    """JSON has no infinity and no NaN."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return list(found.tolist())


SECONDS = 12.0
"""Of the moving picture, with a rest at its end; the steps pass the slower the earlier, since most happens early."""
STILLS = 50


def moving_svg(found: Ways, target: Sequence[float], prefix: str) -> str:
    """The animation as an `<svg>` element without a script: it may stand in a page that allows none, or be a file. Who asks for less motion, or prints, sees
    the end; pointed at, or with the focus on what holds it, it stands still. `prefix`: begins every name in it, so that several can stand in one page."""
    middle, span = _view(found, target)
    left, top = middle[0] - span[0] / 2, middle[1] - span[1] / 2
    width, line = 760.0, span[0] / 760
    n_steps = len(next(iter(found.values()))) - 1
    steps = np.round(n_steps * np.linspace(0, 1, STILLS) ** 2).astype(int)
    rules, boxes = [], []
    for k, (label, path) in enumerate(found.items()):
        name, x, y = f"{prefix}-{k}", 8 * line, span[1] - (len(found) - 1 - k) * 20 * line - 8 * line
        places = [f"{at:.1f}%{{transform:{_moved(path[step])}}}" for at, step in zip(np.linspace(0, 85, STILLS), steps, strict=True)]
        rules.append(f"@keyframes {name}{{{''.join(places)}}}")
        rules.append(f".{name}{{transform:{_moved(path[-1])};animation:{name} {SECONDS:g}s linear infinite}}")
        look = f'stroke="{_colour(label, found)}" fill="none"' + (' stroke-dasharray="9 4"' if "-released" in label else "")
        boxes.append(f'<polyline points="{" ".join(f"{x:.6g},{y:.6g}" for x, y in path[:, :2])}" {look} stroke-width="1" opacity=".45" {FIXED}/>')
        boxes.append(f'<rect class="{name}" x="-.5" y="-.5" width="1" height="1" {look} stroke-width="3" {FIXED}/>')
        words = f"{escape(label)}: IoU {_ious(path[-1:], target)[0]:.2f} in the end"
        boxes.append(f'<text x="{left + x:.4g}" y="{top + y:.4g}" font-size="{15 * line:.4g}" font-weight="bold" fill="{_colour(label, found)}">{words}</text>')
    held = f'svg:hover [class^="{prefix}-"],:focus>svg [class^="{prefix}-"]{{animation-play-state:paused}}'
    still = "@media (prefers-reduced-motion:reduce),print{" + "".join(f".{prefix}-{k}{{animation:none}}" for k in range(len(found))) + "}"
    start = next(iter(found.values()))[0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.4g} {top:.4g} {span[0]:.4g} {span[1]:.4g}" width="{width:g}" '
        f'height="{width * span[1] / span[0]:.0f}" font-family="DejaVu Sans, Verdana, Arial, sans-serif"><style>{"".join(rules)}{held}{still}</style>'
        f'<rect x="{left:.4g}" y="{top:.4g}" width="100%" height="100%" fill="#fff"/>'
        f'<rect {_sides(target)} fill="{TARGET_GROUND}" stroke="{TARGET_COLOUR}" stroke-width="3" {FIXED}/>'
        f'<rect {_sides(start)} fill="{START_GROUND}" stroke="{INK}" stroke-width="2" stroke-dasharray="6 4" {FIXED}/>{"".join(boxes)}</svg>'
    )


FIXED = 'vector-effect="non-scaling-stroke"'


def _moved(box: np.ndarray) -> str:
    """The square of side 1 about the origin becomes the box."""
    x, y, w, h = box.tolist()
    return f"translate({x:.6g}px,{y:.6g}px)scale({w:.6g},{h:.6g})"


def _sides(box: Sequence[float] | np.ndarray) -> str:
    x, y, w, h = (float(side) for side in box)
    return f'x="{x - w / 2:.4g}" y="{y - h / 2:.4g}" width="{w:.4g}" height="{h:.4g}"'
