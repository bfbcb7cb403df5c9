"""docs/benchmarks.md, from the results.

Links to what lies in docs/benchmarks have a "./" in them: tests/test_docs.py takes "benchmarks/NAME" for a script of that name.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import works
from benchmarks.figures import Figure, Measured, Results, Row, rows

HEAD = """\
# Benchmarks

Written by `python -m benchmarks`: run it on your machine. Every time is the median of samples that were taken in turn, contender after contender,
each after a rest and a call to warm up, with the same boxes and the same number of threads; ± is half of the samples' middle half. Results are compared
with one another first. Peak memory is what a process of its own grows by during a call. [All numbers](benchmarks/./results.json).
"""

GPU_PAGE = "gpu.md"  # what `python -m benchmarks.gpu --out` leaves in the folder of the results


def render(results: dict[str, Any], charts: Iterable[str], has_gpu_page: bool = False) -> str:
    """The whole page. `charts`: file names in the folder of the results."""
    found = Results(results["works"])
    machines = {_machine(section["machine"]) for section in results["works"].values()}
    parts = [
        HEAD,
        *sorted(machines),
        *([f"[On a GPU](benchmarks/./{GPU_PAGE}).\n"] if has_gpu_page else []),
        "## The figures to reach\n",
        figures_table(found),
        *(f"![{name.split('.')[0]}](benchmarks/./{name})\n" for name in charts),
    ]
    for name in works.NAMES:
        if name in results["works"]:
            parts.append(_section(name, results["works"][name], len(machines) > 1))
    return "\n".join(parts)


def figures_table(results: Results) -> str:
    lines = ["| work | against | to reach | measured | |", "|---|---|---|---|---|"]
    lines += [f"| {one.work} | {one.against} | {_target(one)} | {_measured(one, got)} | {verdict(one, got)} |" for one, got in rows(results)]
    return "\n".join(lines) + "\n"


def verdict(figure: Figure, measured: Measured | None) -> str:
    return "not measured" if measured is None else "reached" if figure.reached(measured) else "**missed**"


def _target(figure: Figure) -> str:
    return f"{'at least' if figure.more_is_better else 'at most'} {figure.target:g} {figure.unit}"


def _measured(figure: Figure, measured: Measured | None) -> str:
    if measured is None:
        return "-"
    if measured.low == measured.high:
        return f"{digits(measured.value)} {figure.unit}"
    return f"{digits(measured.value)} ({digits(measured.low)} to {digits(measured.high)}) {figure.unit}"


def _section(name: str, section: dict[str, Any], with_machine: bool) -> str:
    """A work's story, when and where it was measured, and its tables."""
    work, found, machine = works.find(name), section["rows"], section["machine"]
    when = f"{machine['date']}, {machine['threads']} thread{'s' * (machine['threads'] > 1)}; load of the machine before: {machine['load_before']:g}.\n"
    parts = [f"## {work.title}\n", f"{work.story}\n", *([_machine(machine)] if with_machine else []), when]
    if section["quick"]:
        parts.append("**A quick run, to see that it works: the numbers mean little.**\n")
    share = (lambda row: row["n"]) if getattr(work, "per_box", False) else (lambda row: 1)
    corner = "median time of a box" if getattr(work, "per_box", False) else "median time of a call"
    parts.append(_table(found, corner, lambda row: time_text(*(row[key] / share(row) for key in ("median_s", "low_s", "high_s")))))
    if any(row.get("peak_bytes") is not None for row in found):
        large = [row for row in found if row.get("peak_bytes") is not None]
        parts.append(_table(large, "peak memory over the inputs", lambda row: f"{row['peak_bytes'] / 2**20:,.1f} MiB"))
    return "\n".join([*parts, _left_out(found)])


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    inside = ", ".join(x for x in (machine["vectors"], machine["caches"]) if x)
    return f"{machine['cpu']}, {machine['cores']} cores ({inside}), {machine['memory_gib']:g} GiB, {machine['system']}; {versions}.\n"


def _table(found: list[Row], corner: str, cell: Any) -> str:
    """Contenders down, sizes across."""
    cases, contenders = _in_order(row["case"] for row in found), _in_order(row["contender"] for row in found)
    by_place = {(row["case"], row["contender"]): row for row in found}
    lines = [f"| {corner} | {' | '.join(cases)} |", "|---|" + "---:|" * len(cases)]
    for who in contenders:
        entries = [by_place.get((case, who)) for case in cases]
        lines.append(f"| {who} | {' | '.join('-' if row is None or 'left_out' in row else cell(row) for row in entries)} |")
    return "\n".join(lines) + "\n"


def _left_out(found: list[Row]) -> str:
    why: dict[tuple[str, str], list[str]] = {}
    for row in found:
        if "left_out" in row:
            why.setdefault((row["contender"], row["left_out"]), []).append(row["case"])
    return "".join(f"- {who}, {'; '.join(cases)}: left out, {reason}\n" for (who, reason), cases in why.items())


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def time_text(median_s: float, low_s: float, high_s: float) -> str:
    """
    >>> time_text(41.3e-6, 40e-6, 42e-6)
    '41.3 us ±2 %'
    """
    unit, per_second = next((u for u in (("s", 1), ("ms", 1e3), ("us", 1e6)) if median_s * u[1] >= 1), ("ns", 1e9))
    return f"{digits(median_s * per_second)} {unit} ±{50 * (high_s - low_s) / median_s:.0f} %"


def digits(x: float) -> str:
    """Three digits, without an exponent: 0.123, 1.23, 12.3, 123, 1,234.

    >>> digits(1234.5), digits(12.34), digits(0.01234)
    ('1,234', '12.3', '0.0123')
    """
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.2f}" if 1 <= x < 10 else f"{x:.1f}" if x >= 10 else f"{x:.3g}"


def refresh(readme: Path, results: dict[str, Any], charts: str) -> None:
    """Puts the table, without its spread, and the chart between README's two markers."""
    text = readme.read_text()
    first, last = "<!-- benchmarks -->", "<!-- /benchmarks -->"
    if text.count(first) != 1 or text.count(last) != 1 or text.index(first) > text.index(last):
        raise ValueError(f"{readme} needs one line {first} and after it one line {last}, between which the table goes")
    lines = ["| work | against | measured | to reach |", "|---|---|---|---|"]
    for figure, got in rows(Results(results["works"])):
        if got is not None:
            shown = f"{digits(got.value)} {figure.unit}"
            lines.append(f"| {figure.work} | {figure.against} | {shown if figure.reached(got) else f'{shown} (missed)'} | {_target(figure)} |")
    block = "\n".join([*lines, "", f"![How much faster, on a logarithmic scale]({charts}/./ratios.svg)"])
    before, after = text[: text.index(first) + len(first)], text[text.index(last) :]
    readme.write_text(f"{before}\n{block}\n{after}")
