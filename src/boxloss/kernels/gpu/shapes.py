"""The text around a formula's text: the functions that it becomes, and the loop shapes. `boxloss.kernels.gpu.program` fills them in.

Places are counted in int64, of which each loop's start is one number for all threads: there may be more than 2^31 of them. Behind the last row of a tile
stands the last row again, so that nothing but a store has a mask, and what is not there is as tame as what is.
"""

WHOLE = """\
@triton.jit
def whole({inputs}):
{constants}

{formula}

    # minimum, maximum and comparisons may pass a NaN over: whatever came of the formula, a pair with a NaN has NaN
    ill = {ill}
    return {results}
"""

SHORT = """\
@triton.jit
def short({inputs}):
    # For tame pairs alone, and 1 where a pair is one
{constants}

{formula}
    return {results}
"""

WHOLE_ALONE = """\
{results} = whole({inputs})
{scaled}
"""

SHORT_FIRST = """\
{short_results} = short({inputs})
{short_scaled}
if not everywhere(tame):
    {results} = whole({inputs})
    {scaled}
"""

ELEMENTWISE = """\
@triton.jit(do_not_specialize=["a_row", "a_column", "b_row", "b_column", "n", "pairs_each", "weight_row", "scale"])
def kernel(
    a, a_row, a_column, b, b_row, b_column, n, pairs_each, weight, weight_row, scale, losses, sums, grad_a, grad_b,
    A_PACKED: tl.constexpr, B_PACKED: tl.constexpr, SCALE_IN_MEMORY: tl.constexpr, BLOCK: tl.constexpr, AHEAD: tl.constexpr,
):
    zero = tl.full((), 0.0, {number})
    nan = tl.full((), float("nan"), {number})
    row = tl.arange(0, BLOCK)
    first = tl.program_id(0).to(tl.int64) * pairs_each
    last = tl.minimum(first + pairs_each, n)
    if SCALE_IN_MEMORY:
        scale_of_slopes = tl.load(scale).to({number})
    else:
        scale_of_slopes = float64_of(scale).to({number})
    total = tl.full((BLOCK,), 0.0, tl.float64)
    if AHEAD:
        from_row = tl.minimum(row, tl.minimum(last - first, BLOCK).to(tl.int32) - 1)
        {a} = columns(a, first, from_row, a_row, a_column, A_PACKED)
        {b} = columns(b, first, from_row, b_row, b_column, B_PACKED)
    for start in range(first, last, BLOCK):
        n_left = tl.minimum(last - start, 2 * BLOCK).to(tl.int32)
        known = row < n_left
        from_row = tl.minimum(row, n_left - 1)
        if AHEAD:
            # The next block's boxes are on their way while this one's are worked on
            next_row = tl.minimum(row + BLOCK, n_left - 1)
            {ahead_a} = columns(a, start, next_row, a_row, a_column, A_PACKED)
            {ahead_b} = columns(b, start, next_row, b_row, b_column, B_PACKED)
        else:
            {a} = columns(a, start, from_row, a_row, a_column, A_PACKED)
            {b} = columns(b, start, from_row, b_row, b_column, B_PACKED)
        factor = tl.full((BLOCK,), scale_of_slopes, {number})
        if weight is not None:
            weights = tl.load(weight + start * weight_row + from_row.to(tl.int64) * weight_row)
            factor = factor * weights
{work}
        if weight is not None:
            value = value * weights
        if losses is not None:
            tl.store(losses + start + row, value, mask=known)
        total += tl.where(known, value, zero).to(tl.float64)
{stores}
        if AHEAD:
            {a} = {ahead_a}
            {b} = {ahead_b}
    if sums is not None:
        tl.store(sums + tl.program_id(0), sum_of(total))
"""

PAIRWISE = """\
@triton.jit(do_not_specialize=["a_row", "a_column", "n", "b_row", "b_column", "m", "columns_each"])
def kernel(
    a, a_row, a_column, n, b, b_row, b_column, m, columns_each, matrix,
    A_PACKED: tl.constexpr, B_PACKED: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):
    # One program has some rows, and of their columns a part, tile by tile
    n_across = (m.to(tl.int64) + columns_each - 1) // columns_each
    first_row = tl.program_id(0).to(tl.int64) // n_across * ROWS
    first_column = tl.program_id(0).to(tl.int64) % n_across * columns_each
    last_column = tl.minimum(first_column + columns_each, m)
    row = tl.arange(0, ROWS)
    column = tl.arange(0, COLUMNS)
    n_rows = tl.minimum(n - first_row, ROWS).to(tl.int32)
    {a} = columns(a, first_row, tl.minimum(row, n_rows - 1), a_row, a_column, A_PACKED)
    {a} = {a_down}
    for start in range(first_column, last_column, COLUMNS):
        n_columns = tl.minimum(last_column - start, COLUMNS).to(tl.int32)
        {b} = columns(b, start, tl.minimum(column, n_columns - 1), b_row, b_column, B_PACKED)
        {b} = {b_across}
{work}
        place = (row.to(tl.int64) * m)[:, None] + column[None, :]
        tl.store(matrix + (first_row * m + start) + place, value, mask=(row < n_rows)[:, None] & (column < n_columns)[None, :])
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
    lowest = tl.full((), float("-inf"), {number})
    last_index = tl.full((), 0x7FFFFFFFFFFFFFFF, tl.int64)
    row = tl.arange(0, ROWS)
    column = tl.arange(0, COLUMNS)
    for start_row in range(first_row, last_row, ROWS):
        n_rows = tl.minimum(last_row - start_row, ROWS).to(tl.int32)
        row_known = row < n_rows
        from_row = tl.minimum(row, n_rows - 1)
        {a} = columns(a, start_row, from_row, a_row, a_column, A_PACKED)
        {a} = {a_down}
        # Each place of the tile has its own best, until the row of tiles is through, and the number of the tile that it is from
        best = tl.full((ROWS, COLUMNS), float("-inf"), {number})
        best_tile = tl.full((ROWS, COLUMNS), -1, tl.int32)
        tile = 0
        if before_values is not None:
            before = tl.load(before_values + start_row + from_row)[:, None]
            before_index = no_index_last(tl.load(before_indices + start_row + from_row))[:, None]
        for start_column in range(first_column, last_column, COLUMNS):
            n_columns = tl.minimum(last_column - start_column, COLUMNS).to(tl.int32)
            from_column = tl.minimum(column, n_columns - 1)
            {b} = columns(b, start_column, from_column, b_row, b_column, B_PACKED)
            {b} = {b_across}
{work}
            if before_values is not None:
                comes_after = (value < before) | ((value == before) & ((from_column.to(tl.int64) + start_column)[None, :] > before_index))
                value = tl.where(comes_after, value, lowest)
            # NaN is above nothing, and what equals the best comes later
            turn = value > best
            best = tl.where(turn, value, best)
            best_tile = tl.where(turn, tile, best_tile)
            tile += 1
            if values_b is not None:
                line = tl.program_id(0).to(tl.int64) * m + start_column + column
                column_known = column < n_columns
                column_best, its_row = best_along(tl.where(value == value, value, lowest), tl.broadcast_to(from_row[:, None], (ROWS, COLUMNS)), 0)
                column_index = tl.where(column_best > lowest, its_row.to(tl.int64) + start_row, last_index)
                if start_row > first_row:
                    so_far = tl.load(values_b + line, mask=column_known, other=0.0)
                    so_far_index = no_index_last(tl.load(indices_b + line, mask=column_known, other=0))
                    column_best, column_index = better(so_far, so_far_index, column_best, column_index)
                    # Several threads have the same column: all of them have read what is there before one writes
                    tl.debug_barrier()
                tl.store(values_b + line, column_best, mask=column_known)
                tl.store(indices_b + line, last_as_no_index(column_index), mask=column_known)
        # Behind the last column stands the last column again
        its_index = tl.minimum(first_column + best_tile.to(tl.int64) * COLUMNS + column[None, :], last_column - 1)
        row_best, row_index = best_along(best, tl.where(best_tile < 0, last_index, its_index), 1)
        line = tl.program_id(1).to(tl.int64) * n + start_row + row
        tl.store(values_a + line, row_best, mask=row_known)
        tl.store(indices_a + line, last_as_no_index(row_index), mask=row_known)
        if values_b is not None:
            # The next row of tiles reads what this one has written, maybe by other threads of the program
            tl.debug_barrier()
"""

MASKS = """\
@triton.jit(do_not_specialize=["n", "first", "n_rows"])
def kernel(boxes, labels, n, first, n_rows, bar, masks, ROWS: tl.constexpr):
    # For some of n_rows boxes from `first` on: a word for each 32 of the boxes from there on, of those behind it, of its class and above the bar
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    from_row = first + tl.minimum(row, n_rows - 1)
    limit = tl.load(bar)
    last_word = (n - first + 31) // 32
    bit = tl.arange(0, 32)
    label = tl.load(labels + from_row)[:, None]
    {a} = columns(boxes, first, tl.minimum(row, n_rows - 1), 4, 1, True)
    {a} = {a_down}
    # Words of boxes before these are never asked for
    for word in range(tl.program_id(0) * ROWS // 32 + tl.program_id(1), last_word, tl.num_programs(1)):
        column = word * 32 + bit
        from_column = tl.minimum(column, n - first - 1)
        {b} = columns(boxes, first, from_column, 4, 1, True)
        {b} = {b_across}
{work}
        above = (value > limit) & (label == tl.load(labels + first + from_column)[None, :])
        above = above & (column[None, :] > row[:, None]) & (column < n - first)[None, :]
        mask = tl.reduce(tl.where(above, (1 << bit)[None, :], 0), 1, either)
        tl.store(masks + n_rows.to(tl.int64) * word + row, mask, mask=row < n_rows)
"""
