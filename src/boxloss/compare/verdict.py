"""What a comparison may conclude, in one sentence that follows from its statistics and from nothing else.

Fewer than three seeds: always "Too few seeds". No corrected p-value at or below 5%: "No difference shown", with what the run could have shown. Else
"Difference shown", with the losses that are better and worse than the baseline, by how much, and how sure that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from boxloss.compare.statistics import DECIDING, FEWEST_SEEDS, Difference, Statistics, seeds_needed
from boxloss.words import plural

Kind = Literal["too few seeds", "nothing to compare", "no difference shown", "difference shown"]
ADVISED_SEEDS = 5


@dataclass(frozen=True)
class Verdict:
    """`sentence` is the verdict; `notes` are what a reader must know beside it: losses without figures, what was not tested."""

    kind: Kind
    sentence: str
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def conclude(statistics: Statistics) -> Verdict:
    """The verdict on these statistics."""
    notes = tuple(_notes(statistics))
    if statistics.n_paired < FEWEST_SEEDS and (statistics.n_compared > 0 or len(statistics.seeds) < FEWEST_SEEDS):
        return Verdict("too few seeds", _too_few(statistics), notes=notes)
    if statistics.n_compared == 0:
        return Verdict("nothing to compare", f"Nothing to compare: {statistics.baseline} is the only loss of this run; add others with --losses.", notes=notes)
    shown = [one[DECIDING] for one in statistics.differences.values() if one[DECIDING].significant]
    if not shown:
        return Verdict("no difference shown", _no_difference(statistics), notes=notes)
    better = sorted((one for one in shown if _mean(one) > 0), key=_mean, reverse=True)
    worse = sorted((one for one in shown if _mean(one) < 0), key=_mean)
    if len(better) > 1:
        notes = (
            *notes,
            f"Each loss was tested against {statistics.baseline} only: whether {listed([one.loss for one in better])} differ from each other was not tested.",
        )
    return Verdict("difference shown", _shown(statistics, better, worse), tuple(one.loss for one in better), tuple(one.loss for one in worse), notes)


def signed(value: float) -> str:
    """A difference with its sign and three decimals; what rounds to nothing has no sign.

    >>> signed(0.0123), signed(-0.0123), signed(-0.0001)
    ('+0.012', '-0.012', '0.000')
    """
    text = f"{value:+.3f}"
    return "0.000" if text in ("+0.000", "-0.000") else text


def p_text(p: float) -> str:
    """A p-value as it is written after "p": never as a bare 0.

    >>> p_text(0.0412), p_text(1e-9)
    ('= 0.041', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _mean(difference: Difference) -> float:
    return difference.estimate.mean or 0.0


def _largest(statistics: Statistics) -> list[Difference]:
    """The differences of largest size, more than one where they tie to the digit that is printed; empty where there are none."""
    known = [one[DECIDING] for one in statistics.differences.values() if one[DECIDING].estimate.mean is not None]
    most = max((abs(_mean(one)) for one in known), default=0.0)
    return [one for one in known if f"{abs(_mean(one)):.3f}" == f"{most:.3f}"]


def _largest_text(statistics: Statistics) -> str:
    """Like "the largest observed difference from iou is +0.012 AP (ciou, 95% interval -0.004 to +0.028, corrected p = 0.41)"."""
    largest = _largest(statistics)
    if not largest:
        return f"no loss could be held against {statistics.baseline}"
    if f"{abs(_mean(largest[0])):.3f}" == "0.000":
        return f"every loss observed has the AP of {statistics.baseline} to three decimals"
    if len(largest) > 1:
        several = listed([f"{one.loss} {signed(_mean(one))}" for one in largest])
        return f"the largest observed differences from {statistics.baseline} are equal in size ({several} AP)"
    one = largest[0]
    details = [one.loss]
    if one.estimate.n >= FEWEST_SEEDS:
        details.append(_interval(one))
        if one.p_corrected is not None:
            details.append(f"corrected p {p_text(one.p_corrected)}")
    return f"the largest observed difference from {statistics.baseline} is {signed(_mean(one))} AP ({', '.join(details)})"


def _interval(one: Difference) -> str:
    assert one.estimate.low is not None  # at least FEWEST_SEEDS values, so there is an interval
    assert one.estimate.high is not None
    return f"95% interval {signed(one.estimate.low)} to {signed(one.estimate.high)}"


def _too_few(statistics: Statistics) -> str:
    planned, usable = len(statistics.seeds), statistics.n_paired
    have = plural(planned, "seed") if usable == planned or statistics.n_compared == 0 else f"{plural(usable, 'seed')} of {planned} planned"
    parts = [f"Too few seeds: {have} cannot tell the effect of a loss from chance, it takes at least {FEWEST_SEEDS} and better {ADVISED_SEEDS}"]
    if usable and statistics.n_compared:
        parts.append(_largest_text(statistics))
    if statistics.largest_move is not None:
        parts.append(f"one and the same loss moved by up to {statistics.largest_move:.3f} AP from seed to seed")
    if planned < FEWEST_SEEDS:
        parts.append(f"run the same command with --seeds {ADVISED_SEEDS}")
    else:
        parts.append("run the same command again to finish the missing trials")
    return "; ".join(parts) + "."


def _no_difference(statistics: Statistics) -> str:
    start = f"No difference shown: over {plural(statistics.n_paired, 'seed')} {_largest_text(statistics)}"
    if not statistics.spread or statistics.detectable is None:
        return f"{start}; the differences do not vary from seed to seed, so the figures may be too coarse: evaluate on more pictures."
    could = f"a run like this shows a true difference of {statistics.detectable:.3f} AP in four of five cases, so a smaller one may still be there"
    return f"{start}; {could}; {_advice(statistics)}."


def _advice(statistics: Statistics) -> str:
    largest = _largest(statistics)
    size = abs(_mean(largest[0])) if largest else 0.0
    needed = seeds_needed(size, statistics.spread or 0.0, statistics.n_compared) if size > 0 else None
    if needed is None:
        return "choose the loss on other grounds, such as speed or habit"
    if needed <= statistics.n_paired:  # the largest loss is noisier than the others together: more seeds may still show it
        needed = statistics.n_paired + FEWEST_SEEDS
    return f"if {size:.3f} AP matters to you, run about {needed} seeds, else choose the loss on other grounds, such as speed or habit"


def _shown(statistics: Statistics, better: Sequence[Difference], worse: Sequence[Difference]) -> str:
    def against(one: Difference) -> str:
        digits = 3 if abs(_mean(one)) >= 0.001 else 5  # a difference that is shown must not be printed as 0.000
        return f"{one.loss} by {_mean(one):+.{digits}f} AP ({_interval(one)}, corrected p {p_text(one.p_corrected or 0.0)})"

    parts = []
    if better:
        parts.append(f"better {'is' if len(better) == 1 else 'are'} {listed([against(one) for one in better])}")
    if worse:
        parts.append(f"worse {'is' if len(worse) == 1 else 'are'} {listed([against(one) for one in worse])}")
    silent = [loss for loss, one in statistics.differences.items() if one[DECIDING].p is not None and not one[DECIDING].significant]
    if silent:
        parts.append(f"no difference is shown for {listed(silent)}")
    return f"Difference shown: against {statistics.baseline}, over {plural(statistics.n_paired, 'seed')}, {'; '.join(parts)}."


def _notes(statistics: Statistics) -> list[str]:
    notes = []
    for loss, seeds in statistics.missing.items():
        all_gone = len(seeds) == len(statistics.seeds)
        note = f"{loss} has no usable trial" + ("" if all_gone else f" with seed {listed([str(seed) for seed in seeds])}")
        if loss == statistics.baseline:
            note += ", so nothing can be compared with it" if all_gone else ""
        elif statistics.differences[loss][DECIDING].p is None and (all_gone or statistics.n_paired >= FEWEST_SEEDS):
            note += ", so the verdict says nothing about it"
        notes.append(f"{note}.")
    return notes
