"""What the trials' figures say, and how sure that is: means and paired differences over seeds, with intervals and tests.

The design is fixed before any figure is seen. One metric decides, AP; the others only describe. Trials are paired: with one seed, each loss
starts from the same weights and sees the same pictures in the same order, so the difference to the baseline is taken seed by seed, and what the
seeds have in common drops out. The test is the two-sided paired t-test, and its p-values are corrected by Holm's method for the number of losses
*planned*, so that neither a failed loss nor a look at a half-finished run makes the test more lenient.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import optimize, stats

DECIDING = "ap"
METRICS = ("ap", "ap50", "ap75", "ap90")
LEVEL = 0.95
ALPHA = 0.05
POWER = 0.8
FEWEST_SEEDS = 3
MOST_SEEDS = 200  # beyond it `seeds_needed` says None: nobody trains that often

Trial = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """A mean with its t-interval. `low` and `high` are None where one value alone says nothing about the spread; `mean` is None where there is no value."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """A loss's metric minus the baseline's, seed by seed. `p` is None below `FEWEST_SEEDS`; `p_corrected` is None for metrics that do not decide."""

    loss: str
    metric: str
    by_seed: dict[int, float]
    estimate: Estimate
    p: float | None
    p_corrected: float | None

    @property
    def significant(self) -> bool:
        return self.p_corrected is not None and self.p_corrected <= ALPHA


@dataclass(frozen=True)
class Statistics:
    """All that a verdict may use. `means` and `differences` are keyed by loss, then by metric, in the plan's order; the baseline has no difference."""

    baseline: str
    losses: tuple[str, ...]
    seeds: tuple[int, ...]
    means: dict[str, dict[str, Estimate]]
    differences: dict[str, dict[str, Difference]]
    missing: dict[str, tuple[int, ...]]  # loss -> planned seeds without a usable AP
    spread: float | None  # standard deviation, over seeds, of a loss's AP difference to the baseline; pooled over losses
    detectable: float | None  # the AP difference that this run would have shown with probability POWER
    largest_move: float | None  # how far one loss's AP moved between seeds, at most

    @property
    def n_paired(self) -> int:
        """The most seeds that any loss shares with the baseline."""
        return max((one[DECIDING].estimate.n for one in self.differences.values()), default=0)

    @property
    def n_compared(self) -> int:
        """How many losses are held against the baseline: what the p-values are corrected for."""
        return len(self.losses) - 1


def number(value: Any) -> float | None:
    """A metric as a finite float, or None where it is missing or undefined (COCO has no AP where there is no object)."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def estimate(values: Sequence[float], within: tuple[float, float] = (-math.inf, math.inf)) -> Estimate:
    """The mean of `values` and its 95% t-interval, cut to `within` (a mean AP cannot leave [0, 1]).

    One value gives no interval. Equal values give an interval of no width.

    >>> estimate([1.0, 2.0, 3.0]).mean
    2.0
    """
    n = len(values)
    if n == 0:
        return Estimate(None, None, None, 0)
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean, None, None, 1)
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * deviation(values) / math.sqrt(n)
    return Estimate(mean, max(mean - half, within[0]), min(mean + half, within[1]), n)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of at least two values (divisor n - 1); exactly 0 where they differ by rounding only.

    .3 - .2 and .2 - .1 differ in the last bit: taken as a spread, that bit would make any t-test "significant".
    """
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    # Metrics are at most 1, and a difference of two carries at most two roundings of 2^-53: 1e-12 is far above those and far below any real difference in AP.
    return spread if spread > 1e-12 else 0.0


def paired_p(differences: Sequence[float]) -> float | None:
    """The two-sided p-value of a paired t-test that the mean difference is 0; None below `FEWEST_SEEDS`.

    Without any spread the t-statistic does not exist. All differences 0 gives p = 1. All equal but not 0 means figures too coarse for a t-test:
    then the exact sign test's 2^(1 - n), which needs no spread.

    >>> paired_p([0.0, 0.0, 0.0]), paired_p([0.25, 0.25, 0.25])
    (1.0, 0.25)
    """
    n = len(differences)
    if n < FEWEST_SEEDS:
        return None
    mean = math.fsum(differences) / n
    spread = deviation(differences)
    if spread == 0.0:
        return 1.0 if abs(mean) <= 1e-12 else 2.0 ** (1 - n)
    return float(2 * stats.t.sf(abs(mean) / spread * math.sqrt(n), n - 1))


def holm(p_values: Mapping[str, float], n_planned: int) -> dict[str, float]:
    """Holm's step-down correction for `n_planned` tests, of which some may have given no p-value; the same keys, corrected.

    The smallest p is multiplied by n_planned, the next by n_planned - 1, and so on; each is at least the one before and at most 1. The chance that
    any true "no difference" is called a difference stays at or below the level.
    Reference: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03}, 3)
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    corrected: dict[str, float] = {}
    reached = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        reached = max(reached, min(1.0, (n_planned - rank) * p_values[name]))
        corrected[name] = reached
    return {name: corrected[name] for name in p_values}


def power(effect: float, n: int, alpha: float) -> float:
    """The chance that a two-sided paired t-test over `n` seeds at level `alpha` shows a true mean difference of `effect` standard deviations."""
    critical = float(stats.t.isf(alpha / 2, n - 1))
    shift = effect * math.sqrt(n)
    return float(_noncentral_sf(critical, n - 1, shift) + _noncentral_sf(critical, n - 1, -shift))


def _noncentral_sf(critical: float, freedom: int, shift: float) -> float:
    """P(T > critical) for the noncentral t: the normal tail's mean over the spread's chi distribution.

    Written out because SciPy's `nct` loses its digits for two degrees of freedom and large shifts.
    """
    # T > c  <=>  Z + shift > c * sqrt(chi2 / freedom). 400 equally likely values of chi2, at the midpoints of their shares.
    shares = [(index + 0.5) / 400 for index in range(400)]
    spreads = stats.chi2.ppf(shares, freedom)
    return float(stats.norm.sf(critical * (spreads / freedom) ** 0.5 - shift).mean())


def detectable_effect(n: int, n_compared: int) -> float:
    """The true difference, in standard deviations, that is shown with probability `POWER` in the first and hardest of Holm's steps."""
    alpha = ALPHA / max(n_compared, 1)
    return float(optimize.brentq(lambda effect: power(effect, n, alpha) - POWER, 0.0, 1000.0, xtol=1e-6))


def seeds_needed(difference: float, spread: float, n_compared: int) -> int | None:
    """How many seeds it takes to show a true `difference` with probability `POWER`; None above `MOST_SEEDS`.

    >>> seeds_needed(1.0, 1.0, 1)
    10
    """
    effect = abs(difference) / spread if spread > 0 else math.inf
    alpha = ALPHA / max(n_compared, 1)
    low, high = FEWEST_SEEDS, MOST_SEEDS
    if effect * math.sqrt(MOST_SEEDS) < 1 or power(effect, MOST_SEEDS, alpha) < POWER:
        return None
    while low < high:  # power grows with n, so halving finds the first n that has enough
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha) >= POWER else (middle + 1, high)
    return low


def analyse(losses: Sequence[str], seeds: Sequence[int], baseline: str, trials: Iterable[Trial]) -> Statistics:
    """Means, paired differences and tests of a run's finished trials.

    `losses`, `seeds`, `baseline`: as planned. `trials`: records with `loss`, `seed` and `metrics` (a mapping; None or NaN where undefined).
    Trials of other losses or seeds are left out.
    """
    figures = _figures(losses, seeds, trials)
    means = {loss: {metric: estimate(list(figures[loss][metric].values()), within=(0.0, 1.0)) for metric in METRICS} for loss in losses}
    others = [loss for loss in losses if loss != baseline]
    raw = {loss: {metric: _paired(figures, loss, baseline, metric) for metric in METRICS} for loss in others}
    p_values = {loss: paired_p(list(raw[loss][DECIDING].values())) for loss in others}
    corrected = holm({loss: p for loss, p in p_values.items() if p is not None}, len(others))
    differences = {
        loss: {
            metric: Difference(
                loss=loss,
                metric=metric,
                by_seed=by_seed,
                estimate=estimate(list(by_seed.values())),
                p=paired_p(list(by_seed.values())),
                p_corrected=corrected.get(loss) if metric == DECIDING else None,
            )
            for metric, by_seed in raw[loss].items()
        }
        for loss in others
    }
    deciding = {loss: list(raw[loss][DECIDING].values()) for loss in others}
    spread = _pooled([values for values in deciding.values() if len(values) >= 2])
    n_paired = max((len(values) for values in deciding.values()), default=0)
    return Statistics(
        baseline=baseline,
        losses=tuple(losses),
        seeds=tuple(seeds),
        means=means,
        differences=differences,
        missing={loss: gone for loss in losses if (gone := tuple(seed for seed in seeds if seed not in figures[loss][DECIDING]))},
        spread=spread,
        detectable=detectable_effect(n_paired, len(others)) * spread if spread is not None and n_paired >= FEWEST_SEEDS else None,
        largest_move=max((max(values) - min(values) for loss in losses if len(values := list(figures[loss][DECIDING].values())) >= 2), default=None),
    )


def _figures(losses: Sequence[str], seeds: Sequence[int], trials: Iterable[Trial]) -> dict[str, dict[str, dict[int, float]]]:
    """Loss -> metric -> seed -> value, in the plan's order of seeds, undefined values left out."""
    found = {(trial["loss"], trial["seed"]): trial["metrics"] for trial in trials}
    return {
        loss: {
            metric: {seed: value for seed in seeds if (loss, seed) in found and (value := number((found[loss, seed] or {}).get(metric))) is not None}
            for metric in METRICS
        }
        for loss in losses
    }


def _paired(figures: dict[str, dict[str, dict[int, float]]], loss: str, baseline: str, metric: str) -> dict[int, float]:
    ours, theirs = figures[loss][metric], figures[baseline][metric]
    return {seed: value - theirs[seed] for seed, value in ours.items() if seed in theirs}


def _pooled(samples: Sequence[Sequence[float]]) -> float | None:
    """The standard deviation that samples of different means have in common, weighted by their degrees of freedom; None without any sample of two."""
    freedom = sum(len(sample) - 1 for sample in samples)
    if freedom == 0:
        return None
    return math.sqrt(math.fsum((len(sample) - 1) * deviation(sample) ** 2 for sample in samples) / freedom)
