"""Searches among all pairs, without the matrix: the loops around a formula's text.

The boxes of the longer side, the rows, are taken in blocks of neighbours. For each block a bound says how large the value can be with each box of
the other side, the columns (`boxloss.calculus.bounds`), and the value itself is worked out only with those where it matters: a small share of all pairs.
What is found depends neither on the order nor on the bounds: of equal values the lowest index comes first.
"""

from boxloss.calculus.bounds import Bound
from boxloss.calculus.text import NUMBA, assignments
from boxloss.kernels.cpu.bodies import Bodies, indented, loads, named_constants, taken
from boxloss.kernels.cpu.program import Arguments, Program, head

BLOCK = 64
"""Rows of a block, and columns of a group."""

SIDES: Arguments = {
    "first": "integer",
    "last": "integer",
    "n": "integer",
    "rows": "numbers",
    "order": "integers",
    "m": "integer",
    "others": "numbers",
    "others_index": "integers",
    "highest": "numbers",
}
"""Blocks from `first` to `last` of the n rows, numbered by `order`; m columns, a multiple of BLOCK, with their numbers; and memory for their bounds."""

NEAREST: Arguments = SIDES | {
    "begin": "integer",
    "k": "integer",
    "keeps": "integer",
    "values": "numbers",
    "indices": "integers",
    "best": "numbers",
    "best_index": "integers",
    "others_k": "integer",
    "others_values": "numbers",
    "others_indices": "integers",
    "floor": "numbers",
}
"""`values` and `indices` (n, k): the best for each row so far; those of each column, (others_k, m). `floor`: what the best of each column is not below.
What is not wanted is infinity from the start. `begin`: the column with the lowest number, which wins where all are equal."""

ABOVE: Arguments = SIDES | {
    "threshold": "float64",
    "capacity": "integer",
    "found_rows": "integers",
    "found_others": "integers",
    "found_values": "numbers",
    "found": "integers",
}
"""Room for `capacity` pairs, and for how many there are."""

BLOCKS = """\
    columns = columns_memory()
    parts = parts_memory()
    results = results_memory()
    row_index = row_memory()
    carried = carried_memory()
    for block in range(first, last):
        n_rows = least(BLOCK, n - block * BLOCK)
        for i in range(BLOCK):
            row = load(order, block * BLOCK + least(i, n_rows - 1))
            store(row_index, i, row)
            for side in range(4):
                store(columns, side * BLOCK + i, load(rows, 4 * row + side))
        for i in range(BLOCK):
{parts}
{ends}
"""

EVALUATE = """\
for i in range(BLOCK):
{body}
"""

NEAREST_TEXT = """\
        lowest_row = lowest_of(row_index)
        top = minus_inf
        top_group = zero_count
        for group in range(m // BLOCK):
            start = group * BLOCK
            for j in range(start, start + BLOCK):
{bound}
            group_top = highest_of(shifted(highest, start))
            if group_top > top:
                top = group_top
                top_group = start
        nearby = top_group
        for j in range(top_group, top_group + BLOCK):
            if load(highest, j) == top:
                nearby = j
        for t in range(k):
            for i in range(BLOCK):
                row = load(row_index, i)
                store(best, t * BLOCK + i, load(values, row * k + t))
                store(best_index, t * BLOCK + i, load(indices, row * k + t))
        last_best = shifted(best, (k - 1) * BLOCK)
        last_index = shifted(best_index, (k - 1) * BLOCK)
        worst = lowest_of(last_best)
        for i in range(BLOCK):
            store(carried, i, where(load(last_best, i) == worst, load(last_index, i), minus_one))
        worst_index = highest_of(carried)
        others_last = shifted(others_values, (others_k - 1) * m)
        others_last_index = shifted(others_indices, (others_k - 1) * m)
        for visit in range(m // BLOCK + 2):
            # First the most promising column, then the one that wins where all are equal, then all the others.
            start = (visit - 2) * BLOCK
            stop = start + BLOCK
            if visit == 0:
                start = nearby
                stop = nearby + 1
            if visit == 1:
                start = begin
                stop = begin + 1
            n_needed = zero_count
            for j in range(start, stop):
{needed}
                n_needed = add_if(n_needed, needed)
            if n_needed != 0:
                for j in range(start, stop):
{needed}
                    if needed:
                        store(highest, j, minus_inf)
                        index = load(others_index, j)
{evaluate}
                        bar = load(others_last, j)
                        bar_index = load(others_last_index, j)
                        at_least = load(floor, j)
                        n_better = zero_count
                        for i in range(BLOCK):
                            value = load(results, i)
                            n_better = add_if(n_better, (value >= at_least) & ((value > bar) | ((value == bar) & (load(row_index, i) < bar_index))))
                        if n_better != 0:
                            for i in range(n_rows):
                                value = load(results, i)
                                row = load(row_index, i)
                                # Seldom more than a few of the block, and what follows takes k steps.
                                if (value >= at_least) & ((value > bar) | ((value == bar) & (row < bar_index))):
                                    for t in range(others_k):
                                        place = t * m + j
                                        old = load(others_values, place)
                                        old_index = load(others_indices, place)
                                        better = (value > old) | ((value == old) & (row < old_index))
                                        store(others_values, place, where(better, value, old))
                                        store(others_indices, place, where(better, row, old_index))
                                        value = where(better, old, value)
                                        row = where(better, old_index, row)
                        if keeps:
                            for i in range(BLOCK):
                                store(carried, i, index)
                            for t in range(k):
                                for i in range(BLOCK):
                                    place = t * BLOCK + i
                                    value = load(results, i)
                                    other = load(carried, i)
                                    old = load(best, place)
                                    old_index = load(best_index, place)
                                    better = (value > old) | ((value == old) & (other < old_index))
                                    store(best, place, where(better, value, old))
                                    store(best_index, place, where(better, other, old_index))
                                    store(results, i, where(better, old, value))
                                    store(carried, i, where(better, old_index, other))
                            worst = lowest_of(last_best)
                            for i in range(BLOCK):
                                store(carried, i, where(load(last_best, i) == worst, load(last_index, i), minus_one))
                            worst_index = highest_of(carried)
        if keeps:
            for i in range(n_rows):
                row = load(row_index, i)
                for t in range(k):
                    store(values, row * k + t, load(best, t * BLOCK + i))
                    store(indices, row * k + t, load(best_index, t * BLOCK + i))
"""

# A column is looked at where its bound reaches what some row of the block has, or what the column has.
NEEDED = """\
bound = load(highest, j)
bar = load(others_last, j)
by_row = (bound > worst) | ((bound == worst) & (load(others_index, j) < worst_index))
by_other = (bound > bar) | ((bound == bar) & (lowest_row < load(others_last_index, j)))
needed = by_row | (by_other & (bound >= load(floor, j)))
"""

ABOVE_TEXT = """\
        bar = number(threshold)
        for start in range(0, m, BLOCK):
            n_needed = zero_count
            for j in range(start, start + BLOCK):
{bound}
                n_needed = add_if(n_needed, load(highest, j) > bar)
            if n_needed != 0:
                for j in range(start, start + BLOCK):
                    if load(highest, j) > bar:
                        index = load(others_index, j)
{evaluate}
                        n_above = zero_count
                        for i in range(BLOCK):
                            n_above = add_if(n_above, load(results, i) > bar)
                        if n_above != 0:
                            for i in range(n_rows):
                                value = load(results, i)
                                if value > bar:
                                    n_found = load(found, 0)
                                    if n_found < capacity:
                                        store(found_rows, n_found, load(row_index, i))
                                        store(found_others, n_found, index)
                                        store(found_values, n_found, value)
                                    store(found, 0, n_found + 1)
"""

_TAKEN = taken(BLOCKS, EVALUATE, NEAREST_TEXT, NEEDED, ABOVE_TEXT, *NEAREST, *ABOVE, "ill")


def nearest_program(bodies: Bodies, bound: Bound | None, *, rows: str, tame: bool) -> Program:
    """The kernel that finds the best of both sides. `rows`: which of the formula's two boxes, "a" or "b", the rows are. `bound`: None where there is none."""
    return _program(NEAREST, NEAREST_TEXT, bodies, bound, rows, tame)


def above_program(bodies: Bodies, bound: Bound | None, *, rows: str, tame: bool) -> Program:
    """The kernel that lists the pairs whose value is above a threshold."""
    return _program(ABOVE, ABOVE_TEXT, bodies, bound, rows, tame)


def _program(arguments: Arguments, text: str, bodies: Bodies, bound: Bound | None, rows: str, tame: bool) -> Program:
    of_rows, of_others = (bodies.inputs[:4], bodies.inputs[4:]) if rows == "a" else (bodies.inputs[4:], bodies.inputs[:4])
    read_rows = loads([f"load(columns, {side * BLOCK} + i)" for side in range(4)], of_rows)
    read_others = loads([f"load(others, {side} * m + j)" for side in range(4)], of_others)
    lines, value = bodies.value_text(tame, _TAKEN)
    body = [*read_rows, *lines, f"store(results, i, {value})"]
    evaluate = [*read_others, *EVALUATE.format(body=indented(body, 1)).splitlines()]
    parts, ends, bounding = _bounding(bound, read_rows, read_others)
    blocks = BLOCKS.format(parts=indented(parts, 3), ends=indented(ends, 2))
    rest = text
    if "{needed}" in text:
        rest = rest.replace("{needed}\n                n_needed", indented(NEEDED.splitlines(), 4) + "\n                n_needed")
        rest = rest.replace("{needed}", indented(NEEDED.splitlines(), 5))
    rest = rest.replace("{bound}", indented(bounding, 4)).replace("{evaluate}", indented(evaluate, 6))
    number = bodies.number
    memory = (
        ("columns_memory", number, 4 * BLOCK),
        ("parts_memory", number, max(1, len(bound.block.outputs) if bound else 1) * BLOCK),
        ("results_memory", number, BLOCK),
        ("row_memory", "int64", BLOCK),
        ("carried_memory", "int64", BLOCK),
    )
    sizes = (
        ("BLOCK", "int64", BLOCK),
        ("zero_count", "int64", 0),
        ("minus_one", "int64", -1),
        ("inf", number, float("inf")),
        ("minus_inf", number, float("-inf")),
    )
    graphs = (bound.block, bound.highest) if bound else ()
    return Program(head(arguments) + blocks + rest, number, (*sizes, *named_constants(bodies, *graphs)), memory)


def _bounding(bound: Bound | None, read_rows: list[str], read_others: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The lines that work out what is to be known of each row; the lowest and highest of that in the block; and each column's bound."""
    if bound is None:
        return ["store(parts, i, zero)"], [], ["store(highest, j, where(load(others_index, j) < 0, minus_inf, inf))"]
    lines, names = assignments(bound.block, NUMBA, _TAKEN)
    parts = [*read_rows, *lines, *(f"store(parts, {k * BLOCK} + i, {name})" for k, name in enumerate(names))]
    inputs = [str(x.name) for x in bound.highest.inputs[:-4]]
    ends = [f"{name} = {'lowest' if k % 2 == 0 else 'highest'}_of(shifted(parts, {k // 2 * BLOCK}))" for k, name in enumerate(inputs)]
    of_columns, (value,) = assignments(bound.highest, NUMBA, _TAKEN)
    return parts, ends, [*read_others, *of_columns, f"store(highest, j, where(load(others_index, j) < 0, minus_inf, {value}))"]
