"""What formulas are asked by themselves."""

from collections.abc import Iterator

import pytest

import boxloss as bl


@pytest.fixture
def by_formula() -> Iterator[None]:
    """Without kernels, which have the formula's bits (kernels/cpu/test_elementwise.py) and take seconds to compile for a handful of boxes."""
    with bl.plain():
        yield
