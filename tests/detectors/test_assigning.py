"""Assigners by name."""

import pytest

from boxloss.assign import ASSIGNERS
from boxloss.detectors.assigning import find_assigner
from boxloss.errors import UnknownNameError


def test_assigners_go_by_their_functions_names():
    assert all(function.__name__ == name and find_assigner(name) is function for name, function in ASSIGNERS.items())


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownNameError, match="unknown assigner 'center_sampling': did you mean centre_sampling"):
        find_assigner("center_sampling")
