"""The text of a kernel's file: the words that it uses, and a loop shape around a formula's text.

Every file can be read and run by itself. A program of Triton's works on a block of pairs at once, so a variable of the formula is a whole block of numbers.
"""

import ast
import functools
import re
from collections.abc import Iterable
from pathlib import Path

from boxloss.calculus.text import TRITON, assignments, constants, named_constant
from boxloss.calculus.trace import Traced
from boxloss.kernels.gpu.shapes import ELEMENTWISE, GRADIENT, NEAREST, PAIRWISE

_HERE = Path(__file__).parent
_HEAD = '"""{title}"""\n\nimport triton\nimport triton.language as tl\n'


def elementwise_text(traced: Traced, wrt: str | None = None) -> str:
    """The file of the kernel for pair i of n: the value times a weight, its slopes times weight and scale, and the sum of each block's values.

    `wrt`: whose slopes `traced` has; without it four are taken for a's.
    """
    wrt = ("", "a", "ab")[len(traced.slopes) // 4] if wrt is None else wrt
    lines, (value, *slopes) = assignments(traced, TRITON, _taken(ELEMENTWISE + GRADIENT))
    # A slope may be infinite, for boxes near the type's smallest numbers, and a weight of 0 still means nothing.
    gradients = [f"slope_{k} = tl.where(factor == zero, zero, {slope} * factor)" for k, slope in enumerate(slopes)]
    for k, box in enumerate(wrt):
        names = ", ".join(f"slope_{4 * k + column}" for column in range(4))
        gradients.append(f"store_columns(grad_{box}, row, known, {names})")
    text = ELEMENTWISE.format(
        **_boxes(traced), number=_number(traced), constants=_indented(_constants(traced), 1), formula=_indented(lines, 1), ill=_ill(traced), value=value
    )
    if slopes:
        text += GRADIENT.format(number=_number(traced), gradients=_indented(gradients, 1))
    along = f" and its gradient along {' and '.join(wrt)}" if wrt else ""
    return file_text(f"{traced.name}{along}, pair by pair, in {traced.dtype}.", text)


def pairwise_text(traced: Traced) -> str:
    """The file of the kernel for every a with every b: a matrix."""
    lines, (value,) = assignments(traced, TRITON, _taken(PAIRWISE))
    text = PAIRWISE.format(**_boxes(traced), constants=_indented(_constants(traced), 1), formula=_indented(lines, 1), ill=_ill(traced), value=value)
    return file_text(f"{traced.name}, every a with every b, in {traced.dtype}.", text)


def nearest_text(traced: Traced) -> str:
    """The file of the kernel for each a's best b, and each b's best a."""
    lines, (value,) = assignments(traced, TRITON, _taken(NEAREST))
    text = NEAREST.format(
        **_boxes(traced), number=_number(traced), constants=_indented(_constants(traced), 1), formula=_indented(lines, 3), ill=_ill(traced), value=value
    )
    return file_text(f"{traced.name}: the largest for each a and for each b, in {traced.dtype}.", text)


@functools.cache
def stage_text(name: str) -> str:
    """The file of a kernel of `stages.py`."""
    return file_text("Parts put together.", _functions((_HERE / "stages.py").read_text(encoding="utf-8"))[name])


def file_text(title: str, kernel: str) -> str:
    """A whole file: the kernel, with the words that it uses before it."""
    parts = [_HEAD.format(title=title), *_words_of(kernel), kernel]
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
    """What the loop's own variables, and the words, are called: a formula's variables that are called so get a number behind."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", shape)) | _words().keys() | {f"slope_{k}" for k in range(8)}


def _number(traced: Traced) -> str:
    return f"tl.{traced.dtype}"


def _boxes(traced: Traced) -> dict[str, str]:
    """The coordinates' names, and what makes columns and rows of a tile of them."""
    names = [str(x.name) for x in traced.inputs]
    a, b = names[:4], names[4:]
    return {
        "a": ", ".join(a),
        "b": ", ".join(b),
        "a_down": ", ".join(f"{name}[:, None]" for name in a),
        "b_across": ", ".join(f"{name}[None, :]" for name in b),
    }


def _ill(traced: Traced) -> str:
    """Whether a coordinate is NaN. Such a pair's value and slopes are NaN whatever comes of the formula, whose comparisons may pass a NaN over."""
    names = [str(x.name) for x in traced.inputs]
    return " | ".join(f"unordered({p}, {q})" for p, q in zip(names[:4], names[4:], strict=True))


def _constants(traced: Traced) -> list[str]:
    """The constants as numbers of the formula's type: a number in the text would be rounded to float32."""
    values = dict.fromkeys([0.0, *constants(traced)])
    return [f'nan = tl.full((), float("nan"), {_number(traced)})'] + [
        f"{named_constant(value, traced.dtype)} = tl.full((), {_literal(value)}, {_number(traced)})" for value in values
    ]


def _literal(value: float) -> str:
    return f'float("{value!r}")' if value in (float("inf"), float("-inf")) or value != value else repr(value)


def _indented(lines: Iterable[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)
