"""Sums that are exact: the same bits in whatever order and however the parts were put together."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxloss.simulate.tally import Tally, exact_sum, total
from close import close

LENGTHS = st.floats(0, 1e300, allow_subnormal=True)


@given(st.lists(LENGTHS, max_size=20))
def test_parts_are_exactly_the_sum(numbers):
    parts = exact_sum(numbers)
    assert sum(map(Fraction, parts)) == sum(map(Fraction, numbers))
    assert parts[0] == float(sum(map(Fraction, numbers)))


@given(st.lists(st.lists(LENGTHS, min_size=1, max_size=6), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_tallies_add_up_to_the_same_in_any_order_and_grouping(groups, chance):
    def tally(numbers):
        return Tally.joined([Tally.of(np.array([x, x / 3]), np.array([0.5])) for x in numbers])

    at_once = tally([x for group in groups for x in group])
    chance.shuffle(groups)
    for group in groups:
        chance.shuffle(group)
    assert Tally.joined(map(tally, groups)).as_dict() == at_once.as_dict()


def test_floats_alone_would_depend_on_the_order():
    numbers = [1.0, *[2.0**-53] * 8]
    assert sum(numbers) != sum(reversed(numbers))
    assert total(numbers) == total(reversed(numbers)) == 1 + 2.0**-50


@pytest.mark.parametrize(("numbers", "want"), [([1e308, 1e308, 1.0], math.inf), ([math.inf, 2.0], math.inf), ([math.nan, 2.0], math.nan)])
def test_what_is_no_number_any_more_stays_so(numbers, want):
    once = Tally.of(np.array(numbers[:1]), np.array([0.1]))
    found = Tally.joined([once, *(Tally.of(np.array([x]), np.array([0.1])) for x in numbers[1:])])
    again = Tally.joined([found, once])
    assert {str(found.final_error), str(again.final_error), str(exact_sum(numbers)[0])} == {str(want)}


def test_what_a_tally_tells():
    # Pencil: three cases, errors 6, 4, 2 before and after two steps, IoUs .5, .75 and 1, of which one is above .75
    found = Tally.joined([Tally.of(np.array([2.0, 1.0, 1.0]), np.array([0.5])), Tally.of(np.array([4.0, 3.0, 1.0]), np.array([0.75, 1.0]))])
    assert found.curve().tolist() == [6, 4, 2]
    assert (found.n, found.final_error, found.all_errors, found.mean_iou) == (3, 2, 6, 0.75)
    close(found.high_share, Fraction(1, 3))
    assert Tally.from_dict(found.as_dict()) == found
