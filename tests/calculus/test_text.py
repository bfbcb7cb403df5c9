"""The generated text: the formula's own names, each assigned once and before it is used, in lines that a person can read."""

import ast
import builtins
import keyword

import pytest

import boxloss as bl
from boxloss import ops
from boxloss.calculus.text import LINE, NUMBA, TRITON, assignments, constants, heading, named_constant
from boxloss.calculus.trace import SIDES, trace

NAMES = list(bl.catalogue())
CALLED = {"minimum", "maximum", "where", "sqrt", "floor", "absolute", "power_of_two", "exponent", "two_to_the", "tl", "divide", "square_root"}


def made(function):
    return bl.formula(title="A test's", paper="none", bounds="[0, inf)", symmetric=True, scale_free=True)(function)


def assigned(lines):
    """The name that each line assigns, with the names that its right-hand side uses."""
    found = []
    for line in lines:
        (statement,) = ast.parse(line).body
        (target,) = statement.targets
        found.append((target.id, {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}))
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", [NUMBA, TRITON], ids=["numba", "triton"])
@pytest.mark.parametrize("wrt", ["", "ab"])
def test_names_are_assigned_once_and_before_they_are_used(wrt, language, name):
    traced = trace(bl.catalogue()[name], {}, wrt=wrt)
    lines, outputs = assignments(traced, language)
    known = {x.name for x in traced.inputs} | {named_constant(value, "float32") for value in constants(traced)} | CALLED
    used = set()
    for target, names in assigned(lines):
        assert names <= known, f"{target} needs {names - known}"
        assert target not in known, f"{target} is assigned twice, or is a word"
        assert not keyword.iskeyword(target)
        known.add(target)
        used |= names
    targets = {target for target, _ in assigned(lines)}
    assert targets <= used | set(outputs), "a line that nothing needs"
    assert len(outputs) == 1 + 4 * len(wrt)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("iou", {"x_overlap", "overlap", "x_a_excess", "difference", "union", "loss"}),
        ("giou", {"overlap", "waste", "hull", "x_gap", "loss"}),
        ("diou", {"offset2", "hull_diagonal2", "loss"}),
        ("ciou", {"v", "alpha", "aspect_angle", "offset2", "loss"}),
    ],
)
def test_quantities_keep_the_names_that_formula_and_geometry_give_them(name, wanted):
    targets = {target for target, _ in assigned(assignments(trace(bl.catalogue()[name], {}), NUMBA)[0])}
    assert wanted <= targets
    with_slopes = {target for target, _ in assigned(assignments(trace(bl.catalogue()[name], {}, wrt="ab"), NUMBA)[0])}
    assert wanted <= with_slopes
    assert {f"d_{box}_{side}" for box in "ab" for side in SIDES["xyxy"]} <= with_slopes
    unnamed = {target for target in targets if target[0] == "t" and target[1:].isdigit()}
    assert len(unnamed) < len(targets) / 2, "most of the text has names that mean something"


def test_a_users_own_variables_name_their_numbers():
    def mine(p):
        near = ops.exp(-p.jaccard)
        far = near * near + p.iou
        return far * near

    lines, _ = assignments(trace(made(mine), {}, wrt="a"), NUMBA)
    targets = [target for target, _ in assigned(lines)]
    assert {"near", "far", "d_near"} <= set(targets)
    assert targets.index("near") < targets.index("far")


def test_a_name_that_is_taken_gets_a_number():
    def mine(p):
        where = p.iou + 1.0
        half = where * where
        a_left = half * where
        return a_left + half

    lines, _ = assignments(trace(made(mine), {}), NUMBA, frozenset({"iou"}))
    targets = {target for target, _ in assigned(lines)}
    assert {"where_2", "half_2", "a_left_2", "iou_2"} <= targets
    assert not {"where", "half", "a_left", "iou"} & targets


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_short_enough_to_be_read(name):
    lines, _ = assignments(trace(bl.catalogue()[name], {}, wrt="ab", format="cxcywh"), NUMBA)
    assert max(map(len, lines)) <= LINE + 40  # a name, an equals sign
    assert not [line for line in lines if is_in_brackets(line.split(" = ")[1])]


def is_in_brackets(text):
    """Whether the whole of an expression stands in brackets that it does not need."""
    try:
        return text[0] == "(" and text[-1] == ")" and ast.dump(ast.parse(text)) == ast.dump(ast.parse(text[1:-1]))
    except SyntaxError:
        return False


def test_what_is_needed_once_stands_where_it_is_needed():
    p = made(lambda p: ops.minimum(p.iou * 2.0 + 1.0, p.jaccard))
    lines, _ = assignments(trace(p, {}), NUMBA)
    assert any("minimum((iou * two) + one, jaccard)" in line or "minimum(iou * two + one, jaccard)" in line for line in lines), lines[-3:]


def test_constants_have_names_that_tell_them_apart():
    values = [0.0, 1.0, 2.0, 0.5, 0.25, 0.1, -0.1, 1e-30, 1e30, 3.0, 4.0, 1 / 3, float("inf"), -float("inf")]
    for dtype in ("float32", "float64"):
        names = [named_constant(value, dtype) for value in values]
        assert len(set(names)) == len(values)
        assert all(name.isidentifier() and not hasattr(builtins, name) for name in names)
    assert [named_constant(value, "float64") for value in (0.0, 1.0, 2.0, 0.5, 0.25, -0.125)] == ["zero", "one", "two", "half", "quarter", "c_m0_125"]


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_of_the_text_is_listed(name):
    traced = trace(bl.catalogue()[name], {}, wrt="ab")
    lines, outputs = assignments(traced, NUMBA)
    used = set().union(*(names for _, names in assigned(lines))) | set(outputs)
    listed = {named_constant(value, "float32") for value in constants(traced)}
    assert {word for word in used if word.startswith("c_") or word in ("zero", "one", "two", "half", "quarter")} == listed


def test_the_heading_says_what_it_is():
    assert heading(bl.catalogue()["smooth_l1"], {"beta": 0.5})[0] == "smooth_l1: Smooth L1 loss"
    assert heading(bl.catalogue()["smooth_l1"], {"beta": 0.5})[-1] == "with beta = 0.5"
    assert heading(bl.catalogue()["smooth_l1"], {})[-1] == "with beta = 1.0"
    assert heading(made(lambda p: p.iou), {}) == ["<lambda>: A test's", "none"]
