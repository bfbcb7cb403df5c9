"""The one place where a test's tolerance is a number.

`close` compares what was computed with what is right, in units of the number type's roundoff; `as_printed` compares with a figure that was printed
to some digits. A literal tolerance anywhere else in the tests is refused by `meta/test_no_literal_tolerances.py`.
"""

from collections.abc import Iterable
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

ROUNDOFF = {"float16": Fraction(1, 2**11), "bfloat16": Fraction(1, 2**8), "float32": Fraction(1, 2**24), "float64": Fraction(1, 2**53)}
SMALLEST = {"float16": Fraction(1, 2**24), "bfloat16": Fraction(1, 2**133), "float32": Fraction(1, 2**149), "float64": Fraction(1, 2**1074)}
LARGEST = {name: Fraction(float(np.finfo(name).max)) for name in ("float16", "float32", "float64")} | {"bfloat16": (2 - Fraction(1, 2**7)) * 2**127}

# How many roundoffs each kind of number may be off. Every tolerance of the tests is a row here.
ROUNDOFFS = {
    "value": 8,  # the numerical contract's first point
    "gradient": 64,  # relative to the terms that a slope is the sum of (checks.term_size); 39 seen, CIoU's where an arctangent's polynomial is differentiated
    "coded": 64,  # a box said in four numbers and made of them again, relative to the largest coordinate: logarithms, exponentials and quotients on the way
    "sum": 64,  # a sum of some hundreds of numbers of one sign, in any order
    "inverted": 256,  # boxes with crossed edges count as their middle, which is rounded like a coordinate, not like a difference
    "textbook": 2**22,  # a plain text-book implementation, which loses digits to cancellation (in float64: 5e-10)
    "step of differences": 2**33,  # torch.autograd.gradcheck's: 1e-6 in float64
    "counted pixels": 2**46,  # an area as a number of cells of a grid (in float64: 8e-3)
    "finite differences": 2**33,  # and what its differences are good to, for slopes of up to some hundreds
}


def close(got: Any, want: Any, dtype: Any = None, roundoffs: int | str = "value", *, scale: Any = None, where: Any = None, flushes: bool = False) -> None:
    """Assert that `got` is `want` to so many roundoffs of `dtype`, relative to |want| or, where given, to `scale`.

    got: numbers or an array of NumPy, torch or JAX, shape (...); want: the same shape, of exact (`Fraction`, mpmath) or plain numbers.
    dtype: whose roundoff, "float32" or the like; that of `got` when not given. roundoffs: a number of them, or a row of `ROUNDOFFS`.
    where: (...) anything whose entry says to a reader which case is the worst, e.g. a list of pairs of boxes.
    flushes: numbers below the smallest normal one, also those on the way to the result, may count as 0, as on hardware that is told to flush them.
    A number below the smallest normal one may be off by as many of the smallest steps. What is too large for the type may be infinite or the largest
    number. NaN is never close, not even to NaN.
    """
    name = dtype_name(got if dtype is None else dtype)
    allowed = ROUNDOFFS[roundoffs] if isinstance(roundoffs, str) else roundoffs
    numbers, wanted = flat(got), list(flat(want))
    scales = wanted if scale is None else list(flat(scale))
    assert len(numbers) == len(wanted) == len(scales), f"{len(numbers)} numbers, {len(wanted)} wanted, {len(scales)} scales"
    errors = [error(float(g), w, s, name, flushes) for g, w, s in zip(numbers, wanted, scales, strict=True)]
    if not errors or max(errors) <= allowed:
        return
    worst = int(np.argmax(errors))
    case = "" if where is None else f", for {describe(list(where)[worst])}"
    n_bad = sum(e > allowed for e in errors)
    raise AssertionError(
        f"{n_bad} of {len(errors)} numbers are off by more than {allowed} roundoffs of {name}; the worst, number {worst}, by {errors[worst]:.4g}: "
        f"got {numbers[worst]!r}, want {float(wanted[worst])!r}{case}"
    )


def error(got: float, want: Any, scale: Any, dtype: str, flushes: bool = False) -> float:
    """How many roundoffs `got` is off; infinite for NaN and for an infinity that should be none."""
    want, scale = exact(want), abs(exact(scale))
    if np.isnan(got):
        return float("inf")
    largest, step, smallest = (same_kind(table[dtype], want) for table in (LARGEST, ROUNDOFF, SMALLEST))
    if abs(want) > largest * (1 - 8 * step):
        right = (got > 0) == (want > 0) and abs(got) >= largest * (1 - 8 * step)
        return 0.0 if right else float("inf")
    if np.isinf(got):
        return float("inf")
    difference = abs(same_kind(got, want) - want)
    if flushes and difference < smallest / step / 2:
        return 0.0
    # one roundoff of `scale`, but no less than the smallest step: below the smallest normal number steps do not shrink
    return float(min(difference / max(same_kind(scale, want) * step, smallest), 2**1000))


def as_printed(got: Any, figure: str) -> None:
    """Assert that `got`, rounded to as many decimals as `figure` has, is `figure`: `as_printed(0.2749, ".27")`."""
    n_decimals = len(figure.partition(".")[2])
    off = abs(exact(got) - same_kind(Fraction(figure), exact(got)))
    assert off * (2 * 10**n_decimals) <= 1, f"got {float(got)!r}, which does not round to {figure}"


def exact(x: Any) -> Any:
    return x if isinstance(x, Fraction) or hasattr(x, "_mpf_") else Fraction(x) if isinstance(x, Rational) else Fraction(float(x))


def same_kind(x: Any, like: Any) -> Any:
    """`x` as the kind of number that `like` is: rationals and mpmath numbers do not mix."""
    x = exact(x)
    return type(like)(x.numerator) / x.denominator if hasattr(like, "_mpf_") and isinstance(x, Fraction) else x


def flat(x: Any) -> Any:
    """Any array, list or number as a flat sequence; exact numbers stay exact."""
    if hasattr(x, "detach"):
        x = x.detach()
        x = (x.float() if "16" in str(x.dtype) else x).numpy()
    if isinstance(x, Iterable) and not hasattr(x, "dtype"):
        return [number for entry in x for number in flat(entry)]
    return np.ravel(np.asarray(x)) if hasattr(x, "dtype") else [x]


def dtype_name(x: Any) -> str:
    text = str(getattr(x, "dtype", x)).removeprefix("torch.").removeprefix("<class 'numpy.").removesuffix("'>")
    return text if text in ROUNDOFF else "float64"


def describe(case: Any) -> str:
    return f"{tuple(np.asarray(part).tolist() for part in case)}" if isinstance(case, tuple) else f"{case}"
