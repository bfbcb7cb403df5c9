"""Fits the polynomials of `boxloss.ops` and prints them as Python tuples. Needs mpmath.

atan(r) = r + r^3 P(r^2) for r in [-1, 1], and atanh(z) = z + z^3 Q(z^2) for |z| <= 3 - sqrt(8), which is (m - 1) / (m + 1) for m = sqrt(2).
P and Q by Chebyshev interpolation in the square, which is within a few per cent of the best polynomial.
"""

from collections.abc import Callable

import mpmath

mpmath.mp.dps = 60


def remainder(function: Callable[[mpmath.mpf], mpmath.mpf], at_zero: mpmath.mpf) -> Callable[[mpmath.mpf], mpmath.mpf]:
    """(f(r) / r - 1) / r^2 as a function of r^2."""

    def of_square(square: mpmath.mpf) -> mpmath.mpf:
        if square < mpmath.mpf(10) ** -15:
            return at_zero
        r = mpmath.sqrt(square)
        return (function(r) / r - 1) / square

    return of_square


def main() -> None:
    atan = remainder(mpmath.atan, -mpmath.mpf(1) / 3)
    atanh = remainder(mpmath.atanh, mpmath.mpf(1) / 3)
    reach = (3 - mpmath.sqrt(8)) ** 2
    for name, function, end, degree in (("ATAN32", atan, 1, 10), ("ATAN64", atan, 1, 20), ("ATANH32", atanh, reach, 3), ("ATANH64", atanh, reach, 8)):
        high_first, error = mpmath.chebyfit(function, [0, end], degree + 1, error=True)
        rows = "\n".join(f"    {float(c)!r}," for c in high_first[::-1])
        print(f"# degree {degree} in the square, error {mpmath.nstr(error, 2)}\n{name} = (\n{rows}\n)")


if __name__ == "__main__":
    main()
