"""Every box with every box: the loops around a formula's text that fill a matrix."""

import functools
from typing import Any

import numpy as np

from boxloss.formulas import Formula
from boxloss.kernels.cpu.bodies import Bodies, bodies, ill, indented, loads, named_constants, taken
from boxloss.kernels.cpu.columns import Columns, Floats, columns
from boxloss.kernels.cpu.program import Arguments, Once, Program, head, packer
from boxloss.kernels.threads import get_num_threads, run_parts

TILE = 1024
"""Boxes of b whose columns are copied to the stack, where they stay in the first cache for all rows of a part."""
ROWS = 64
"""Rows of a part, which one thread fills."""

ARGUMENTS: Arguments = {
    "first": "integer",
    "last": "integer",
    "n": "integer",
    "m": "integer",
    "a": "numbers",
    "a_kinds": "integers",
    "b": "numbers",
    "tile_kinds": "integers",
    "matrix": "numbers",
    "n_left": "integers",
}

TEXT = """\
    columns = columns_memory()
    left = zero_count
    for start in range(0, m, TILE):
        width = least(TILE, m - start)
        for side in range(4):
            for j in range(width):
                store(columns, side * TILE + j, load(b, side * m + start + j))
        kind = load(tile_kinds, start // TILE)
        for i in range(first, last):
            tame = load(a_kinds, i) + kind < 2
            left = add_if(left, not tame)
            if {mine}:
                line = shifted(matrix, i * m + start)
{row}
                for j in range(width):
{body}
    store(n_left, 0, left)
"""


def program(bodies: Bodies, *, tame: bool) -> Program:
    """The kernel that fills the tame pairs, and counts the rows of tiles that it leaves, or the one that fills those."""
    names = bodies.inputs
    row = loads([f"load(a, {k} * n + i)" for k in range(4)], names[:4])
    body = loads([f"load(columns, {k} * TILE + j)" for k in range(4)], names[4:])
    lines, (value,) = bodies.text(tame, taken(TEXT, *ARGUMENTS, "ill"))
    body += lines
    if not tame:
        body.append(f"ill = {ill(bodies)}")
        value = f"where(ill, nan, {value})"
    body.append(f"store(line, j, {value})")
    text = head(ARGUMENTS) + TEXT.format(mine="tame" if tame else "not tame", row=indented(row, 4), body=indented(body, 5))
    sizes = (("TILE", "int64", TILE), ("zero_count", "int64", 0))
    return Program(text, bodies.number, (*sizes, *named_constants(bodies)), (("columns_memory", bodies.number, 4 * TILE),))


class Matrix:
    """One formula's matrix of all pairs, in one number type and format."""

    def __init__(self, formula: Formula, parameters: dict[str, Any], *, number: str, format: str, similarity: bool):
        texts = functools.cache(lambda: bodies(formula, parameters, number=number, format=format, similarity=similarity))
        self.format, self.has_tame = format, formula.scale_free and not formula.coordinates
        self._tame = Once(lambda: program(texts(), tame=True).load())
        self._full = Once(lambda: program(texts(), tame=False).load())

    def __call__(self, a: Floats, b: Floats, matrix: Floats) -> None:
        """Fills `matrix`, (n, m) without gaps, for boxes `a`, (n, 4), and `b`, (m, 4)."""
        if matrix.size:
            self._fill(columns(a, self.format, tame=self.has_tame), columns(b, self.format, tame=self.has_tame), matrix)

    def _fill(self, a: Columns, b: Columns, matrix: Floats) -> None:
        n, m = matrix.shape
        tile_kinds = np.maximum.reduceat(b.kinds, np.arange(0, m, TILE))

        def part(k: int) -> None:
            left = np.ones(1, np.int64)
            addresses = (x.ctypes.data for x in (a.at, a.kinds, b.at, tile_kinds, matrix, left))
            arguments = _pack(k * rows, min((k + 1) * rows, n), n, m, *addresses)
            if self.has_tame:
                self._tame(arguments)
            if left[0]:
                self._full(arguments)

        # Few rows are still a part for each thread.
        rows = max(1, min(ROWS, -(-n // get_num_threads())))
        run_parts(part, -(-n // rows))


_pack = packer(ARGUMENTS)


@functools.lru_cache(maxsize=512)
def matrix(formula: Formula, parameters: tuple[tuple[str, Any], ...], number: str, format: str, similarity: bool) -> Matrix:
    """The loops for what is asked, made once."""
    return Matrix(formula, dict(parameters), number=number, format=format, similarity=similarity)
