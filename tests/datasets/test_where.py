"""Messages: one line, whatever the value is."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boxloss.datasets.where import MISSING, Where, need, show
from boxloss.errors import DataError, MissingExtraError

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(anything, st.text(), st.text())
def test_a_message_is_one_printable_line_of_bounded_length(value: object, file: str, field: str) -> None:
    with pytest.raises(DataError) as caught:
        Where(file, "line 3").refuse(field, value, "must be so", "do this")
    message = str(caught.value)
    assert message.isprintable()
    assert len(message.splitlines()) == 1
    assert len(show(value)) <= 310


def test_values_that_python_will_not_print_are_named_anyway() -> None:
    bomb: list[object] = ["ha"]
    for _ in range(60):
        bomb = [bomb, bomb]
    assert len(show(bomb)) < 300
    assert show(1 << 100_000) == "a number of thousands of digits"
    assert show(MISSING) == "missing"


def test_a_message_names_every_part() -> None:
    with pytest.raises(DataError) as caught:
        Where("a\nb.xml").at("object 2").refuse("xmin", "x", "must be a number", "write digits")
    assert str(caught.value) == "a\\nb.xml: object 2: xmin = 'x': must be a number; hint: write digits"


def test_a_missing_package_is_named_with_its_command() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'boxloss\[data\]'"):
        need("no_such_package_here.part", "no-such-package")
