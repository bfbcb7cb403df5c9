"""Every formula's kernels compile for an H100 without one, to instructions that round as IEEE 754 says, in registers.

What the interpreter cannot tell: it adds and multiplies by NumPy, and has one thread.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import boxloss as bl
from boxloss.kernels import gpu
from each import REPRESENTATIVES
from kernels.gpu.for_sm_90 import compiled
from kernels.gpu.test_elementwise import words

pytestmark = pytest.mark.usefixtures("compiler")

CIOU = bl.catalogue()["ciou"]
FORMULAS = [*bl.catalogue().values(), words]
DTYPES = {"float32": torch.float32, "float64": torch.float64}
SPILLED = 24
"""Bytes of stack: the assembler puts a few numbers aside (where every operation there is stands in one formula) rather than have half as many programs."""
CALLS: dict[str, Callable[[Any, torch.Tensor, torch.Tensor], object]] = {
    "element-wise": lambda formula, a, b: gpu.value_and_gradient(formula, {}, a, b, wrt="ab", reduction="sum"),
    "pairwise": lambda formula, a, b: gpu.pairwise(formula, {}, a, b),
    "nearest": lambda formula, a, b: gpu.nearest(formula, {}, a, b),
    "nearest both ways": lambda formula, a, b: gpu.nearest_both(formula, {}, a, b),
}


def boxes(dtype: str = "float32", n: int = 4000) -> torch.Tensor:
    return torch.empty((n, 4), dtype=DTYPES[dtype])


def cases() -> list[Any]:
    params = []
    for formula in FORMULAS:
        for dtype in DTYPES:
            for what in CALLS:
                if formula.name not in (*REPRESENTATIVES, words.name) and (what, dtype) != ("element-wise", "float32"):
                    continue
                usual = what in ("element-wise", "nearest") and dtype == "float32"
                by_default = formula is CIOU or (usual and formula.name in ("smooth_l1", words.name))
                params.append(pytest.param(formula, dtype, what, marks=[] if by_default else [pytest.mark.slow], id=f"{formula.name}-{dtype}-{what}"))
    return params


@pytest.mark.parametrize(("formula", "dtype", "what"), cases())
def test_every_formula(formula: Any, dtype: str, what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    a = boxes(dtype)
    for kernel in compiled(monkeypatch, lambda: CALLS[what](formula, a, a)):
        assert kernel.unfaithful == set()
        assert ".local" not in kernel.ptx
        stack, local = kernel.memory_of_threads(tmp_path)
        assert local == 0
        assert stack <= SPILLED


def test_contraction_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail: Triton contracts where it is not told otherwise."""
    from kernels.gpu import for_sm_90

    plain = for_sm_90.triton.compile
    monkeypatch.setattr(for_sm_90.triton, "compile", lambda source, target, options: plain(source, target=target, options=options | {"enable_fp_fusion": True}))
    a = boxes()
    found = compiled(monkeypatch, lambda: gpu.value_and_gradient(CIOU, {}, a, a))
    assert any("fma" in instruction or instruction.startswith("mul.f") for instruction in found[0].unfaithful)


@pytest.mark.parametrize("capability", [80, pytest.param(89, marks=pytest.mark.slow), pytest.param(100, marks=pytest.mark.slow)])
def test_other_gpus(capability: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a = boxes()
    for what in CALLS:
        for kernel in compiled(monkeypatch, lambda what=what: CALLS[what](CIOU, a, a), capability):  # type: ignore[misc]
            assert kernel.unfaithful == set()


def test_the_other_ways_to_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, a scale in memory, the k best, rows apart in memory: each compiles to a program of its own."""
    a, apart = boxes(), torch.empty((4000, 5))[:, :4]
    weight, scale = torch.empty(4000), torch.empty((), dtype=torch.float64)

    def call() -> None:
        gpu.value_and_gradient(CIOU, {}, a, apart, wrt="a", weight=weight, scale=scale)
        gpu.value_and_gradient(CIOU, {}, apart, a, wrt="ab", weight=weight, scale=1 / 3, reduction="sum")
        for factor in (scale, 1 / 3):
            gpu.value_and_gradient(CIOU, {}, a, a, scale=factor, reduction="mean")
        gpu.nearest(CIOU, {}, a, apart, k=2)
        gpu.nearest_both(CIOU, {}, apart, a)

    for kernel in compiled(monkeypatch, call):
        assert kernel.unfaithful == set()


def test_more_than_2_to_the_31_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that are no int32 make variants of their own too. On the device "meta" nothing has memory."""
    few, many = torch.empty((5, 4), device="meta"), torch.empty((2**31 + 3, 4), device="meta")
    found = compiled(monkeypatch, lambda: gpu.value_and_gradient(CIOU, {}, many, many, wrt="ab", reduction="sum"))
    found += compiled(monkeypatch, lambda: (gpu.pairwise(CIOU, {}, few, many), gpu.pairwise(CIOU, {}, many, few)))
    found += compiled(monkeypatch, lambda: (gpu.nearest_both(CIOU, {}, few, many), gpu.nearest(CIOU, {}, many, few, k=2)))
    for kernel in found:
        assert kernel.unfaithful == set()
        x, y = (*kernel.grid, 1)[:2]
        assert 1 <= x < 2**31
        assert 1 <= y <= 65535


def test_rows_are_read_and_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packed row of float32 is one instruction of 16 bytes: bandwidth is all that a simple loss needs."""
    a = boxes()
    (kernel, _) = compiled(monkeypatch, lambda: gpu.value_and_gradient(CIOU, {}, a, a, wrt="ab", reduction="sum"))
    assert re.findall(r"ld\.global\.(\w+)\.b32", kernel.ptx) == ["v4"] * 4  # the first block's, and in the loop the next one's
    assert re.findall(r"st\.global\.(\w+)\.b32", kernel.ptx) == ["v4"] * 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_suppression_compiles_and_reads_what_others_wrote_behind_a_barrier(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 20_000  # in chunks
    found = compiled(monkeypatch, lambda: gpu.greedy(CIOU, {}, torch.empty((n, 4), dtype=dtype), torch.empty(n, dtype=torch.int64), 0.5))
    assert len(found) == 2 * 3
    for kernel in found:
        assert kernel.unfaithful == set()
    assert all("bar.sync" in resolve.ptx for resolve in found[1::2])


def test_a_factor_of_1_moves_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends where it has seen the factor, before anything else is read."""
    (kernel,) = compiled(monkeypatch, lambda: gpu.multiply(boxes(), torch.empty(())))
    steps = re.findall(r"tt\.load|tt\.store|cf\.cond_br|scf\.if", kernel.ttgir)
    assert steps in (["tt.load", branch, "tt.load", "tt.store"] for branch in ("cf.cond_br", "scf.if"))
    assert set(re.findall(r"(ld|st)\.global\.(\w+)\.b32", kernel.ptx)) == {("ld", "v4"), ("st", "v4")}


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_a_sum_has_one_order_however_boxes_lie(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of a sum follows from which thread has which number: one each, in every variant of the kernel."""
    a = boxes(dtype)
    laid = [a, torch.empty((4000, 5), dtype=a.dtype)[:, :4], torch.empty((4, 4000), dtype=a.dtype).t(), torch.empty(16001, dtype=a.dtype)[1:].view(4000, 4)]
    seen = set()
    for x in laid:
        for wrt in ("", "ab"):
            (kernel, _) = compiled(monkeypatch, lambda x=x, wrt=wrt: gpu.value_and_gradient(CIOU, {}, x, a, wrt=wrt, reduction="sum"))  # type: ignore[misc]
            layouts = dict(re.findall(r"(#\w+) = (#ttg\..*)", kernel.ttgir))
            (summed,) = re.findall(r"\}\) : \(tensor<32xf64, (#\w+)>\) ->", kernel.ttgir)
            seen.add(layouts[summed])
    assert seen == {"#ttg.blocked<{sizePerThread = [1], threadsPerWarp = [32], warpsPerCTA = [1], order = [0]}>"}


def test_a_column_is_read_by_all_before_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads have the same column's best so far. One that read it after another had written half of the next would pair a value with a wrong index."""
    a = boxes()
    kernel = compiled(monkeypatch, lambda: gpu.nearest_both(CIOU, {}, a, a))[0]
    steps = re.findall(r"tt\.load|tt\.store|ttg?\.barrier|gpu\.barrier", kernel.ttgir)
    # a, b, the best so far and its index are read; both are written, and a's best and its index
    assert re.fullmatch(r"(tt\.load ){4}\S+\.barrier( tt\.store){4} \S+\.barrier", " ".join(steps)), steps


def test_no_kernel_is_compiled_anew_for_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton makes a variant of its own for an integer that is 1, or a multiple of 16, unless told not to: a batch of another size would take seconds."""
    a = boxes()
    for what in CALLS:
        for found in compiled(monkeypatch, lambda what=what: CALLS[what](CIOU, a, a)):  # type: ignore[misc]
            pointers = {"rows", "factor", "a", "b", "weight", "losses", "sums", "grad_a", "grad_b", "matrix", "values", "indices", "result"}
            pointers |= {f"{kind}_{which}" for kind in ("values", "indices") for which in "ab"}
            pointers |= {"before_values", "before_indices", "best_values", "best_indices"}
            for parameter in found.kernel.params:
                assert parameter.is_constexpr or parameter.name in pointers or parameter.do_not_specialize, parameter.name


@pytest.mark.parametrize(("what", "most"), [("element-wise", 460), ("pairwise", 200), ("nearest", 200)])
def test_instructions_of_a_tame_pair(what: str, most: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CIoU with both gradients: 571 a pair are what an H200 has time for while it moves the bytes at 70 % of a copy's speed (`docs/decisions/gpu.md`)."""
    a = boxes()
    kernel = compiled(monkeypatch, lambda: CALLS[what](CIOU, a, a))[0]
    pairs_each = 1 if what == "element-wise" else 4
    assert 100 < kernel.instructions_of_a_tame_tile(tmp_path) / pairs_each <= most
