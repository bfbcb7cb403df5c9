"""The command line: parse, call, print. Everything that a command does lives elsewhere, and is imported when the command runs."""

import json
import math
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

try:
    import typer
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError as missing:  # the core installs without them
    sys.exit(f"boxloss: error: the command line needs {missing.name}, which is not installed: pip install 'boxloss[cli]'")

from boxloss import __version__
from boxloss.cli_draw import draw
from boxloss.errors import BoxLossError, DataError, MissingExtraError, ParameterError, UnknownNameError
from boxloss.places import check_file, check_folder
from boxloss.words import plural

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\
[bold]Examples[/bold]
  boxloss compare embedded           [dim]the main job, on the data set inside[/dim]
  boxloss compare DATA --losses smooth_l1,iou,giou,ciou --out runs/mine
  boxloss dataset DATA --out pictures
  boxloss convert DATA --to coco --out DATA-coco
  boxloss list                       [dim]every loss there is[/dim]
  boxloss list --claims              [dim]what was measured of each[/dim]
  boxloss show ciou --out ciou.png   [dim]one loss's card[/dim]
  boxloss check my_loss.py:my_loss   [dim]hold a formula of your own to its claims[/dim]
  boxloss show ciou --source triton  [dim]its code: numba, triton, javascript[/dim]
  boxloss evaluate truth.json detections.json
  boxloss anchors DATA -k 9          [dim]anchors for your boxes, and what they are worth[/dim]
  boxloss simulate iou,giou,ciou     [dim]boxes moved by a loss's gradient alone[/dim]
  boxloss draw path giou,diou --out way.gif    [dim]and other figures: boxloss draw --help[/dim]
  boxloss zoo --out zoo              [dim]the same for every loss, at several rates[/dim]

DATA is a folder (Pascal VOC, COCO or YOLO), a COCO .json, a YOLO data.yaml, or the word [bold]embedded[/bold].""",
)
app.add_typer(draw, name="draw")
errors = Console(stderr=True, soft_wrap=True, highlight=False)
output = Console(soft_wrap=True, highlight=False)

SUPPRESSIONS = "greedy, diou, cluster, fast, soft, soft_linear, matrix, spm, weighted or cluster_weighted"
"""Written down, since to import them takes longer than to print the help; a test holds it to `boxloss.evaluate.suppressed.KINDS`."""

Data = Annotated[str, typer.Argument(metavar="DATA", help="A folder (VOC, COCO, YOLO), a COCO .json, a YOLO data.yaml, or: embedded", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress: the figures alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Format = Annotated[str | None, typer.Option("--format", help="voc, coco or yolo, where a folder could be two of them.", show_default=False)]


def _version(show: bool) -> None:
    if show:
        output.print(f"boxloss {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="On an error, print the whole traceback.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Bounding-box losses: compare them on your data, look at each, judge detections."""


@app.command()
def compare(
    data: Data,
    losses: Annotated[
        str, typer.Option(help="Names with commas between, or FILE.py:NAME; a parameter after a colon: smooth_l1:beta=0.5.")
    ] = "smooth_l1,iou,giou,diou,ciou",
    seeds: Annotated[str, typer.Option(help="How many seeds, or which: 3, or 0,1,2. A verdict takes at least 3.")] = "3",
    epochs: Annotated[int, typer.Option(help="Epochs of each trial.")] = 25,
    image_size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT that pictures are resized to.", show_default="by the data, 192 at most")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; the same command goes on with a run that was stopped.", show_default="runs/NAME")] = None,
    jobs: Annotated[int | None, typer.Option(help="Trials side by side, one core each.", show_default="the cores")] = None,
    weights: Annotated[str, typer.Option(help="equal-gradient, one, or a JSON file of {loss: weight}.")] = "equal-gradient",
    baseline: Annotated[str | None, typer.Option(help="The loss that the others are compared with.", show_default="iou, else the first")] = None,
    batch_size: Annotated[int, typer.Option(help="Pictures in a batch.")] = 16,
    train: Annotated[str | None, typer.Option(help="The split to train on.", show_default="train")] = None,
    evaluate_on: Annotated[str | None, typer.Option("--evaluate-on", help="The splits to judge on, with commas.", show_default="all the others")] = None,
    eval_every: Annotated[int | None, typer.Option(help="Epochs between two evaluations.", show_default="a fifth of them all")] = None,
    assigner: Annotated[
        str, typer.Option(help="The rule by which points learn from objects: centre_sampling, max_iou, ssd, atss, simota, task_aligned, ratio or hungarian.")
    ] = "centre_sampling",
    nms: Annotated[
        str,
        typer.Option(help="The kind of suppression of detections: greedy, diou, cluster, fast, soft, soft_linear, matrix, spm, weighted or cluster_weighted."),
    ] = "greedy",
    nms_threshold: Annotated[float, typer.Option(help="The overlap beyond which a detection is suppressed; soft and matrix have none.")] = 0.6,
    quiet: Quiet = False,
) -> None:
    """Train a detector with each loss over several seeds, and report which loss the data need: or that there is no difference.

    Everything but the box loss is held fixed. The report (report.html, report.md, results.csv, results.json) lies in the run's folder.

    Example: boxloss compare DATA --losses iou,giou,ciou --seeds 5 --out runs/mine
    """
    from boxloss.compare import Interrupted, TrialsFailed
    from boxloss.compare import compare as run

    place = Path(data).resolve()
    out = out or Path("runs") / (place.parent.name if place.name == "data.yaml" else place.stem)  # half of YOLO's data sets are called data
    failed = None
    try:
        run(
            data,
            losses,
            out=out,
            seeds=_seeds(seeds),
            epochs=epochs,
            image_size=image_size,
            batch_size=batch_size,
            weights=weights,
            baseline=baseline,
            train=train,
            evaluate=evaluate_on.split(",") if evaluate_on else None,
            eval_every=eval_every,
            assigner=assigner,
            nms=nms,
            nms_threshold=nms_threshold,
            jobs=jobs,
            quiet=quiet,
            command=shlex.join(["boxloss", *sys.argv[1:]]),
        )
    except Interrupted as stop:  # here and not in `main`: Typer takes a KeyboardInterrupt for itself, and says nothing
        errors.print(f"boxloss: {stop}", markup=False)
        raise typer.Exit(130) from None
    except TrialsFailed as failure:
        failed = failure
    _print_outcome(out)
    if failed:
        errors.print(f"boxloss: {failed}", markup=False, style="red")
        raise typer.Exit(1)


def _print_outcome(out: Path) -> None:
    """The figures, the verdict, and where the report lies."""
    results, report = out / "results.json", out / "report.html"
    if not results.exists():
        return
    found = json.loads(results.read_text(encoding="utf-8"))
    means = found["statistics"]["means"]
    columns = {"AP": "ap", "AP50": "ap50", "AP75": "ap75", "AP90": "ap90"}
    ranked = sorted((loss for loss in means if means[loss].get("ap")), key=lambda loss: -(means[loss]["ap"]["mean"] or 0))
    _print_table(("loss", *columns), [(loss, *(_interval(means[loss].get(metric)) for metric in columns.values())) for loss in ranked])
    output.print(found["verdict"]["sentence"], markup=False)
    output.print(f"Report: {report.resolve()}", markup=False)


def _interval(estimate: dict[str, float | None] | None) -> str:
    if not estimate or estimate["mean"] is None:
        return "-"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['mean']:.3f}"
    return f"{estimate['mean']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _seeds(text: str) -> int | list[int]:
    """`3` is a number of seeds, `0,1,5` are the seeds themselves."""
    try:
        return [int(word) for word in text.split(",") if word.strip()] if "," in text else int(text)
    except ValueError:
        raise ParameterError(f"--seeds is {text!r}, expected how many (3) or which (0,1,2)") from None


@app.command()
def dataset(
    data: Data,
    out: Annotated[Path | None, typer.Option(help="The folder for samples.png and distributions.png.", show_default="runs/NAME-dataset")] = None,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw them. With --json they are drawn where --out is given.")] = True,
    split: Annotated[str | None, typer.Option(help="Of one split alone.", show_default="all")] = None,
    format: Format = None,
    as_json: AsJson = False,
) -> None:
    """What a data set holds: counts, sizes, aspect ratios, overlaps, and what is odd about it; with a picture of samples and one of the distributions.

    Example: boxloss dataset DATA --out pictures
    """
    from boxloss.datasets import load
    from boxloss.datasets.summary import as_text, summarise, tables

    if out is not None:
        if not pictures:
            raise ParameterError(f"--out {out} is where pictures go, and --no-pictures draws none: one of the two")
        check_folder(out)  # before the data are read, where it is known
    draw = pictures and (out is not None or not as_json)
    no_samples = "" if draw else "not asked for"
    try:
        found = load(data, format=_data_format(format), pixels=draw)
    except DataError as missing:
        if not draw:
            raise
        # Annotations alone can still be counted; what is wrong with them is raised again here.
        found, no_samples = load(data, format=_data_format(format), pixels=False), str(missing)
    if split is not None:
        found = found.only(split)
    folder = out or Path("runs") / f"{found.name}-dataset"
    if draw:
        check_folder(folder)
    summary = summarise(found)
    if as_json:
        print(json.dumps(summary.as_dict(), indent=1))
    elif sys.stdout.isatty():
        for table in tables(summary):
            _rich_table(table.header, table.rows, title=table.title, numbers=True)
        for note in summary.notes:
            output.print(f"note: {note}", markup=False, style="yellow")
    else:
        print(as_text(summary))
    if draw:
        from boxloss.draw import style
        from boxloss.draw.dataset import distributions_figure, samples_figure

        folder.mkdir(parents=True, exist_ok=True)
        figures = {"distributions": distributions_figure} | ({} if no_samples else {"samples": samples_figure})
        for name, figure in figures.items():
            style.save(figure(found), folder / f"{name}.png")
            errors.print(f"drawn: {folder / name}.png", markup=False)
        if no_samples:
            errors.print(f"no samples drawn: {no_samples}", markup=False)


def _data_format(format: str | None) -> Any:
    from boxloss.datasets.load import FORMATS

    if format is not None and format not in FORMATS:
        raise UnknownNameError("data set format", format, FORMATS)
    return format


@app.command()
def convert(
    data: Data,
    to: Annotated[str, typer.Option("--to", help="voc, coco or yolo.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to write; it must not exist, or be empty.", show_default=False)],
    format: Format = None,
    pixels: Annotated[bool, typer.Option("--pixels/--no-pixels", help="Copy the image files too, or write VOC or COCO annotations alone.")] = True,
) -> None:
    """Write a data set in another format; what is read from it again is the same to the digit.

    Example: boxloss convert DATA --to yolo --out DATA-yolo
    """
    from boxloss.datasets import convert as write
    from boxloss.datasets import load
    from boxloss.datasets.convert import check_target

    target = _data_format(to)
    if to == "yolo" and not pixels:
        raise ParameterError("--no-pixels: YOLO keeps no sizes, so its labels mean nothing without the image files; write VOC or COCO instead")
    check_target(out)
    found = load(data, format=_data_format(format), pixels=pixels)
    with errors.status(f"writing {plural(sum(map(len, found.splits.values())), 'picture')} as {to}"):
        folder = write(found, target, out)
    output.print(f"written: {folder}", markup=False)
    for note in found.notes:
        errors.print(f"note: {note}", markup=False)


@app.command("list")
def list_losses(
    as_json: AsJson = False,
    claims: Annotated[bool, typer.Option("--claims", help="What was measured of each instead: range, symmetry, triangle inequality, gradient.")] = False,
) -> None:
    """Every loss: name, formula, bounds, paper. Or, with --claims, what was measured of each.

    Piped, the columns have tabs between them: boxloss list | cut -f1

    Example: boxloss list --claims
    """
    from boxloss.formulas import catalogue

    if claims:
        _list_claims(as_json)
        return
    header = ("name", "loss =", "bounds", "parameters", "paper")
    rows = [
        (f.name, _formula_line(f.doc), f.bounds, ", ".join(f"{name}={value}" for name, value in f.parameters.items()), f.paper) for f in catalogue().values()
    ]
    if as_json:
        print(json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1))
    else:
        _print_table(header, rows)


def _list_claims(as_json: bool) -> None:
    """What was measured of every loss; those that have changed since are measured now, which takes some seconds each."""
    from boxloss.claims import kept, remembered
    from boxloss.claims.table import HEADER, MEANING, row
    from boxloss.formulas import catalogue

    formulas = catalogue()
    found = {name: kept(formula) for name, formula in formulas.items()}
    missing = [name for name, measured in found.items() if measured is None]
    if missing:
        from rich.progress import track

        for name in track(missing, description="measuring", console=errors, transient=True):
            found[name] = remembered(formulas[name])
    measured = {name: found[name] or remembered(formula) for name, formula in formulas.items()}
    if as_json:
        print(json.dumps({name: _finite(figures.as_dict()) for name, figures in measured.items()}, indent=1))
        return
    _print_table(HEADER, [row(formula, measured[name]) for name, formula in formulas.items()])
    if sys.stdout.isatty():
        errors.print(MEANING.replace("\n", " "), markup=False, style="dim")


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _formula_line(doc: str) -> str:
    """The right-hand side of a docstring's line `loss = ...`."""
    line = next((line for line in doc.splitlines() if "loss = " in line), "")
    return line.split("loss = ", 1)[-1].strip()


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], title: str | None = None, numbers: bool = False) -> None:
    """A table on a terminal; into a pipe or a file, lines with tabs."""
    if sys.stdout.isatty():
        _rich_table(header, rows, title, numbers)
        return
    for row in (header, *rows):
        print("\t".join(row))


def _rich_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], title: str | None = None, numbers: bool = False) -> None:
    table = Table(title=title, title_justify="left")
    for i, name in enumerate(header):
        right = numbers and i > 0 and any(row[i][:1].isdigit() for row in rows)
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


Place = Annotated[str, typer.Argument(metavar="LOSS", help="A name that `boxloss list` has, or FILE.py:NAME.", show_default=False)]
Picture = Annotated[Path | None, typer.Option("--out", help="Also draw the card into this file (.png, .svg or .pdf).", show_default="no picture")]


@app.command()
def show(
    loss: Place,
    out: Picture = None,
    source: Annotated[str | None, typer.Option(help="Print its code instead: numba, triton or javascript.", show_default=False)] = None,
    gradient: Annotated[bool, typer.Option("--gradient", help="With --source: its gradient too.")] = False,
    as_json: AsJson = False,
) -> None:
    """A loss's card: formula, claims and what was measured of them, its curves, its gradient. Or its code, for another project.

    Example: boxloss show ciou --out ciou.png

    Example: boxloss show my_loss.py:my_loss

    Example: boxloss show my_loss.py:my_loss --source triton --gradient > my_loss_triton.py
    """
    if source is not None:
        from boxloss.calculus.source import source as text_of

        if out is not None or as_json:
            raise ParameterError(f"{'--out draws' if out else '--json prints'} the card, and --source prints code instead: one of the two")
        print(text_of(_loss_at(loss), target=source, gradient=gradient), end="")
        return
    if gradient:
        raise ParameterError(f"--gradient goes with --source: boxloss show {loss} --source numba --gradient")
    card = _card(loss, out)
    print(json.dumps(card.as_dict(), indent=1) if as_json else card)


@app.command()
def check(loss: Place, out: Picture = None, as_json: AsJson = False) -> None:
    """Hold a formula to its claims: bounds, symmetry, scale, gradient, finite values. Exit code 1, and the claims that are false, where one is.

    The same search judges every loss of the catalogue. What a formula does not claim is measured and printed, and fails nothing.

    Example: boxloss check my_loss.py:my_loss

    Example: boxloss check my_loss.py:my_loss --json --out my_loss.png

    Example: boxloss check giou
    """
    card = _card(loss, out)
    false = [finding for finding in card.findings if finding.holds is False]
    if as_json:
        print(json.dumps(card.as_dict(), indent=1))
    else:
        for line in card.sentences(Console().width if sys.stdout.isatty() else 160):
            print(line)
        verdict = f"{len(false)} of its claims {'is' if len(false) == 1 else 'are'} false" if false else "all that it claims holds"
        print(f"{card.formula.name}: {verdict}")
    for finding in false:
        errors.print(f"boxloss: {card.formula.name} {finding.sentence}", markup=False, style="red")
    if false:
        raise typer.Exit(1)


def _loss_at(loss: str) -> Any:
    """The formula of that name, or at that place in a file."""
    from boxloss.formulas import find
    from boxloss.from_file import from_file, is_place

    return from_file(loss) if is_place(loss) else find(loss)


def _card(loss: str, out: Path | None) -> Any:
    """The card of a loss, which is measured if it never was; also drawn, where a file is given."""
    formula = _loss_at(loss)
    from boxloss.claims import remembered
    from boxloss.draw import style
    from boxloss.draw.cards import card_figure, card_text

    if out is not None:
        check_file(out, style.FORMATS)
    with errors.status(f"measuring {formula.name}"):
        measured = remembered(formula)
    card = card_text(formula, measured=measured)
    if out is not None:
        style.save(card_figure(formula, measured=measured), out)
        errors.print(f"drawn: {out}", markup=False)
    return card


@app.command()
def evaluate(
    truth: Annotated[Path, typer.Argument(metavar="GT", help="A COCO file of annotations.", show_default=False)],
    detections: Annotated[Path, typer.Argument(metavar="DETECTIONS", help="A COCO file of results.", show_default=False)],
    nms: Annotated[
        str | None,
        typer.Option(
            help="Kinds of suppression to try on them, with commas: greedy, diou, cluster, fast, soft, soft_linear, matrix, spm, weighted, cluster_weighted.",
            show_default="none",
        ),
    ] = None,
    nms_threshold: Annotated[
        float | None,
        typer.Option(help="With --nms: the overlap beyond which a detection is suppressed; soft and matrix have none.", show_default="0.6"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for pictures of all this.", show_default="no pictures")] = None,
    as_json: AsJson = False,
) -> None:
    """COCO's figures for detections; how well their boxes fit, AP by IoU threshold, what the mistakes are and cost, and what suppression does.

    Piped, tables have tabs between their columns and an empty line between each other.

    Example: boxloss evaluate instances_val2017.json results.json

    Example: boxloss evaluate instances_val2017.json raw.json --nms greedy,diou,soft --out pictures
    """
    from boxloss.evaluate import examine
    from boxloss.evaluate.suppressed import THRESHOLD
    from boxloss.evaluate.words import tables
    from boxloss.written import split_names

    kinds = split_names(nms or "")
    if not kinds and (nms is not None or nms_threshold is not None):
        given = (
            f"--nms-threshold {nms_threshold:g} goes with --nms, which says what is suppressed how" if nms is None else f"--nms is {nms!r}, which names no kind"
        )
        raise ParameterError(f"{given}: for instance --nms greedy")
    if out is not None:
        check_folder(out)
    with errors.status("reading") as status:
        found = examine(truth, detections, nms=kinds, nms_threshold=THRESHOLD if nms_threshold is None else nms_threshold, tell=status.update)
    if as_json:
        print(json.dumps(_finite(found.as_dict()), indent=1))
    else:
        for i, (title, header, rows) in enumerate(tables(found)):
            if i and not sys.stdout.isatty():
                print()
            _print_table(header, rows, title, numbers=True)
    if out is not None:
        from boxloss.draw import style
        from boxloss.draw.evaluate import figures

        out.mkdir(parents=True, exist_ok=True)
        for name, figure in figures(found, detections.stem).items():
            style.save(figure, out / f"{name}.png")
            errors.print(f"drawn: {out / name}.png", markup=False)


@app.command()
def anchors(
    data: Annotated[str, typer.Argument(metavar="DATA", help="As elsewhere; or a .npy file: (N, 2) widths and heights, or (N, 4) xyxy.", show_default=False)],
    k: Annotated[int, typer.Option("-k", min=1, help="How many anchors.")] = 9,
    image_size: Annotated[str, typer.Option(help="The network's input, WIDTHxHEIGHT or one number, which pictures are fitted into (letterbox).")] = "640",
    stretch: Annotated[bool, typer.Option("--stretch", help="Stretch pictures to the input instead, each side by itself.")] = False,
    curve: Annotated[int, typer.Option(min=0, help="Also what 1, 2, ... so many anchors are worth.", show_default="k")] = 0,
    restarts: Annotated[int, typer.Option(min=1, help="Starts of k-means, of which the best is taken.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same anchors.")] = 0,
    refine: Annotated[bool, typer.Option("--refine", help="Move the anchors' sides one by one afterwards, as long as that gains.")] = False,
    split: Annotated[str | None, typer.Option(help="Of one split alone.", show_default="all")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for sizes.png, anchors.png and curve.png.", show_default="no pictures")] = None,
    format: Format = None,
    as_json: AsJson = False,
) -> None:
    """Anchors for your boxes: k-means with 1 - IoU for a distance, and what they are worth beside other numbers of them and well-known detectors' own.

    Mean best IoU: of each box with its most similar anchor. Best possible recall: the share of the boxes that have an anchor with an IoU of at least 0.5;
    and by YOLOv5's rule, one whose sides are within a factor of 4. Both boxes' centres in one place. Stock anchors are in pixels; SSD's grow with the input.

    Example: boxloss anchors DATA -k 9 --image-size 640 --out runs/anchors

    Example: boxloss anchors DATA -k 5 --image-size 416x256 --curve 12 --refine

    Example: boxloss anchors sizes.npy -k 9 --json
    """
    from boxloss.anchors.study import QUALITY_HEADER, study
    from boxloss.datasets.sizes import sizes_from

    sides = image_size.lower().split("x")
    if len(sides) > 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
        raise ParameterError(f"--image-size is {image_size!r}, expected WIDTHxHEIGHT in pixels (640x480), or one number for both (640)")
    size = int(sides[0]), int(sides[-1])
    if out is not None:
        check_folder(out)
    with errors.status(f"reading {data}") as status:
        sizes = sizes_from(data, size, stretch=stretch, split=split, format=_data_format(format))
        found = study(sizes, size, k, most=curve, restarts=restarts, seed=seed, refine=refine, tell=status.update)
    if as_json:
        print(json.dumps(found.as_dict(), indent=1))
    else:
        _print_table(("width", "height", "share of boxes", "mean IoU"), found.anchor_rows())
        print()
        _print_table(QUALITY_HEADER, found.quality_rows())
    if out is not None:
        from boxloss.draw import style
        from boxloss.draw.anchors import anchors_figure, curve_figure, sizes_figure

        out.mkdir(parents=True, exist_ok=True)
        figures = {"sizes": sizes_figure(sizes, found), "anchors": anchors_figure(found), "curve": curve_figure(found)}
        for name, figure in figures.items():
            style.save(figure, out / f"{name}.png")
            errors.print(f"drawn: {out / name}.png", markup=False)


@app.command()
def simulate(
    losses: Annotated[
        str, typer.Argument(metavar="LOSSES", help="Names with commas between, or FILE.py:NAME; parameters after colons: diou:inner=0.75.")
    ] = "iou,giou,diou,ciou",
    protocol: Annotated[str, typer.Option(help="quick, diou-paper, wiou-paper, piou-paper, or a FILE.json with fields of one.")] = "quick",
    centres: Annotated[int | None, typer.Option(help="How many centres of anchors.", show_default="the protocol's")] = None,
    steps: Annotated[int | None, typer.Option(help="How many steps.", show_default="the protocol's")] = None,
    rate: Annotated[float | None, typer.Option(help="The first rate; later ones in proportion.", show_default="the protocol's")] = None,
    optimiser: Annotated[str | None, typer.Option(help="descent, momentum or adam.", show_default="the protocol's")] = None,
    parameters: Annotated[str | None, typer.Option(help="What is moved: cxcywh or xyxy.", show_default="the protocol's")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the anchors' centres.", show_default="the protocol's")] = None,
    gradient: Annotated[str, typer.Option(help="exact, or as-released: the update published with the DIoU paper, for iou, giou, diou and ciou.")] = "exact",
    faults: Annotated[str | None, typer.Option(help="With as-released: which of its slips to make, with commas, or none.", show_default="all")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for all final boxes and the curves, as Parquet.", show_default="nothing is kept")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out that was stopped, or with more losses.")] = False,
    engine: Annotated[str, typer.Option(help="local: threads. ray: Ray, on this machine or a cluster.")] = "local",
    address: Annotated[str | None, typer.Option(help="The Ray cluster's address.", show_default="this machine")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="How many cores.", show_default="all")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Move boxes to their targets by a loss's gradient alone, as the DIoU paper did for 1,715,000 cases, and count what errors are left.

    An error is |x - x'| + |y - y'| + |w - w'| + |h - h'|, of centre and sides. The table has its mean and its sum over all cases after the last step, the
    mean IoU then, the share of IoUs above 0.75, and the errors of all steps together: the fewer, the sooner boxes arrive. Piped, it has tabs.

    Example: boxloss simulate iou,giou,diou,ciou --protocol diou-paper --out runs/paper

    Example: boxloss simulate giou,diou --protocol diou-paper --gradient as-released --faults unclamped-overlap

    Example: boxloss simulate diou:inner=0.75,my_loss.py:my_loss --rate 0.2 --optimiser adam

    Example: boxloss simulate ciou --protocol diou-paper --centres 3000000 --engine ray --address 10.0.0.1:6379 --out runs/billion --resume
    """
    from boxloss.simulate import study

    if out is not None:
        check_folder(out)
    changes = {"n_centres": centres, "steps": steps, "optimiser": optimiser, "parameters": parameters, "seed": seed}
    options: dict[str, Any] = {"gradient": gradient, "faults": faults, "out": out, "resume": resume}
    options |= {"engine": engine, "address": address, "workers": workers, "quiet": quiet}
    try:
        found = study.study(losses, study.changed(protocol, rate, changes), **options)
    except KeyboardInterrupt:  # here and not in `main`: Typer takes it for itself
        errors.print(f"boxloss: stopped{f'; the same command with --resume goes on in {out}' if out else ''}", markup=False)
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(_finite(study.as_dicts(found)), indent=1))
    else:
        _print_table(study.HEADER, [study.row(*one) for one in found], numbers=True)


@app.command()
def zoo(
    out: Annotated[Path | None, typer.Option(help="A folder for zoo.csv, zoo.parquet; beside it a page, FOLDER.md.", show_default="nothing is kept")] = None,
    centres: Annotated[int, typer.Option(min=1, help="How many centres of anchors, 343 cases each.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the centres.")] = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Every loss there is through the DIoU paper's simulation, at five rates and with Adam: what error is left, and who ranks where.

    Of each way: the mean error a case after 200 steps, and the mean IoU. Piped, columns have tabs between them.

    Example: boxloss zoo --out docs/zoo
    """
    from boxloss.simulate import zoo as animals
    from boxloss.simulate.store import libraries
    from boxloss.simulate.zoo_page import page_file, write

    if out is not None:  # else two minutes would be lost
        check_folder(out)
        check_file(page_file(out))
        libraries()
    try:
        rows = animals.shown_zoo(centres, seed, quiet)
    except KeyboardInterrupt:
        errors.print("boxloss: stopped; nothing is kept", markup=False)
        raise typer.Exit(130) from None
    if out is not None:
        for file in write(rows, out, seed):
            errors.print(f"written: {file}", markup=False)
    if as_json:
        print(json.dumps(_finite(animals.as_dicts(rows)), indent=1))
    else:
        _print_table(*animals.table(rows), numbers=True)


def main() -> None:
    """The entry point: what boxloss refuses is one line on stderr and exit code 2; `--debug` shows where it came from."""
    if sys.stdout is None:  # closed: boxloss list >&-
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    try:
        try:
            app()
        except ModuleNotFoundError as missing:  # what draws begins with Matplotlib's imports
            if (missing.name or "").partition(".")[0] != "matplotlib":
                raise
            raise MissingExtraError("matplotlib", "draw", "drawing figures") from missing
        finally:
            sys.stdout.flush()  # here, and not as the interpreter ends, which would speak of a pipe that is closed
    except BoxLossError as refusal:
        if "--debug" in sys.argv:
            raise
        message = str(refusal)
        if isinstance(refusal, UnknownNameError) and message.startswith("unknown loss "):
            message += " (boxloss list has them all)"
        errors.print(f"boxloss: error: {message}", markup=False, style="red")
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has left: boxloss list | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        sys.exit(0)
    except OSError as refusal:  # a folder that cannot be written, a full disk
        if "--debug" in sys.argv:
            raise
        place = f"{refusal.filename}: " if refusal.filename else ""
        errors.print(f"boxloss: error: {place}{refusal.strerror or refusal}", markup=False, style="red")
        sys.exit(2)
