"""A formula as a JavaScript module: value and gradient of one pair of boxes, in float64, for a page that has nothing but a browser."""

from typing import Any

from boxloss.calculus.text import JAVASCRIPT, assignments, heading
from boxloss.calculus.trace import trace
from boxloss.formulas import Formula

# Bits by DataView, whose byte order is the same everywhere. The high half of a float64 has its sign, exponent and first digits.
HELPERS = {
    "powerOfTwo": """\
// The largest power of two that is not above x > 0: its exponent bits alone. 0 for 0 and for subnormal numbers.
function powerOfTwo(x) {
  bits.setFloat64(0, x);
  bits.setUint32(0, bits.getUint32(0) & 0x7ff00000);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}
""",
    "exponent": """\
// k of 2^k, a normal number.
function exponent(power) {
  bits.setFloat64(0, power);
  return (bits.getUint32(0) >>> 20) - 1023;
}
""",
    "twoToThe": """\
// 2^k for a whole number k among the exponents of float64; 1 for NaN.
function twoToThe(k) {
  bits.setUint32(0, ((Number.isNaN(k) ? 0 : k) + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}
""",
}
MEMORY = "const bits = new DataView(new ArrayBuffer(8));\n"


def module_text(formula: Formula, parameters: dict[str, Any] | None = None, *, format: str = "xyxy", gradient: bool = True, similarity: bool = False) -> str:
    """A self-contained ES module that exports one function, called as the formula is.

    It takes the numbers of two boxes of the format `format`, `(a_left, a_top, a_right, a_bottom, b_left, ...)`, and returns
    `{ value, gradient }`, the gradient along these numbers in their order; without `gradient` the value alone. A pair with a NaN has NaN for all of them.
    `similarity`: 1 - loss rather than the loss. A name that JavaScript keeps for itself gets `_2` behind.
    Raises `FormulaError`, naming the line, for what a formula cannot do.
    """
    parameters = parameters or {}
    traced = trace(formula, parameters, dtype="float64", format=format, wrt="ab" if gradient else "", similarity=similarity)
    lines, (value, *slopes) = assignments(traced, JAVASCRIPT)
    inputs = ", ".join(str(x.name) for x in traced.inputs)
    nothing, result = "NaN", value
    if gradient:
        nothing, result = f"{{ value: NaN, gradient: Array({len(slopes)}).fill(NaN) }}", f"{{ value: {value}, gradient: [{', '.join(slopes)}] }}"
    body = [f"if ([{inputs}].some(Number.isNaN)) return {nothing};", *lines, f"return {result};"]
    helpers = [text for name, text in HELPERS.items() if any(f"{name}(" in line for line in lines)]
    name = f"{formula.name}_2" if formula.name in JAVASCRIPT.reserved else formula.name
    function = f"export function {name}({inputs}) {{\n" + "".join(f"  {line}\n" for line in body) + "}\n"
    title = "".join(f"// {line}\n" for line in heading(formula, parameters))
    return "\n".join([title, *([MEMORY] if helpers else []), *helpers, function])
