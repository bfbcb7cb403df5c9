# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, disable-error-code="no-any-return"
# ruff: noqa: RET505 -- Triton compiles what follows an `if`, after a return too
"""The words that the generated text for GPUs is written in.

Nothing imports this module: each kernel's file begins with a copy of the words that it uses, and of those that these use (`boxloss.kernels.gpu.program`).
So a file can be read, run and timed alone, and the words are compiled, or interpreted, as the kernel is.
"""

import triton
import triton.language as tl

# ---- Numbers. Every one of them is rounded as IEEE 754 says: Triton's `/` and `tl.sqrt` of float32 are not.


@triton.jit
def minimum(x, y):
    """The smaller; NaN where either is NaN. GPUs have an instruction for it in float32 alone."""
    if x.dtype == tl.float64:
        return tl.where((x < y) | (x != x), x, y)
    else:
        return tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def maximum(x, y):
    if x.dtype == tl.float64:
        return tl.where((x > y) | (x != x), x, y)
    else:
        return tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def divide(x, y):
    if x.dtype == tl.float64:
        return x / y
    else:
        return tl.div_rn(x, y)


@triton.jit
def reciprocal(y):
    """1 / y but for its last digit, and infinite for 0 and for what is too small. The instruction that the assembler's own division begins with."""
    return tl.inline_asm_elementwise("rcp.approx.ftz.f32 $0, $1;", "=f,f", [y], dtype=tl.float32, is_pure=True, pack=1)


@triton.jit
def quotient(x, y):
    """x / y, rounded as IEEE 754 says, for y between 2^-45 and 2^45, and x 0 or between 2^-80 and 2^45: the assembler's own division without its other cases.

    It takes every 0 / y for one of those, in a hundred instructions, and most boxes do not overlap.
    """
    rough = reciprocal(y)
    near = tl.inline_asm_elementwise(
        "{ .reg .f32 n, e; neg.f32 n, $2; fma.rn.f32 e, n, $1, 0f3F800000; fma.rn.f32 $0, $1, e, $1; }",
        "=f,f,f",
        [rough, y],
        dtype=tl.float32,
        is_pure=True,
        pack=1,
    )
    # q - (q y - x) / y rather than q + (x - q y) / y: so -0 / y is -0
    return tl.inline_asm_elementwise(
        "{ .reg .f32 n, q, e; mul.rn.f32 q, $1, $3; neg.f32 n, $1; fma.rn.f32 e, q, $2, n; neg.f32 e, e; fma.rn.f32 $0, e, $3, q; }",
        "=f,f,f,f", [x, y, near], dtype=tl.float32, is_pure=True, pack=1,
    )  # fmt: skip


@triton.jit
def plus_size(x, y):
    """x + |y|, which is one instruction."""
    return tl.inline_asm_elementwise("{ .reg .f32 s; abs.f32 s, $2; add.rn.f32 $0, $1, s; }", "=f,f,f", [x, y], dtype=tl.float32, is_pure=True, pack=1)


@triton.jit
def square_root(x):
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


@triton.jit
def power_of_two(x):
    """The largest power of two that is not above x: its exponent bits alone."""
    if x.dtype == tl.float64:
        return (x.to(tl.int64, bitcast=True) & 0x7FF0000000000000).to(tl.float64, bitcast=True)
    else:
        return (x.to(tl.int32, bitcast=True) & 0x7F800000).to(tl.float32, bitcast=True)


@triton.jit
def exponent(x):
    """k for x = 2^k, as a floating-point number."""
    if x.dtype == tl.float64:
        return ((x.to(tl.int64, bitcast=True) >> 52) - 1023).to(tl.float64)
    else:
        return ((x.to(tl.int32, bitcast=True) >> 23) - 127).to(tl.float32)


@triton.jit
def two_to_the(x):
    """2^x for a whole number x among the type's exponents. A NaN has no whole number, and 0 stands in."""
    if x.dtype == tl.float64:
        return ((tl.where(x == x, x, 0.0).to(tl.int64) + 1023) << 52).to(tl.float64, bitcast=True)
    else:
        return ((tl.where(x == x, x, 0.0).to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def unordered(x, y):
    """Whether x or y is NaN."""
    return (x != x) | (y != y)


@triton.jit
def from_0(x):
    """A whole number of 32 bits for a float32: in the order of |x|, but 0 behind all others."""
    return x.to(tl.uint32, bitcast=True) * 2 - 1


@triton.jit
def float64_of(bits):
    """A float64 handed over as an integer of the same bits: Triton would round a Python float to float32."""
    return bits.to(tl.int64).to(tl.float64, bitcast=True)


# ---- Rows of four numbers. Places are counted in int64: rows may have more than 2^31 numbers.


@triton.jit
def columns(boxes, start, row, row_step, column_step, PACKED: tl.constexpr):
    """The four columns of some rows, counted from `start` on. PACKED: the numbers lie side by side, and each thread takes whole rows."""
    column = tl.arange(0, 4)
    if PACKED:
        numbers = tl.load(boxes + start * 4 + ((row * 4)[:, None] + column[None, :]))
    else:
        numbers = tl.load(boxes + start * row_step + ((row.to(tl.int64) * row_step)[:, None] + (column.to(tl.int64) * column_step)[None, :]))
    first_and_third, second_and_fourth = tl.split(tl.reshape(numbers, (row.shape[0], 2, 2)))
    first, third = tl.split(first_and_third)
    second, fourth = tl.split(second_and_fourth)
    return first, second, third, fourth


@triton.jit
def store_columns(boxes, start, row, known, first, second, third, fourth):
    """Writes packed rows, counted from `start` on."""
    numbers = tl.reshape(tl.join(tl.join(first, third), tl.join(second, fourth)), (row.shape[0], 4))
    tl.store(boxes + start * 4 + ((row * 4)[:, None] + tl.arange(0, 4)[None, :]), numbers, mask=known[:, None])


# ---- Sums and bests


@triton.jit
def both(x, y):
    return x & y


@triton.jit
def everywhere(ones):
    """Whether all of a block of 0 and 1 are 1: one truth."""
    return tl.reduce(ones, None, both) != 0


@triton.jit
def plus(x, y):
    return x + y


@triton.jit
def sum_of(x):
    return tl.reduce(x, 0, plus)


@triton.jit
def better(value, index, other_value, other_index):
    """The larger of two values with its index, and the lower index where they are equal. In any order of many, the same one is left."""
    turn = (other_value > value) | ((other_value == value) & (other_index < index))
    return tl.where(turn, other_value, value), tl.where(turn, other_index, index)


@triton.jit
def best_along(value, index, axis: tl.constexpr):
    return tl.reduce((value, index), axis, better)


@triton.jit
def no_index_last(index):
    """As it is compared: behind all others. In memory -1 stands for no index."""
    return tl.where(index < 0, 0x7FFFFFFFFFFFFFFF, index)


@triton.jit
def last_as_no_index(index):
    return tl.where(index == 0x7FFFFFFFFFFFFFFF, -1, index)


@triton.jit
def either(x, y):
    return x | y
