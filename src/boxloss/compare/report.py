"""The report of a run: `report.html` (one file, no network), `report.md` with `figures/`, `results.csv` and `results.json`."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boxloss.compare import files
from boxloss.compare.document import Document, to_html, to_markdown
from boxloss.compare.pictures import galleries
from boxloss.compare.results import Results
from boxloss.compare.statistics import Statistics, analyse
from boxloss.compare.story import tell
from boxloss.compare.verdict import Verdict, conclude
from boxloss.datasets import Dataset


def write(results: Results, dataset: Dataset, out: str | Path) -> Verdict:
    """Writes the report of `results` into the run's folder `out`, each file whole or not at all, and gives back its verdict.

    Trials that are missing are reported as missing; the correction for the number of losses counts every loss planned. The same results give the same bytes.

    Raises:
        CompareError: a file cannot be written.
    """
    out = Path(out)
    statistics = judge(results)
    verdict = conclude(statistics)
    document = Document(f"Which box loss does {results.plan['dataset']} need?")
    document.blocks = tell(results, dataset, statistics, verdict, galleries(results, dataset, out))
    files.write_bytes(out / "results.csv", _csv(results).encode())
    files.write_bytes(out / "results.json", files.encode(finite(_record(results, statistics, verdict))))
    for image in document.images():  # before the page that shows them
        files.write_bytes(out / image.file, image.content)
    files.write_bytes(out / "report.md", to_markdown(document).encode())
    files.write_bytes(out / "report.html", to_html(document).encode())
    return verdict


def judge(results: Results) -> Statistics:
    """The statistics of a run. Losses whose trials are missing stay in the count that p-values are corrected for."""
    losses = list(dict.fromkeys([*results.plan["losses"], *(loss for loss, _ in results.missing)]))
    return analyse(losses, results.plan["seeds"], results.plan["baseline"] or losses[0], results.trials)


def _csv(results: Results) -> str:
    """One row a trial; an undefined figure is an empty cell."""
    metrics = list(dict.fromkeys(name for trial in results.trials for name in trial["metrics"]))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["loss", "seed", *metrics, "box_weight", "cpu_seconds", "n_parameters"])
    for trial in results.trials:
        figures = [finite(trial["metrics"].get(name)) for name in metrics]
        row = [trial["loss"], trial["seed"], *figures, trial["box_weight"], trial["cpu_seconds"], trial["n_parameters"]]
        writer.writerow(["" if cell is None else cell for cell in row])
    return buffer.getvalue()


def _record(results: Results, statistics: Statistics, verdict: Verdict) -> dict[str, Any]:
    missing = [{"loss": loss, "seed": seed} for loss, seed in results.missing]
    return {
        "verdict": asdict(verdict),
        "plan": results.plan,
        "weights": results.weights,
        "gradients": results.gradients,
        "statistics": asdict(statistics),
        "missing": missing,
        "trials": results.trials,
    }


def finite(value: Any) -> Any:
    """The value with NaN and infinities as None, all the way down, and with text for keys: what strict JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
