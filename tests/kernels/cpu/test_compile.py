"""The loops become vector code: seen in the assembly."""

import platform
import re
from collections import Counter
from typing import Any

import llvmlite.binding as llvm
import pytest

import boxloss as bl
from boxloss.kernels.cpu.bodies import bodies
from boxloss.kernels.cpu.compile import assembly, compile_text
from boxloss.kernels.cpu.elementwise import program
from boxloss.kernels.cpu.program import Program
from each import REPRESENTATIVES

pytestmark = pytest.mark.thread_unsafe(reason="eight times the same, one after the other")

FULLY = (*REPRESENTATIVES, "iou")
"""Of the others the text of a training step is asked: the gradient in float32, of tame pairs where they have a text of their own."""
ONE_BY_ONE = Counter({"divsd": 1})  # the mean: a sum by a count, in float64


def instructions(program: Program) -> Counter[str]:
    """How often a division, a root, or an arithmetic of the widest vectors is in the machine code, by its name; and what else computes on one number."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip(f"the names of {platform.machine()}'s instructions are not known here")
    text = assembly(program.text, program.number, *_by_name(program))
    found = re.findall(r"^\s+v?((?:div|sqrt|mul|add|sub)[ps][sd])\s+(.*)$", text, flags=re.MULTILINE)
    return Counter(f"{name} {widest(operands)}" if name[-2] == "p" else name for name, operands in found)


def widest(operands: str) -> str:
    return next(kind for kind in ("zmm", "ymm", "xmm") if kind in operands)


def _by_name(program: Program) -> tuple[dict[str, Any], dict[str, Any]]:
    return tuple({name: (number, value) for name, number, value in given} for given in (program.constants, program.memory))  # type: ignore[return-value]


def vectors() -> str:
    """The widest that this processor has."""
    features = llvm.get_host_cpu_features()
    return "zmm" if features.get("avx512f") else "ymm" if features.get("avx") else "xmm"


def cases() -> list[Any]:
    names = [
        (name, number, wrt)
        for name in bl.catalogue()
        for number in ("float32", "float64")
        for wrt in ("", "ab")
        if name in FULLY or (number, wrt) == ("float32", "ab")
    ]
    marks = [[] if name in ("iou", "ciou") and (wrt == "" or number == "float32") else [pytest.mark.slow] for name, number, wrt in names]
    return [pytest.param(*case, marks=mark) for case, mark in zip(names, marks, strict=True)]


@pytest.mark.parametrize(("name", "number", "wrt"), cases())
def test_the_loop_over_a_block_is_vector_code(name: str, number: str, wrt: str) -> None:
    formula = bl.catalogue()[name]
    made = bodies(formula, {}, number=number, format="xyxy", wrt=wrt)
    single = "ss" if number == "float32" else "sd"
    texts = (True, False) if made.traced_tame is not None else (False,)
    for tame in texts if name in FULLY else texts[:1]:
        found = instructions(program(made, tame=tame))
        wide = f"{single.replace('s', 'p', 1)} {vectors()}"
        assert found["add" + wide] + found["sub" + wide] > 8, found
        for operation in ("div", "sqrt"):
            lone = found[operation + single] - ONE_BY_ONE[operation + single]
            assert lone <= 0, f"{name}: {lone} times {operation}{single}, in {'the tame' if tame else 'the full'} kernel"
        if made.traced_tame is not None:
            assert found["div" + wide] > 0, found
        # What is left to single numbers are the weights of a block that is not full.
        assert found["mul" + single] <= 1 + 2 * bool(wrt), found


def test_the_test_would_notice() -> None:
    """A loop in which every number needs the one before is no vector code."""
    text = """\
def kernel(arguments):
    of = numbers_at(load(arguments, 0))
    for i in range(1, 64):
        store(of, i, load(of, i) / load(of, i - 1))
"""
    found = instructions(Program(text, "float32", (), ()))
    assert found["divss"] > 0
    assert not any("divps" in name for name in found)


def test_a_text_may_be_compiled_again() -> None:
    made = program(bodies(bl.catalogue()["iou"], {}, number="float32", format="xyxy"), tame=True)
    for _ in range(2):
        code, symbol = compile_text(made.text, made.number, *_by_name(made))
        assert symbol.encode() in code
