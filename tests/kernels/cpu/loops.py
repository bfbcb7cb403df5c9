"""A loop of one line through the compiler: what a word does to columns of numbers."""

import functools
from typing import Any

import numpy as np

from boxloss.kernels.cpu.program import Arguments, Program, head, packer

Array = np.ndarray
KINDS = {"float32": "numbers", "float64": "numbers", "int64": "integers"}


@functools.cache
def compiled(line: str, number: str, kinds: tuple[str, ...]) -> Any:
    arguments: Arguments = {"n": "integer", "out": "numbers"} | dict(zip("pqr", kinds, strict=False))
    reading = [f"{name} = load({name}_at, i)" for name in "pqr"[: len(kinds)]]
    text = head(arguments)
    for name in "pqr"[: len(kinds)]:
        text = text.replace(f"    {name} =", f"    {name}_at =")
    text += "    for i in range(n):\n" + "".join(f"        {one}\n" for one in (*reading, f"store(out, i, {line})"))
    constants = (("zero", number, 0.0), ("one", number, 1.0), ("no", "int64", 0))
    return packer(arguments), Program(text, number, constants, ()).load()


def results(line: str, number: str, *columns: Array) -> Array:
    """`line` for each row of `columns`, which it calls p, q and r."""
    columns = tuple(np.ascontiguousarray(column) for column in columns)
    pack, kernel = compiled(line, number, tuple(KINDS[column.dtype.name] for column in columns))
    out = np.full(len(columns[0]), -77, number)
    kernel(pack(len(out), *(x.__array_interface__["data"][0] for x in (out, *columns))))
    return out


def bits(x: Array) -> Array:
    """To compare by: every NaN is the same."""
    x = np.where(np.isnan(x), np.asarray(np.nan, x.dtype), x)
    return x.view(f"int{8 * x.itemsize}")
