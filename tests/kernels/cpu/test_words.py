"""Each word against NumPy, to the bit, on numbers of all kinds: signed zeros, the smallest and largest, infinities, NaN."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from boxloss import ops
from boxloss.kernels.cpu.program import Program, head, packer
from kernels.cpu.loops import bits, results

Array = np.ndarray
FLOATS = ("float32", "float64")


def special(number: str) -> Array:
    limits = np.finfo(number)
    smallest, normal, largest = float(limits.smallest_subnormal), float(limits.smallest_normal), float(limits.max)
    ones = [1.0, 1.0 + float(limits.eps), 1.0 - float(limits.epsneg), 0.5, 1.5, 2.0, 3.0, 7.25, 0.1, 2.0**20, 2.0**-20, 1e30]
    positive = [0.0, smallest, 3 * smallest, normal - smallest, normal, largest, np.inf, *ones]
    return np.array([*positive, *(-x for x in positive), np.nan], number)


def pairs(number: str) -> tuple[Array, Array]:
    numbers = special(number)
    p, q = np.meshgrid(numbers, numbers)
    return p.ravel(), q.ravel()


OF_ONE: dict[str, Callable[[Array], Array]] = {
    "-p": np.negative,
    "absolute(p)": np.abs,
    "sqrt(p)": np.sqrt,
    "floor(p)": np.floor,
    "power_of_two(p)": ops.power_of_two,
    "number(p)": lambda p: p,
    "number(float64(p))": lambda p: p,
    "where(unordered(p, p), one, zero)": lambda p: np.isnan(p).astype(p.dtype),
}
OF_TWO: dict[str, Callable[[Array, Array], Array]] = {
    "p + q": np.add,
    "p - q": np.subtract,
    "p * q": np.multiply,
    "p / q": np.divide,
    "minimum(p, q)": lambda p, q: np.where(p < q, p, q),
    "maximum(p, q)": lambda p, q: np.where(p > q, p, q),
}
TRUTHS: dict[str, Callable[[Array, Array], Array]] = {
    "p < q": np.less,
    "p <= q": np.less_equal,
    "p > q": np.greater,
    "p >= q": np.greater_equal,
    "p == q": np.equal,
    "p != q": np.not_equal,
    "not (p < q)": lambda p, q: ~(p < q),
    "(p < q) & (p == p)": lambda p, q: p < q,
    "(p < q) | (p == q)": lambda p, q: (p < q) | (p == q),
    "unordered(p, q)": lambda p, q: np.isnan(p) | np.isnan(q),
}


@pytest.mark.parametrize("number", FLOATS)
@pytest.mark.parametrize("line", OF_ONE)
def test_words_of_one_number(line: str, number: str) -> None:
    p = special(number)
    if line == "power_of_two(p)":
        p = p[~np.signbit(p)]  # it is asked for no others
    with np.errstate(all="ignore"):
        want = OF_ONE[line](p)
    assert np.array_equal(bits(results(line, number, p)), bits(want))


@pytest.mark.parametrize("number", FLOATS)
@pytest.mark.parametrize("line", OF_TWO)
def test_words_of_two_numbers(line: str, number: str) -> None:
    p, q = pairs(number)
    with np.errstate(all="ignore"):
        want = OF_TWO[line](p, q)
    assert np.array_equal(bits(results(line, number, p, q)), bits(want))


@pytest.mark.parametrize("number", FLOATS)
@pytest.mark.parametrize("line", TRUTHS)
def test_words_that_are_true_or_not(line: str, number: str) -> None:
    p, q = pairs(number)
    got = results(f"where({line}, one, zero)", number, p, q)
    assert np.array_equal(got, TRUTHS[line](p, q))


@pytest.mark.parametrize("number", FLOATS)
def test_where_takes_the_branch_it_is_told(number: str) -> None:
    p, q = pairs(number)
    assert np.array_equal(bits(results("where(p > zero, p, q)", number, p, q)), bits(np.where(p > 0, p, q)))


@pytest.mark.parametrize("number", FLOATS)
def test_exponents(number: str) -> None:
    limits = np.finfo(number)
    whole = np.arange(limits.minexp, limits.maxexp).astype(number)
    powers = np.ldexp(np.asarray(1, number), whole.astype(int))
    assert np.array_equal(results("two_to_the(p)", number, whole), powers)
    assert np.array_equal(results("exponent(p)", number, powers), whole)
    assert np.array_equal(results("two_to_the(p)", number, np.asarray([np.nan], number)), [1])


def test_a_number_in_another_type_is_rounded_to_even() -> None:
    wide = np.concatenate([special("float64"), special("float32").astype("float64"), 1 + 2.0**-24 * np.arange(5), np.random.default_rng(0).normal(size=99)])
    with np.errstate(over="ignore"):
        want = wide.astype("float32")
    assert np.array_equal(bits(narrowed(wide)), bits(want))


def narrowed(wide: Array) -> Array:
    """float64 numbers through the type float32, read as bits."""
    return results("number(as_float64(p))", "float32", wide.view("int64"))


@pytest.mark.parametrize("number", FLOATS)
def test_a_whole_number_of_a_float_is_cut_off_towards_zero(number: str) -> None:
    p = np.array([0.0, 0.5, 1.0, 7.99, 2.0**20, -1.5, -0.25], number)
    assert np.array_equal(results("number(whole(p))", number, p), np.trunc(p) + 0)


def test_sums_in_float64_of_numbers_in_float32() -> None:
    p, q = pairs("float32")
    with np.errstate(all="ignore"):
        want = (p.astype("float64") + q.astype("float64")).astype("float32")
    assert np.array_equal(bits(results("number(float64(p) + float64(q))", "float32", p, q)), bits(want))


def test_four_sums_in_float64_at_once() -> None:
    text = head({"out": "floats", "more": "numbers"}) + "    for i in range(2):\n        add_four(shifted(out, 3), shifted(more, 4 * i))\n"
    out, more = np.arange(9.0), special("float32")[:8].reshape(2, 4)
    want = out.copy()
    for four in more:
        want[3:7] += four.astype("float64")
    Program(text, "float32", (), ()).load()(packer({"out": "integers", "more": "integers"})(out.ctypes.data, more.ctypes.data))
    assert np.array_equal(out, want)


WHOLE: dict[str, Callable[..., Any]] = {
    "p + q": np.add,
    "p - q": np.subtract,
    "p * q": np.multiply,
    "least(p, q)": np.minimum,
    "add_if(p, p < q)": lambda p, q: p + (p < q),
    "p // (q * q + 1)": lambda p, q: np.abs(p) // (q * q + 1),
}


@pytest.mark.parametrize("line", WHOLE)
def test_words_of_whole_numbers(line: str) -> None:
    p, q = (x.ravel() for x in np.meshgrid(np.arange(-9, 10), np.arange(-9, 10)))
    if "//" in line:
        p = np.abs(p)  # indices are not negative
    assert np.array_equal(results(f"number({line})", "float64", p, q), WHOLE[line](p, q))


@pytest.mark.parametrize("truth", ["p", "not p", "p < q", "p <= q", "p > q", "p >= q", "p == q", "p != q"])
def test_whole_numbers_as_truths(truth: str) -> None:
    p, q = (x.ravel() for x in np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)))
    want = {"p": p != 0, "not p": p == 0}.get(truth)
    if want is None:
        want = TRUTHS[truth](p, q)
    got = results(f"where({truth if truth != 'p' else 'not not p'}, one, zero)", "float64", p, q)
    assert np.array_equal(got, want)
