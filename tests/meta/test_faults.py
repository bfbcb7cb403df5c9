"""The tests' tests: right text-book losses pass every check, each broken one fails the check that is there for it, and each check has a fault to catch."""

import pytest

from meta.faults import FAULTS, TWENTY, Fault
from meta.textbook import subject
from properties.asking import NotKeptError
from properties.backends import Torch
from properties.check_batches import NARROW
from properties.checks import GRADIENT_CHECKS, THREAD_CHECKS, TYPE_CHECKS, VALUE_CHECKS

CHECKS = VALUE_CHECKS | GRADIENT_CHECKS | TYPE_CHECKS | THREAD_CHECKS
NAMES = ("l1", "l2", "smooth_l1", "iou", "iou_log", "iou_squared", "giou", "diou", "ciou", "ciou_gated")


def dtypes(check: str) -> tuple[str, ...]:
    return tuple(NARROW) if check in TYPE_CHECKS else ("float64",)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_a_right_loss_passes(name: str, check: str) -> None:
    for dtype in dtypes(check):
        CHECKS[check](subject(name), Torch(), dtype)


def complaint(fault: Fault) -> str:
    """What the check that is there for it says of a fault; nothing if it passes."""
    for dtype in dtypes(fault.caught_by):
        try:
            CHECKS[fault.caught_by](fault.make(), Torch(), dtype)
        except NotKeptError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.title} ({fault.make().name})")
def test_a_fault_is_caught(fault: Fault) -> None:
    assert complaint(fault).startswith(f"{fault.make().name}: "), f"the check {fault.caught_by!r} does not notice: {fault.title}"


def test_there_are_the_twenty_faults() -> None:
    assert len({fault.title for fault in TWENTY}) == 20


def test_each_check_has_a_fault_to_catch() -> None:
    assert {fault.caught_by for fault in FAULTS} == set(CHECKS)


def test_each_loss_has_a_fault() -> None:
    assert {fault.make().name for fault in FAULTS} == set(NAMES)
