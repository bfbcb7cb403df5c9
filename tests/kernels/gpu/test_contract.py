"""The kernels for GPUs, interpreted, held to the contract by the checks that judge every array library."""

from itertools import product
from typing import Any

import pytest

from each import REPRESENTATIVES
from kernels.gpu.through_triton import TritonInterpreter, by_triton
from properties.check_batches import NARROW
from properties.checks import GRADIENT_CHECKS, TYPE_CHECKS, VALUE_CHECKS, Check
from properties.subjects import Subject, catalogue, is_asked

pytestmark = pytest.mark.usefixtures("interpreter")

CHECKS = VALUE_CHECKS | GRADIENT_CHECKS
SUBJECTS = [by_triton(subject) for subject in catalogue()]
# Every check of some losses, which have all there is between them; of the others what shows that their graph, which other kernels have too, is printed
# right: in both number types, since exp and its like are other polynomials in float64
OF_ALL = ("value", "gradient", "finite")
# By default: every check of one loss, and of some what depends on the loss's own text
FULLY = "ciou"
BY_DEFAULT = ("value", "gradient", "nan", "pairwise")


def cases() -> list[Any]:
    asked = [(name, dtype, subject) for name, dtype, subject in product(CHECKS, ("float32", "float64"), SUBJECTS)]
    asked += [(name, dtype, subject) for name, dtype, subject in product(TYPE_CHECKS, NARROW, SUBJECTS)]
    params = []
    for name, dtype, subject in asked:
        if not is_asked(name, subject, OF_ALL):
            continue
        by_default = subject.name == FULLY or (name in BY_DEFAULT and dtype == "float32" and subject.name in REPRESENTATIVES and not subject.parameters)
        marks = [] if by_default else [pytest.mark.slow]
        params.append(pytest.param((CHECKS | TYPE_CHECKS)[name], subject, dtype, marks=marks, id=f"{name}-{dtype}-{subject}"))
    return params


@pytest.mark.parametrize(("check", "subject", "dtype"), cases())
def test_contract(check: Check, subject: Subject, dtype: str) -> None:
    check(subject, TritonInterpreter(), dtype)
