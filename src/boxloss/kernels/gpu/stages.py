# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, disable-error-code="no-any-return"
"""What follows a kernel whose programs each did a part: kernels that put the parts together, always in the same order.

Nothing imports this module either: see `boxloss.kernels.gpu.words`.
"""

import triton
import triton.language as tl

from boxloss.kernels.gpu.words import better, either, float64_of, last_as_no_index, no_index_last, sum_of


@triton.jit(do_not_specialize=["count", "scale"])
def total(sums, count, scale, result, SCALE_IN_MEMORY: tl.constexpr, LANES: tl.constexpr):
    """The sum of `count` numbers of float64, times `scale` where given, in the type of `result`. One program."""
    lane = tl.arange(0, LANES)
    running = tl.full((LANES,), 0.0, tl.float64)
    for start in range(0, count, LANES):
        running += tl.load(sums + start + lane, mask=start + lane < count, other=0.0)
    whole = sum_of(running)
    if scale is not None:
        whole *= tl.load(scale).to(tl.float64) if SCALE_IN_MEMORY else float64_of(scale)
    tl.store(result, whole.to(result.dtype.element_ty))


@triton.jit(do_not_specialize=["n"])
def multiply(rows, n, factor, BLOCK: tl.constexpr):
    """n rows of four numbers, times the one number at `factor`, in place. Where that is 1, they are not even read."""
    by = tl.load(factor)
    if by != 1.0:
        # Each program has every so-manieth block
        for start in range(tl.program_id(0).to(tl.int64) * BLOCK, n.to(tl.int64) * 4, tl.num_programs(0).to(tl.int64) * BLOCK):
            place = start + tl.arange(0, BLOCK)
            known = place // 4 < n  # asked of rows: so the compiler knows that four numbers go together, and moves them at once
            tl.store(rows + place, tl.load(rows + place, mask=known, other=0.0) * by, mask=known)


@triton.jit(do_not_specialize=["count", "n"])
def merge(values, indices, count, n, best_values, best_indices, BLOCK: tl.constexpr):
    """The best of `count` candidates for each of n: rows of `values` and `indices`."""
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    known = row < n
    value = tl.load(values + row, mask=known, other=0.0)
    index = no_index_last(tl.load(indices + row, mask=known, other=0))
    place = row
    for _ in range(1, count):
        place += n
        other = tl.load(values + place, mask=known, other=0.0)
        value, index = better(value, index, other, no_index_last(tl.load(indices + place, mask=known, other=0)))
    tl.store(best_values + row, value, mask=known)
    tl.store(best_indices + row, last_as_no_index(index), mask=known)


@triton.jit(do_not_specialize=["first", "n", "n_rows"])
def resolve(masks, gone, first, n, n_rows, WORDS: tl.constexpr):
    """Who of n_rows boxes from `first` on goes, and whom those that stay drop. One program.

    `masks` (words from `first` on, n_rows): whom each box drops, of the boxes behind it. `gone`: bit k of word w is 1 where box 32 w + k goes.
    """
    n_words = (n - first + 31) // 32
    here = gone + first // 32
    line = tl.arange(0, 32)
    for block in range((n_rows + 31) // 32):
        # 32 boxes, one after another: whoever stays drops some of the 32
        dropped = tl.load(here + block)
        for k in tl.static_range(32):
            one = block * 32 + k
            drops = tl.load(masks + n_rows.to(tl.int64) * block + one, mask=one < n_rows, other=0)
            dropped = tl.where(((dropped >> k) & 1) == 0, dropped | drops, dropped)
        tl.store(here + block, dropped)
        # And all that stay of them, all others
        row = block * 32 + line
        stays = (((dropped >> line) & 1) == 0) & (row < n_rows)
        for start in range(block + 1, n_words, WORDS):
            word = start + tl.arange(0, WORDS)
            known = word < n_words
            all_drop = tl.load(masks + word.to(tl.int64)[:, None] * n_rows + row[None, :], mask=known[:, None] & stays[None, :], other=0)
            found = tl.reduce(all_drop, 1, either)
            tl.store(here + word, tl.load(here + word, mask=known, other=0) | found, mask=known)
        # The next block reads what other threads have written
        tl.debug_barrier()
