"""The checker of numbers, checked: it must refuse what is a roundoff too far, and say where."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from close import LARGEST, ROUNDOFF, SMALLEST, as_printed, close
from oracle.arithmetic import mp

THIRD = Fraction(1, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("want", [THIRD, -THIRD, THIRD * 2**90, +mp.pi])
def test_eight_roundoffs_are_close_and_ten_are_not(dtype: str, want: object) -> None:
    number = np.asarray(float(want), dtype)  # type: ignore[arg-type]
    step = float(ROUNDOFF[dtype])
    close(number, want)
    close(number * np.asarray(1 + 6 * step, dtype), want)
    with pytest.raises(AssertionError, match=f"off by more than 8 roundoffs of {dtype}"):
        close(number * np.asarray(1 + 10 * step, dtype), want)


@pytest.mark.parametrize("got", [float("nan"), float("inf"), 0.0, -1 / 3, 1.0])
def test_what_is_never_a_third(got: float) -> None:
    with pytest.raises(AssertionError):
        close(got, THIRD, "float32", roundoffs=1000)


def test_nan_is_not_even_close_to_nan() -> None:
    with pytest.raises(AssertionError):
        close(float("nan"), 0, "float64", scale=[1e300])


def test_zero_is_exact() -> None:
    close(0.0, Fraction(0))
    with pytest.raises(AssertionError):
        close(1e-30, Fraction(0))


def test_the_scale_is_what_an_error_is_measured_by() -> None:
    close(np.float32(1e-7), 0, scale=[1.0])
    with pytest.raises(AssertionError):
        close(np.float32(1e-7), 0, scale=[1e-3])


def test_too_large_for_the_type_may_be_infinite_or_the_largest_number() -> None:
    want = LARGEST["float32"] * 3
    close(np.float32("inf"), want)
    close(np.finfo("float32").max, want, "float32")
    for wrong in (np.float32("-inf"), np.float32(1e38), np.float32("nan")):
        with pytest.raises(AssertionError):
            close(wrong, want)
    with pytest.raises(AssertionError):
        close(np.float32("inf"), LARGEST["float32"] / 2)


def test_below_the_smallest_normal_number_steps_count() -> None:
    step = SMALLEST["float32"]
    close(np.float32(float(5 * step)), 7 * step)
    with pytest.raises(AssertionError):
        close(np.float32(float(5 * step)), 20 * step)
    with pytest.raises(AssertionError):
        close(np.float32(0), 20 * step)
    close(np.float32(0), 20 * step, flushes=True)
    close(np.float32(2.0**-120), Fraction(1, 2**120) + 20 * step, roundoffs=0, flushes=True)
    with pytest.raises(AssertionError):
        close(np.float32(0), Fraction(1, 2**125), flushes=True)


def test_numbers_are_counted() -> None:
    with pytest.raises(AssertionError, match="2 numbers, 3 wanted"):
        close(np.ones(2), [1, 1, 1])


def test_the_message_names_the_worst_case() -> None:
    got, want = np.array([1, 1.01, 3.5], "float32"), [1, 1, 3]
    with pytest.raises(AssertionError, match=r"2 of 3 .* number 2, .* got np.float32\(3.5\), want 3.0, for the third pair"):
        close(got, want, where=["the first pair", "the second pair", "the third pair"])


def test_arrays_of_every_library() -> None:
    close(torch.tensor([0.5, 0.25], dtype=torch.bfloat16, requires_grad=True), [Fraction(1, 2), Fraction(1, 4)], "bfloat16")
    close(torch.ones(2, 3, dtype=torch.float16), np.ones((2, 3)))
    with pytest.raises(AssertionError, match="float16"):
        close(torch.ones(2, 3, dtype=torch.float16), np.ones((2, 3)) * 1.01)


def test_printed_figures() -> None:
    as_printed(0.2749, ".27")
    as_printed(-0.0794, "-.079")
    as_printed(9.0, "9")
    for got, figure in ((0.2751, ".27"), (0.27, ".28"), (0.27, "-.27")):
        with pytest.raises(AssertionError, match="does not round to"):
            as_printed(got, figure)
