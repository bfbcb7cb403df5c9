"""Every box with every box: the loops around a formula's text that fill a matrix."""

import ctypes
import functools
from typing import Any

from boxloss.calculus.text import NUMBA, assignments
from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, box_kinds, has_tame, indented, loads, named_constants, taken
from boxloss.kernels.cpu.neighbours import Floats
from boxloss.kernels.cpu.places import place, rows
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer
from boxloss.kernels.threads import get_num_threads, run_parts

TILE = 1024
"""Boxes of b whose columns are copied to the stack, where they stay in the first cache for all rows of a part."""
ROWS = 64
"""Rows of a part, which one thread fills."""
WORTH_A_THREAD = 2**16

ARGUMENTS: Arguments = {
    "first": "integer",
    "last": "integer",
    "m": "integer",
    "a": "numbers",
    "a_row": "integer",
    "a_column": "integer",
    "b": "numbers",
    "b_row": "integer",
    "b_column": "integer",
    "matrix": "numbers",
    "n_left": "integers",
}

TEXT = """\
    columns = columns_memory()
    left_over = zero_count
    for start in range(0, m, TILE):
        width = least(TILE, m - start)
        if b_row == 4 and b_column == 1:
            for j in range(width):
                row = 4 * (start + j)
                store(columns, j, load(b, row))
                store(columns, TILE + j, load(b, row + 1))
                store(columns, 2 * TILE + j, load(b, row + 2))
                store(columns, 3 * TILE + j, load(b, row + 3))
        else:
            for j in range(width):
                for side in range(4):
                    store(columns, side * TILE + j, load(b, (start + j) * b_row + side * b_column))
        n_wild = zero_count
        n_small = zero_count
        for j in range(width):
{b_kind}
            n_wild = add_if(n_wild, {b_wild})
            n_small = add_if(n_small, {b_small})
        for i in range(first, last):
{row}
            tame = {tame}
            left_over = add_if(left_over, not tame)
            if {mine}:
                line = shifted(matrix, i * m + start)
                for j in range(width):
{body}
    store(n_left, 0, left_over)
"""

_TAKEN = taken(TEXT, *ARGUMENTS, "ill")


def program(bodies: Bodies, *, tame: bool) -> Program:
    """The kernel that fills the tame pairs, and counts the rows of tiles that it leaves, or the one that fills those."""
    of_a, of_b = bodies.inputs[:4], bodies.inputs[4:]
    read_a = loads([f"load(a, i * a_row + {side} * a_column)" for side in range(4)], of_a)
    read_b = loads([f"load(columns, {side * TILE} + j)" for side in range(4)], of_b)
    kinds = [box_kinds(tuple(names), bodies.format, bodies.number) for names in (of_a, of_b)]
    (a_lines, (a_wild, a_small)), (b_lines, (b_wild, b_small)) = (assignments(of, NUMBA, _TAKEN) for of in kinds)
    is_tame = f"not ({a_wild}) and n_wild == 0 and (n_small == 0 or not ({a_small}))" if bodies.traced_tame else "n_wild < 0"
    lines, value = bodies.value_text(tame, _TAKEN)
    text = head(ARGUMENTS) + TEXT.format(
        b_kind=indented([*read_b, *b_lines], 3),
        b_wild=b_wild,
        b_small=b_small,
        row=indented([*read_a, *a_lines], 3),
        tame=is_tame,
        mine="tame" if tame else "not tame",
        body=indented([*read_b, *lines, f"store(line, j, {value})"], 5),
    )
    sizes = (("TILE", "int64", TILE), ("zero_count", "int64", 0))
    return Program(text, bodies.number, (*sizes, *named_constants(bodies, *kinds)), (("columns_memory", bodies.number, 4 * TILE),))


class Matrix:
    """One formula's matrix of all pairs, in one number type and format."""

    def __init__(self, formula: Formula, parameters: dict[str, Any], *, number: str, format: str, similarity: bool):
        texts = functools.cache(lambda: bodies(formula, parameters, number=number, format=format, similarity=similarity))
        self._has_tame = has_tame(formula)
        self._tame = Once(lambda: program(texts(), tame=True).load())
        self._full = Once(lambda: program(texts(), tame=False).load())

    def __call__(self, a: Floats, b: Floats, matrix: Floats) -> None:
        """Fills `matrix`, (n, m) without gaps, for boxes `a`, (n, 4), and `b`, (m, 4)."""
        n, m = matrix.shape
        if not (n and m):
            return
        (a, at_a), (b, at_b) = rows(a), rows(b)
        given = m, *at_a, *at_b, place(matrix)

        def part(k: int) -> None:
            left_over = ctypes.c_int64(1)
            arguments = _pack(k * height, min((k + 1) * height, n), *given, ctypes.addressof(left_over))
            if self._has_tame:
                self._tame(arguments)
            if left_over.value:
                self._full(arguments)

        # Few rows are still a part for each thread, and few pairs are not worth a thread.
        height = n if n * m < WORTH_A_THREAD else max(1, min(ROWS, -(-n // get_num_threads())))
        run_parts(part, -(-n // height))


_pack = packer(ARGUMENTS)


@functools.lru_cache(maxsize=512)
def matrix(formula: Formula, parameters: tuple[tuple[str, Any], ...], number: str, format: str, similarity: bool) -> Matrix:
    """The loops for what is asked, made once."""
    return Matrix(formula, dict(parameters), number=number, format=format, similarity=similarity)
