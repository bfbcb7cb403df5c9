"""A record's claims beside what was measured, in sentences."""

import math
from dataclasses import dataclass

import numpy as np

from boxloss.claims.measured import Box, Measured
from boxloss.errors import BoxLossError
from boxloss.formulas import Formula
from boxloss.losses import Loss

TRIANGLE = 1e-9  # a smaller excess is rounding, beside the losses' size
LIKE = 1e-9  # values that are this near to each other, beside their size, are the same but for rounding
GRADIENT = 1e-4  # differences of values are no better, where a slope is small beside the value: 1.5e-5 seen
TIGHT = 1 / 64  # how near the search comes to an end that is a good one


@dataclass(frozen=True)
class Finding:
    """`holds`: None where nothing was claimed, or where a search cannot tell."""

    about: str
    holds: bool | None
    sentence: str


def findings(formula: Formula, measured: Measured) -> tuple[Finding, ...]:
    """Everything that is claimed of a loss, and everything else that was measured, one finding each."""
    return (
        _bounds(formula, measured),
        _itself(measured),
        _finite(measured),
        _symmetric(formula, measured),
        _scale_free(formula, measured),
        _metric(formula, measured),
        _gradient(formula, measured),
        *_cases(formula, measured),
        Finding("pull", None, _pull(measured)),
        Finding("size", None, _size(measured)),
        Finding("match", None, _match(measured)),
        Finding("flat", None, _flat(measured)),
        Finding("shift", None, _shift(measured)),
    )


def _bounds(formula: Formula, measured: Measured) -> Finding:
    low, high = formula.interval
    found = f"from {figure(measured.least)} to {figure(measured.most)}" if math.isfinite(high) else f"from {figure(measured.least)} to as much as one likes"
    slack = LIKE * max(abs(low), abs(high) if math.isfinite(high) else 0.0, 1.0)
    if measured.least < low - slack:
        return Finding("bounds", False, f"claims values in {formula.bounds}, but {figure(measured.least)} was found")
    if not measured.most <= high + slack:
        return Finding("bounds", False, f"claims values in {formula.bounds}, but costs {figure(measured.most)} for {_against(measured.most_at)}")
    if math.isfinite(high) and measured.most < high * (1 - TIGHT):
        return Finding("bounds", None, f"values {found} were found, inside {formula.bounds}; nothing near {figure(high)}, though a search may miss it")
    if math.isinf(high) and measured.most < 1e6:
        return Finding("bounds", None, f"claims {formula.bounds}; nothing above {figure(measured.most)} was found")
    return Finding("bounds", True, f"values {found} were found, inside {formula.bounds}")


def _itself(measured: Measured) -> Finding:
    if measured.self_cost == 0:
        return Finding("itself", True, "a box against itself costs exactly 0")
    return Finding("itself", False, f"a box against itself must cost exactly 0, but costs up to {figure(measured.self_cost)}")


def _finite(measured: Measured) -> Finding:
    if not measured.not_finite:
        return Finding("finite", True, "values and gradients are finite for points, lines, inverted, tiny and huge boxes")
    return Finding("finite", False, f"values and gradients must be finite, but {measured.not_finite}")


def _symmetric(formula: Formula, measured: Measured) -> Finding:
    if formula.symmetric:
        if measured.swap == 0:
            return Finding("symmetric", True, "symmetric: prediction and target may change places, to the bit")
        return Finding("symmetric", False, f"claims to be symmetric, but changes by up to {figure(measured.swap)} when prediction and target change places")
    if measured.swap == 0:
        return Finding("symmetric", False, "claims not to be symmetric, but is: prediction and target may change places, to the bit")
    return Finding("symmetric", True, f"not symmetric: changes by up to {figure(measured.swap)} when prediction and target change places")


def _scale_free(formula: Formula, measured: Measured) -> Finding:
    if formula.scale_free:
        if measured.doubled == 0 and measured.sevenfold <= LIKE:
            return Finding("scale-free", True, "scale-free: the boxes' unit does not matter, to the bit for powers of two")
        by = "7" if measured.sevenfold > LIKE else "a power of two"
        most = max(measured.doubled, measured.sevenfold)
        return Finding("scale-free", False, f"claims to be scale-free, but changes by up to {share(most)} of its value when all is multiplied by {by}")
    if measured.doubled == 0:
        return Finding("scale-free", False, "claims not to be scale-free, but is: multiplied by powers of two, boxes cost the same to the bit")
    return Finding("scale-free", True, "not scale-free: the value depends on the boxes' unit")


def is_metric(measured: Measured) -> bool:
    """Was no triple found that breaks the triangle inequality by more than rounding?"""
    return measured.triangle <= TRIANGLE * max(1.0, measured.triangle_size)


def _metric(formula: Formula, measured: Measured) -> Finding:
    a, b, c = map(_boxed, measured.triangle_at)
    if not is_metric(measured):
        excess = f"loss(a, c) is larger than loss(a, b) + loss(b, c) by {figure(measured.triangle)} for a = {a}, b = {b}, c = {c}"
        if formula.metric:
            return Finding("metric", False, f"claims the triangle inequality, but {excess}")
        return Finding("metric", True if formula.metric is False else None, f"no metric: {excess}")
    if formula.metric is False:
        return Finding("metric", None, "claims that the triangle inequality fails; the search found no such triple")
    return Finding("metric", formula.metric, "the triangle inequality held for every triple that was tried: 240,000 random ones, and uphill from the worst")


def _gradient(formula: Formula, measured: Measured) -> Finding:
    what = f", with {' and '.join(formula.held)} held" if formula.held else ""
    off = share(measured.gradient_error)
    if measured.gradient_error > GRADIENT and any(" as if " in term for term in formula.held):  # a slope of its own, named as one
        return Finding("gradient", None, f"the gradient is not the value's slope, as it says itself{what}: off by up to {off} of its largest part")
    if measured.gradient_error > GRADIENT:
        return Finding("gradient", False, f"the gradient is not the value's slope{what}: off by up to {off} of its largest part")
    if not formula.held and measured.value_error > GRADIENT:
        off = share(measured.value_error)
        return Finding("gradient", False, f"the gradient is not the value's slope, but off by up to {off}: the formula holds something; name it, held=('...',)")
    if formula.held and measured.value_error <= GRADIENT:
        return Finding("gradient", None, f"claims to hold {' and '.join(formula.held)}, which changes no slope on the pairs that were tried")
    return Finding("gradient", True, f"the gradient is the value's slope{what}, by finite differences")


def _cases(formula: Formula, measured: Measured) -> list[Finding]:
    """The record's pencil cases; they are of the default parameters."""
    if not formula.cases or measured.parameters:
        return []
    loss = Loss(formula)
    for pred, target, value in formula.cases:
        try:
            got = float(loss(list(map(float, pred)), list(map(float, target))))
        except BoxLossError as error:
            return [Finding("cases", False, f"its case {_against((pred, target))} fails: {error}")]
        if not abs(got - value) <= LIKE * max(1.0, abs(value)):
            return [Finding("cases", False, f"its case {_against((pred, target))} should cost {figure(value)}, and costs {figure(got)}")]
    return [Finding("cases", True, f"its {len(formula.cases)} pencil cases come out")]


def _pull(measured: Measured) -> str:
    shares = {kind: part for kind, part in measured.repulsive.items() if part > 0}
    if measured.repulsion < -1e-9:
        among = " and ".join(f"{share(part)} of the {_KINDS[kind]}" for kind, part in shares.items())
        text = f"repulsive: the gradient pushes the box away from its target in {among or 'a few pairs'}, such as {_against(measured.repulsion_at)}"
    else:
        text = "nowhere repulsive: along the line of centres no gradient pushes a box away from its target"
    if measured.fall > LIKE * max(1.0, abs(measured.most) if measured.most < 1e6 else 1.0):
        text += f"; the value falls by up to {figure(measured.fall)} while a box moves away, from {_against(measured.fall_at)} on"
    return text


_KINDS = {"apart": "pairs apart", "nested": "nested pairs", "overlapping": "overlapping pairs"}


def _size(measured: Measured) -> str:
    x, w, h = measured.apart
    slopes = f"slopes {signed(x)} by x, {signed(w)} by width, {signed(h)} by height for a unit box 3 widths from its target"
    if measured.enlarging > 0:
        return f"enlarges: in {share(measured.enlarging)} of the pairs of one shape that are apart, a larger prediction costs less; {slopes}"
    return f"never enlarges a box that is apart from a target of its shape; {slopes}"


def _match(measured: Measured) -> str:
    sideways, wider, narrower = (figure(x if abs(x) > 1e-6 else 0.0) for x in measured.match)
    if sideways == wider == narrower == "0":
        return "at the match the gradient fades to 0"
    return f"at the match its slope is {sideways} sideways, {wider} when wider, {narrower} when narrower, a unit box's width being 1"


def _flat(measured: Measured) -> str:
    flat = {kind: part for kind, part in measured.flat.items() if part > 0}
    parts = [f"{'all' if part == 1 else share(part) + ' of the'} {_KINDS[kind]}" for kind, part in flat.items()]
    text = f"no gradient at all in {' and in '.join(parts)}" if parts else "a gradient everywhere, in pairs apart, nested and overlapping"
    if measured.unmoved > 0.5 and measured.flat["nested"] < 1:
        text += "; a box inside the other, or around it, is scaled and not moved" if measured.unmoved == 1 else "; most nested boxes are scaled and not moved"
    return text


def _shift(measured: Measured) -> str:
    if dips(measured):
        fall = figure(measured.shift_fall)
        return f"shifted sideways by up to 8 widths, a unit box costs more and more, up to {figure(measured.shift_end)}, but for dips of {fall} at most"
    if not measured.monotone:
        return f"shifted sideways, a unit box costs more and more up to {figure(measured.shift_top)} widths, then less: {figure(measured.shift_end)} at 8"
    if measured.shift_flat < 8:
        return f"shifted sideways, a unit box costs more and more up to {figure(measured.shift_flat)} widths, then always {figure(measured.shift_end)}"
    return f"shifted sideways by up to 8 widths, a unit box costs more and more, up to {figure(measured.shift_end)}"


def dips(measured: Measured) -> bool:
    """Does the loss of a shifted box fall a little, and rise again?"""
    return not measured.monotone and measured.shift_fall < 0.1 * measured.shift_end


def _against(pair: tuple[Box, Box]) -> str:
    return f"{_boxed(pair[0])} against {_boxed(pair[1])}"


def _boxed(box: Box) -> str:
    return f"({', '.join(f'{x:.4g}' for x in box)})"


def figure(x: float) -> str:
    """A number as a reader takes it: four digits.

    >>> figure(0.1249999), figure(-0.0), figure(2.0)
    ('0.125', '0', '2')
    """
    return f"{x + 0.0:.4g}"


def signed(x: float) -> str:
    """Three digits with a sign, and 0 for what is rounding.

    >>> signed(0.1249999), signed(-1e-17)
    ('+0.125', '0')
    """
    return f"{x:+.3g}" if abs(x) > 1e-9 else "0"


def share(x: float) -> str:
    """A share in percent.

    >>> share(0.5), share(1.0), share(0.00012)
    ('50%', '100%', '0.012%')
    """
    if x > 10:
        return f"{x:.2g} times"
    return f"{100 * x:.2g}%" if x < 0.1 else f"{np.round(100 * x):g}%"
