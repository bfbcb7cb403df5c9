"""The rules by which a training can decide which point learns from which object, by name."""

from collections.abc import Callable

from boxloss.assign import ASSIGNERS, Assignment
from boxloss.errors import UnknownNameError


def find_assigner(name: str) -> Callable[..., Assignment]:
    """assigner(priors, objects, predictions): one picture at a time; rules that do not look at the predictions leave them alone."""
    if name not in ASSIGNERS:
        raise UnknownNameError("assigner", name, ASSIGNERS, listed=True)
    return ASSIGNERS[name]
