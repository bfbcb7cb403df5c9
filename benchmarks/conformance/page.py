"""docs/conformance.md, from the results."""

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.conformance.judge import CONTRACT, SLOPE_CONTRACT
from benchmarks.conformance.peers import NOT_ASKED, by_name
from benchmarks.conformance.truth import EVERYDAY, EXTREME, FLAT, UNIT_SMALL

Judged = dict[str, Any]
WORDS = {
    "coco": "COCO-like boxes",
    "near equal": "nearly equal boxes",
    "far from the origin": "boxes far from the origin",
    UNIT_SMALL: "boxes with sides of 1e-4",
    "integers": "integer boxes",
    "subnormal": "subnormal boxes",
} | {size: f"boxes of about {size}" for size in ("1e-12", "1e18", "1e25")}
SHORT = {"near equal": "near", "far from the origin": "far", UNIT_SMALL: "1e-4", "subnormal": "subn."}

HEAD = """\
# Conformance: the same boxes through boxloss and its peers

Written by `python -m benchmarks.conformance`: run it on your machine (`--only torchvision,fvcore` for some, `--keep FOLDER` to keep the environments).
It installs each peer into a throw-away virtual environment, asks every function the same, and judges the answers by exact rational arithmetic, boxloss's
too. It takes some ten minutes and 5 GB, which are given back. [All numbers](conformance/results.json), bfloat16's and the half types' gradients among them.

How to read it:

- **A roundoff** is 2^-24 in float32, 2^-53 in float64, 2^-11 in float16. One is about the best there is; in float32 1e5 are an error of 0.6 %, 2e7 of 100 %.
- **A loss's error** is in roundoffs of the right value. **A similarity's** ("sim.") is in roundoffs of 1: how far it is from 1 is not what it is asked for.
- **A slope's error** (of the gradient by the prediction) is in roundoffs of the pair's largest slope, and only where there are no ties: at a tie any slope
  between two is right.
- **everyday** boxes: COCO-like, nearly equal (1e-3 px), 2^20 px from the origin, with sides of 1e-4 in unit coordinates, small integers.
- **extreme** ones: of about 1e-12, subnormal, 1e18, 1e25. Nobody's data, but what a network may put out on a bad day.
- **flat** ones: points and lines, which real annotations have. What 0/0 means there is a convention, so their errors are not among the worst.
- **An eps** is its author's decision against 0/0. It is absolute: it costs nothing in pixels and much in unit coordinates. We say what it costs, not that it
  is a mistake.
"""

SUMMARY = """\
float32, all of it. Columns:

- *values*, *slopes*: the worst error in roundoffs, of everyday boxes or extreme ones
- *not finite*: what share of values, and then of gradients, of everyday / extreme / flat pairs
- *turned / lost*: what share of everyday gradients has a slope of the wrong sign / is 0 where it should not be
- *itself*: the most that a box costs against itself, in pixels / with sides of 1e-4 in unit coordinates; 0 is right
- *swap*, *scale*: by how many roundoffs the answer changes when the boxes change places, when all is multiplied by a power of two; 0 is to the bit,
  a dash where the measure itself is not so
- *float16*: COCO-like boxes, in roundoffs of float16, or the share that is not finite (`!`)
"""

BY_CLASS = """\
The worst error in roundoffs: of values in float32 and float64 (`f32`, `f64`), and of the gradient in float32 (`slopes`). `N !`: so many are not finite.
"""

PEER_BY_PEER = """\
Examples are found by the script: of the pairs that are about as bad as the worst, the one that is shortest to print. Boxes are (left, top, right, bottom)
in float32. Something is printed where a value of everyday boxes is off by more than 8 roundoffs, a slope by more than 64, or something is not finite.
"""

COLUMNS = (
    *("measure", "peer", "function", "values: everyday", "extreme", "not finite", "slopes: everyday", "turned / lost", "not finite"),
    *("itself: px / 1e-4", "swap", "scale", "float16"),
)


def render(results: Judged) -> str:
    peers = results["peers"]
    rows = [(f["measure"], f["loss"], name, title, f) for name, peer in peers.items() for title, f in peer["functions"].items()]
    theirs = {measure for measure, _, name, *_ in rows if name != "boxloss"}
    rows.sort(key=lambda row: (order(row[0]), row[0], not row[1]))  # losses, then similarities
    measures = list(dict.fromkeys(measure for measure, *_ in rows))
    parts = [HEAD, "## Who was asked\n", asked_table(peers), "## In short\n", in_short(rows), "## Summary\n", SUMMARY]
    kept = [row for row in rows if row[0] in theirs or len(peers) == 1]
    parts += [summary_table(kept), "## By class of boxes\n", BY_CLASS]
    for measure in measures:
        here = [row for row in kept if row[0] == measure]
        if here:
            parts += [f"### {measure}\n", class_table(here)]
    parts += ["## Peer by peer\n", PEER_BY_PEER]
    seen: dict[str, str] = {}
    for name, peer in peers.items():
        parts.append(peer_section(name, peer, seen))
    parts += ["## Not asked\n", *(f"- {name}: {why}." for name, why in NOT_ASKED)]
    return "\n".join(parts).rstrip() + "\n"


def order(measure: str) -> int:
    known = ("iou", "giou", "diou", "ciou", "ciou_gated", "iou_log", "iou_squared")
    return known.index(measure) if measure in known else len(known)


def asked_table(peers: Judged) -> str:
    lines = ["| peer | version | with | licence | pairs a class | asked on | functions |", "|---|---|---|---|---|---|---|"]
    for name, peer in peers.items():
        versions = peer.get("versions", {})
        package = getattr(by_name(name), "package", name)
        beside = ", ".join(f"{other} {version}" for other, version in versions.items() if other != package)
        what = f"**not asked**: {peer['failed']}" if "failed" in peer else str(len(peer["functions"]))
        if peer["skipped"]:
            what += f"; {len(peer['skipped'])} more see below"
        date = peer["machine"]["date"][:10]
        lines.append(f"| {name} | {versions.get(package, '-')} | {beside or '-'} | {peer['licence']} | {peer['pairs']} | {date} | {what} |")
    machines = {f"{p['machine']['cpu']}, {p['machine']['system']}, one thread." for p in peers.values()}
    return "\n".join([*lines, "", *sorted(machines), ""])


def in_short(rows: list[Any]) -> str:
    """The findings, each with whose they are."""
    found = []
    for text, holds in FINDINGS:
        names: dict[str, list[str]] = {}
        for _, _, name, title, f in rows:
            if holds(f):
                names.setdefault(name, []).append(code(title))
        whose = "; ".join(f"{name} {', '.join(titles)}" for name, titles in sorted(names.items()))
        found.append(f"- **{text}**: {whose or 'none'}.")
    return "\n".join(found) + "\n"


def classes_of(f: Judged, names: Iterable[str]) -> list[Judged]:
    return [one for name in names if "refused" not in (one := f["classes"]["float32"][name])]


def any_slope(f: Judged, names: Iterable[str], part: str) -> bool:
    return any(one.get("gradients", {}).get(part) for one in classes_of(f, names))


IN_PIXELS = tuple(name for name in EVERYDAY if name != UNIT_SMALL)
FINDINGS: tuple[tuple[str, Callable[[Judged], bool]], ...] = (
    ("A perfect match in pixels is not finite", lambda f: bool(f["identical"]["coco"].get("not_finite"))),
    ("A perfect match of sides of 1e-4 is off by more than a tenth", lambda f: number(f["identical"][UNIT_SMALL].get("cost")) > 0.1),
    ("Values are off by more than 10 % in pixels", lambda f: number(worst(classes_of(f, IN_PIXELS))) > 0.1 * 2**24),
    ("Values are off by more than 10 % for sides of 1e-4 in unit coordinates", lambda f: number(worst(classes_of(f, [UNIT_SMALL]))) > 0.1 * 2**24),
    (
        "Slopes of the wrong sign, or 0 where they should not be, in pixels (with keras's two it is alpha, through which they let the gradient flow)",
        lambda f: any_slope(f, IN_PIXELS, "wrong_sign") or any_slope(f, IN_PIXELS, "lost"),
    ),
    ("The same for sides of 1e-4", lambda f: any_slope(f, [UNIT_SMALL], "wrong_sign") or any_slope(f, [UNIT_SMALL], "lost")),
    ("Not finite for points or lines", lambda f: any(one["not_finite"] for one in classes_of(f, FLAT))),
    ("Gradient not finite for points or lines", lambda f: any_slope(f, FLAT, "not_finite")),
    ("float16 boxes of pictures are not finite", lambda f: bool(f["half"]["float16"].get("not_finite"))),
    ("Nothing to report", lambda f: not any(True for _ in examples("", f))),
)


def summary_table(rows: list[Any]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|---|" + "---:|" * (len(COLUMNS) - 3)]
    for measure, loss, name, title, f in rows:
        one = f["classes"]["float32"]
        cells = [
            measure + ("" if loss else " (sim.)"),
            name,
            code(title),
            error(worst(one[c] for c in EVERYDAY)),
            error(worst(one[c] for c in EXTREME)),
            " / ".join(share(one[c] for c in group) for group in (EVERYDAY, EXTREME, FLAT)),
            *slope_cells(one),
            f"{cost(f['identical']['coco'])} / {cost(f['identical'][UNIT_SMALL])}",
            error(f["invariance"]["symmetric"]),
            error(f["invariance"]["scale_free"]),
            half(f["half"]["float16"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def slope_cells(one: Judged) -> list[str]:
    slopes = {name: judged["gradients"] for name, judged in one.items() if "gradients" in judged}
    if not slopes:
        return ["-", "-", "-"]
    here = [slopes[c] for c in EVERYDAY if c in slopes]
    n = sum(s["n_judged"] for s in here)
    groups = " / ".join(share(slopes[c] for c in group if c in slopes) for group in (EVERYDAY, EXTREME, FLAT))
    turned, lost = (percent(sum(s[part] for s in here), n) for part in ("wrong_sign", "lost"))
    return [error(worst(here)), f"{turned} / {lost}", groups]


def class_table(rows: list[Any]) -> str:
    classes = (*EVERYDAY, *EXTREME, *FLAT)
    lines = [f"| peer | function | | {' | '.join(SHORT.get(c, c) for c in classes)} |", "|---|---|---|" + "---:|" * len(classes)]
    for _, _, name, title, f in rows:
        for label, dtype in (("f32", "float32"), ("f64", "float64")):
            if any("refused" not in f["classes"][dtype][c] for c in classes):
                lines.append(f"| {name} | {code(title)} | {label} | {' | '.join(cell(f['classes'][dtype][c]) for c in classes)} |")
        if f["has_gradient"]:
            slopes = [f["classes"]["float32"][c].get("gradients") for c in classes]
            lines.append(f"| {name} | {code(title)} | slopes | {' | '.join('-' if s is None else cell(s) for s in slopes)} |")
    return "\n".join(lines) + "\n"


def cell(judged: Judged) -> str:
    if "refused" in judged:
        return "refuses"
    bad = judged["not_finite"]
    return ", ".join([error(judged["worst"])] * (judged["worst"] is not None or not bad) + [f"{bad} !"] * bool(bad))


def peer_section(name: str, peer: Judged, seen: dict[str, str]) -> str:
    """`seen`: verdicts so far and whose they are; a function that shares all its numbers with one is as that."""
    known = by_name(name)
    lines = [f"### {name}\n", *(f"- {remark}" for remark in (known.remarks if known else ()))]
    if "failed" in peer:
        lines.append(f"- Not asked: {code(peer['failed'])}.")
    lines += [f"- {code(title)} was not judged: {why}." for title, why in peer["skipped"].items()]
    clean = []
    for title, f in peer["functions"].items():
        found, verdict = list(examples(title, f)), json.dumps([f["classes"], f["identical"]])
        if not found:
            clean.append(code(title))
        elif verdict in seen:
            lines.append(f"- {code(title)}: as {seen[verdict]}, to the digit.")
        else:
            seen[verdict] = f"{name}'s {code(title)}"
            lines += [f"- {code(title)}", *(f"  - {text}" for text in found)]
    if clean:
        lines.append(f"- Nothing to report of {', '.join(clean)}.")
    return "\n".join([*lines, ""])


def examples(title: str, f: Judged) -> Iterable[str]:
    """What a reader can try: the worst pairs, in plain words."""
    one = f["classes"]["float32"]
    yield from identical_example(title, f)
    bad = {c: j for c in (*EVERYDAY, *FLAT, *EXTREME) if (j := one[c]).get("not_finite")}
    if bad:
        first, at = next((name, j["not_finite_at"]) for name, j in bad.items())
        example = "" if first in EXTREME else f": {called(title, at)} gives {at['got']}, right is {at['right']}"
        yield f"Not finite for {counts(bad)}{example}."
    everyday = {c: one[c] for c in EVERYDAY if "refused" not in one[c] and number(one[c]["worst"]) > CONTRACT}
    if everyday:
        name, judged = max(everyday.items(), key=lambda item: number(item[1]["worst"]))
        at = judged["worst_at"]
        yield f"Off by up to {error(judged['worst'])} roundoffs ({WORDS.get(name, name)}): {called(title, at)} gives {at['got']}, right is {at['right']}."
    wide = f["classes"]["float64"]["coco"].get("answered_in")
    if wide not in (None, "float64"):
        yield f"Answers float64 boxes in {wide}, and is judged as such."
    refused = {j["refused"] for j in one.values() if "refused" in j}
    if refused:
        yield f"Refuses {', '.join(WORDS.get(c, c) for c, j in one.items() if 'refused' in j)}: {'; '.join(code(why) for why in sorted(refused))}."
    yield from slope_examples(title, {c: j["gradients"] for c, j in one.items() if "gradients" in j})


def identical_example(title: str, f: Judged) -> Iterable[str]:
    costs = []
    for name, judged in f["identical"].items():
        gradient = " (nor is its gradient)" if judged.get("gradients_not_finite") else ""
        if judged.get("not_finite"):
            costs.append(f"is not finite for {judged['not_finite']} of {judged['n']} {WORDS.get(name, name)}{gradient}")
        elif "refused" not in judged and number(judged["cost"]) > CONTRACT * 2.0**-24:
            costs.append(f"is off by up to {judged['cost']:.2g} ({WORDS.get(name, name)})")
    if costs:
        at = next(j["worst_at"] for j in f["identical"].values() if j.get("not_finite") or number(j.get("cost")) > CONTRACT * 2.0**-24)
        yield f"A box against itself {', '.join(costs)}: {called(title, at)} gives {at['got']}, right is {at['right']}."


def slope_examples(title: str, slopes: Judged) -> Iterable[str]:
    bad = {c: slopes[c] for c in (*EVERYDAY, *FLAT, *EXTREME) if c in slopes and slopes[c]["not_finite"]}
    if bad:
        first, at = next((name, s["not_finite_at"]) for name, s in bad.items())
        example = "" if first in EXTREME else f": that of {called(title, at)} is {vector(at['got'])}"
        yield f"Gradient not finite for {counts(bad)}{example}."
    here = {c: slopes[c] for c in EVERYDAY if c in slopes}
    for part, words in (("wrong_sign", "a slope of the wrong sign"), ("lost", "gradient 0 where it should not be")):
        some = {c: s for c, s in here.items() if s[part] and f"{part}_at" in s}
        if some:
            name, judged = max(some.items(), key=lambda item: item[1][part])
            at = judged[f"{part}_at"]
            which = ", ".join(f"{s[part]} of {s['n_judged']} {WORDS.get(c, c)}" for c, s in some.items())
            yield f"{words[0].upper()}{words[1:]}, {which}: that of {called(title, at)} is {vector(at['got'])}, right is {vector(at['right'])}."
    off = {c: s for c, s in here.items() if number(s["worst"]) > SLOPE_CONTRACT}
    if off and not any(s["wrong_sign"] or s["lost"] for s in here.values()):
        name, judged = max(off.items(), key=lambda item: number(item[1]["worst"]))
        at = judged["worst_at"]
        text = f"Gradient off by up to {error(judged['worst'])} roundoffs ({WORDS.get(name, name)}): that of {called(title, at)}"
        yield f"{text} is {vector(at['got'])}, right is {vector(at['right'])}."


def counts(bad: Judged) -> str:
    return ", ".join(f"{j['not_finite']} of {j['n']} {WORDS.get(c, c)}" for c, j in bad.items())


def called(title: str, at: Judged) -> str:
    boxes = ", ".join(f"({', '.join(at[part])})" for part in ("prediction", "target"))
    return code(f"{title}: {boxes}")


def vector(numbers: list[str]) -> str:
    """Slopes to three digits: their sign and size are what is looked at."""
    return f"({', '.join(f'{float(x):.3g}' for x in numbers)})"


def code(text: str) -> str:
    return f"`{text}`".replace("|", "/")


def worst(judged: Iterable[Judged]) -> Any:
    known = [number(j["worst"]) for j in judged if j.get("worst") is not None]
    return max(known) if known else None


def share(judged: Iterable[Judged]) -> str:
    answered = [j for j in judged if "refused" not in j and j["n"]]
    return percent(sum(j["not_finite"] for j in answered), sum(j["n"] for j in answered))


def percent(part: int, whole: int) -> str:
    return "-" if whole == 0 else "0" if part == 0 else "<1 %" if 100 * part < whole else f"{100 * part / whole:.0f} %"


def cost(judged: Judged) -> str:
    if "refused" in judged:
        return "-"
    return "NaN" if judged["not_finite"] else f"{judged['cost']:.1g}"


def half(judged: Judged) -> str:
    if "refused" in judged:
        return "-"
    return f"{percent(judged['not_finite'], judged['n'])} !" if judged["not_finite"] else error(judged["worst"])


def number(x: Any) -> float:
    return -math.inf if x is None else float(x)


def error(x: Any) -> str:
    """A number of roundoffs, to what a reader needs of it."""
    if x is None or number(x) == -math.inf:
        return "-"
    x = float(x)
    if x >= 2.0**900:
        return "inf"
    return f"{x:.1f}".removesuffix(".0") if x < 99.5 else f"{x:.0f}" if x < 999.5 else f"{x:.0e}".replace("e+0", "e").replace("e+", "e")


def dumped(results: Judged) -> str:
    """JSON with one line a function."""
    peers = []
    for name, peer in rounded(results)["peers"].items():
        head = json.dumps({key: value for key, value in peer.items() if key != "functions"}, allow_nan=False)
        lines = ",\n".join(f"  {json.dumps(title)}: {json.dumps(f, allow_nan=False, separators=(',', ':'))}" for title, f in peer["functions"].items())
        peers.append(f' {json.dumps(name)}: {head[:-1]}, "functions": {{\n{lines}\n }}}}')
    return '{"peers": {\n' + ",\n".join(peers) + "\n}}\n"


def rounded(x: Any) -> Any:
    """Numbers to four digits; those that JSON has no word for as text."""
    if isinstance(x, dict):
        return {key: rounded(value) for key, value in x.items()}
    if isinstance(x, float):
        return float(f"{x:.4g}") if math.isfinite(x) else str(x)
    return [rounded(value) for value in x] if isinstance(x, list | tuple) else x
