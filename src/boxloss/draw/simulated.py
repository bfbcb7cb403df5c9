"""What `boxloss draw` draws from: results that lie in a folder, or are made on the spot; and how a figure's numbers are written."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

from boxloss.draw.curves_of_error import Table
from boxloss.errors import ParameterError
from boxloss.from_file import is_place
from boxloss.simulate.loss import Loss
from boxloss.simulate.progress import shown
from boxloss.simulate.protocol import Protocol
from boxloss.simulate.run import Result, moved
from boxloss.simulate.store import load


def results(source: str, losses: Callable[[str], list[Loss]], plan: Protocol, quiet: bool = False) -> dict[str, Result]:
    """By label. `source`: the folder of a `boxloss simulate`, or names, which are run under `plan`, with progress on standard error."""
    if (Path(source) / "protocol.json").exists():
        return load(source)
    if Path(source).is_dir():
        raise ParameterError(f"{source}: has no protocol.json: it is not the --out of a boxloss simulate")
    if "/" in source and not is_place(source):
        raise ParameterError(f"{source}: no such folder, and no loss has a / in its name")
    asked, found = losses(source), {}
    with shown(len(asked) * plan.n_cases, sys.stderr, quiet) as told:
        for loss in asked:
            found[loss.label] = moved(loss, plan, tell=lambda n, label=loss.label: told(label, n))  # type: ignore[misc]
    return found


def write_rows(table: Table, path: Path) -> None:
    """As CSV, with a line of names first. Folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns, rows = table
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
