"""Random calls, many of them, one after the other: none crashes, all give finite numbers of the right shape and type, and a share has the plain formula's."""

import pytest

from boxloss.boxes import FORMATS
from each import REPRESENTATIVES
from kernels.fuzzing import Calls

N = 250_000
PARTS = 8


@pytest.mark.parametrize("tensors", [False, True], ids=["arrays", "tensors"])
def test_some_thousand_calls(tensors: bool) -> None:
    Calls(1, ("giou", "smooth_l1")).run(1500, tensors=tensors, share=0.05)


@pytest.mark.slow
@pytest.mark.thread_unsafe(reason="it takes minutes")
@pytest.mark.parametrize("part", range(PARTS))
def test_many_calls(part: int) -> None:
    formats = FORMATS if part == PARTS - 1 else ("xyxy",)
    names = REPRESENTATIVES if part < PARTS - 1 else ("giou", "smooth_l1")
    Calls(100 + part, names, formats=tuple(formats)).run(N // PARTS, tensors=part % 2 == 1, share=0.002)
