"""The text of the kernels' files."""

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest

import boxloss as bl
from boxloss.calculus.trace import Traced, trace
from boxloss.kernels.gpu import program
from boxloss.kernels.gpu.program import elementwise_text, nearest_text, pairwise_text, stage_text
from boxloss.kernels.gpu.tame import Short, short
from kernels.gpu.test_elementwise import words

CIOU = bl.catalogue()["ciou"]


def of(formula: Any, dtype: str = "float32", wrt: str = "") -> Traced:
    return trace(formula, {}, dtype=dtype, wrt=wrt)


def texts(formula: Any, dtype: str) -> list[str]:
    """With and without a text for tame pairs, as for a GPU and as for the interpreter."""

    def tame(wrt: str | None) -> Short | None:
        return short(formula, {}, number=dtype, format="xyxy", wrt=wrt)

    whole = {wrt: of(formula, dtype, wrt) for wrt in ("", "b", "ab")}
    tame_value = tame(None)
    return [
        *(elementwise_text(graph, tame_pairs, wrt, exact=exact) for wrt, graph in whole.items() for tame_pairs in [tame(wrt)] for exact in (False, True)),
        *(make(whole[""], tame_value, exact=exact) for make in (pairwise_text, nearest_text) for exact in (False, True)),
        *(make(whole[""]) for make in (elementwise_text, pairwise_text, nearest_text)),
    ]


FULLY = ("ciou", "smooth_l1", "words")
FORMULAS = {formula.name: formula for formula in (*bl.catalogue().values(), words)}


def cases() -> list[Any]:
    kinds = [(name, dtype) for name in FORMULAS for dtype in ("float32", "float64") if dtype == "float32" or name in FULLY]
    return [pytest.param(*kind, marks=[] if kind[0] in FULLY else [pytest.mark.slow], id="-".join(kind)) for kind in kinds]


def functions(text: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("name", "dtype"), cases())
def test_a_file_stands_alone(name: str, dtype: str) -> None:
    """It imports Triton and nothing else, and has the words that it uses, and no others."""
    for text in texts(FORMULAS[name], dtype):
        stands_alone(text)


@pytest.mark.parametrize("name", ["total", "merge", "multiply"])
def test_the_file_of_a_stage_stands_alone(name: str) -> None:
    stands_alone(stage_text(name))


def stands_alone(text: str) -> None:
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    imports = [part for part in ast.walk(tree) if isinstance(part, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(part) for part in imports] == ["import triton", "import triton.language as tl"]
    defined = functions(text)
    *helpers, kernel = defined
    names = {name: [part for part in ast.walk(function) if isinstance(part, ast.Name)] for name, function in defined.items()}
    read = {name: {part.id for part in parts} for name, parts in names.items()}
    used = set().union(*(of - {name} for name, of in read.items()))
    assert set(helpers) <= used
    assert not any(kernel in of for of in read.values())
    for name, function in defined.items():
        stored = {part.id for part in names[name] if isinstance(part.ctx, ast.Store)}
        # A formula may name its variables as it likes, like a word too: it is not called so here
        assert not stored & {"tl", "triton", *defined}
        own = {argument.arg for argument in function.args.args} | stored
        assert read[name] - own <= {"triton", "tl", "range", "float", *defined}


def test_names_of_the_formula_give_way() -> None:
    """To the loop's own: the formula's `row` is a number, the loop's the rows."""
    for tame in (None, short(words, {}, number="float32", format="xyxy", wrt="ab")):
        text = elementwise_text(of(words, wrt="ab"), tame, "ab")
        for name in ("nan", "kernel", "divide", "tl"):
            assert len(re.findall(rf"^    {name}_2 = ", text, re.MULTILINE)) == (2 if tame else 1), name


def test_the_words_are_those_of_words_py() -> None:
    """To the letter: what is tested there is what runs."""
    source = (program._HERE / "words.py").read_text(encoding="utf-8")
    for text in texts(words, "float64"):
        words_used = [part for part in text.split("\n\n\n")[1:-1] if not re.match(r"@triton.jit\ndef (?:whole|short)\(", part)]
        assert len(words_used) > 5
        assert all(word in source for word in words_used)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_constants_are_of_the_formulas_type(dtype: str) -> None:
    """Triton would round a number in the text to float32. What a load puts in place of nothing is of the load's type."""
    for text in texts(CIOU, dtype):
        ours = [function for name, function in functions(text).items() if name in ("short", "whole", "kernel")]
        numbers = {id(part) for function in ours for part in ast.walk(function) if isinstance(part, ast.Constant) and isinstance(part.value, float)}
        for call in (part for function in ours for part in ast.walk(function) if isinstance(part, ast.Call)):
            if re.fullmatch(rf"tl\.full\(.*, tl\.(?:{dtype}|float64)\)", ast.unparse(call)) or ast.unparse(call.func) == "tl.load":
                numbers -= {id(part) for part in ast.walk(call)}
        assert not numbers


def test_every_digit_of_a_constant() -> None:
    """4 / pi^2 in float64, which float32 does not hold."""
    assert "0.4052847345693511" in elementwise_text(of(CIOU, "float64", "a"))


@pytest.mark.parametrize("make", [pairwise_text, nearest_text, elementwise_text])
def test_the_title_says_what_it_is(make: Callable[[Traced], str]) -> None:
    first = make(of(CIOU)).splitlines()[0]
    assert first.startswith('"""ciou')
    assert first.endswith('in float32."""')


def test_one_text_for_one_formula() -> None:
    """From one process to the next too, or nothing would be found on disk: names come from no set's order and no address."""
    assert texts(CIOU, "float32") == texts(CIOU, "float32")
