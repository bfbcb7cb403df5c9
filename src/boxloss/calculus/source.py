"""`bl.source`: a formula, and its gradient, as text that stands by itself in another project."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from boxloss.boxes import check_format
from boxloss.calculus.javascript import module_text
from boxloss.calculus.text import NUMBA, TRITON, Language, assignments, constants, heading, named_constant
from boxloss.calculus.trace import Traced, trace
from boxloss.errors import ParameterError, UnknownNameError
from boxloss.formulas import Formula, find

TARGETS = ("numba", "triton", "javascript")
DTYPES = ("float32", "float64")

# The functions that the text calls and that NumPy or Triton does not have. They are written for float32; WIDE turns them into float64's.
# Numba takes `view` of what is a NumPy number for certain: `float32(x)`, which leaves arrays of that type as they are.
NUMPY_HELPERS = {
    "power_of_two": """\
def power_of_two(x):
    # the largest power of two that is not above x > 0: its exponent bits alone
    return int32(float32(x).view(int32) & int32(0x7F800000)).view(float32)
""",
    "exponent": """\
def exponent(power):
    # k of 2^k, a normal number
    return float32(int32(float32(power).view(int32) >> int32(23)) - int32(127))
""",
    "two_to_the": """\
def two_to_the(k):
    # 2^k for a whole number k among the type's exponents; 1 for NaN
    whole = int32(where(k == k, k, float32(0.0)))
    return int32((whole + int32(127)) << int32(23)).view(float32)
""",
}
TRITON_HELPERS = {
    "minimum": """\
@triton.jit
def minimum(x, y):
    return tl.minimum(x, y, propagate_nan=tl.PropagateNan.ALL)
""",
    "maximum": """\
@triton.jit
def maximum(x, y):
    return tl.maximum(x, y, propagate_nan=tl.PropagateNan.ALL)
""",
    "divide": """\
@triton.jit
def divide(x, y):
    return tl.div_rn(x, y)  # x / y is off by a roundoff or two
""",
    "square_root": """\
@triton.jit
def square_root(x):
    return tl.sqrt_rn(x)
""",
    "power_of_two": """\
@triton.jit
def power_of_two(x):
    # the largest power of two that is not above x > 0: its exponent bits alone
    return (x.to(tl.int32, bitcast=True) & 0x7F800000).to(tl.float32, bitcast=True)
""",
    "exponent": """\
@triton.jit
def exponent(power):
    # k of 2^k, a normal number
    return ((power.to(tl.int32, bitcast=True) >> 23) - 127).to(tl.float32)
""",
    "two_to_the": """\
@triton.jit
def two_to_the(k):
    # 2^k for a whole number k among the type's exponents; 1 for NaN
    whole = tl.where(k == k, k, 0.0).to(tl.int32)
    return ((whole + 127) << 23).to(tl.float32, bitcast=True)
""",
}
WIDE = {
    "float32": "float64",
    "int32": "int64",
    "0x7F800000": "0x7FF0000000000000",
    "127": "1023",
    "23": "52",
    "tl.div_rn(x, y)  # x / y is off by a roundoff or two": "x / y",
    "sqrt_rn": "sqrt",
}
NUMPY_NAMES = frozenset(["absolute", "floor", "inf", "logical_not", "maximum", "minimum", "nan", "sqrt", "where", "float32", "float64", "int32", "int64"])
NUMPY = replace(NUMBA, calls=NUMBA.calls | {"not": "logical_not({0})"}, reserved=NUMBA.reserved | NUMPY_NAMES | set(NUMPY_HELPERS))
TRITON_ALONE = replace(TRITON, reserved=TRITON.reserved | set(TRITON_HELPERS) | {"triton"})


def source(
    loss: str | Formula,
    *,
    target: str = "numba",
    gradient: bool = False,
    dtype: str = "float32",
    format: str = "xyxy",
    similarity: bool = False,
    **parameters: Any,
) -> str:
    """The text of a function that computes `loss`, a name of the catalogue or a formula, for another project: it does not need boxloss.

    The function is called as the loss is, takes the numbers of two boxes of the format `format` (`a_left, a_top, a_right, a_bottom, b_left, ...`) and
    returns the loss; with `gradient` also its slopes along these numbers, in their order. `similarity`: 1 - loss instead.

    target: "numba", Python on NumPy's words: runs as it is, on arrays and on numbers of `dtype`, and `numba.njit(error_model="numpy")` compiles it.
    "triton", a `@triton.jit` function for kernels to call on blocks of `dtype`, with the bits of NumPy where a kernel is launched with
    `enable_fp_fusion=False`. "javascript", an ES module in float64, whatever `dtype` says, which returns `{ value, gradient }`.

    Raises `UnknownNameError` for an unknown loss, target or parameter, `ParameterError` for another `dtype`, `FormatError` for an unknown format, and
    `FormulaError`, naming the line, for what a formula cannot do.

    >>> print(source("iou", target="javascript").splitlines()[2])
    // loss = jaccard = 1 - overlap / union
    """
    formula = find(loss)
    if target not in TARGETS:
        raise UnknownNameError("target of source", target, TARGETS)
    if dtype not in DTYPES:
        raise ParameterError(f"source: dtype is {dtype!r}, expected {' or '.join(DTYPES)}")
    check_format(format, "source")
    formula.check_parameters(parameters)
    if target == "javascript":
        return module_text(formula, parameters, format=format, gradient=gradient, similarity=similarity)
    traced = trace(formula, parameters, dtype=dtype, format=format, wrt="ab" if gradient else "", similarity=similarity)
    title = "".join(f"# {line}\n" for line in heading(formula, parameters))
    return title + (_numba(traced) if target == "numba" else _triton(traced))


def _numba(traced: Traced) -> str:
    function = _function(traced, NUMPY, lambda value: f"{traced.dtype}({value!r})")  # inf and nan are names of NumPy's
    helpers = _helpers(NUMPY_HELPERS, function, traced.dtype)
    code = "\n\n".join([*helpers, function])
    words = sorted(NUMPY_NAMES & set(re.findall(r"\w+", re.sub("#.*", "", code))))
    return f"\nfrom numpy import {', '.join(words)}\n\n\n{code}"


def _triton(traced: Traced) -> str:
    def constant(value: float) -> str:
        return f"tl.full((), {value!r}, tl.{traced.dtype})" if abs(value) < float("inf") else f'tl.full((), float("{value!r}"), tl.{traced.dtype})'

    function = "@triton.jit\n" + _function(traced, TRITON_ALONE, constant)
    code = "\n\n".join([*_helpers(TRITON_HELPERS, function, traced.dtype), function])
    return f"\nimport triton\nimport triton.language as tl\n\n\n{code}"


def _function(traced: Traced, language: Language, constant: Callable[[float], str]) -> str:
    values = {named_constant(value, traced.dtype): value for value in constants(traced)}
    lines, outputs = assignments(traced, language, frozenset(values))
    called = f"{traced.name}_2" if traced.name in language.reserved else traced.name
    body = [*(f"{name} = {constant(value)}" for name, value in values.items()), *lines, f"return {', '.join(outputs)}"]
    return f"def {called}({', '.join(str(x.name) for x in traced.inputs)}):\n" + "".join(f"    {line}\n" for line in body)


def _helpers(helpers: dict[str, str], function: str, dtype: str) -> list[str]:
    """Those that `function` calls, for its number type."""
    needed = [text for name, text in helpers.items() if re.search(rf"\b{name}\(", function)]
    if dtype == "float32":
        return needed
    old = re.compile("|".join(map(re.escape, WIDE)))
    return [old.sub(lambda found: WIDE[found[0]], text) for text in needed]
