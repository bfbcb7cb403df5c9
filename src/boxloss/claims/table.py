"""All losses in one table: what was measured of each, short."""

from boxloss.claims.findings import dips, figure, is_metric, share, signed
from boxloss.claims.measured import Measured
from boxloss.formulas import Formula

HEADER = (
    "name",
    "values",
    "symmetric",
    "scale-free",
    "triangle inequality",
    "pushes away",
    "enlarges when apart",
    "no gradient",
    "slopes apart (x, w, h)",
    "slopes at match (x, w)",
    "grows with a shift",
)

MEANING = """\
`values`: the claimed range; a figure behind it is the largest value found, where that is not near the range's end. `triangle inequality`: by how much
loss(a, c) exceeds loss(a, b) + loss(b, c) for the worst triple found. `pushes away`: the share of pairs (apart, overlapping) whose gradient moves the box away
from its target; `value` where the value itself falls on the way. `enlarges when apart`: the share of pairs of one shape, apart, for which a larger prediction
costs less. `no gradient`: the share of pairs whose gradient is exactly 0. `slopes apart`: for a unit box 3 widths from its target. `slopes at match`: on
leaving it sideways, and wider. `grows with a shift`: of a unit box, by 0 to 8 widths."""


def row(formula: Formula, measured: Measured) -> tuple[str, ...]:
    """One loss's cells, in the order of `HEADER`."""
    return (
        formula.name,
        _values(formula, measured),
        "yes" if measured.swap == 0 else "no",
        "yes" if measured.doubled == 0 else "no",
        _triangle(formula, measured),
        _pushes(measured),
        share(measured.enlarging) if measured.enlarging else "no",
        ", ".join(f"{kind} {share(part)}" for kind, part in measured.flat.items() if part) or "nowhere",
        " ".join(map(signed, measured.apart)),
        " ".join(figure(x if abs(x) > 1e-6 else 0.0) for x in measured.match[:2]),
        _shift(measured),
    )


def _values(formula: Formula, measured: Measured) -> str:
    high = formula.interval[1]
    short = formula.bounds if len(formula.bounds) < 14 else f"{formula.bounds[0]}{figure(formula.interval[0])}, {figure(high)}{formula.bounds[-1]}"
    return short if high == float("inf") or measured.most > 0.98 * high else f"{short} {figure(measured.most)}"


def _triangle(formula: Formula, measured: Measured) -> str:
    if is_metric(measured):
        return "holds"
    # Without a largest value the excess has none either: that of the random triples says more than where the search stopped.
    excess = measured.triangle if formula.interval[1] < float("inf") or measured.triangle_random <= 0 else measured.triangle_random
    return f"fails by {excess:.2g}"


def _pushes(measured: Measured) -> str:
    parts = [f"{kind} {share(part)}" for kind, part in measured.repulsive.items() if part]
    if measured.fall > 1e-6 * min(measured.most, 1.0):
        parts.append("value")
    return ", ".join(parts) or "no"


def _shift(measured: Measured) -> str:
    if dips(measured):
        return f"but for dips of {measured.shift_fall:.1g}"
    if not measured.monotone:
        return f"to {figure(measured.shift_top)}, then falls"
    return f"to {figure(measured.shift_flat)}, then flat" if measured.shift_flat < 8 else "yes"
