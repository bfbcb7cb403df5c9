"""The element-wise kernels as functions of addresses, spread over threads in chunks."""

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import bodies, has_tame
from boxloss.kernels.cpu.elementwise import ARGUMENTS, CHUNK, program
from boxloss.kernels.cpu.program import Once, packer
from boxloss.kernels.threads import get_num_threads, run_parts

PART = 4
"""Chunks that a thread takes at a time: a tenth of a millisecond's work, against some microseconds to hand it over."""

_pack = packer(ARGUMENTS)
_NOTHING = _pack(*(0 for _ in ARGUMENTS))
"""The arguments of a call for no boxes."""
_Pair = ctypes.c_int64 * 2


class Elementwise:
    """One formula's loops, in one number type and format. `wrt` says whose slopes they give: "", "a", "b" or "ab"."""

    def __init__(self, formula: Formula, parameters: dict[str, Any], *, number: str, format: str, wrt: str = "", similarity: bool = False):
        texts = functools.cache(lambda: bodies(formula, parameters, number=number, format=format, wrt=wrt, similarity=similarity))
        self._has_tame = has_tame(formula)
        self._small = Once(lambda: program(texts(), tame=self._has_tame, wide=False).load())
        self._tame = Once(lambda: program(texts(), tame=True).load())
        self._full = Once(lambda: program(texts(), tame=False).load())
        self._number = ctypes.c_float if number == "float32" else ctypes.c_double

    def load(self) -> None:
        """Compiles what short calls need, or reads it from disk. Raises `KernelError`."""
        self._small(_NOTHING)

    def __call__(
        self, n: int, a: int, a_row: int, a_column: int, b: int, b_row: int, b_column: int, weight: int = 0, weight_row: int = 0,
        scale: float = 1.0, count: float = 1.0, losses: int = 0, grad_a: int = 0, grad_b: int = 0, total: int = 0,
    ) -> None:  # fmt: skip
        """Reads n rows of four numbers at each of the addresses `a` and `b`, with the steps from row to row and from column to column in numbers. Writes n
        `losses` (times the weight), their slopes (times weight and scale) into rows of four at `grad_a` and `grad_b`, and sum / `count` into `total`.
        0 stands for what is not wanted or not given."""
        if n <= CHUNK:
            # The sum (not used) and whether the chunk is wild: one small piece of memory for both.
            space = _Pair()
            place = ctypes.addressof(space)
            arguments = _pack(
                0, n, a, a_row, a_column, b, b_row, b_column, weight, weight_row, scale, losses, grad_a, grad_b,
                place, total, count, place + 8,
            )  # fmt: skip
            (self._small.made or self._small)(arguments)
            if space[1]:
                self._full(arguments)
            return
        given = a, a_row, a_column, b, b_row, b_column, weight, weight_row, scale, losses, grad_a, grad_b
        n_chunks = -(-n // CHUNK)
        sums, wild = (ctypes.c_double * n_chunks)(), (ctypes.c_int64 * n_chunks)()

        def run(kernel: Callable[[bytes], object], first: int, last: int) -> None:
            kernel(_pack(first, min(last, n), *given, ctypes.addressof(sums), 0, 1.0, ctypes.addressof(wild)))

        def part(k: int) -> None:
            chunks = range(k * size, min((k + 1) * size, n_chunks))
            if self._has_tame:
                run(self._tame, chunks.start * CHUNK, chunks.stop * CHUNK)
            for chunk in chunks:
                if wild[chunk] or not self._has_tame:
                    run(self._full, chunk * CHUNK, (chunk + 1) * CHUNK)

        size = PART if get_num_threads() > 1 else n_chunks
        run_parts(part, -(-n_chunks // size))
        if total:
            # In the chunks' order, whichever thread they came from.
            self._number.from_address(total).value = sum(sums) / count


@functools.lru_cache(maxsize=512)
def elementwise(formula: Formula, parameters: tuple[tuple[str, Any], ...], number: str, format: str, wrt: str, similarity: bool) -> Elementwise:
    """The loops for what is asked, made once."""
    return Elementwise(formula, dict(parameters), number=number, format=format, wrt=wrt, similarity=similarity)
