"""Fits the polynomials of `boxloss.ops.atan2` and prints them as Python tuples. Needs mpmath.

atan(r) = r + r^3 P(r^2) on [0, 1]; P by Chebyshev interpolation in r^2, which is within a few per cent of the best polynomial.
"""

import mpmath

mpmath.mp.dps = 60


def remainder(z: mpmath.mpf) -> mpmath.mpf:
    """(atan(r) / r - 1) / r^2 for r^2 = z."""
    if z < mpmath.mpf(10) ** -12:
        return mpmath.mpf(-1) / 3 + z / 5
    r = mpmath.sqrt(z)
    return (mpmath.atan(r) / r - 1) / z


def main() -> None:
    for name, degree in (("ATAN32", 10), ("ATAN64", 20)):
        high_first, error = mpmath.chebyfit(remainder, [0, 1], degree + 1, error=True)
        rows = ",\n".join(f"    {float(c)!r}" for c in high_first[::-1])
        print(f"# degree {degree} in r^2, error {mpmath.nstr(error, 2)}\n{name} = (\n{rows},\n)")


if __name__ == "__main__":
    main()
