"""`boxloss draw`: figures of simulations, of one case, and of losses as landscapes. Parse, call, print."""

import contextlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxloss.cli_landscape import landscape
from boxloss.errors import ParameterError, check_choice
from boxloss.places import check_file

if TYPE_CHECKING:
    from boxloss.simulate.run import Result

draw = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Figures: PNG, SVG or PDF by the file's suffix, with their numbers as CSV where asked.",
    epilog="""\
[bold]Examples[/bold]
  boxloss draw error giou,diou,ciou,l1 --out error.svg
  boxloss draw surface runs/paper --out surface.png    [dim]what boxloss simulate --out runs/paper has stored[/dim]
  boxloss draw path iou,giou,diou --out way.gif        [dim]or .html, .mp4, or a filmstrip as .png[/dim]
  boxloss draw landscape ciou,my_loss.py:mine --plane shift --out landscapes""",
)
draw.command("landscape")(landscape)

Source = Annotated[str, typer.Argument(metavar="LOSSES|FOLDER", help="Names with commas between, or FILE.py:NAME; or the --out of a boxloss simulate.")]
Losses = Annotated[str, typer.Argument(metavar="LOSSES", help="Names with commas between, or FILE.py:NAME; parameters after colons: diou:inner=0.75.")]
Plan = Annotated[str, typer.Option("--protocol", help="quick, diou-paper, wiou-paper, piou-paper, or a FILE.json with fields of one.")]
Centres = Annotated[int | None, typer.Option(help="How many centres of anchors.", show_default="the protocol's")]
Rate = Annotated[float | None, typer.Option(help="The first rate; later ones in proportion.", show_default="the protocol's")]
Optimiser = Annotated[str | None, typer.Option(help="descent, momentum or adam.", show_default="the protocol's")]
Gradient = Annotated[str, typer.Option(help="exact; as-released, the update published with the DIoU paper; or both, where there are both.")]
Data = Annotated[Path | None, typer.Option(help="A .csv for the figure's numbers.", show_default="none")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
DEFAULT = "iou,giou,diou,ciou"


@draw.command()
def error(
    source: Source = DEFAULT, protocol: Plan = "quick", centres: Centres = None, rate: Rate = None, optimiser: Optimiser = None, gradient: Gradient = "exact",
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg or .pdf.")] = Path("error.png"), data: Data = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """The mean error of a case against the step, a line a loss.

    Example: boxloss draw error giou,diou --gradient both --protocol diou-paper --out error.svg --data error.csv
    """
    from boxloss.draw import curves_of_error as figures

    _ready(out, data)
    found = _results(source, protocol, centres, rate, optimiser, gradient, quiet)
    plan = next(iter(found.values())).plan
    curves = {label: result.sums for label, result in found.items()}
    _save(figures.error_figure(curves, plan), out, figures.error_rows(curves, plan.n_cases), data)


@draw.command()
def surface(
    source: Source = DEFAULT, protocol: Plan = "diou-paper",
    centres: Annotated[int, typer.Option(help="How many centres of anchors.")] = 1000, rate: Rate = None, optimiser: Optimiser = None,
    gradient: Gradient = "exact", three_d: Annotated[bool, typer.Option("--3d", help="As surfaces instead of maps.")] = False,
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg or .pdf.")] = Path("surface.png"), data: Data = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """The final error over the centres that anchors started from, a panel a loss.

    Example: boxloss draw surface giou --gradient both --3d --out surface.pdf
    """
    from boxloss.draw import surfaces as figures

    _ready(out, data)
    found = _results(source, protocol, centres, rate, optimiser, gradient, quiet)
    _save(figures.surface_figure(found, three_d), out, figures.surface_rows(found), data)


@draw.command()
def starts(
    source: Source = DEFAULT, protocol: Plan = "quick", centres: Centres = None, rate: Rate = None, optimiser: Optimiser = None, gradient: Gradient = "exact",
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg or .pdf.")] = Path("starts.png"), data: Data = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """The final IoU by what an anchor started with: overlap, distance, scale and aspect.

    Example: boxloss draw starts iou,giou,ciou --out starts.png
    """
    from boxloss.draw import surfaces as figures

    _ready(out, data)
    found = _results(source, protocol, centres, rate, optimiser, gradient, quiet)
    _save(figures.start_figure(found), out, figures.start_rows(found), data)


@draw.command()
def rates(
    losses: Losses = "l1,smooth_l1,iou,giou,diou,ciou,efficient_iou,siou",
    out: Annotated[Path, typer.Option(help="The picture: .png, .svg or .pdf.")] = Path("rates.png"), data: Data = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """The order of losses by final error, at steps from 0.05 to 1 and with Adam: a line a loss. Crossing lines are an order that flips.

    Example: boxloss draw rates l1,iou,giou,diou,ciou,my_loss.py:mine --out rates.png
    """
    from boxloss.draw import curves_of_error as figures
    from boxloss.simulate.progress import shown
    from boxloss.simulate.zoo import zoo

    _ready(out, data)
    _losses(losses, "exact")  # a name that there is not is refused here, and not by a worker
    asked = _names(losses)
    with _stoppable(), shown(len(asked), sys.stderr, quiet, "loss") as told:
        rows = zoo(asked, tell=lambda loss: told(loss, 1))
    ways = list(dict.fromkeys(row.way for row in rows))
    ranks = {loss: [row.rank for row in rows if row.loss == loss] for loss in asked}
    _save(figures.rank_figure(ranks, ways), out, figures.rank_rows(ranks, ways), data)


@draw.command()
def path(
    losses: Losses = DEFAULT,
    target: Annotated[str | None, typer.Option(help="x,y,w,h: centre and sides.", show_default="10,10,0.8,1.3")] = None,
    anchor: Annotated[str | None, typer.Option(help="The same of the start.", show_default="12.4,11.2,1.5,0.6")] = None,
    protocol: Annotated[str, typer.Option(help="Whose steps and rates: diou-paper, wiou-paper, piou-paper, or a FILE.json.")] = "diou-paper",
    rate: Rate = None, optimiser: Optimiser = None, gradient: Gradient = "exact",
    out: Annotated[Path, typer.Option(help=".gif, .mp4 (by ffmpeg) or .html: an animation; .png, .svg or .pdf: a filmstrip.")] = Path("path.gif"),
    data: Data = None,
) -> None:  # fmt: skip
    """One case, step by step: target, start, and a box a loss.

    Example: boxloss draw path giou,diou --target 10,10,1,1 --anchor 12.4,11.2,1,1 --gradient both --out way.html
    """
    from boxloss.draw import paths
    from boxloss.simulate.study import changed

    _ready(out, data, paths.SUFFIXES)
    if out.suffix.lower() == ".mp4":
        paths.ffmpeg()
    plan = changed(protocol, rate, {"n_centres": 1, "optimiser": optimiser})
    goal, start = (_box(name, text) if text else default for name, text, default in (("--target", target, paths.TARGET), ("--anchor", anchor, paths.ANCHOR)))
    found = paths.ways(_losses(losses, gradient), plan, start, goal)
    rows = paths.path_rows(found, goal)
    if out.suffix.lower() in paths.SUFFIXES:
        paths.animate(found, goal, out)
        _say(out, rows, data)
    else:
        _save(paths.strip_figure(found, goal), out, rows, data)


def _box(option: str, text: str) -> tuple[float, ...]:
    try:
        x, y, w, h = (float(part) for part in text.split(","))
        if not (math.isfinite(x + y + w + h) and w > 0 and h > 0):
            raise ValueError
    except ValueError:
        raise ParameterError(f"{option} is {text!r}, expected four numbers: x,y,w,h, with w and h > 0") from None
    return x, y, w, h


def _losses(text: str, gradient: str) -> list[Any]:
    from boxloss.simulate.gradients import FAULTS, RELEASED
    from boxloss.simulate.loss import Loss, chosen
    from boxloss.simulate.study import GRADIENTS

    check_choice("--gradient", gradient, (*GRADIENTS, "both"))
    if gradient == "as-released":
        return chosen(text, tuple(FAULTS))
    asked = chosen(text)
    released = [Loss(one.formula, {}, tuple(FAULTS)) for one in asked if one.formula.name in RELEASED and not one.parameters]
    return asked + (released if gradient == "both" else [])


def _names(text: str) -> list[str]:
    from boxloss.written import split_names

    return list(split_names(text))


def _results(source: str, protocol: str, centres: int | None, rate: float | None, optimiser: str | None, gradient: str, quiet: bool) -> "dict[str, Result]":
    from boxloss.draw.simulated import results
    from boxloss.simulate.study import changed

    with _stoppable():
        return results(source, lambda text: _losses(text, gradient), changed(protocol, rate, {"n_centres": centres, "optimiser": optimiser}), quiet)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Says that it was stopped by Ctrl-C: Typer says nothing."""
    try:
        yield
    except KeyboardInterrupt:
        print("boxloss: stopped; nothing is drawn", file=sys.stderr)
        raise typer.Exit(130) from None


def _ready(out: Path, data: Path | None, also: tuple[str, ...] = ()) -> None:
    """Refuses what cannot be written before there is work for it. `also`: suffixes beside those of pictures."""
    from boxloss.draw.style import FORMATS

    check_file(out, (*also, *FORMATS))
    if data is not None:
        check_file(data, (".csv",), "--data")


def _save(figure: Any, out: Path, rows: Any, data: Path | None) -> None:
    from boxloss.draw.style import save

    save(figure, out)
    _say(out, rows, data)


def _say(out: Path, rows: Any, data: Path | None) -> None:
    from boxloss.draw.simulated import write_rows

    print(f"drawn: {out}", file=sys.stderr)
    if data is not None:
        write_rows(rows, data)
        print(f"written: {data}", file=sys.stderr)
