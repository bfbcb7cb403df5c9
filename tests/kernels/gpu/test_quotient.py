"""`quotient`, the division of tame pairs: rounded as IEEE 754 says, whatever the last digit of the reciprocal that it begins with.

No machine without a GPU has that instruction, and Triton's interpreter has none of the rest. So the word's own arithmetic is done again here, on every
divisor and on every dividend whose quotient is near the middle between two numbers: where it is not, the error is too small to matter.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxloss.kernels.gpu import words
from boxloss.kernels.gpu.tame import LEAST, MOST
from kernels.gpu.for_sm_90 import in_words

nb = pytest.importorskip("numba")

NEAREST_LAST_DIGITS = 9
"""Of how near a quotient is to the middle: k for |x / y - middle| = k / (2 Y) units in the last place, Y < 2^24 being y's digits as a whole number.

The reciprocal `near` is off by 2^-24 at most (1.0001 of it, as is looked at), the first quotient by 2 units in the last place, and so the second, before it
is rounded, by 2 x 2^-24 of a unit, and by as much again where the remainder is not exact: 2^-22, which is less than 9 / (2 Y).
"""
FIRST, END = 2**23, 2**24
ALL_ONES = 2**24 - 1


@nb.njit(inline="always")
def fma(x: float, y: float, z: float) -> float:
    """x y + z of three float32, kept as float64, rounded once to float32: the product is exact, and the sum is first rounded to odd."""
    product = x * y
    total = product + z
    part = total - product
    error = (product - (total - part)) + (z - part)
    if error != 0.0:
        bits = np.float64(total).view(np.int64)
        if bits & 1 == 0:
            total = np.int64(bits + 1 if (error > 0.0) == (total > 0.0) else bits - 1).view(np.float64)
    return np.float64(np.float32(total))


@nb.njit
def near(rough: float, y: float) -> float:
    return fma(rough, fma(-rough, y, 1.0), rough)


@nb.njit
def corrected(x: float, y: float, reciprocal: float) -> float:
    q = np.float64(np.float32(x * reciprocal))
    return fma(-fma(q, y, -x), reciprocal, q)


@nb.njit
def wrong(first: int, end: int, digits: int) -> Any:
    """How many quotients were looked at, how many of them are wrong, the last divisor with one, and how far `near` is off at most, in 2^-24."""
    n_seen, n_wrong, which, worst = 0, 0, 0, 0.0
    for divisor in range(first, end):
        y = divisor * 2.0**-23
        zeros = 0
        while (divisor >> zeros) & 1 == 0 and zeros < 5:
            zeros += 1
        odd, inverse = divisor >> zeros, divisor >> zeros
        for _ in range(5):
            inverse = (inverse * (2 - odd * inverse)) & 0xFFFFFFFF
        middle = np.float64(np.float32(1.0 / y))
        for off in (-1, 0, 1):  # every number that is off by one unit in the last place or less
            rough = middle + off * 2.0**-24
            if abs(rough - 1.0 / y) > 2.0**-24:
                continue
            reciprocal = near(rough, y)
            worst = max(worst, abs(y * reciprocal - 1.0) * 2.0**24)
            for shift in (24, 25):
                for k in range(-digits, digits + 1):
                    # x 2^shift = M Y + k for an odd M of 25 digits, which is twice a middle
                    if k == 0 or k & ((1 << zeros) - 1) or (k >> zeros) & 1 == 0:
                        continue
                    step = 1 << (shift - zeros)
                    M = (-(k >> zeros) * inverse) & (step - 1)
                    while M < 1 << 25:
                        dividend = (M * divisor + k) >> shift
                        if M >= 1 << 24 and dividend << shift == M * divisor + k and FIRST <= dividend < END:
                            x = dividend * 2.0**-23
                            n_seen += 1
                            if corrected(x, y, reciprocal) != np.float64(np.float32(x / y)):
                                n_wrong += 1
                                which = divisor
                        M += step
    return n_seen, n_wrong, which, worst


def test_every_divisor() -> None:
    """But one, 2 - 2^-23: there it takes the right one of two reciprocals that are as good, which the GPU's own division needs too (`test_on_a_gpu.py`)."""
    n_seen, n_wrong, _, worst = wrong(FIRST, ALL_ONES, NEAREST_LAST_DIGITS)
    assert n_seen > 5e7
    assert n_wrong == 0
    assert worst < 1.0001
    assert wrong(ALL_ONES, END, NEAREST_LAST_DIGITS)[3] < 1.0001


def test_the_check_can_fail() -> None:
    """Without the last correction a quotient is off."""
    reciprocals = [1 / np.float64(np.float32(1 + k / 100)) for k in range(1, 100)]
    assert any(np.float32(1.7 * np.float32(r)) != np.float32(np.float32(1.7) / np.float32(1 + k / 100)) for k, r in enumerate(reciprocals, 1))


@pytest.mark.parametrize("power", [-45, -37, 0, 44])
def test_the_range(power: int) -> None:
    """No step leaves the type's normal numbers, and a remainder has no digit below the type's last: so all is as for numbers between 1 and 2."""
    assert LEAST / MOST >= 2.0**-126
    assert LEAST * 2.0**-24 * 2.0**-24 >= 2.0**-149
    rng = np.random.default_rng(power + 60)
    x = np.float32(rng.uniform(1, 2, 1000) * 2.0 ** rng.integers(-80, 45, 1000))
    y = np.float32(rng.uniform(1, 2, 1000) * 2.0**power)
    for p, q in zip(x.tolist(), y.tolist(), strict=True):
        got = corrected(p, q, near(float(np.float32(1 / q)), q))
        assert got == float(np.float32(p) / np.float32(q))
        assert 2.0**-126 < got < 2.0**121


def test_zero() -> None:
    for zero in (0.0, -0.0):
        got = corrected(zero, 3.0, near(float(np.float32(1 / 3)), 3.0))
        assert got == 0
        assert math.copysign(1, got) == math.copysign(1, zero)


def test_what_is_done_again_here_is_what_stands_there() -> None:
    source = Path(words.__file__).read_text(encoding="utf-8")
    assert source.count("inline_asm_elementwise") == len(in_words()) == 4
    assert "{ .reg .f32 n, e; neg.f32 n, _; fma.rn.f32 e, n, _, 0f3F800000; fma.rn.f32 _, _, e, _; }" in in_words()
    assert "{ .reg .f32 n, q, e; mul.rn.f32 q, _, _; neg.f32 n, _; fma.rn.f32 e, q, _, n; neg.f32 e, e; fma.rn.f32 _, e, _, q; }" in in_words()
    assert np.uint32(0x3F800000).view(np.float32) == 1
