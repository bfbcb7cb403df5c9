"""The pages of `docs/losses`: a page and a picture for each loss, a table of all, and that table beside the published one.

    python -m boxloss.draw.pages              writes docs/losses, and measures what has changed since it was last written
    python -m boxloss.draw.pages giou diou    writes these losses' pages, and the tables

A page is a function of the loss's record and of what was measured, so that a test can see that it is not stale.
"""

import argparse
import io
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from boxloss.claims import Finding, Measured, digest, findings, reference, remembered, similar
from boxloss.claims.findings import figure
from boxloss.claims.kept import ship
from boxloss.claims.table import HEADER, MEANING, row
from boxloss.draw import cards, style
from boxloss.formulas import Formula, catalogue, find

FOLDER = Path("docs/losses")
DOTS_PER_INCH = 100
COLOURS = 64  # of a picture: a third of the bytes, and no difference that one sees

MARKS = {True: "holds", False: "**false**", None: "measured"}
COMMAND = "python -m boxloss.draw.pages"
MADE = f"<!-- made by `{COMMAND}`: edit the record in src/boxloss/formulas, not this page -->"


def page(formula: Formula, measured: Measured) -> str:
    """One loss's page, in Markdown."""
    facts = [f"[Range](../decisions/no-overlap.md): {formula.bounds}."] if "no-overlap" in formula.doc else [f"Range: {formula.bounds}."]
    if formula.aliases:
        facts.append(f"Also called {', '.join(f'`{alias}`' for alias in formula.aliases)}.")
    if formula.parameters:
        facts.append(f"Parameters: {', '.join(f'`{name}={value!r}`' for name, value in formula.parameters.items())}.")
    if formula.is_overlap:
        facts.append("Takes the modifiers `inner`, `focaler`, `power`, `squared`, `log`, `wise`, `focal`, `focal_inverse`.")
    parts = [
        MADE,
        f"# {_prose(formula.title)}: `{formula.name}`",
        f"$${formula.math}$$" if formula.math else "",
        f"{_prose(formula.paper)}. {' '.join(facts)}",
        f"![The card of {formula.name}: its formula, its curves, its gradient, and what was measured]({formula.name}.png)",
        _documentation(formula),
        _example(formula),
        "## What is claimed, and what was measured",
        _claims(findings(formula, measured)),
        f"Most like it: {_alike(formula)}.",
        _accuracy(formula),
        _list("In the wild", formula.wild),
        _list("Not yet checked against the paper", (formula.unsure,) if formula.unsure else ()),
        "[All losses](README.md)",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _documentation(formula: Formula) -> str:
    """The docstring: its formula as code, its other lines as paragraphs."""
    written = []
    for paragraph in formula.doc.split("\n\n"):
        stated = "loss = " in paragraph
        written.append(f"```text\n{paragraph}\n```" if stated else _prose(re.sub(r"\n(?=[A-Z])", "\n\n", paragraph)))
    return "\n\n".join(written)


def _prose(text: str) -> str:
    """Text whose signs are no Markdown; what stands between backticks stays as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") and part.endswith("`") and len(part) > 1 else re.sub(r"([*_<>\[\]|$])", r"\\\1", part) for part in parts)


def _example(formula: Formula) -> str:
    """A pencil case that costs something, as code."""
    cases = [case for case in formula.cases if case[2]]
    if not cases:
        return ""
    pred, target, value = cases[0]
    call = f"bl.{formula.name}_loss({_list_of(pred)}, {_list_of(target)})"
    return f"```py\n{call}  # {figure(value)}\n```"  # not `python`: it is the record's case, which the tests have run


def _list_of(box: Iterable[float]) -> str:
    return f"[{', '.join(f'{x:.12g}' for x in box)}]"


def _claims(found: Iterable[Finding]) -> str:
    lines = ["| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {MARKS[finding.holds]} | {_prose(finding.sentence)} |" for finding in found)])


def _alike(formula: Formula) -> str:
    near = [other for other in similar(formula) if other.mean >= cards.LIKE]
    written = [
        f"[{other.name}]({other.name}.md) (mean cosine of the gradients {other.direction:.2f}, rank correlation of the values {other.rank:.2f})"
        for other in near
    ]
    return ", ".join(written) or "no other loss of the catalogue"


def _accuracy(formula: Formula) -> str:
    text = f"Values are within {formula.roundoffs} roundoffs of exact arithmetic, slopes within {formula.gradient_roundoffs} of their largest term"
    if formula.floor:
        text += f", values below {formula.floor:g} as if they were that large"
    return f"{text}. {_prose(formula.accuracy)}".strip()


def _list(title: str, items: Iterable[str]) -> str:
    lines = [f"- {_prose(item)}" for item in items]
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def index(measured: Mapping[str, Measured]) -> str:
    """`README.md`: all losses in one table, as `boxloss list --claims` has them."""
    formulas = catalogue()
    lines = [f"| {' | '.join(HEADER)} |", f"|{'---|' * len(HEADER)}"]
    for name, formula in formulas.items():
        cells = row(formula, measured[name])
        lines.append(f"| {' | '.join([f'[{name}]({name}.md)', *map(_prose, cells[1:])])} |")
    parts = [
        MADE,
        f"# The losses: {len(formulas)}",
        "What was measured of each, in float64, with its own gradients and its default parameters; `boxloss list --claims` prints it, `boxloss check` holds a "
        "formula of yours to its claims. [The same beside the published table](table.md).",
        "\n".join(lines),
        MEANING,
    ]
    return "\n\n".join(parts) + "\n"


def table() -> str:
    """`table.md`: the published property table, row by row, and what came out here."""
    lines = ["| loss | here | as published | differs |", "|---|---|---|---|"]
    absent = []
    for entry in reference.ROWS:
        formula = entry.formula()
        if formula is None:
            absent.append(entry.label)
            continue
        found = reference.cells(entry, remembered(formula, entry.parameters))
        same = [cell for cell in found if cell.same]
        differs = [f"{cell.column}: {cell.measured}, not {cell.published}{f' ({cell.why})' if cell.why else ''}" for cell in found if not cell.same]
        given = "".join(f", {name}={value:g}" for name, value in entry.parameters.items())
        shown = "; ".join(f"{cell.column} {cell.measured}" for cell in same)
        lines.append(
            f"| {_prose(entry.label)} | [{formula.name}]({formula.name}.md){_prose(given)} | {_prose(shown)} | {_prose('; '.join(differs)) or 'nothing'} |"
        )
    parts = [
        MADE,
        "# The published property table, measured again",
        "Another script made the published figures: text-book formulas in other code, 200,000 random pairs and triples with sides from 0.1 to 3.2 and "
        "centres within 2 of the origin, central differences. Here they are boxloss's formulas and their own gradients, on pairs of the same kind, with a "
        "search uphill from the best of them. `apart`: slopes by x, width, height for the prediction (3, 0, 1, 1), target (0, 0, 1, 1), centre first; "
        "`match`: slopes on leaving the match, sideways and wider; `triangle`: the worst excess of loss(a, c) over loss(a, b) + loss(b, c); "
        "`grows with a shift`: of a unit box, by 0 to 8 widths.",
        "\n".join(lines),
        f"Not in the catalogue: {', '.join(absent)}." if absent else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def picture(formula: Formula, measured: Measured) -> bytes:
    """The card as a PNG with few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(style.to_png(cards.card_figure(formula, measured=measured), DOTS_PER_INCH)))
    buffer = io.BytesIO()
    image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write(folder: Path, names: Iterable[str] = ()) -> None:
    """Writes the pages and pictures of `names`, or of all losses, the two tables, and the measurements beside the package's source."""
    formulas = catalogue()
    chosen = [find(name).name for name in names] or list(formulas)
    folder.mkdir(parents=True, exist_ok=True)
    measured = {}
    for count, (name, formula) in enumerate(formulas.items(), 1):
        print(f"{count} of {len(formulas)}: {name}", file=sys.stderr, flush=True)
        measured[name] = remembered(formula)
        if name in chosen:
            (folder / f"{name}.png").write_bytes(picture(formula, measured[name]))
            (folder / f"{name}.md").write_text(page(formula, measured[name]), encoding="utf-8")
    (folder / "README.md").write_text(index(measured), encoding="utf-8")
    (folder / "table.md").write_text(table(), encoding="utf-8")
    shipped = {digest(formula): measured[name] for name, formula in formulas.items()}
    for entry in reference.ROWS:
        formula = entry.formula()  # type: ignore[assignment]
        if formula is not None and entry.parameters:
            shipped[digest(formula, entry.parameters)] = remembered(formula, entry.parameters)
    ship(shipped)
    for old in folder.iterdir():  # of losses that are no more
        if old.suffix in (".md", ".png") and old.stem not in {*formulas, "README", "table"}:
            old.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the pages of docs/losses.")
    parser.add_argument("names", nargs="*", metavar="LOSS", help="whose pages to write; the default is all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder (docs/losses)")
    given = parser.parse_args()
    write(given.out, given.names)
