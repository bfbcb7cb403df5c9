"""The functions that formulas are written with: value and derivative, on every array library."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boxloss import ops
from boxloss.errors import DTypeError
from close import close

mpmath.mp.dps = 50
DTYPES = ("float32", "float64")
finite = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def slope(function, x):
    """The derivative of `function` at each of `x`, by torch."""
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(function(x).sum(), x)
    return g.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_atan2_is_exact_to_a_few_roundoffs_in_every_quadrant(dtype):
    rng = np.random.default_rng(0)
    y, x = (rng.normal(size=2000).astype(dtype) * (10.0 ** rng.integers(-8, 8, 2000)).astype(dtype) for _ in range(2))
    want = [mpmath.atan2(float(q), float(p)) for q, p in zip(y, x, strict=True)]
    close(ops.atan2(y, x), want, dtype)


@pytest.mark.parametrize(
    ("y", "x", "angle"),
    [(0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, math.pi / 2), (-1.0, 0.0, -math.pi / 2), (1.0, 1.0, math.pi / 4), (1.0, -1.0, 3 * math.pi / 4)],
)
def test_atan2_on_the_axes(y, x, angle):
    close(ops.atan2(np.array([y]), np.array([x])), [angle], "float64")


def test_atan2_has_the_derivative_of_the_angle_also_on_the_diagonal_and_on_the_axis():
    y, x = torch.tensor([1.0, 0.0, -3.0, 2.0, 0.0], dtype=torch.float64), torch.tensor([1.0, 2.0, 1.0, -2.0, 0.0], dtype=torch.float64)
    y.requires_grad_()
    x.requires_grad_()
    dy, dx = torch.autograd.grad(ops.atan2(y, x).sum(), (y, x))
    square = [2.0, 4.0, 10.0, 8.0, math.inf]
    close(dy.numpy(), [p / s for p, s in zip(x.tolist(), square, strict=True)], "float64", "sum", scale=[1, 1, 1, 1, 1])
    close(dx.numpy(), [-q / s for q, s in zip(y.tolist(), square, strict=True)], "float64", "sum", scale=[1, 1, 1, 1, 1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithms_are_exact_to_a_few_roundoffs(dtype):
    rng = np.random.default_rng(1)
    x = np.exp(rng.uniform(-80, 80, 1000)).astype(dtype)
    near_one = (1 + rng.normal(size=1000) * 10.0 ** rng.uniform(-6, -1, 1000)).astype(dtype)
    for values in (x, near_one):
        close(ops.log(values), [mpmath.log(float(v)) for v in values], dtype)
    small = (rng.uniform(-0.9, 3, 1000) * 10.0 ** rng.uniform(-12, 0, 1000)).astype(dtype)
    close(ops.log1p(small), [mpmath.log1p(float(v)) for v in small], dtype)


def test_logarithms_have_their_derivative():
    x = [0.01, 0.5, 0.8, 1.0, 1.4, 1.5, 900.0]
    close(slope(ops.log, x), [1 / v for v in x], "float64", "gradient")
    close(slope(ops.log1p, [-0.5, -0.2, 0.0, 0.2, 4.0]), [2.0, 1.25, 1.0, 1 / 1.2, 0.2], "float64", "gradient")


LIBRARIES = pytest.mark.parametrize("array", [np.asarray, torch.asarray], ids=["numpy", "torch"])


def on(array, function, x):
    """`function` of the NumPy array `x` as an array of another library, as a NumPy array again."""
    with np.errstate(all="ignore"):
        return np.asarray(function(array(x)))


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_exact_to_a_few_roundoffs_over_all_of_its_range(dtype, array):
    rng = np.random.default_rng(2)
    end = {"float32": 87, "float64": 708}[dtype]
    for values in (rng.uniform(-end, end, 1000), rng.uniform(-1, 1, 1000), rng.uniform(-1, 1, 1000) * 10.0 ** rng.uniform(-12, 0, 1000)):
        x = values.astype(dtype)
        close(on(array, ops.exp, x), [mpmath.exp(float(v)) for v in x], dtype)


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_sine_and_cosine_are_exact_to_a_few_roundoffs(dtype, array):
    rng = np.random.default_rng(3)
    near = rng.uniform(-3.2, 3.2, 1000).astype(dtype)
    quarters = (np.arange(-8, 9) * np.pi / 2).astype(dtype)
    small = (rng.uniform(-1, 1, 500) * 10.0 ** rng.uniform(-12, 0, 500)).astype(dtype)
    far = rng.uniform(-4000, 4000, 1000).astype(dtype)
    for function, exact in ((ops.sin, mpmath.sin), (ops.cos, mpmath.cos)):
        for x in (near, small):
            close(on(array, function, x), [exact(float(v)) for v in x], dtype)
        # Near a zero that is no multiple of the type's own numbers, to as many digits as 1 has.
        for x in (far, quarters):
            close(on(array, function, x), [exact(float(v)) for v in x], dtype, scale=[1] * len(x))


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_roots_and_absolute_values_are_the_nearest_numbers(dtype, array):
    """PyTorch's root is MKL's on some processors, which is sometimes the nearest but one."""
    rng = np.random.default_rng(4)
    x = np.exp(rng.uniform(-80, 80, 1000)).astype(dtype)
    close(on(array, ops.sqrt, x), [mpmath.sqrt(float(v)) for v in x], dtype, 1 if array is np.asarray else 2)
    assert on(array, ops.absolute, np.concatenate([x, -x])).tolist() == [*x, *x]


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("function", "x", "want"),
    [
        (ops.absolute, [0.0, -0.0, math.inf, -math.inf, -2.0], [0, 0, math.inf, math.inf, 2]),
        (ops.sqrt, [0.0, -0.0, math.inf, 0.25], [0, 0, math.inf, 0.5]),
        (ops.exp, [0.0, -0.0, -math.inf, -1e4], [1, 1, 0, 0]),
        (ops.sin, [0.0, -0.0], [0, 0]),
        (ops.cos, [0.0, -0.0], [1, 1]),
    ],
    ids=["absolute", "sqrt", "exp", "sin", "cos"],
)
def test_special_values(function, x, want, dtype, array):
    assert on(array, function, np.array(x, dtype)).tolist() == want
    assert np.isnan(on(array, function, np.array([math.nan], dtype))).all()
    assert on(array, function, np.array([1.0], dtype)).dtype == dtype


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_stands_still_at_the_ends_of_the_type(dtype, array):
    most = on(array, ops.exp, np.array([math.inf, 1e30, 1e4], dtype))
    assert (most == most[0]).all()
    assert np.isfinite(most).all()
    assert most[0] > np.finfo(dtype).max / 4
    smallest = float(np.finfo(dtype).smallest_normal)
    x = np.array([math.log(smallest) - 0.01, math.log(smallest) + 0.01], dtype)
    below, above = on(array, ops.exp, x)
    assert below == 0
    assert above >= smallest


def test_sine_and_cosine_of_what_has_no_angle_are_nan():
    for function in (ops.sin, ops.cos):
        for array in (np.asarray, torch.asarray):
            assert np.isnan(on(array, function, np.array([math.inf, -math.inf]))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [ops.absolute, ops.exp, ops.sin, ops.cos], ids=["absolute", "exp", "sin", "cos"])
def test_libraries_have_the_same_bits_whatever_the_stride(function, dtype):
    x = np.random.default_rng(5).uniform(-20, 20, 999).astype(dtype)
    want = on(np.asarray, function, x)
    assert (on(torch.asarray, function, x) == want).all()
    assert (on(np.asarray, function, x[::3]) == want[::3]).all()
    assert (function(torch.asarray(x)[::3]).numpy() == want[::3]).all()


def test_the_new_functions_have_their_derivatives():
    x = [-3.0, -0.5, 0.25, 1.0, 2.5, 30.0]
    close(slope(ops.exp, x), [mpmath.exp(v) for v in x], "float64", "gradient")
    close(slope(ops.sin, x), [mpmath.cos(v) for v in x], "float64", "gradient")
    close(slope(ops.cos, x), [-mpmath.sin(v) for v in x], "float64", "gradient")
    close(slope(ops.sqrt, [0.25, 1.0, 4.0]), [1.0, 0.5, 0.25], "float64")
    assert slope(ops.absolute, [-3.0, 2.0]) == [-1, 1]


def test_derivatives_where_there_is_none():
    """A tie is shared; what stands still has none; the distance of a thing to itself pulls nowhere."""
    assert slope(ops.absolute, [0.0]) == [0]
    assert slope(ops.sqrt, [0.0]) == [0]
    assert slope(ops.exp, [-1e4, 1e4]) == [0, 0]


def test_jax_has_the_derivatives_too():
    jax = pytest.importorskip("jax")
    for function, x, want in ((ops.absolute, 0.0, 0), (ops.sqrt, 0.0, 0), (ops.exp, 0.0, 1), (ops.exp, 1e4, 0), (ops.sin, 0.0, 1), (ops.cos, 0.0, 0)):
        assert float(jax.grad(function)(jax.numpy.float32(x))) == want


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=2.0**-1022))
def test_power_of_two_is_the_largest_that_is_not_above(x):
    power = float(ops.power_of_two(np.array([x]))[0])
    assert power <= x < 2 * power or (power == 2.0**1023 and x >= power)
    assert math.frexp(power)[0] == 0.5


def test_power_of_two_of_nothing_is_nothing():
    assert ops.power_of_two(np.array([0.0, 5e-324])).tolist() == [0, 0]
    assert ops.power_of_two(torch.tensor([0.0, 1e-45])).tolist() == [0, 0]


def test_ties_are_shared_half_and_half():
    assert slope(lambda x: ops.maximum(x, torch.ones_like(x)), [0.0, 1.0, 2.0]) == [0, 0.5, 1]
    assert slope(lambda x: ops.minimum(x, torch.ones_like(x)), [0.0, 1.0, 2.0]) == [1, 0.5, 0]
    assert slope(ops.positive, [-1.0, 0.0, 1.0]) == [0, 0.5, 1]


def test_ratio_by_nothing_is_nothing_with_its_gradient():
    y = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([3.0, 2.0], dtype=torch.float64, requires_grad=True)
    q = ops.ratio(x, y)
    assert q.tolist() == [0, 0.5]
    assert [g.tolist() for g in torch.autograd.grad(q.sum(), (x, y))] == [[0, 0.25], [0, -0.125]]


@given(finite, finite)
def test_ratio_is_the_quotient(x, y):
    assert float(ops.ratio(np.array([x]), np.array([y]))[0]) == (x / y if y else 0)


def test_jax_divides_small_numbers_without_nan():
    jax = pytest.importorskip("jax")
    slope_of = jax.grad(lambda y: ops.ratio(jax.numpy.float32(1e-21), y))
    assert math.isfinite(float(slope_of(jax.numpy.float32(1e-20))))


def test_hold_stops_the_gradient():
    assert slope(lambda x: ops.hold(x) * x, [3.0]) == [3.0]


@pytest.mark.parametrize(
    ("dtype", "wide"),
    [("uint8", False), ("int16", False), ("float16", False), ("float32", False), ("int32", True), ("int64", True), ("float64", True)],
)
def test_working_dtype(dtype, wide):
    want = "float64" if wide else "float32"
    assert np.dtype(ops.working_dtype(np.zeros(1, dtype))).name == want
    assert str(ops.working_dtype(torch.zeros(1, dtype=getattr(torch, dtype)))) == f"torch.{want}"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("boxes", "boxes is a str, expected an array of NumPy, PyTorch, JAX or CuPy, or a list of numbers"),
        (["a"], "boxes holds <U1, expected numbers in rows of equal length"),
    ],
)
def test_what_is_no_array_is_refused(what, message):
    with pytest.raises(DTypeError) as refusal:
        ops.as_array(what, "boxes")
    assert str(refusal.value) == message


EXPONENTS = (0.1, 0.5, 1, 1.5, 2, 3, 3.3, 4)


def spread(dtype, seed=6):
    """Positive numbers over all of the type, near 1, and subnormal ones."""
    rng = np.random.default_rng(seed)
    end = {"float32": 80, "float64": 700}[dtype]
    x = np.concatenate([np.exp(rng.uniform(-end, end, 600)), np.exp(rng.uniform(-2, 2, 300)), 1 + rng.uniform(-1, 1, 300) * 1e-3])
    return np.concatenate([x.astype(dtype), (rng.integers(1, 2**20, 50) * float(np.finfo(dtype).smallest_subnormal)).astype(dtype)])


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_expm1_is_exact_to_a_few_roundoffs_near_0_and_far_from_it(dtype, array):
    rng = np.random.default_rng(7)
    end = {"float32": 87, "float64": 708}[dtype]
    for values in (rng.uniform(-end, end, 1000), rng.uniform(-0.8, 0.8, 1000), rng.uniform(-1, 1, 1000) * 10.0 ** rng.uniform(-30, 0, 1000)):
        x = values.astype(dtype)
        close(on(array, ops.expm1, x), [mpmath.expm1(float(v)) for v in x], dtype)
    assert on(array, ops.expm1, np.array([0.0, -0.0, -math.inf, -1e4], dtype)).tolist() == [0, 0, -1, -1]
    assert np.isnan(on(array, ops.expm1, np.array([math.nan], dtype))).all()
    assert np.isfinite(on(array, ops.expm1, np.array([math.inf, 1e30, 1e4], dtype))).all()


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_are_exact_to_a_few_roundoffs_over_all_of_the_type(exponent, dtype, array):
    x = spread(dtype)
    most = 2.0 ** (np.finfo(dtype).maxexp - 1)
    inside = np.array([float(v) ** min(exponent, 1) < most and exponent * math.log2(float(v)) < math.log2(most) for v in x])
    x = x[inside]  # beyond it whole powers are infinite, and others stand still
    close(on(array, lambda v: ops.power(v, exponent), x), [mpmath.mpf(float(v)) ** mpmath.mpf(exponent) for v in x], dtype)


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_exponents_are_as_exact_as_they_are_large(dtype, array):
    x = np.exp(np.random.default_rng(8).uniform(-3, 0, 1000)).astype(dtype)
    for exponent in (7.3, 9, 20, 50.5):
        want = [mpmath.mpf(float(v)) ** mpmath.mpf(exponent) for v in x]
        normal = [k for k, w in enumerate(want) if w > float(np.finfo(dtype).smallest_normal)]
        close(on(array, lambda v, e=exponent: ops.power(v, e), x)[normal], [want[k] for k in normal], dtype, math.ceil(1.5 * exponent))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_of_special_numbers(exponent, dtype):
    for array in (np.asarray, torch.asarray):
        assert on(array, lambda v: ops.power(v, exponent), np.array([0.0, -0.0, 1.0], dtype)).tolist() == [0, 0, 1]
        assert np.isnan(on(array, lambda v: ops.power(v, exponent), np.array([math.nan], dtype))).all()
    if exponent == 3.3:
        assert np.isfinite(ops.power(np.array([1e30, np.finfo(dtype).max], dtype), exponent)).all()


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_have_their_derivative(exponent):
    x = [1e-9, 0.01, 0.5, 0.9, 1.0, 1.1, 7.0]
    close(slope(lambda v: ops.power(v, exponent), x), [exponent * mpmath.mpf(v) ** (mpmath.mpf(exponent) - 1) for v in x], "float64", "gradient")
    # Below 1 the true derivative at 0 is infinite, at 1 it is 1, and above it is 0.
    assert slope(lambda v: ops.power(v, exponent), [0.0]) == [exponent == 1]


def test_whole_powers_are_products():
    x = np.random.default_rng(9).uniform(0, 2, 500)
    assert (ops.power(x, 3) == x * x * x).all()
    assert (ops.power(x, 1) == x).all()
    assert (ops.power(x, 1.5) == x * np.sqrt(x)).all()


def test_expm1_has_its_derivative_far_below_0_too():
    x = [-40.0, -3.0, -0.36, -0.34, 0.0, 1e-9, 0.34, 0.36, 5.0]
    close(slope(ops.expm1, x), [mpmath.exp(v) for v in x], "float64", "gradient")
    assert slope(ops.expm1, [-1e4, 1e4]) == [0, 0]


@LIBRARIES
@pytest.mark.parametrize("dtype", DTYPES)
def test_lengths_are_exact_to_a_few_roundoffs_whatever_their_size(dtype, array):
    rng = np.random.default_rng(10)
    step = float(np.finfo(dtype).smallest_subnormal)
    for scale in (step * 1000, step * 2.0**30, 1e-30, 1.0, 1e30, float(np.finfo(dtype).max) / 4):
        parts = (rng.normal(size=(3, 300)) * scale * 10.0 ** rng.uniform(-3, 0, (3, 300))).astype(dtype).clip(-4 * scale, 4 * scale)
        for n in (1, 2, 3):
            got = on(array, lambda v, n=n: ops.norm(*v[:n]), parts)
            want = [mpmath.sqrt(sum(mpmath.mpf(float(x)) ** 2 for x in column[:n])) for column in parts.T]
            known = [k for k, w in enumerate(want) if w < float(np.finfo(dtype).max)]
            close(got[known], [want[k] for k in known], dtype)
    zero, ill = np.zeros(1, dtype), np.array([math.nan], dtype)
    assert on(array, lambda v: ops.norm(v, v), zero) == [0]
    assert np.isnan(on(array, lambda v: ops.norm(v, v * 0.0), ill)).all()


@pytest.mark.parametrize("scale", [5e-324 * 2**10, 1e-310, 1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_the_derivative_of_a_length_is_its_direction_whatever_its_size(scale):
    parts = [torch.tensor([k * scale], dtype=torch.float64, requires_grad=True) for k in (3.0, -4.0, 12.0)]
    slopes = torch.autograd.grad(ops.norm(*parts).sum(), parts)
    exactly = [mpmath.mpf(part.item()) for part in parts]
    length = mpmath.sqrt(sum(part**2 for part in exactly))
    close([float(s) for s in slopes], [part / length for part in exactly], "float64")


def test_the_derivative_of_no_length_is_0():
    parts = [torch.zeros(2, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert [s.tolist() for s in torch.autograd.grad(ops.norm(*parts).sum(), parts)] == [[0, 0], [0, 0]]


@pytest.mark.parametrize("exponent", [0.5, 1.5, 3, 3.3])
def test_powers_lengths_and_expm1_by_finite_differences(exponent):
    x = torch.tensor([0.2, 0.7, 1.0, 1.4, 3.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.3, -0.4, 2.0, -1.0, 0.1], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, y: ops.power(ops.norm(x, y), exponent) * ops.expm1(y), (x, y))
    assert torch.autograd.gradgradcheck(lambda x, y: ops.power(ops.norm(x, y), exponent) * ops.expm1(y), (x, y))
