"""Results on disk, as Parquet: written shard by shard, whole or not at all, so that a run that was killed goes on.

    FOLDER/protocol.json
    FOLDER/LABEL/cases/FIRST.parquet   case, x y w h (the final box), error, iou; a file a shard
    FOLDER/LABEL/curve.parquet         step, error_sum; written last

Every Parquet file has the protocol, the loss with the digest of its text, and the tally of its cases in its metadata, as JSON.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from boxloss.errors import MissingExtraError, ParameterError
from boxloss.simulate import run
from boxloss.simulate.loss import Loss
from boxloss.simulate.protocol import Protocol, read
from boxloss.simulate.run import Result, Shard, Simulation
from boxloss.simulate.tally import Tally

COLUMNS = ("x", "y", "w", "h")


class Store:
    """The folder of one run. Raises `ParameterError` where it holds another protocol's results, or, unless they are to be gone on with, results at all."""

    def __init__(self, folder: Path, plan: Protocol, resume: bool):
        libraries()
        self.folder, self.plan = folder, plan
        file = folder / "protocol.json"
        if file.exists():
            if not resume:
                raise ParameterError(f"{folder}: holds results already: --resume goes on with them, or choose another --out")
            kept = read(file)
            if kept != plan:
                raise ParameterError(f"{folder}: holds results of another protocol ({_difference(kept, plan)}); choose another --out")
        elif folder.is_dir() and any(folder.iterdir()):
            raise ParameterError(f"{folder}: holds other files, and no protocol.json; choose another --out")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            _write(file, (plan.as_json() + "\n").encode())

    def of(self, loss: Loss, simulation: Simulation) -> "LossStore":
        about = {"protocol": self.plan.as_dict(), "loss": loss.as_dict() | {"text": simulation.digest}, "shard": run.SHARD}
        return LossStore(self.folder / loss.label, about)


class LossStore:
    """The folder of one loss; `about` is what its files have to say of themselves."""

    def __init__(self, folder: Path, about: dict[str, Any]):
        self.folder, self._about = folder, json.loads(json.dumps(about))
        self.cases = folder / "cases"
        self.cases.mkdir(parents=True, exist_ok=True)
        for torn in folder.rglob("*.part"):
            torn.unlink()

    def kept(self, first: int) -> Tally | None:
        """The tally of the shard that begins with this case, where it is done. Raises `ParameterError` where it is another loss's."""
        file = self._place(first)
        if not file.exists():
            return None
        about = _metadata(file)
        for name, mine in self._about.items():
            if about[name] != mine:
                raise ParameterError(
                    f"{file}: was made by another {name} of that name, or by another version of boxloss: choose another --out, or delete {self.folder}"
                )
        return Tally.from_dict(about["tally"])

    def keep(self, shard: Shard) -> None:
        numbers = dict(zip(COLUMNS, shard.boxes.T, strict=True)) | {"error": shard.errors, "iou": shard.ious}
        self._write(self._place(shard.first), {"case": np.arange(shard.first, shard.first + len(shard.ious))} | numbers, shard.tally)

    def finish(self, tally: Tally) -> None:
        curve = tally.curve()
        self._write(self.folder / "curve.parquet", {"step": np.arange(len(curve)), "error_sum": curve}, tally)

    def _place(self, first: int) -> Path:
        return self.cases / f"{first:013d}.parquet"

    def _write(self, file: Path, columns: dict[str, Any], tally: Tally) -> None:
        arrow, parquet = libraries()
        table = arrow.table({name: np.ascontiguousarray(column) for name, column in columns.items()})
        about = {f"boxloss.{name}": json.dumps(value) for name, value in (self._about | {"tally": tally.as_dict()}).items()}
        sink = arrow.BufferOutputStream()
        # Final boxes are as good as random digits: only counting columns are worth a coding.
        counted = {name: "DELTA_BINARY_PACKED" for name in ("case", "step") if name in columns}
        parquet.write_table(table.replace_schema_metadata(about), sink, compression="none", use_dictionary=False, column_encoding=counted)
        _write(file, sink.getvalue())


def load(folder: str | Path) -> dict[str, Result]:
    """The results in a run's folder, by label ("giou", "giou-released", ...), all their cases in memory. Losses that are not finished are left out.

    Raises `ParameterError` where the folder holds no results.
    """
    place = Path(folder)
    found = {file.parent.name: _load(file.parent, plan) for plan in [read(place / "protocol.json")] for file in sorted(place.glob("*/curve.parquet"))}
    if not found:
        raise ParameterError(f"{place}: no loss is finished yet: --resume goes on with the run")
    return found


def _load(folder: Path, plan: Protocol) -> Result:
    _, parquet = libraries()
    cases = parquet.read_table(folder / "cases")
    order = np.argsort(cases["case"].to_numpy())
    columns = {name: cases[name].to_numpy()[order] for name in (*COLUMNS, "error", "iou")}
    if len(order) != plan.n_cases:
        raise ParameterError(f"{folder}: has {len(order)} of the protocol's {plan.n_cases} cases; a file of it is missing")
    curve = parquet.read_table(folder / "curve.parquet")["error_sum"].to_numpy()
    return Result(plan, curve, np.stack([columns[name] for name in COLUMNS], 1), columns["error"], columns["iou"])


def spans(plan: Protocol, size: int) -> Iterator[tuple[int, int]]:
    """The first case of each shard, and the first that is no longer in it."""
    return ((first, min(first + size, plan.n_cases)) for first in range(0, plan.n_cases, size))


def _metadata(file: Path) -> dict[str, Any]:
    _, parquet = libraries()
    try:
        found = parquet.read_schema(file).metadata or {}
        return {name: json.loads(found[f"boxloss.{name}".encode()]) for name in ("protocol", "loss", "shard", "tally")}
    except (KeyError, ValueError) as error:  # which Arrow's own errors are
        raise ParameterError(f"{file}: is no file of a simulation: {' '.join(str(error).split())[:200]}") from error


def _difference(kept: Protocol, asked: Protocol) -> str:
    mine = asked.as_dict()
    return ", ".join(f"{name}: {value!r}, not {mine[name]!r}" for name, value in kept.as_dict().items() if value != mine[name])


def _write(file: Path, content: Any) -> None:
    """Whole or not at all, also when the process or the machine dies meanwhile."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with open(part, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, file)


def libraries() -> tuple[Any, Any]:
    """pyarrow and pyarrow.parquet. Raises `MissingExtraError` where they are not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as missing:
        raise MissingExtraError("pyarrow", "simulate", "storing a simulation") from missing
    return pyarrow, pyarrow.parquet
