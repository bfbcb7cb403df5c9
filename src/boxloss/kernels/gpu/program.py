"""The text of a kernel's file: the words that it uses, and a loop shape around a formula's text.

Every file can be read and run by itself. A program of Triton's works on a block of pairs at once, so a variable of the formula is a whole block of numbers.
"""

import ast
import functools
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxloss.calculus.graph import reachable
from boxloss.calculus.text import TRITON, assignments, constants, named_constant
from boxloss.calculus.trace import Traced
from boxloss.kernels.gpu.shapes import ELEMENTWISE, MASKS, NEAREST, PAIRWISE, SHORT, SHORT_FIRST, WHOLE, WHOLE_ALONE
from boxloss.kernels.gpu.tame import LEAST, MOST, NEAREST_TO_0, Short

_HERE = Path(__file__).parent
_HEAD = '"""{title}"""\n\nimport triton\nimport triton.language as tl\n'


def elementwise_text(traced: Traced, short: Short | None = None, wrt: str | None = None, *, exact: bool = False) -> str:
    """The file of the kernel for pair i of n: the value times a weight, its slopes times weight and scale, and the sum of each program's values.

    `short`: the text for tame pairs, where there is one. `wrt`: whose slopes `traced` has; without it four are taken for a's.
    `exact`: the short text divides as the whole text does: `quotient` is made of a GPU's instructions.
    """
    wrt = ("", "a", "ab")[len(traced.slopes) // 4] if wrt is None else wrt
    stores = []
    for k, box in enumerate(wrt):
        names = ", ".join(f"slope_{4 * k + column}" for column in range(4))
        stores.append(f"store_columns(grad_{box}, start, row, known, {names})")
    text = ELEMENTWISE.format(**_boxes(traced), number=_number(traced), work=_work(traced, short, 2), stores=_indented(stores, 2))
    along = f" and its gradient along {' and '.join(wrt)}" if wrt else ""
    return file_text(f"{traced.name}{along}, pair by pair, in {traced.dtype}.", *_formula_texts(traced, short, exact), text)


def pairwise_text(traced: Traced, short: Short | None = None, *, exact: bool = False) -> str:
    """The file of the kernel for every a with every b: a matrix."""
    text = PAIRWISE.format(**_boxes(traced), work=_work(traced, short, 2))
    return file_text(f"{traced.name}, every a with every b, in {traced.dtype}.", *_formula_texts(traced, short, exact), text)


def nearest_text(traced: Traced, short: Short | None = None, *, exact: bool = False) -> str:
    """The file of the kernel for each a's best b, and each b's best a."""
    text = NEAREST.format(**_boxes(traced), number=_number(traced), work=_work(traced, short, 3))
    return file_text(f"{traced.name}: the largest for each a and for each b, in {traced.dtype}.", *_formula_texts(traced, short, exact), text)


def masks_text(traced: Traced, short: Short | None = None, *, exact: bool = False) -> str:
    """The file of the kernel for whom each box is above a threshold with."""
    text = MASKS.format(**_boxes(traced), work=_work(traced, short, 2))
    return file_text(f"{traced.name} above a threshold, as bits, in {traced.dtype}.", *_formula_texts(traced, short, exact), text)


def _work(traced: Traced, short: Short | None, depth: int) -> str:
    """What a loop does with eight coordinates: `value`, and `slope_0` to `slope_7` times the loop's `factor`."""
    names = [f"slope_{k}" for k in range(len(traced.slopes))]
    # A slope may be infinite, for boxes near the type's smallest numbers, and a weight of 0 still means nothing.
    scaled = ["factor = tl.where(ill, nan, factor)", *(f"{name} = tl.where(factor == zero, zero, {name} * factor)" for name in names)] if names else []
    text = (WHOLE_ALONE if short is None else SHORT_FIRST).format(
        inputs=", ".join(_inputs(traced)),
        short_results=", ".join(["value", *names, "tame"]),
        short_scaled="\n".join(f"{name} = {name} * factor" for name in names),
        results=", ".join(["value", *names, *(["ill"] if names else [])]),
        scaled="\n".join(scaled) if short is None else "\n    ".join(scaled),
    )
    return _indented((line for line in text.splitlines() if line.strip()), depth)


def _formula_texts(traced: Traced, short: Short | None, exact: bool) -> list[str]:
    """The functions of the formula itself."""
    lines, (value, *slopes) = assignments(traced, TRITON, _taken(WHOLE))
    results = [f"tl.where(ill, nan, {value})", *slopes, *(["ill"] if slopes else [])]
    whole = WHOLE.format(
        inputs=", ".join(_inputs(traced)),
        constants=_indented(_constants(constants(traced), traced.dtype), 1),
        formula=_indented(lines, 1),
        ill=_ill(traced),
        results=", ".join(results),
    )
    return [whole] if short is None else [_short_text(short, exact), whole]


def _short_text(short: Short, exact: bool) -> str:
    traced = short.traced
    divide, inverse = ("divide", "divide(one, {})") if exact else ("quotient", "reciprocal({})")
    language = replace(TRITON, calls=TRITON.calls | {"div": f"{divide}({{0}}, {{1}})"})
    looked_at = [*short.coordinates, *short.numerators, *short.divisors, *(x for _, *sides in short.comparisons for x in sides)]
    every = Traced(traced.name, traced.inputs, traced.value, (*traced.slopes, *looked_at))
    lines, written = assignments(every, language, _taken(SHORT) | _CONDITIONS)
    name = {x.index: text for x, text in zip(every.outputs, written, strict=True)}
    sizes = [name[x.index] for x in (*short.numerators, *short.divisors)] + [inverse.format(name[x.index]) for x in short.divisors]
    # What is too large, or no number, or what a number is divided by and too small, makes the sum too large
    lines += [
        f"most = {'zero' if k == 0 else 'most'} + tl.abs({size})" if exact else f"most = plus_size({'zero' if k == 0 else 'most'}, {size})"
        for k, size in enumerate(sizes)
    ]
    of_a, of_b = ({x.index for x in inputs} for inputs in (traced.inputs[:4], traced.inputs[4:]))
    groups: dict[str, list[tuple[str, str, str]]] = {"a": [], "b": [], "pair": []}
    for sign, x, y in short.comparisons:
        needs = {z.index for z in reachable([x, y]) if z.op == "input"}
        groups["a" if needs <= of_a else "b" if needs <= of_b else "pair"].append((sign, name[x.index], name[y.index]))
    if sizes:
        groups["pair"].append(("<=", "most", "largest"))
    for group, nodes, smallest in (("a", short.coordinates[:4], NEAREST_TO_0), ("b", short.coordinates[4:], NEAREST_TO_0), ("pair", short.numerators, LEAST)):
        lines += [
            f"least_of_{group} = from_0({name[x.index]})" if k == 0 else f"least_of_{group} = tl.minimum(least_of_{group}, from_0({name[x.index]}))"
            for k, x in enumerate(nodes)
        ]
        if nodes:
            groups[group].append((">=", f"least_of_{group}", str(_from_0(smallest))))
    tame = [
        part
        for group in groups.values()
        for k in range(0, len(group), 8)
        for part in (_all_of_exactly(group[k : k + 8]) if exact else [_all_of(group[k : k + 8])])
    ]
    lines += [f"tame = {part}" if k == 0 else f"tame = tame & {part}" for k, part in enumerate(tame)]
    values = [*constants(every), *([1.0] if exact else [])]
    named = [*_constants(values, traced.dtype), f"largest = tl.full((), {_literal(MOST)}, {_number(traced)})"]
    return SHORT.format(
        inputs=", ".join(_inputs(traced)),
        constants=_indented(named, 1),
        formula=_indented(lines, 1),
        results=", ".join([*(name[x.index] for x in traced.outputs), "tame"]),
    )


_CONDITIONS = frozenset({"tame", "most", "largest", "least_of_a", "least_of_b", "least_of_pair"})
_SIGNS = {"<": "setp.lt{}.f32", "<=": "setp.le{}.f32", "!=": "setp.neu{}.f32", ">=": "setp.ge{}.u32"}


def _all_of_exactly(comparisons: list[tuple[str, str, str]]) -> list[str]:
    return [f"({x} {sign} {y}).to(tl.int32)" for sign, x, y in comparisons]


def _all_of(comparisons: list[tuple[str, str, str]]) -> str:
    """Whether all of them hold, 1 or 0, in as many instructions and one more. LLVM would put truths side by side and take them apart again."""
    kinds: list[str] = []
    given: list[str] = []
    steps: list[str] = []
    for sign, x, y in comparisons:
        places = []
        for side in (x, y):
            if side.isdecimal():
                places.append(side)
            else:
                kinds.append("r" if sign == ">=" else "f")
                given.append(side)
                places.append(f"${len(given)}")
        steps.append(f"{_SIGNS[sign].format('.and' if steps else '')} p, {', '.join(places)}{', p' if steps else ''};")
    text = f"{{ .reg .pred p; {' '.join(steps)} selp.b32 $0, 1, 0, p; }}"
    return f'tl.inline_asm_elementwise("{text}", "=r,{",".join(kinds)}", [{", ".join(given)}], dtype=tl.int32, is_pure=True, pack=1)'


def _from_0(x: float) -> int:
    """What the word `from_0` makes of `x`."""
    return 2 * int(np.float32(x).view(np.uint32)) - 1


@functools.cache
def stage_text(name: str) -> str:
    """The file of a kernel of `stages.py`."""
    return file_text("Parts put together.", _functions((_HERE / "stages.py").read_text(encoding="utf-8"))[name])


def file_text(title: str, *functions: str) -> str:
    """A whole file: the functions, the kernel last, with the words that they use before them."""
    parts = [_HEAD.format(title=title), *_words_of("\n".join(functions)), *functions]
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


def _words_of(kernel: str) -> list[str]:
    words = _words()
    used: set[str] = set()
    reading = [kernel]
    while reading:
        named = (_names(reading.pop()) & words.keys()) - used
        used |= named
        reading += (words[name] for name in named)
    return [text for name, text in words.items() if name in used]


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


@functools.cache
def _words() -> dict[str, str]:
    return _functions((_HERE / "words.py").read_text(encoding="utf-8"))


def _functions(source: str) -> dict[str, str]:
    """The text of each function of a module, its decorator included."""
    lines = source.splitlines()
    found = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return {node.name: "\n".join(lines[node.decorator_list[0].lineno - 1 : node.end_lineno]) for node in found}


def _taken(shape: str) -> frozenset[str]:
    """What the text around a formula's, and the words, are called: a formula's variables that are called so get a number behind."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", shape)) | _words().keys() | {"nan", "kernel", "whole", "short"}


def _number(traced: Traced) -> str:
    return f"tl.{traced.dtype}"


def _inputs(traced: Traced) -> list[str]:
    return [str(x.name) for x in traced.inputs]


def _boxes(traced: Traced) -> dict[str, str]:
    """The coordinates' names, and what makes columns and rows of a tile of them."""
    names = _inputs(traced)
    a, b = names[:4], names[4:]
    return {
        "a": ", ".join(a),
        "b": ", ".join(b),
        "a_down": ", ".join(f"{name}[:, None]" for name in a),
        "b_across": ", ".join(f"{name}[None, :]" for name in b),
        "ahead_a": ", ".join(f"ahead_{k}" for k in range(4)),
        "ahead_b": ", ".join(f"ahead_{k}" for k in range(4, 8)),
    }


def _ill(traced: Traced) -> str:
    """Whether a coordinate is NaN. Such a pair's value and slopes are NaN whatever comes of the formula, whose comparisons may pass a NaN over."""
    names = _inputs(traced)
    return " | ".join(f"unordered({p}, {q})" for p, q in zip(names[:4], names[4:], strict=True))


def _constants(values: Iterable[float], dtype: str) -> list[str]:
    """The constants as numbers of the formula's type: a number in the text would be rounded to float32."""
    return [f'nan = tl.full((), float("nan"), tl.{dtype})'] + [
        f"{named_constant(value, dtype)} = tl.full((), {_literal(value)}, tl.{dtype})" for value in dict.fromkeys([0.0, *values])
    ]


def _literal(value: float) -> str:
    return f'float("{value!r}")' if value in (float("inf"), float("-inf")) or value != value else repr(value)


def _indented(lines: Iterable[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)
