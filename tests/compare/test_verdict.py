"""The verdict's sentence: what it must say, and that it follows from the figures."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

import synthetic
from boxloss.compare.report import judge
from boxloss.compare.statistics import METRICS, analyse
from boxloss.compare.verdict import conclude

APS = st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 1000))
NONE = dict.fromkeys(synthetic.LOSSES, 0.0)


def verdict(figures: dict[str, list[float | None]], n_seeds: int | None = None):
    seeds = range(n_seeds if n_seeds is not None else max(len(aps) for aps in figures.values()))
    trials = [{"loss": loss, "seed": seed, "metrics": dict.fromkeys(METRICS, ap)} for loss, aps in figures.items() for seed, ap in enumerate(aps)]
    return conclude(analyse(list(figures), seeds, "iou", trials))


def runs(least: int, most: int):
    """Figures of 1 to 4 losses, the baseline iou among them, over `least` to `most` seeds; some trials without figures."""
    names = st.integers(0, 3).map(lambda n: ["iou", "giou", "diou", "ciou"][: n + 1])
    return st.tuples(names, st.integers(least, most)).flatmap(
        lambda pair: st.fixed_dictionaries({name: st.lists(APS, min_size=pair[1], max_size=pair[1]) for name in pair[0]})
    )


# ---- properties


@given(runs(1, 2))
def test_fewer_than_three_seeds_are_always_too_few(figures):
    found = verdict(figures)
    assert found.kind == "too few seeds"
    assert found.sentence.startswith("Too few seeds: ")


@given(runs(1, 6))
@settings(max_examples=200)
def test_the_verdict_follows_from_the_corrected_p_values(figures):
    n_seeds = len(figures["iou"])
    trials = [{"loss": loss, "seed": seed, "metrics": dict.fromkeys(METRICS, ap)} for loss, aps in figures.items() for seed, ap in enumerate(aps)]
    statistics = analyse(list(figures), range(n_seeds), "iou", trials)
    found = conclude(statistics)
    shown = {loss for loss, one in statistics.differences.items() if one["ap"].significant}
    assert set(found.better) | set(found.worse) == shown
    assert (found.kind == "difference shown") == bool(shown)
    assert all(statistics.differences[loss]["ap"].estimate.mean > 0 for loss in found.better)
    assert all(statistics.differences[loss]["ap"].estimate.mean < 0 for loss in found.worse)


@given(runs(1, 6))
@settings(max_examples=200)
def test_a_verdict_is_one_sentence_without_broken_numbers(figures):
    sentence = verdict(figures).sentence
    assert sentence[0].isupper()
    assert re.search(r"[.] [A-Z]", sentence) is None  # one sentence: no full stop within it
    assert sentence.endswith(".")
    assert not any(word in sentence for word in ("nan", "inf ", "None", "-0.000 ", "+0.000 "))


# ---- cases


def test_no_difference_names_the_largest_and_what_could_have_been_seen():
    run = synthetic.results(NONE, n_seeds=5)
    statistics = judge(run)
    found = conclude(statistics)
    largest = max((one["ap"] for one in statistics.differences.values()), key=lambda one: abs(one.estimate.mean))
    assert found.kind == "no difference shown"
    assert found.sentence.startswith("No difference shown: over 5 seeds the largest observed difference from iou is ")
    assert f"({largest.loss}, 95% interval" in found.sentence
    assert f"a true difference of {statistics.detectable:.3f} AP in four of five cases" in found.sentence


def test_differences_are_named_with_their_direction_best_and_worst_first():
    found = conclude(judge(synthetic.results(NONE | {"ciou": 0.05, "diou": 0.08, "l2": -0.06}, noise=0.002)))
    assert (found.kind, found.better, found.worse) == ("difference shown", ("diou", "ciou"), ("l2",))
    assert "better are diou by +0.0" in found.sentence
    assert "worse is l2 by -0.06" in found.sentence
    assert "no difference is shown for smooth_l1 and giou" in found.sentence
    assert "whether diou and ciou differ from each other was not tested" in found.notes[0]


def test_two_seeds_tell_how_far_chance_alone_goes():
    found = verdict({"iou": [0.30, 0.33], "giou": [0.34, 0.35]})
    assert found.sentence == (
        "Too few seeds: 2 seeds cannot tell the effect of a loss from chance, it takes at least 3 and better 5; the largest observed difference from iou is "
        "+0.030 AP (giou); one and the same loss moved by up to 0.030 AP from seed to seed; run the same command with --seeds 5."
    )


def test_losses_that_tie_are_both_named():
    sentence = verdict({"iou": [0.30, 0.31, 0.32], "giou": [0.31, 0.31, 0.34], "diou": [0.29, 0.31, 0.30]}).sentence
    assert "the largest observed differences from iou are equal in size (giou +0.010 and diou -0.010 AP)" in sentence


def test_equal_figures():
    sentence = verdict({"iou": [0.30, 0.31, 0.32], "giou": [0.30, 0.31, 0.32]}).sentence
    assert sentence.startswith("No difference shown: over 3 seeds every loss observed has the AP of iou to three decimals; ")


def test_a_loss_without_any_trial_is_noted():
    run = synthetic.results(NONE, n_seeds=3)
    found = conclude(judge(synthetic.without(run, *(("giou", seed) for seed in range(3)))))
    assert found.notes == ("giou has no usable trial, so the verdict says nothing about it.",)
    assert found.kind == "no difference shown"


def test_a_baseline_without_trials_leaves_nothing_to_compare():
    run = synthetic.results(NONE, n_seeds=3)
    found = conclude(judge(synthetic.without(run, *(("iou", seed) for seed in range(3)))))
    assert found.sentence.startswith("Too few seeds: 0 seeds of 3 planned ")
    assert found.notes == ("iou has no usable trial, so nothing can be compared with it.",)


def test_a_loss_with_too_few_trials_is_noted():
    run = synthetic.results(NONE, n_seeds=3)
    found = conclude(judge(synthetic.without(run, ("giou", 1))))
    assert found.notes == ("giou has no usable trial with seed 1, so the verdict says nothing about it.",)


def test_the_only_loss_has_nothing_to_be_compared_with():
    assert verdict({"iou": [0.3, 0.3, 0.3]}).sentence == "Nothing to compare: iou is the only loss of this run; add others with --losses."
