"""The words that the generated text for CPUs is written in, each one machine instruction or two. Imported when something is compiled, not before.

Numba's own arrays would check indices and keep counts; these are bare memory. `minimum`, `maximum` and `where` are selections without a branch,
so that loops over them become vector code.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types

Builder = Any
_LLVM: dict[Any, Any] = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.int64: ir.IntType(64), types.int32: ir.IntType(32)}


@dataclass(frozen=True, eq=False)
class Word:
    result: Callable[..., Any]
    """The type of the result, from the types of the arguments."""
    build: Callable[..., Any]
    """The instructions, from an instruction builder and the arguments' values."""


def _integer_like(value: Any) -> ir.IntType:
    return ir.IntType(32 if isinstance(value.type, ir.FloatType) else 64)


def _masked(builder: Builder, x: Any, mask32: int, mask64: int) -> Any:
    integer = _integer_like(x)
    mask = ir.Constant(integer, mask32 if integer.width == 32 else mask64)
    return builder.bitcast(builder.and_(builder.bitcast(x, integer), mask), x.type)


def _exponent(builder: Builder, x: Any) -> Any:
    integer = _integer_like(x)
    shift, bias = (23, 127) if integer.width == 32 else (52, 1023)
    biased = builder.lshr(builder.bitcast(x, integer), ir.Constant(integer, shift))
    return builder.sitofp(builder.sub(biased, ir.Constant(integer, bias)), x.type)


def _two_to_the(builder: Builder, x: Any) -> Any:
    integer = _integer_like(x)
    shift, bias = (23, 127) if integer.width == 32 else (52, 1023)
    # A NaN has no whole number, and converting it is undefined: 0 stands in.
    whole = builder.fptosi(builder.select(builder.fcmp_ordered("ord", x, x), x, ir.Constant(x.type, 0.0)), integer)
    return builder.bitcast(builder.shl(builder.add(whole, ir.Constant(integer, bias)), ir.Constant(integer, shift)), x.type)


def _call(name: str) -> Callable[..., Any]:
    def build(builder: Builder, x: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic(name, [x.type]), [x])

    return build


def _same(*args: Any) -> Any:
    return args[-1]


# Numbers

minimum = Word(_same, lambda b, x, y: b.select(b.fcmp_ordered("<", x, y), x, y))
maximum = Word(_same, lambda b, x, y: b.select(b.fcmp_ordered(">", x, y), x, y))
where = Word(_same, lambda b, condition, x, y: b.select(condition, x, y))
absolute = Word(_same, lambda b, x: _masked(b, x, 0x7FFFFFFF, 0x7FFFFFFFFFFFFFFF))
sqrt = Word(_same, _call("llvm.sqrt"))
floor = Word(_same, _call("llvm.floor"))
power_of_two = Word(_same, lambda b, x: _masked(b, x, 0x7F800000, 0x7FF0000000000000))
exponent = Word(_same, _exponent)
two_to_the = Word(_same, _two_to_the)
unordered = Word(lambda x, y: types.boolean, lambda b, x, y: b.fcmp_unordered("uno", x, y))

as_number = {
    number: Word(lambda x, number=number: number, lambda b, x, number=number: _converted(b, x, _LLVM[number])) for number in (types.float32, types.float64)
}


def _converted(builder: Builder, x: Any, kind: Any) -> Any:
    if isinstance(x.type, ir.IntType):
        return builder.sitofp(x, kind)
    if x.type == kind:
        return x
    return builder.fptrunc(x, kind) if isinstance(kind, ir.FloatType) else builder.fpext(x, kind)


# Python's own operators: a float's, or an int64's.


def _by_kind(of_floats: Callable[..., Any], of_integers: Callable[..., Any]) -> Callable[..., Any]:
    return lambda b, *x: (of_integers if isinstance(x[0].type, ir.IntType) else of_floats)(b, *x)


def _arithmetic(floats: str, integers: str) -> Word:
    return Word(_same, _by_kind(lambda b, x, y: getattr(b, floats)(x, y), lambda b, x, y: getattr(b, integers)(x, y)))


def _comparison(sign: str) -> Word:
    floats = "fcmp_unordered" if sign == "!=" else "fcmp_ordered"
    build = _by_kind(lambda b, x, y: getattr(b, floats)(sign, x, y), lambda b, x, y: b.icmp_signed(sign, x, y))
    return Word(lambda x, y: types.boolean, build)


def _truth(builder: Builder, x: Any) -> Any:
    return x if x.type.width == 1 else builder.icmp_signed("!=", x, ir.Constant(x.type, 0))


OPERATORS: dict[Any, Word] = {
    operator.add: _arithmetic("fadd", "add"),
    operator.sub: _arithmetic("fsub", "sub"),
    operator.mul: _arithmetic("fmul", "mul"),
    operator.truediv: Word(_same, lambda b, x, y: b.fdiv(x, y)),
    operator.floordiv: Word(_same, lambda b, x, y: b.udiv(x, y)),
    operator.neg: Word(_same, lambda b, x: b.fneg(x)),
    operator.lt: _comparison("<"),
    operator.le: _comparison("<="),
    operator.gt: _comparison(">"),
    operator.ge: _comparison(">="),
    operator.eq: _comparison("=="),
    operator.ne: _comparison("!="),
    operator.and_: Word(_same, lambda b, x, y: b.and_(x, y)),
    operator.or_: Word(_same, lambda b, x, y: b.or_(x, y)),
    operator.not_: Word(lambda x: types.boolean, lambda b, x: b.not_(_truth(b, x))),
    bool: Word(lambda x: types.boolean, _truth),
}

# Memory: a place is an address and an index


def _load(builder: Builder, place: Any, index: Any) -> Any:
    return builder.load(builder.gep(place, [index]))


def _store(builder: Builder, place: Any, index: Any, value: Any) -> None:
    builder.store(value, builder.gep(place, [index]))


def _add_four(builder: Builder, place: Any, more: Any) -> None:
    doubles, floats = ir.VectorType(ir.DoubleType(), 4), ir.VectorType(ir.FloatType(), 4)
    place, more = builder.bitcast(place, ir.PointerType(doubles)), builder.bitcast(more, ir.PointerType(floats))
    added = builder.fadd(builder.load(place, align=8), builder.fpext(builder.load(more, align=4), doubles))
    builder.store(added, place, align=8)


def pointer(number: Any) -> Any:
    """A word that makes an address of an integer."""
    return Word(lambda address: types.CPointer(number), lambda b, address: b.inttoptr(address, ir.PointerType(_LLVM[number])))


as_float64 = Word(lambda bits: types.float64, lambda b, bits: b.bitcast(bits, ir.DoubleType()))
load = Word(lambda place, index: place.dtype, _load)
store = Word(lambda place, index, value: types.void, _store)
shifted = Word(lambda place, index: place, lambda b, place, index: b.gep(place, [index]))
add_four = Word(lambda place, more: types.void, _add_four)
"""To the four float64 at a place the four float32 at another: LLVM, as it is asked here, makes no vector of what is not a loop."""
add_if = Word(lambda count, condition: count, lambda b, count, condition: b.add(count, b.zext(condition, count.type)))
whole = Word(lambda x: types.int64, lambda b, x: b.fptosi(x, ir.IntType(64)))
least = Word(_same, lambda b, x, y: b.select(b.icmp_signed("<", x, y), x, y))
most = Word(_same, lambda b, x, y: b.select(b.icmp_signed(">", x, y), x, y))


def memory(number: Any, length: int) -> Any:
    """A word that gives `length` numbers of the type `number` on the stack."""

    def build(builder: Builder) -> Any:
        with builder.goto_entry_block():
            place = builder.alloca(ir.ArrayType(_LLVM[number], length))
            place.align = 64
        return builder.bitcast(place, ir.PointerType(_LLVM[number]))

    return Word(lambda: types.CPointer(number), build)


LANES = 64


def _extreme(kind: str) -> Callable[..., Any]:
    """The lowest or highest of the 64 numbers at a place, none of them NaN, without a branch."""

    def build(builder: Builder, place: Any) -> Any:
        number = place.type.pointee
        vector = ir.VectorType(number, LANES)
        numbers = builder.load(builder.bitcast(place, ir.PointerType(vector)), align=4)
        of_floats = not isinstance(number, ir.IntType)
        name = f"llvm.vector.reduce.{'f' if of_floats else 's'}{kind}.v{LANES}{number.intrinsic_name}"
        function = ir.Function(builder.module, ir.FunctionType(number, [vector]), name) if name not in builder.module.globals else builder.module.globals[name]
        return builder.call(function, [numbers], fastmath=("nnan",) if of_floats else ())

    return build


lowest_of, highest_of = (Word(lambda place: place.dtype, _extreme(kind)) for kind in ("min", "max"))
