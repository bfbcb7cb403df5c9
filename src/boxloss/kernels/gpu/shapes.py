"""The loop shapes, as text around a formula's text. `boxloss.kernels.gpu.program` fills them in.

Offsets are counted in int64: there may be more than 2^31 numbers. Every loop has a tail, and rows that are not known are read as 0 and not written.
"""

ELEMENTWISE = """\
@triton.jit(do_not_specialize=["a_row", "a_column", "b_row", "b_column", "n", "weight_row", "scale"])
def kernel(
    a, a_row, a_column, b, b_row, b_column, n, weight, weight_row, scale, losses, sums, grad_a, grad_b,
    A_PACKED: tl.constexpr, B_PACKED: tl.constexpr, SCALE_IN_MEMORY: tl.constexpr, BLOCK: tl.constexpr,
):
    block = tl.program_id(0)
    row = block.to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    known = row < n
    {a} = columns(a, row, a_row, a_column, known, A_PACKED)
    {b} = columns(b, row, b_row, b_column, known, B_PACKED)
{constants}

{formula}

    # minimum, maximum and comparisons may pass a NaN over: whatever came of the formula, a pair with a NaN has NaN
    ill = {ill}
    value = tl.where(ill, nan, {value})
    if weight is not None:
        weights = tl.load(weight + row * weight_row, mask=known, other=0.0)
        value = value * weights
    if losses is not None:
        tl.store(losses + row, value, mask=known)
    if sums is not None:
        tl.store(sums + block, sum_of(tl.where(known, value, zero).to(tl.float64)))
"""

GRADIENT = """\

    if SCALE_IN_MEMORY:
        factor = tl.load(scale).to({number})
    else:
        factor = float64_of(scale).to({number})
    if weight is not None:
        factor = factor * weights
    factor = tl.where(ill, nan, factor)
{gradients}
"""

PAIRWISE = """\
@triton.jit(do_not_specialize=["a_row", "a_column", "n", "b_row", "b_column", "m"])
def kernel(
    a, a_row, a_column, n, b, b_row, b_column, m, matrix,
    A_PACKED: tl.constexpr, B_PACKED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):
    tile = tl.program_id(0).to(tl.int64)
    n_across = (m.to(tl.int64) + COLUMNS - 1) // COLUMNS
    row = tile // n_across * ROWS + tl.arange(0, ROWS)
    column = tile % n_across * COLUMNS + tl.arange(0, COLUMNS)
    {a} = columns(a, row, a_row, a_column, row < n, A_PACKED)
    {b} = columns(b, column, b_row, b_column, column < m, B_PACKED)
    {a} = {a_down}
    {b} = {b_across}
{constants}

{formula}

    ill = {ill}
    value = tl.where(ill, nan, {value})
    tl.store(matrix + (row * m)[:, None] + column[None, :], value, mask=(row < n)[:, None] & (column < m)[None, :])
"""

NEAREST = """\
@triton.jit(do_not_specialize=["a_row", "a_column", "n", "b_row", "b_column", "m", "rows_each", "columns_each"])
def kernel(
    a, a_row, a_column, n, b, b_row, b_column, m, rows_each, columns_each, before_values, before_indices, values_a, indices_a, values_b, indices_b,
    A_PACKED: tl.constexpr, B_PACKED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):
    # One program has a rectangle of the pairs: for each of its a the best of its b goes to a line of values_a and indices_a, which is the program's in
    # its row of programs; for each of its b, likewise. A stage of its own then finds the best of the lines.
    first_row = tl.program_id(0).to(tl.int64) * rows_each
    last_row = tl.minimum(first_row + rows_each, n)
    first_column = tl.program_id(1).to(tl.int64) * columns_each
    last_column = tl.minimum(first_column + columns_each, m)
{constants}
    lowest = tl.full((), float("-inf"), {number})
    last_index = tl.full((), 0x7FFFFFFFFFFFFFFF, tl.int64)
    for start_row in range(first_row, last_row, ROWS):
        row = tl.arange(0, ROWS).to(tl.int64) + start_row  # the interpreter's loops count in Python's integers, which have no width
        row_known = row < last_row
        {a} = columns(a, row, a_row, a_column, row_known, A_PACKED)
        {a} = {a_down}
        # Each place of the tile has its own best, until the row of tiles is through
        best = tl.full((ROWS, COLUMNS), float("-inf"), {number})
        best_index = tl.full((ROWS, COLUMNS), 0x7FFFFFFFFFFFFFFF, tl.int64)
        if before_values is not None:
            before = tl.load(before_values + row, mask=row_known, other=0.0)[:, None]
            before_index = no_index_last(tl.load(before_indices + row, mask=row_known, other=0))[:, None]
        for start_column in range(first_column, last_column, COLUMNS):
            column = tl.arange(0, COLUMNS).to(tl.int64) + start_column
            column_known = column < last_column
            {b} = columns(b, column, b_row, b_column, column_known, B_PACKED)
            {b} = {b_across}

{formula}

            ill = {ill}
            value = tl.where(ill, nan, {value})
            # What is not known, and NaN, never wins
            takes_part = row_known[:, None] & column_known[None, :] & (value == value)
            if before_values is not None:
                takes_part = takes_part & ((value < before) | ((value == before) & (column[None, :] > before_index)))
            value = tl.where(takes_part, value, lowest)
            best, best_index = better(best, best_index, value, tl.where(takes_part, column[None, :], last_index))
            if values_b is not None:
                line = tl.program_id(0).to(tl.int64) * m + column
                column_best, column_index = best_along(value, tl.where(takes_part, row[:, None], last_index), 0)
                if start_row > first_row:
                    so_far = tl.load(values_b + line, mask=column_known, other=0.0)
                    so_far_index = no_index_last(tl.load(indices_b + line, mask=column_known, other=0))
                    column_best, column_index = better(so_far, so_far_index, column_best, column_index)
                    # Several threads have the same column: all of them have read what is there before one writes
                    tl.debug_barrier()
                tl.store(values_b + line, column_best, mask=column_known)
                tl.store(indices_b + line, last_as_no_index(column_index), mask=column_known)
        row_best, row_index = best_along(best, best_index, 1)
        tl.store(values_a + tl.program_id(1).to(tl.int64) * n + row, row_best, mask=row_known)
        tl.store(indices_a + tl.program_id(1).to(tl.int64) * n + row, last_as_no_index(row_index), mask=row_known)
        if values_b is not None:
            # The next row of tiles reads what this one has written, maybe by other threads of the program
            tl.debug_barrier()
"""
