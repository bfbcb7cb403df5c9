"""Parameters as a user writes them; `compare` and `simulate` have further tests of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import boxloss as bl
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.written import read_parameters, slug, split_names, write_parameters

DIOU, SMOOTH = bl.catalogue()["diou"], bl.catalogue()["smooth_l1"]
NUMBERS = st.floats(0, 10, allow_nan=False)


@given(NUMBERS, st.tuples(NUMBERS, NUMBERS), st.booleans())
def test_what_is_written_is_read_again(inner, focaler, wise):
    given = {"focaler": focaler, "inner": inner, "wise": wise}
    assert read_parameters("diou", write_parameters(given.items()), DIOU) == given


def test_names_are_split_outside_of_brackets():
    assert split_names("iou, x:focaler=(0.0, 0.95),y:z=[1,2] ,") == ["iou", "x:focaler=(0.0, 0.95)", "y:z=[1,2]"]


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3))
def test_slugs_are_plain(parts):
    assert not set(slug(parts, "-")) & set("/\\:*?\"<>| ,()[]'")


@pytest.mark.parametrize(
    ("parts", "error", "said"),
    [
        (["beta"], ParameterError, "cannot read 'beta'; write NAME"),
        (["beta=half"], ParameterError, "'half' is not a number"),
        (["beta=1", "beta=2"], ParameterError, "beta is given twice"),
        (["bta=1"], UnknownNameError, "parameter of smooth_l1 'bta': did you mean beta"),
    ],
)
def test_errors(parts, error, said):
    with pytest.raises(error, match=said):
        read_parameters("smooth_l1", parts, SMOOTH)
