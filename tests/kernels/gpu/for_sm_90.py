"""What Triton's compiler makes of the kernels that a call would launch, on a machine without a GPU."""

import ast
import functools
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from boxloss.kernels.gpu import best, elementwise, masks, matrix

_POINTERS = {torch.float32: "*fp32", torch.float64: "*fp64", torch.int32: "*i32", torch.int64: "*i64"}
_ARITHMETIC = re.compile(r"\b(?:add|sub|mul|div|sqrt|rsqrt|rcp|fma|mad|ex2|lg2|sin|cos|tanh|min|max)(?:\.\w+)*\.f(?:16|32|64)\b")
_BY_HAND = re.compile(r"// begin inline asm\s+(.*?)\s+// end inline asm", re.DOTALL)
_COMPARISONS = re.compile(r"\{ \.reg \.pred p; (?:setp\.(?:lt|le|neu|ge)(?:\.and)?\.(?:f32|u32) p, _, (?:_|\d+)(?:, p)?; )+selp\.b32 _, 1, 0, p; \}")
_ROUNDED = re.compile(r"(?:(?:add|sub|mul|div|sqrt)\.rn|(?:min|max)(?:\.NaN)?)\.f(?:32|64)")


@functools.cache
def in_words() -> set[str]:
    """The instructions that stand in the words, with `_` for their registers."""
    source = (Path(best.__file__).parent / "words.py").read_text(encoding="utf-8")
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "tl.inline_asm_elementwise")
    return {re.sub(r"\$\d", "_", ast.literal_eval(call.args[0])) for call in calls}


@dataclass
class Compiled:
    kernel: Any
    grid: tuple[int, ...]
    ttgir: str
    ptx: str
    cubin: bytes

    @property
    def arithmetic(self) -> set[str]:
        """The instructions that compute, but for those that a word or the short text has as they are."""
        return set(_ARITHMETIC.findall(_BY_HAND.sub("", self.ptx)))

    @property
    def by_hand(self) -> set[str]:
        """The latter, with `_` for their registers. Triton itself has loads and stores so."""
        blocks = (" ".join(line.strip() for line in text.splitlines() if ".loc" not in line) for text in _BY_HAND.findall(self.ptx))
        return {re.sub(r"%\w+", "_", text) for text in blocks if ".global" not in text}

    @property
    def unfaithful(self) -> set[str]:
        """Those that do not round as IEEE 754 says, or round once where the text rounds twice. Without `.rn` the assembler may contract two to one.

        What stands there by hand is looked at elsewhere (`test_quotient.py`): it is a comparison, or a word's own.
        """
        unknown = {text for text in self.by_hand - in_words() if not _COMPARISONS.fullmatch(text)}
        return unknown | {instruction for instruction in self.arithmetic if not _ROUNDED.fullmatch(instruction)}

    def instructions_of_a_tame_tile(self, folder: Path) -> int:
        """From the start of the loop that asks whether a tile is tame to its end, without what is skipped where it is."""
        file = folder / "kernel.cubin"
        file.write_bytes(self.cubin)
        listed = subprocess.run([triton.knobs.nvidia.nvdisasm.path, "-c", file], check=True, capture_output=True, text=True).stdout
        found = re.findall(r"^\s*(\.L_x_\d+):|^\s+/\*[0-9a-f]{4,}\*/\s+(.*?);", listed, re.MULTILINE)
        asks = next(i for i, (_, instruction) in enumerate(found) if "REDUX" in instruction)
        start = max(i for i in range(asks) if found[i][0])
        skips = next(i for i in range(asks, len(found)) if " BRA " in f" {found[i][1]} ")
        label = re.search(r"\.L_x_\d+", found[skips][1])
        assert label is not None
        goes_on = next(i for i, (name, _) in enumerate(found) if name == label[0])
        ends = next(i for i in range(goes_on, len(found)) if re.search(r"\b(?:BRA|EXIT)\b", found[i][1]))
        return sum(1 for _, instruction in found[start : skips + 1] + found[goes_on : ends + 1] if instruction)

    def memory_of_threads(self, folder: Path) -> tuple[int, int]:
        """Bytes of stack and of local memory that a thread uses: 0 unless numbers do not fit the registers."""
        file = folder / "kernel.cubin"
        file.write_bytes(self.cubin)
        command = [triton.knobs.nvidia.cuobjdump.path, "--dump-resource-usage", file]
        usage = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        stack, local = (re.search(rf"\b{what}:(\d+)", usage) for what in ("STACK", "LOCAL"))
        assert stack is not None
        assert local is not None
        return int(stack[1]), int(local[1])


@dataclass
class Launches:
    """Stands where kernels are launched, and compiles them instead; the outputs of the call hold nothing."""

    capability: int = 90
    found: list[Compiled] = field(default_factory=list)

    def __call__(self, kernel: Any, grid: tuple[int, ...], like: torch.Tensor, *arguments: Any, **constants: Any) -> None:
        num_warps = constants.pop("num_warps")
        signature: dict[str, str] = {}
        attributes: dict[tuple[int], Any] = {}
        for place, (name, value) in enumerate(zip(kernel.arg_names, [*arguments, *constants.values()], strict=True)):
            if name in constants or value is None:
                constants[name] = value
                signature[name] = "constexpr"
            elif isinstance(value, torch.Tensor):
                signature[name] = _POINTERS[value.dtype]
                if value.data_ptr() % 16 == 0:
                    attributes[(place,)] = [["tt.divisibility", 16]]
            else:
                signature[name] = "i32" if -(2**31) <= value < 2**31 else "i64"
        source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=attributes)
        # As in boxloss.kernels.gpu.launch.run, which test_launch.py looks at
        options = {"num_warps": num_warps, "enable_fp_fusion": False}
        asm = triton.compile(source, target=GPUTarget("cuda", self.capability, 32), options=options).asm
        self.found.append(Compiled(kernel, grid, asm["ttgir"], asm["ptx"], asm["cubin"]))


def compiled(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], capability: int = 90) -> list[Compiled]:
    """What `call` would launch."""
    launches = Launches(capability)
    with monkeypatch.context() as patch:
        for module in (best, elementwise, masks, matrix):
            patch.setattr(module, "run", launches)
        call()
    assert launches.found
    return launches.found
