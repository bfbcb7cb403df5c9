"""The kernels for GPUs, interpreted, held to the contract by the checks that judge every array library."""

from itertools import product
from typing import Any

import pytest

from each import REPRESENTATIVES
from kernels.gpu.through_triton import TritonInterpreter, by_triton
from properties.check_batches import NARROW
from properties.checks import GRADIENT_CHECKS, TYPE_CHECKS, VALUE_CHECKS, Check
from properties.subjects import Subject, catalogue, is_asked

pytestmark = pytest.mark.usefixtures("interpreter", "wide_blocks")

CHECKS = VALUE_CHECKS | GRADIENT_CHECKS
SUBJECTS = [by_triton(subject) for subject in catalogue()]
# Every check of some losses, which have all there is between them. The others have the bits of NumPy and of the graph (test_elementwise.py), of which the
# contract is asked elsewhere.
# By default: every check of one loss in float32, and of some what their bits do not show
FULLY = "ciou"
BY_DEFAULT = ("nan", "pairwise")


def cases() -> list[Any]:
    asked = [(name, dtype, subject) for subject, dtype, name in product(SUBJECTS, ("float32", "float64"), CHECKS)]
    asked += [(name, dtype, subject) for subject, dtype, name in product(SUBJECTS, NARROW, TYPE_CHECKS)]
    params = []
    for name, dtype, subject in asked:
        if not is_asked(name, subject, ()):
            continue
        of_some = name in BY_DEFAULT and dtype == "float32" and subject.name in REPRESENTATIVES and not subject.parameters
        by_default = dtype != "float64" and (subject.name == FULLY or of_some)
        marks = [] if by_default else [pytest.mark.slow]
        params.append(pytest.param((CHECKS | TYPE_CHECKS)[name], subject, dtype, marks=marks, id=f"{name}-{dtype}-{subject}"))
    return params


@pytest.mark.parametrize(("check", "subject", "dtype"), cases())
def test_contract(check: Check, subject: Subject, dtype: str) -> None:
    check(subject, TritonInterpreter(), dtype)
