"""Pair i of n: the loop around a formula's text.

Rows of four numbers make poor vectors, so blocks of rows are first split into columns; the loop over the columns of a block is vector code.

A formula that does not depend on the unit has two kernels. The first is for tame pairs (upright, of a moderate size) and does much less
work, with the same bits; where a chunk holds a pair that is not tame it leaves the chunk and says so, and the second does that chunk.
"""

from boxloss.kernels.cpu.bodies import Bodies, ill, indented, loads, named_constants, taken
from boxloss.kernels.cpu.program import Arguments, Program, head

BLOCK = 64
"""Rows that are split into columns at a time: 17 columns of them fit the first cache, and the tail of a batch wastes few."""
CHUNK = 4096
"""Rows whose losses are summed by themselves, whatever the number of threads: so sums have the same bits."""

ARGUMENTS: Arguments = {
    "first": "integer",
    "last": "integer",
    "a": "numbers",
    "a_row": "integer",
    "a_column": "integer",
    "b": "numbers",
    "b_row": "integer",
    "b_column": "integer",
    "weight": "numbers or none",
    "weight_row": "integer",
    "scale": "float64",
    "losses": "numbers or none",
    "grad_a": "numbers",
    "grad_b": "numbers",
    "sums": "floats",
    "total": "numbers or none",
    "count": "float64",
    "wild": "integers",
}

TEXT = """\
    columns = columns_memory()
    results = results_memory()
    factors = factors_memory()
    lanes = lanes_memory()
    whole = zero_sum
    for chunk in range(first, last, CHUNK):
        for i in range(BLOCK):
            store(lanes, i, zero_sum)
        for start in range(chunk, least(chunk + CHUNK, last), BLOCK):
            n = least(BLOCK, last - start)
{split}
{check}
            for i in range(BLOCK):
                store(factors, i, number(scale))
            if has_weight:
                for i in range(n):
                    store(factors, i, number(scale) * load(weight, (start + i) * weight_row))
            for i in range(BLOCK):
{body}
            if has_weight:
                for i in range(n):
                    store(results, i, load(results, i) * load(weight, (start + i) * weight_row))
            for i in range(n, BLOCK):
                store(results, i, zero)
            for i in range(BLOCK):
                store(lanes, i, load(lanes, i) + float64(load(results, i)))
            if has_losses:
                for i in range(n):
                    store(losses, start + i, load(results, i))
{join}
        subtotal = zero_sum
        for i in range(BLOCK):
            subtotal = subtotal + load(lanes, i)
        store(sums, chunk // CHUNK, subtotal)
        whole = whole + subtotal
    if has_total:
        store(total, 0, number(whole / count))
"""

SPLIT = """\
if {box}_row == 4 and {box}_column == 1 and n == BLOCK:
    for i in range(BLOCK):
        row = 4 * (start + i)
        store(columns, {0} + i, load({box}, row))
        store(columns, {1} + i, load({box}, row + 1))
        store(columns, {2} + i, load({box}, row + 2))
        store(columns, {3} + i, load({box}, row + 3))
else:
    for i in range(n):
        row = (start + i) * {box}_row
        store(columns, {0} + i, load({box}, row))
        store(columns, {1} + i, load({box}, row + {box}_column))
        store(columns, {2} + i, load({box}, row + 2 * {box}_column))
        store(columns, {3} + i, load({box}, row + 3 * {box}_column))
    for i in range(n, BLOCK):
        store(columns, {0} + i, zero)
        store(columns, {1} + i, zero)
        store(columns, {2} + i, one)
        store(columns, {3} + i, one)
"""

JOIN = """\
for i in range(n):
    row = 4 * (start + i)
    store({grad}, row, load(results, {0} + i))
    store({grad}, row + 1, load(results, {1} + i))
    store({grad}, row + 2, load(results, {2} + i))
    store({grad}, row + 3, load(results, {3} + i))
"""

CHECK = """\
n_wild = 0
for i in range(BLOCK):
{inputs}
{test}
    n_wild = add_if(n_wild, not {tame})
if n_wild != 0:
    store(wild, chunk // CHUNK, 1)
    break
"""


TAKEN = taken(TEXT, SPLIT, JOIN, CHECK, *ARGUMENTS, "ill factor")


def program(bodies: Bodies, *, tame: bool, wide: bool = True) -> Program:
    """The kernel of one formula: its value times a weight, the slopes that `bodies` has times weight and scale, and the sum of the values of each chunk."""
    inputs = loads([f"load(columns, {BLOCK * k} + i)" for k in range(8)], bodies.inputs)
    split = [line for box, first in (("a", 0), ("b", 4)) for line in SPLIT.format(*(BLOCK * (first + k) for k in range(4)), box=box).splitlines()]
    join = [line for k, box in enumerate(bodies.wrt) for line in JOIN.format(*(BLOCK * (1 + 4 * k + i) for i in range(4)), grad=f"grad_{box}").splitlines()]
    check: list[str] = []
    if tame:
        test, (is_tame,) = bodies.tame_test(TAKEN)
        check = CHECK.format(inputs=indented(inputs, 1), test=indented(test, 1), tame=is_tame).splitlines()
    text = head(ARGUMENTS) + TEXT.format(
        split=indented(split, 3), check=indented(check, 3), body=indented([*inputs, *_results(bodies, tame)], 4), join=indented(join, 3)
    )
    number = bodies.number
    memory = (
        ("columns_memory", number, 8 * BLOCK),
        ("results_memory", number, (1 + 4 * len(bodies.wrt)) * BLOCK),
        ("factors_memory", number, BLOCK),
        ("lanes_memory", "float64", BLOCK),
    )
    sizes = (("BLOCK", "int64", BLOCK), ("CHUNK", "int64", CHUNK), ("zero_sum", "float64", 0.0))
    return Program(text, number, (*sizes, *named_constants(bodies)), memory, wide)


def _results(bodies: Bodies, tame: bool) -> list[str]:
    """What the loop over a block's columns computes and stores. A NaN is never tame; elsewhere it makes the row's results NaN, since minimum and
    maximum may pass it over."""
    lines, (value, *slopes) = bodies.text(tame, TAKEN)
    body, factor = list(lines), "load(factors, i)"
    if not tame:
        body.append(f"ill = {ill(bodies)}")
        value, factor = f"where(ill, nan, {value})", f"where(ill, nan, {factor})"
    body.append(f"store(results, i, {value})")
    if slopes:
        body.append(f"factor = {factor}")
        # A slope may be infinite, for boxes near the type's smallest numbers, and a weight of 0 still means nothing.
        scaled = "{slope} * factor" if tame else "where(factor == zero, zero, {slope} * factor)"
        body += [f"store(results, {BLOCK * (k + 1)} + i, {scaled.format(slope=slope)})" for k, slope in enumerate(slopes)]
    return body
