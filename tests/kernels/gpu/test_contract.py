"""The kernels for GPUs, interpreted, held to the contract by the checks that judge every array library."""

from itertools import product
from typing import Any

import pytest

from boxloss.kernels.gpu import elementwise
from each import REPRESENTATIVES
from kernels.gpu.through_triton import TritonInterpreter, by_triton
from properties.check_batches import NARROW
from properties.check_values import N_PAIRS
from properties.checks import GRADIENT_CHECKS, TYPE_CHECKS, VALUE_CHECKS, Check
from properties.subjects import Subject, catalogue, is_asked

pytestmark = pytest.mark.usefixtures("interpreter")

CHECKS = VALUE_CHECKS | GRADIENT_CHECKS
SUBJECTS = [by_triton(subject) for subject in catalogue()]
# Every check of some losses, which have all there is between them; of the others what shows that their graph, which other kernels have too, is printed
# right: in both number types, since exp and its like are other polynomials in float64
OF_ALL = ("value", "gradient", "finite")
# By default: every check of one loss in float32, and of some what depends on the loss's own text
FULLY = "ciou"
BY_DEFAULT = ("value", "gradient", "nan", "pairwise")


def cases() -> list[Any]:
    asked = [(name, dtype, subject) for subject, dtype, name in product(SUBJECTS, ("float32", "float64"), CHECKS)]
    asked += [(name, dtype, subject) for subject, dtype, name in product(SUBJECTS, NARROW, TYPE_CHECKS)]
    params = []
    for name, dtype, subject in asked:
        if not is_asked(name, subject, OF_ALL):
            continue
        of_some = name in BY_DEFAULT and dtype == "float32" and subject.name in REPRESENTATIVES and not subject.parameters
        by_default = dtype != "float64" and (subject.name == FULLY or of_some)
        marks = [] if by_default else [pytest.mark.slow]
        params.append(pytest.param((CHECKS | TYPE_CHECKS)[name], subject, dtype, marks=marks, id=f"{name}-{dtype}-{subject}"))
    return params


@pytest.mark.parametrize(("check", "subject", "dtype"), cases())
def test_contract(check: Check, subject: Subject, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if subject.name not in REPRESENTATIVES:
        # The interpreter takes as long for a block of any size. Of each class of boxes there is one block that holds no other.
        monkeypatch.setattr(elementwise, "BLOCK", N_PAIRS)
    check(subject, TritonInterpreter(), dtype)
