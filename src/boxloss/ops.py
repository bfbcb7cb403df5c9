"""The handful of functions that formulas and geometry are written with, on whatever kind of array they are given.

A library is recognised by its arrays, never imported for its own sake: NumPy, PyTorch, JAX and CuPy in, the same kind out.
Each function is defined by its value *and* its derivative: ties are shared half and half, 0/0 is 0 with derivative 0.
"""

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from boxloss.errors import DTypeError

Array = Any
"""An array of NumPy, PyTorch, JAX or CuPy."""


class Symbol:
    """What stands for a number while a formula is looked at rather than run: `boxloss.calculus.graph.Node` is the one kind.

    It has an array's operators, and these methods for what is asked of an array in another way.
    """

    __slots__ = ()
    __array_namespace__: Callable[[], Any]
    label: Callable[[str], None]
    hold: Callable[[], Array]
    with_slope: Callable[[Array], Array]
    power_of_two: Callable[[], Array]
    exponent: Callable[[], Array]
    two_to_the: Callable[[], Array]
    elementary: Callable[..., Array]


def is_torch(x: Array) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def is_jax(x: Array) -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.Array)


def namespace(*arrays: Array) -> Any:
    """The array library of `arrays`, with the names of the array API standard.

    NumPy and torch answer for themselves: they have all that we call, and `torch.compile` can see through it.
    """
    if is_torch(arrays[0]):
        return sys.modules["torch"]
    for a in arrays:
        if isinstance(a, Symbol):
            return a.__array_namespace__()
    if all(isinstance(a, (np.ndarray, np.generic)) for a in arrays):
        return np
    # Imported here: it costs a tenth of a second that NumPy and torch users need not pay.
    from array_api_compat import array_namespace

    return array_namespace(*arrays)


def as_array(x: Any, name: str) -> Array:
    """`x` itself where it is an array of a library that we know; numbers in lists and tuples become a NumPy array."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "USOmM":
        raise DTypeError(f"{name} holds {x.dtype}, expected numbers")
    if is_torch(x) or isinstance(x, np.ndarray) or is_jax(x):
        return x
    if isinstance(x, (list, tuple, np.generic)) or hasattr(x, "__array_interface__"):
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise DTypeError(f"{name} holds {array.dtype}, expected numbers in rows of equal length")
        return array
    try:
        namespace(x)
    except TypeError:
        raise DTypeError(f"{name} is a {type(x).__name__}, expected an array of NumPy, PyTorch, JAX or CuPy, or a list of numbers") from None
    return x


def check_same_kind(call: str, names: tuple[str, str], a: Array, b: Array) -> None:
    """Raises `DTypeError` unless `a` and `b` are of one library and on one device. JAX takes NumPy arrays as they are."""
    for x, y in ((a, b), (b, a)):
        if (is_torch(x) and not is_torch(y)) or (is_jax(x) and not (is_jax(y) or isinstance(y, (np.ndarray, np.generic)))):
            raise DTypeError(f"{call}: {names[0]} is a {_kind(a)} and {names[1]} a {_kind(b)}, expected two arrays of one library")
    if is_torch(a) and a.device != b.device:
        raise DTypeError(f"{call}: {names[0]} is on {a.device} and {names[1]} on {b.device}, expected one device: try .to({str(a.device)!r})")


def like_kind(x: Array, other: Array) -> Array:
    """`x`, as a JAX array where `other` is one."""
    return sys.modules["jax"].numpy.asarray(x) if is_jax(other) and not is_jax(x) else x


def _kind(x: Array) -> str:
    return f"{type(x).__module__.split('.')[0]} array"


def working_dtype(*arrays: Array) -> Any:
    """What `arrays` are computed in: float64 where one of them is float64 or an integer of 32 bits or more, else float32.

    Half types and small integers are exact in float32; a 32-bit coordinate is not. JAX has float64 only where its user has enabled it.
    """
    xp = namespace(*arrays)
    wide = any(map(_is_wide, arrays))
    if is_jax(arrays[0]) and not sys.modules["jax"].config.jax_enable_x64:
        wide = False
    return xp.float64 if wide else xp.float32


def _is_wide(x: Array) -> bool:
    if isinstance(x, np.ndarray):  # whose types are slow to name
        return x.dtype.kind in "fiu" and x.dtype.itemsize >= (8 if x.dtype.kind == "f" else 4)
    return str(x.dtype).removeprefix("torch.") in ("float64", "int64", "int32", "uint32", "uint64")


def is_complex(x: Array) -> bool:
    return x.dtype.kind == "c" if isinstance(x, np.ndarray) else "complex" in str(x.dtype)


def number_of(x: Array) -> str:
    """The name of the type of `x`, which is float32 or float64."""
    return "float32" if x.dtype.itemsize == 4 else "float64"


def astype(x: Array, dtype: Any) -> Array:
    if x.dtype == dtype:
        return x
    return x.to(dtype) if is_torch(x) else namespace(x).astype(x, dtype)


def exponents(x: Array) -> tuple[int, int]:
    """The exponents of the smallest normal number and of the largest power of two of `x`'s type: (-126, 127) or (-1022, 1023)."""
    return (-126, 127) if x.dtype.itemsize == 4 else (-1022, 1023)


def largest(x: Array) -> float:
    """The largest finite number of `x`'s type."""
    return float(namespace(x).finfo(x.dtype).max)


def constant(like: Array, value: float) -> Array:
    return namespace(like).full_like(like, value)


def minimum(x: Array, y: Array) -> Array:
    """The smaller; at a tie each of the two gets half of the gradient. NaN where either is NaN."""
    return namespace(x).minimum(x, y)


def maximum(x: Array, y: Array) -> Array:
    """The larger; at a tie each of the two gets half of the gradient. NaN where either is NaN."""
    return namespace(x).maximum(x, y)


def positive(x: Array) -> Array:
    """max(x, 0), with half of the gradient at 0: a clamp would give all of it, and a ReLU none."""
    return maximum(x, constant(x, 0.0))


def where(condition: Array, x: Array, y: Array | float) -> Array:
    """`x` where the condition holds, else `y`; the branch that is not taken must be finite, or its gradient is NaN."""
    return namespace(x).where(condition, x, constant(x, y) if isinstance(y, (int, float)) else y)


def hold(x: Array) -> Array:
    """`x`, held constant in every derivative."""
    if is_torch(x):
        return x.detach()
    if isinstance(x, Symbol):
        return x.hold()
    if is_jax(x):
        return sys.modules["jax"].lax.stop_gradient(x)
    return x


def with_slope(x: Array, carrier: Array) -> Array:
    """The value of `x` with the derivative of `carrier`; `carrier` must be finite."""
    return x.with_slope(carrier) if isinstance(x, Symbol) else hold(x) + (carrier - hold(carrier))


def ratio(x: Array, y: Array) -> Array:
    """x / y, and 0 with derivative 0 where y is 0."""
    zero = y == 0
    safe = where(zero, constant(y, 1.0), y)
    return where(zero, constant(x / safe, 0.0), _divide(x, safe))


def _divide(x: Array, y: Array) -> Array:
    if not is_jax(x):
        return x / y

    # JAX's own rule multiplies by y**-2, which overflows from y = 1e-19 on in float32 and leaves NaN; (dx - q dy) / y does not.
    def rule(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        q = _divide(x, y)
        return q, (dx - q * dy) / y

    divide = sys.modules["jax"].custom_jvp(lambda x, y: x / y)
    divide.defjvp(rule)
    return divide(x, y)


def elementary(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function that is an operation of its own while a formula is traced: its derivative is known there (`boxloss.calculus.derivative`), and
    shorter than its polynomial's."""

    @functools.wraps(function)
    def call(*x: Array) -> Array:
        return x[0].elementary(function, *x) if isinstance(x[0], Symbol) else function(*x)

    return call


@elementary
def log(x: Array) -> Array:
    """The natural logarithm of a normal number `x` > 0.

    Of our own, as `atan2` is: libraries give other bits for strided arrays than for contiguous ones, and JAX is off by hundreds of roundoffs in float64.
    """
    power = power_of_two(x)
    mantissa = x / where(power == 0, constant(power, 1.0), power)
    # From [1, 2) to [sqrt(1/2), sqrt(2)), so that the logarithms of power and mantissa never cancel.
    high = mantissa > math.sqrt(2)
    mantissa = where(high, mantissa * 0.5, mantissa)
    exponent = where(high, _exponent(power) + 1.0, _exponent(power))
    return exponent * math.log(2) + 2.0 * _atanh((mantissa - 1.0) / (mantissa + 1.0))


def log1p(x: Array) -> Array:
    """ln(1 + x) for x > -1, as exact as `x` is where it is near 0."""
    near = namespace(x).abs(x) < 0.25
    small = where(near, x, 0.0)
    return where(near, 2.0 * _atanh(small / (2.0 + small)), log(where(near, constant(x, 1.0), 1.0 + x)))


def x_less_log1p(x: Array) -> Array:
    """x - ln(1 + x) >= 0 for x in [-1/2, 1], as exact as `x` is where it is near 0, though the two cancel there."""
    # With q = sqrt(1 + x) - 1, which is in [-0.293, 0.415], x is q^2 + 2 q, and f(x) is q^2 + 2 f(q).
    direct = namespace(x).abs(x) < 0.25
    root = where(direct, x, x / (1.0 + sqrt(1.0 + x)))
    z = root / (2.0 + root)
    series = (root * z) * (1.0 - (1.0 - z) * (z * _atanh_tail(z)))
    return where(direct, series, root * root + 2.0 * series)


def log1p_integral(x: Array) -> Array:
    """(1 + x) ln(1 + x) - x, which is the integral of ln(1 + x) from 0, for x >= 0: as exact as `x` is where it is near 0, though the two cancel there."""
    # f(x) is q^2 + 2 (1 + q) f(q) with q = sqrt(1 + x) - 1; done twice, [0, 3] becomes [0, 0.415].
    near, direct = x < 3.0, x < 0.4
    inside = where(near, x, 0.0)
    root = sqrt(1.0 + inside)
    once = inside / (1.0 + root)
    twice = once / (1.0 + sqrt(root))
    small = where(direct, inside, twice)
    z = small / (2.0 + small)
    series = (small * z) * (1.0 + (1.0 + z) * (z * _atanh_tail(z)))
    built = once * once + 2.0 * (root * (twice * twice + 2.0 * ((1.0 + twice) * series)))
    above = 1.0 + where(near, constant(x, 3.0), x)
    return where(direct, series, where(near, built, above * log(above) - x))


def _atanh_tail(z: Array) -> Array:
    """(atanh(z) - z) / z^3 for |z| <= 0.1716: 1/3 at 0."""
    return _horner(z * z, ATANH64 if z.dtype.itemsize == 8 else ATANH32)


def power_of_two(x: Array) -> Array:
    """The largest power of two that is not above `x` (> 0), exactly: its exponent bits alone. 0 for 0 and for subnormal numbers."""
    if isinstance(x, Symbol):
        return x.power_of_two()
    x = hold(x)
    mask = 0x7FF0000000000000 if x.dtype.itemsize == 8 else 0x7F800000
    return _from_bits(_bits(x) & mask, x)


def _bits(x: Array) -> Array:
    """The bits of floating-point numbers, as integers of the same width."""
    xp = namespace(x)
    integers = xp.int64 if x.dtype.itemsize == 8 else xp.int32
    if is_jax(x):
        return sys.modules["jax"].lax.bitcast_convert_type(x, integers)
    return x.view(integers) if is_torch(x) else xp.asarray(x).view(integers)


def _from_bits(bits: Array, like: Array) -> Array:
    if is_jax(bits):
        return sys.modules["jax"].lax.bitcast_convert_type(bits, like.dtype)
    return bits.view(like.dtype)


def _exponent(power: Array) -> Array:
    """k for power = 2^k, a normal number, as a floating-point number."""
    if isinstance(power, Symbol):
        return power.exponent()
    wide = power.dtype.itemsize == 8
    shift, bias = (52, 1023) if wide else (23, 127)
    return astype(_bits(power) >> shift, power.dtype) - float(bias)


def absolute(x: Array) -> Array:
    """|x|, with derivative 0 at 0."""
    # max(x, -x) has the derivative 0 at 0, as a tie shared half and half.
    return maximum(x, -x)


def sqrt(x: Array) -> Array:
    """The square root of `x` >= 0; at 0 its derivative is 0, not infinite: the distance of a thing to itself pulls nowhere."""
    zero = x == 0
    return where(zero, x * 0.0, namespace(x).sqrt(where(zero, constant(x, 1.0), x)))


@elementary
def exp(x: Array) -> Array:
    """e to the `x`; at most the type's largest number, and 0 below the logarithm of its smallest normal one."""
    smallest, largest_power = exponents(x)
    # Beyond the type's range both ends stand still; NaN passes through.
    low, high = smallest * math.log(2), largest_power * math.log(2)
    inside = minimum(maximum(x, constant(x, low)), constant(x, high))
    whole = hold(namespace(x).floor(inside * (1 / math.log(2)) + 0.5))
    # ln 2 in two parts, the first with so few bits that its product with `whole` is exact.
    part = (inside - whole * _LN2_HIGH) - whole * _LN2_LOW
    series = constant(x, 1.0 / math.factorial(18 if x.dtype.itemsize == 8 else 9))
    for k in range(17 if x.dtype.itemsize == 8 else 8, -1, -1):
        series = series * part + 1.0 / math.factorial(k)
    return where(x < low, 0.0 * series, series * _two_to_the(whole))


NEAR_ZERO = 0.35
"""Nearer to 0 than this `expm1` is a series."""


@elementary
def expm1(x: Array) -> Array:
    """e to the `x`, minus 1: as exact as `x` is where it is near 0."""
    near = namespace(x).abs(x) < NEAR_ZERO
    small = where(near, x, 0.0)
    terms = 17 if x.dtype.itemsize == 8 else 9
    series = constant(x, 1.0 / math.factorial(terms))
    for k in range(terms - 1, 0, -1):
        series = series * small + 1.0 / math.factorial(k)
    return where(near, series * small, exp(where(near, constant(x, 1.0), x)) - 1.0)


def power(x: Array, exponent: float) -> Array:
    """`x` to the `exponent` > 0, for x >= 0; 0 where x is 0, with derivative 0 there also where the true one is infinite (an exponent below 1).

    Whole exponents up to 8 are products, and halves of them a root more. The error of others grows with the exponent: some 5 roundoffs up to 4, and
    some more than the exponent itself beyond; they stand still at the type's largest power of two, as `exp` does.
    """
    exponent = float(exponent)
    if exponent <= 8 and (2 * exponent).is_integer():
        factors = [x] * int(exponent) + ([] if exponent.is_integer() else [sqrt(x)])
        return functools.reduce(lambda product, factor: product * factor, factors)
    smallest, largest = exponents(x)
    # x = 2^k m, m in [sqrt(1/2), sqrt(2)): of exponent * ln x only the part that m has is rounded. A subnormal number is lifted first.
    there = x > 0
    safe = where(there, x, constant(x, 1.0))
    lift = where(safe < 2.0**smallest, constant(x, 2.0**64), 1.0)
    safe = safe * lift
    unit = power_of_two(safe)
    mantissa = safe / where(unit == 0, constant(unit, 1.0), unit)
    high = mantissa > math.sqrt(2)
    mantissa = where(high, mantissa * 0.5, mantissa)
    k = hold((_exponent(unit) + where(high, constant(x, 1.0), 0.0)) - where(lift > 1, constant(x, 64.0), 0.0))
    # The exponent in two parts, the first with so few bits that its product with k is exact.
    digits, places = math.frexp(exponent)
    coarse = math.ldexp(round(digits * 4096), places - 12)
    doublings = k * coarse
    whole = namespace(x).floor(doublings + 0.5)
    whole = minimum(maximum(whole, constant(x, float(smallest))), constant(x, float(largest)))
    rest = exponent * log(mantissa) + ((doublings - whole) + k * (exponent - coarse)) * math.log(2)
    rest = minimum(rest, (largest - whole) * math.log(2))
    result = exp(rest) * _two_to_the(hold(whole))
    return where(there, result, x * 0.0)


def norm(*parts: Array) -> Array:
    """The length sqrt(sum of squares) of a vector, whatever its size; at 0 its derivative is 0."""
    size = absolute(parts[0])
    for part in parts[1:]:
        size = maximum(size, absolute(part))
    size = hold(size)
    smallest, _ = exponents(size)
    # As `boxloss.pair.scale` does: what has no exponent of its own is lifted first.
    tiny = (size < 2.0 ** (smallest + 26)) & (size > 0)
    lift = where(tiny, constant(size, 2.0 ** -(smallest + 26)), 1.0)
    unit = power_of_two(size * lift)
    unit = where(unit == 0, constant(unit, 1.0), unit)
    scaled = [part * lift / unit for part in parts]
    length = sqrt(_halves([part * part for part in scaled]))
    value = length * unit / lift
    # The factors of a tiny length's derivative leave the type, though the derivative itself is a direction: at most 1.
    direction = [hold(ratio(part, length)) for part in scaled]
    along = _halves([d * part for d, part in zip(direction, parts, strict=True)])
    return with_slope(value, where(tiny, along, value))


def _halves(parts: list[Array]) -> Array:
    """The sum of the first half plus that of the second: left, top, right and bottom add up to the same bits when x and y are exchanged."""
    middle = len(parts) // 2
    return _halves(parts[:middle]) + _halves(parts[middle:]) if middle else parts[0]


_LN2_HIGH = 355 / 512
# ln 2 - 355 / 512 to its own last digit. math.log(2) is off by 2^-55, which a thousand halvings would make 200 roundoffs.
_LN2_LOW = -0.00021219444005469057


def _two_to_the(k: Array) -> Array:
    """2^k for a whole number k among the type's exponents, exactly."""
    if isinstance(k, Symbol):
        return k.two_to_the()
    wide = k.dtype.itemsize == 8
    shift, bias = (52, 1023) if wide else (23, 127)
    xp = namespace(k)
    # NaN has no whole number; its result is NaN whatever the power.
    whole = astype(where(k == k, k, 0.0), xp.int64 if wide else xp.int32)
    return _from_bits((whole + bias) << shift, k)


def sin(x: Array) -> Array:
    """The sine of `x` radians, |x| up to some thousands."""
    return _sine(x, 0)


def cos(x: Array) -> Array:
    """The cosine of `x` radians, |x| up to some thousands."""
    return _sine(x, 1)


def _sine(x: Array, quarters: int) -> Array:
    """sin(x + quarters * pi / 2): x less a whole number of quarter turns, then the polynomial of the sine or the cosine of what is left."""
    whole = hold(namespace(x).floor(x * (2 / math.pi) + 0.5))
    # pi / 2 in three parts, the first two with so few bits that their products with `whole` are exact.
    part = ((x - whole * _QUARTER[0]) - whole * _QUARTER[1]) - whole * _QUARTER[2]
    turn = whole + float(quarters)
    turn = hold(turn - 4.0 * namespace(x).floor(turn * 0.25))  # 0, 1, 2 or 3
    square = part * part
    terms = 9 if x.dtype.itemsize == 8 else 5
    sine = constant(x, _taylor(2 * terms + 1))
    cosine = constant(x, _taylor(2 * terms))
    for k in range(terms - 1, -1, -1):
        sine = sine * square + _taylor(2 * k + 1)
        cosine = cosine * square + _taylor(2 * k)
    value = where((turn == 1.0) | (turn == 3.0), cosine, sine * part)
    return where(turn < 2.0, value, -value)


def _taylor(k: int) -> float:
    return (-1.0) ** (k // 2) / math.factorial(k)


_QUARTER = (201 / 128, 64938 / 2**27, 9.920935796805404e-10)


def atan2(y: Array, x: Array) -> Array:
    """The angle of the point (x, y) in radians, in [-pi, pi]; 0 with derivative 0 at the origin.

    A polynomial of our own rather than the library's function, which gives other bits for strided arrays than for contiguous ones,
    NaN derivatives at the origin, and which GPU languages do not have.
    """
    xp = namespace(x)
    steep = xp.abs(y) > xp.abs(x)
    # The quotient is y / x or x / y by the larger part, and the derivative follows the same choice: no absolute value, no tie.
    angle = _slope_angle(where(steep, x, y), where(steep, y, x))
    half_turn = where(x < 0, where(y < 0, constant(x, -math.pi), math.pi), 0.0)
    quarter_turn = where(y < 0, constant(y, -math.pi / 2), math.pi / 2)
    return where(steep, quarter_turn - angle, half_turn + angle)


@elementary
def _slope_angle(rise: Array, run: Array) -> Array:
    """The arc tangent of rise / run, |rise| <= |run|; 0 where both are 0."""
    return _atan(ratio(rise, run))


def _atan(r: Array) -> Array:
    """The arc tangent of `r` in [-1, 1]."""
    return _odd(r, ATAN64 if r.dtype.itemsize == 8 else ATAN32)


@elementary
def _atanh(z: Array) -> Array:
    """The inverse hyperbolic tangent for |z| <= 0.1716."""
    return _odd(z, ATANH64 if z.dtype.itemsize == 8 else ATANH32)


def _odd(r: Array, coefficients: tuple[float, ...]) -> Array:
    """r + r^3 P(r^2), P by Horner."""
    square = r * r
    return r + r * (square * _horner(square, coefficients))


def _horner(x: Array, coefficients: tuple[float, ...]) -> Array:
    p = constant(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        p = p * x + c
    return p


# Made by scripts/fit_polynomials.py; the errors are those of the polynomial itself.
# degree 10 in the square, error 3.9e-10
ATAN32 = (
    -0.33333333293301176,
    0.19999990275947271,
    -0.14285317963907304,
    0.1110470678864422,
    -0.09036742342070782,
    0.0741749696430051,
    -0.05760716083128117,
    0.038327445983064846,
    -0.019261081322765883,
    0.00620725453378005,
    -0.0009362994719496015,
)
# degree 20 in the square, error 5.0e-18
ATAN64 = (
    -0.3333333333333333,
    0.19999999999999554,
    -0.14285714285648404,
    0.11111111107234799,
    -0.09090908969557403,
    0.07692305354678655,
    -0.06666636435777692,
    0.05882074956371294,
    -0.05261265735709454,
    0.04752086773576656,
    -0.04308119655330471,
    0.03872640214042632,
    -0.033750132001619734,
    0.027567942297344678,
    -0.020238706986393514,
    0.012756172907694298,
    -0.006575683344151699,
    0.002622977891906089,
    -0.0007518472526973822,
    0.0001368724853148122,
    -1.1832505417555692e-05,
)
# degree 3 in the square, error 5.8e-10
ATANH32 = (
    0.33333333277248545,
    0.20000060919903062,
    0.14275410407980332,
    0.11665233608151918,
)
# degree 8 in the square, error 7.0e-21
ATANH64 = (
    0.3333333333333333,
    0.19999999999999996,
    0.1428571428571768,
    0.11111111109929367,
    0.09090909296828381,
    0.07692287566165049,
    0.06667819334919911,
    0.05844061821431555,
    0.05940998601480729,
)
