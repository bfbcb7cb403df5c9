"""The common style of all figures, and how a figure becomes a file. Matplotlib's object interface only: no global state is left changed."""

import io
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from boxloss.draw.colours import FAINT, INK, RULE, Look, look
from boxloss.errors import MissingExtraError
from boxloss.places import check_file

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError as error:
    raise MissingExtraError("matplotlib", "draw", "drawing figures") from error

Args = ParamSpec("Args")
Value = TypeVar("Value")

RC: Any = {  # Any: a rcParams key is a Literal in the stubs
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # the first ships with Matplotlib; the others are for browsers without it
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and scaled
    "svg.hashsalt": "boxloss",  # else identifiers are random and no two reports are alike
    "path.simplify": True,
}


def styled(function: Callable[Args, Value]) -> Callable[Args, Value]:
    """Run a drawing function under the common style and restore Matplotlib's settings afterwards."""

    @wraps(function)
    def inner(*args: Args.args, **kwargs: Args.kwargs) -> Value:
        with matplotlib.rc_context(RC):
            return function(*args, **kwargs)

    return inner


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, with its own canvas and a layout that keeps labels apart."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def literal(text: str) -> str:
    r"""Text that Matplotlib shows as it is: a user's `$` must not start a formula.

    >>> literal("a$b")
    'a\\$b'
    """
    return text.replace("$", r"\$")


def shortened(name: str, most: int) -> str:
    """The name in at most so many characters.

    >>> shortened("a_long_name", 7)
    'a_long…'
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def line_style(loss: str, chosen: Look | None = None) -> dict[str, Any]:
    """Keyword arguments of `Axes.plot` for this loss's line, in its own look or in that which is `chosen` for it."""
    chosen = chosen or look(loss)
    dashes: Any = (0, chosen.dash) if chosen.dash else "-"
    return {"color": chosen.colour, "linestyle": dashes}


def name_lines_at_their_ends(axes: Axes, ends: dict[str, tuple[float, float]], look: Callable[[str], Look] = look) -> None:
    """Write each loss's name right of its line's last point, pushed apart vertically where names would overlap.

    `ends`: loss name -> (x, y) of the last point, in data units. `look`: of a name. Reads faster than a legend, and helps who cannot tell the colours apart.
    """
    if not ends:
        return
    low, high = axes.get_ylim()
    bottom, top = axes.get_position().y0, axes.get_position().y1
    figure = axes.get_figure()
    assert figure is not None
    inches = (top - bottom) * figure.get_figheight()  # type: ignore[union-attr]
    is_log = axes.get_yscale() == "log"

    def to_fraction(y: float) -> float:
        value = float(axes.transAxes.inverted().transform(axes.transData.transform((1.0, y)))[1])
        return value if is_log else (y - low) / (high - low)

    step = 0.17 / inches  # a line of 9 point text
    order = sorted(ends, key=lambda loss: to_fraction(ends[loss][1]))
    places = _spread([to_fraction(ends[loss][1]) for loss in order], step)
    for loss, place in zip(order, places, strict=True):
        axes.annotate(
            literal(loss),
            xy=ends[loss],
            xytext=(1.03, place),
            textcoords="axes fraction",
            color=look(loss).colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look(loss).colour, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)},
        )


def _spread(places: list[float], step: float) -> list[float]:
    """Ascending places moved within 0 ... 1 as little as needed for neighbours to be `step` apart: pools of neighbours share their mean shift."""
    pools: list[list[float]] = []  # each pool: [sum of (place - index * step), count]
    for index, place in enumerate(places):
        pools.append([place - index * step, 1.0])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    most = max(1.0 - (len(places) - 1) * step, 0.0)
    shifts = [min(max(total / count, 0.0), most) for total, count in pools for _ in range(int(count))]
    return [shift + index * step for index, shift in enumerate(shifts)]


@styled
def to_svg(figure: Figure, prefix: str) -> str:
    """The figure as an `<svg>` element to stand inside an HTML page; every id in it starts with `prefix`, so that figures do not clash."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(<[^>]*\sid=")', rf"\g<1>{prefix}-", text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)


@styled
def to_svg_file(figure: Figure) -> bytes:
    """The figure as a whole SVG file, for reports that keep their figures beside them."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@styled
def to_png(figure: Figure, dots_per_inch: int = 150) -> bytes:
    """The figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return buffer.getvalue()


@styled
def to_jpeg(figure: Figure, dots_per_inch: int = 100) -> bytes:
    """The figure as a JPEG file's bytes: a quarter of a PNG's size where photographs are shown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", dpi=dots_per_inch, pil_kwargs={"quality": 88, "optimize": True})
    return buffer.getvalue()


@styled
def to_pdf(figure: Figure) -> bytes:
    """The figure as a PDF file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="pdf", metadata={"CreationDate": None})
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Figure], bytes]] = {".png": to_png, ".svg": to_svg_file, ".jpg": to_jpeg, ".jpeg": to_jpeg, ".pdf": to_pdf}


def save(figure: Figure, path: Path) -> None:
    """Write the figure to `path` as its suffix says: .png, .svg, .jpg or .pdf. Folders on the way are made; an existing file is replaced."""
    check_file(path, FORMATS, "path")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FORMATS[path.suffix.lower()](figure))
