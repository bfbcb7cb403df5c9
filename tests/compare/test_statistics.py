"""Statistics of a run: properties, SciPy as oracle, pencil cases, and what the test promises, by simulation."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import synthetic
from boxloss.compare import statistics
from boxloss.compare.report import judge
from boxloss.compare.statistics import METRICS, analyse, detectable_effect, deviation, estimate, holm, paired_p, power, seeds_needed
from close import close

APS = st.integers(0, 1000).map(lambda n: n / 1000)  # as coarse as AP is printed: ties and zero spreads come up
P_VALUES = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=8)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def trials(figures: dict[str, list[float | None]]) -> list[dict]:
    """loss -> AP by seed; every metric has the same figure."""
    return [{"loss": loss, "seed": seed, "metrics": dict.fromkeys(METRICS, ap)} for loss, aps in figures.items() for seed, ap in enumerate(aps)]


def of(figures: dict[str, list[float | None]], baseline: str = "iou"):
    n_seeds = max(len(aps) for aps in figures.values())
    return analyse(list(figures), range(n_seeds), baseline, trials(figures))


# ---- properties


@given(st.lists(APS, min_size=2, max_size=9))
def test_the_interval_holds_the_mean_and_is_as_wide_on_both_sides(values):
    one = estimate(values)
    assert one.low <= one.mean <= one.high
    close([one.high - one.mean], [one.mean - one.low], "float64", "sum", scale=[1.0])


@given(st.lists(APS, max_size=9))
def test_a_mean_never_leaves_its_range(values):
    one = estimate(values, within=(0.0, 1.0))
    assert one.low is None or (one.low >= 0.0 and one.high <= 1.0)


@given(st.lists(APS, min_size=3, max_size=9))
def test_swapping_the_two_losses_keeps_p(differences):
    assert paired_p(differences) == paired_p([-value for value in differences])


@given(st.lists(APS, min_size=3, max_size=9))
def test_p_is_a_probability(differences):
    assert 0.0 <= paired_p(differences) <= 1.0


@given(P_VALUES)
def test_holm_lies_between_no_correction_and_bonferroni(values):
    named = {str(index): value for index, value in enumerate(values)}
    corrected = holm(named, len(values))
    for name, value in named.items():
        assert value <= corrected[name] <= min(1.0, len(values) * value)


@given(P_VALUES)
def test_holm_keeps_the_order(values):
    named = {str(index): value for index, value in enumerate(values)}
    corrected = holm(named, len(values))
    ranked = sorted(named, key=lambda name: named[name])
    assert [corrected[name] for name in ranked] == sorted(corrected.values())


@given(P_VALUES, st.integers(0, 5))
def test_a_loss_that_gave_no_p_makes_the_others_no_better(values, n_failed):
    named = {str(index): value for index, value in enumerate(values)}
    strict, lenient = holm(named, len(values) + n_failed), holm(named, len(values))
    assert all(strict[name] >= lenient[name] for name in named)


def test_the_order_of_trials_does_not_matter():
    run = synthetic.results(dict.fromkeys(synthetic.LOSSES, 0.0))
    plan = run.plan
    backwards = analyse(plan["losses"], plan["seeds"], "iou", reversed(run.trials))
    assert backwards == judge(run)


@given(st.lists(st.tuples(APS, APS), min_size=1, max_size=7))
def test_nothing_is_ever_nan(pairs):
    run = of({"iou": [a for a, _ in pairs], "giou": [b for _, b in pairs]})
    shown = [run.spread, run.detectable, run.largest_move, run.differences["giou"]["ap"].p, run.differences["giou"]["ap"].p_corrected]
    shown += [number for means in run.means.values() for one in means.values() for number in (one.mean, one.low, one.high)]
    assert all(number is None or math.isfinite(number) for number in shown)


# ---- SciPy as oracle


@given(st.lists(st.integers(-(10**6), 10**6), min_size=3, max_size=9, unique=True))
def test_p_and_interval_are_scipys(values):
    differences = [value / 10**6 for value in values]
    theirs = stats.ttest_1samp(differences, 0.0)
    interval = theirs.confidence_interval(0.95)
    one = estimate(differences)
    close([paired_p(differences)], [theirs.pvalue], "float64", "textbook", scale=[1.0])
    close([one.low, one.high], [interval.low, interval.high], "float64", "textbook", scale=[1.0, 1.0])


@pytest.mark.parametrize(("n", "alpha", "effect"), [(3, 0.05, 2.0), (3, 0.01, 8.0), (5, 0.01, 2.0), (20, 0.05, 0.5)])
def test_power_is_that_of_the_noncentral_t(n, alpha, effect):
    critical, shift = stats.t.isf(alpha / 2, n - 1), effect * math.sqrt(n)
    theirs = stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift)
    assert f"{power(effect, n, alpha):.2f}" == f"{theirs:.2f}"  # ours is a mean over 400 quantiles: good for a planning figure


# ---- pencil


def test_mean_and_interval_of_three():
    # mean 2, deviation 1, t(2; .975) = 4.3027 (any table), half width 4.3027 / sqrt(3) = 2.4841
    one = estimate([1.0, 2.0, 3.0])
    assert (one.mean, f"{one.low:.3f}", f"{one.high:.3f}") == (2.0, "-0.484", "4.484")


def test_p_of_three():
    # mean 2, t = 2 sqrt(3); with two degrees of freedom p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14)
    close([paired_p([1.0, 2.0, 3.0])], [1 - math.sqrt(12 / 14)], "float64", "sum", scale=[1.0])


def test_holm_by_hand():
    # Holm 1979: sorted .01 .03 .04, times 3 2 1 is .03 .06 .04, made ascending .03 .06 .06
    close(list(holm({"a": 0.01, "b": 0.04, "c": 0.03}, 3).values()), [0.03, 0.06, 0.06], "float64")


def test_detectable_effect_of_ten_seeds():
    # tables of the paired t-test's power (Cohen 1988, and any calculator): n = 10, alpha .05 two-sided, power .8 needs an effect of 1.00
    assert f"{detectable_effect(10, 1):.1f}" == "1.0"
    assert seeds_needed(1.0, 1.0, 1) == 10


def test_more_losses_need_a_larger_difference_and_more_seeds_a_smaller_one():
    assert detectable_effect(5, 1) < detectable_effect(5, 5) < detectable_effect(3, 5)


# ---- edges


def test_one_seed_has_no_interval_and_no_p():
    one = of({"iou": [0.3], "giou": [0.4]}).differences["giou"]["ap"]
    assert (one.estimate.low, one.estimate.high, one.p, one.p_corrected, one.significant) == (None, None, None, None, False)


def test_two_seeds_have_an_interval_but_no_p():
    one = of({"iou": [0.3, 0.31], "giou": [0.4, 0.43]}).differences["giou"]["ap"]
    assert one.estimate.low is not None
    assert one.p is None


def test_equal_figures_are_no_difference():
    one = of({"iou": [0.3, 0.31, 0.32], "giou": [0.3, 0.31, 0.32]}).differences["giou"]["ap"]
    assert (one.estimate.mean, one.estimate.low, one.p) == (0.0, 0.0, 1.0)


def test_rounding_is_no_spread():
    # .3 - .2 and .2 - .1 differ by one roundoff; a t-test on that gives p = 1e-16
    differences = [0.3 - 0.2, 0.2 - 0.1, 0.4 - 0.3]
    assert len(set(differences)) > 1
    assert deviation(differences) == 0.0
    assert paired_p(differences) == 0.25  # sign test: two of the eight patterns of signs are all alike


def test_undefined_figures_are_left_out():
    run = of({"iou": [0.3, 0.3, 0.31, 0.33], "giou": [0.31, math.nan, None, 0.34]})
    assert run.missing == {"giou": (1, 2)}
    assert list(run.differences["giou"]["ap"].by_seed) == [0, 3]


def test_a_loss_that_failed_stays_in_the_correction():
    figures = {"iou": [0.30, 0.31, 0.32, 0.30], "giou": [0.32, 0.34, 0.33, 0.32]}
    with_failed = of({**figures, "ciou": [None] * 4}).differences["giou"]["ap"]
    without = of(figures).differences["giou"]["ap"]
    close([with_failed.p_corrected], [2 * without.p_corrected], "float64")


def test_only_the_deciding_metric_is_corrected():
    run = of({"iou": [0.30, 0.31, 0.32], "giou": [0.32, 0.34, 0.33]})
    assert [metric for metric, one in run.differences["giou"].items() if one.p_corrected is not None] == ["ap"]


def test_pairing_removes_what_a_seed_does_to_all_losses():
    # seeds move AP by .1, the losses differ by .01 on each: unpaired, nothing could be seen
    one = of({"iou": [0.20, 0.30, 0.40, 0.25], "giou": [0.21, 0.311, 0.41, 0.259]}).differences["giou"]["ap"]
    assert one.significant


# ---- what the test promises, by simulation


def false_alarms(n_runs: int, n_losses: int = 6, n_seeds: int = 4, test=paired_p, correct=holm) -> float:
    """The share of runs without any true difference in which some difference is shown. The baseline's own luck is in all differences of a run."""
    rng = np.random.default_rng(20)
    names = [f"loss{index}" for index in range(n_losses)]
    alarms = 0
    for _ in range(n_runs):
        noise = rng.normal(0, 0.01, (n_losses, n_seeds)) + rng.normal(0, 0.02, n_seeds)
        differences = {name: (noise[index] - noise[0]).tolist() for index, name in enumerate(names) if index}
        p_values = {name: test(values) for name, values in differences.items()}
        alarms += any(p <= statistics.ALPHA for p in correct(p_values, n_losses - 1).values())
    return alarms / n_runs


N_RUNS = 600
LUCK = 3 * math.sqrt(0.05 * 0.95 / N_RUNS)  # three standard deviations of a share of 5% over so many runs


def test_five_runs_in_a_hundred_at_most_give_a_false_alarm():
    assert false_alarms(N_RUNS) <= 0.05 + LUCK


def test_a_single_comparison_gives_five_in_a_hundred():
    assert abs(false_alarms(N_RUNS, n_losses=2) - 0.05) <= LUCK


def test_without_correction_the_simulation_would_notice():
    """The test of the test: uncorrected p-values of five comparisons give far more than 5% false alarms."""
    assert false_alarms(N_RUNS, correct=lambda p_values, _: p_values) > 0.05 + LUCK


def test_the_normal_distribution_in_place_of_students_would_be_noticed():
    """The test of the test: with four seeds, the normal distribution's tails are far too thin."""

    def normal_p(values):
        return 2 * stats.norm.sf(abs(np.mean(values)) / (deviation(values) / math.sqrt(len(values))))

    assert false_alarms(N_RUNS, test=normal_p) > 0.05 + LUCK


def test_a_true_difference_of_the_detectable_size_is_shown_as_often_as_promised():
    rng = np.random.default_rng(21)
    effect = detectable_effect(5, 5)
    p_values = [paired_p((effect + rng.normal(0, 1, 5)).tolist()) for _ in range(N_RUNS)]
    shown = sum(p <= statistics.ALPHA / 5 for p in p_values) / N_RUNS
    assert abs(shown - statistics.POWER) <= 3 * math.sqrt(0.8 * 0.2 / N_RUNS)


def test_intervals_hold_the_truth_as_often_as_promised():
    rng = np.random.default_rng(22)
    runs = [estimate(rng.normal(0.3, 0.01, 4).tolist()) for _ in range(N_RUNS)]
    assert abs(sum(one.low <= 0.3 <= one.high for one in runs) / N_RUNS - 0.95) <= LUCK
