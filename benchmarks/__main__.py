"""`python -m benchmarks`: measures, and writes the page, the numbers and the charts. `python -m benchmarks readme` puts the table into the README."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import machine, peers, works
from benchmarks.clock import Budget

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()
OUT = Path("docs/benchmarks")


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and few samples: to see that it works.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"{', '.join(works.NAMES)}; may be repeated; the others stay as they are in --out.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="For all contenders; as many as there are cores where not given.")] = None,
    seconds: Annotated[float, typer.Option(min=0, help="Of samples for each contender and size; a call that takes longer is timed three times.")] = 2.0,
    out: Annotated[Path, typer.Option(help="Folder of results.json and the charts; the page is beside it, with .md at its end.")] = OUT,
) -> None:
    """Time and memory of boxloss and of what one would use instead."""
    if context.invoked_subcommand is not None:
        return
    unknown = [name for name in only or () if name not in works.NAMES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: expected one of {', '.join(works.NAMES)}", param_hint="--only")
    n_threads = threads or machine.n_cores()
    os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(n_threads)  # before those are imported that look once
    _show_peers()
    out.mkdir(parents=True, exist_ok=True)
    file = out / "results.json"
    results: dict[str, Any] = json.loads(file.read_text()) if only and file.exists() else {"works": {}}
    budget = Budget(0.1, 0.002, 3, 31) if quick else Budget(seconds)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(only or works.NAMES))
        for name in only or works.NAMES:
            work = works.find(name)
            described = machine.describe(getattr(work, "n_threads", None) or n_threads)
            rows = work.measure(budget, n_threads, quick, lambda what, title=work.title: progress.update(task, description=f"{title}: {what}"))
            results["works"][name] = {"quick": quick, "machine": described, "rows": rows}
            write(results, out)  # as far as it got, so that nothing is lost
            progress.advance(task)
    _show_figures(results)
    console.print(f"{out.with_suffix('.md')}, {file} and charts beside it are written.", soft_wrap=True)


@app.command()
def readme(
    results: Annotated[Path, typer.Option(help="What `python -m benchmarks` wrote.")] = OUT / "results.json",
    readme: Annotated[Path, typer.Option(help="With a line <!-- benchmarks --> and after it a line <!-- /benchmarks -->.")] = Path("README.md"),
) -> None:
    """Put the table of figures and its chart between the README's markers."""
    from benchmarks.page import refresh

    try:
        charts = Path(os.path.relpath(results.parent, readme.parent)).as_posix()
        refresh(readme, json.loads(results.read_text()), charts)
    except (OSError, ValueError) as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(2) from error


def write(results: dict[str, Any], out: Path) -> None:
    from benchmarks import charts, page

    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    names = charts.draw(results, out)
    text = page.render(results, names, (out / page.GPU_PAGE).exists()).replace("](benchmarks/", f"]({out.name}/")
    out.with_suffix(".md").write_text(text)


def _show_peers() -> None:
    table = Table(title="What is compared")
    for column in ("package", "version", "to install"):
        table.add_column(column)
    for peer in peers.PEERS:
        table.add_row(peer.name, peer.version or "not installed: left out", "" if peer.version else peer.install)
    console.print(table)


def _show_figures(results: dict[str, Any]) -> None:
    from benchmarks.figures import Results, rows
    from benchmarks.page import digits, verdict

    table = Table(title="The figures to reach")
    for column in ("work", "against", "to reach", "measured", ""):
        table.add_column(column)
    for figure, got in rows(Results(results["works"])):
        if got is not None:
            measured, target = f"{digits(got.value)} {figure.unit}", f"{figure.target:g} {figure.unit}"
            table.add_row(figure.work, figure.against, target, measured, verdict(figure, got).strip("*"))
    if table.row_count:
        console.print(table)


if __name__ == "__main__":
    app()
