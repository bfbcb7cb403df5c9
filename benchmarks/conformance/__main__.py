"""`python -m benchmarks.conformance`: installs each peer into a throw-away environment, asks all of them the same, and writes docs/conformance.md."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.conformance import page
from benchmarks.conformance.environments import Environments, FailedError, Tell, ask, environments
from benchmarks.conformance.inside.adapters import of
from benchmarks.conformance.judge import Claims, judge
from benchmarks.conformance.peers import PEERS, Peer, by_name
from benchmarks.conformance.truth import Question, Truth, questions
from benchmarks.machine import describe

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(stderr=True)
Results = dict[str, Any]


@app.command()
def run(
    only: Annotated[str, typer.Option(metavar="NAMES", help=f"Of {', '.join(peer.name for peer in PEERS)}, with commas; the others stay as they are.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for conformance.md and conformance/results.json.")] = Path("docs"),
    pairs: Annotated[int, typer.Option(min=8, help="Pairs of boxes a class.")] = 100,
    keep: Annotated[Path | None, typer.Option(help="Folder where environments stay for a second run; they are removed where not given.")] = None,
) -> None:
    """The same boxes through boxloss and its peers, judged by exact arithmetic."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if by_name(name) is None]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: expected one of {', '.join(peer.name for peer in PEERS)}", param_hint="--only")
    chosen = [peer for peer in PEERS if not names or peer.name in names]
    file = out / "conformance" / "results.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    results: Results = json.loads(file.read_text()) if names and file.exists() else {"peers": {}}
    asked, truth = questions(pairs), Truth()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f}"), TimeElapsedColumn())
    with environments(keep) as made, Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(chosen))
        for peer in chosen:
            results["peers"][peer.name] = examine(peer, made, asked, truth, lambda what, name=peer.name: progress.update(task, description=f"{name}: {what}"))
            write(results, out)  # as far as it got, so that nothing is lost
            progress.advance(task)
    show(results)
    console.print(f"{out / 'conformance.md'} and {file} are written.", soft_wrap=True)


def examine(peer: Peer, made: Environments, asked: dict[str, Question], truth: Truth, tell: Tell) -> Results:
    """One peer's entry in the results. A peer that cannot be installed or asked is an entry that says why."""
    started = time.monotonic()
    tell("making its environment")
    found: Results = {"licence": peer.licence, "pairs": len(next(iter(asked.values())).a), "machine": describe(1), "functions": {}, "skipped": {}}
    try:
        said = ask(made.python(peer, tell), peer, asked, tell)
    except FailedError as error:
        return found | {"failed": str(error), "seconds": round(time.monotonic() - started)}
    versions = {name.lower(): version for name, version in said["versions"].items()}
    found["versions"] = {name: versions[name] for name in ("python", peer.package, "torch", "numpy") if name in versions}
    for function in of(peer.name):
        if peer.name == "boxloss" and claims(function.measure) is None:
            continue  # a loss that peers have and we do not, so far
        answered = said["functions"][function.key]
        tell(f"judging {function.name}")
        if answered["error"] is not None:
            found["skipped"][function.name] = answered["error"]
        elif not truth.has(function.measure):
            found["skipped"][function.name] = f"there is no exact reference for {function.measure} yet"
        else:
            found["functions"][function.name] = judge(function, answered["answers"], asked, truth, claims(function.measure) or Claims())
    return found | {"seconds": round(time.monotonic() - started)}


def claims(measure: str) -> Claims | None:
    """None where boxloss does not have the measure."""
    import boxloss as bl

    record = bl.catalogue().get(measure)
    return Claims(record.symmetric, record.scale_free, record.floor) if record else None


def write(results: Results, out: Path) -> None:
    results["peers"] = {peer.name: results["peers"][peer.name] for peer in PEERS if peer.name in results["peers"]}
    (out / "conformance" / "results.json").write_text(page.dumped(results))
    (out / "conformance.md").write_text(page.render(page.rounded(results)))


def show(results: Results) -> None:
    table = Table(title="Who was asked")
    for column in ("peer", "version", "functions", "seconds", ""):
        table.add_column(column)
    for name, peer in results["peers"].items():
        version = peer.get("versions", {}).get(name, "")
        left_out = f"{len(peer['skipped'])} not judged" if peer["skipped"] else ""
        table.add_row(name, version, str(len(peer["functions"])), str(peer["seconds"]), peer.get("failed", left_out))
    console.print(table)


if __name__ == "__main__":
    app()
