"""A tolerance is a decision: it stands in `close.py`'s table, with its reason, and nowhere else in the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# These compare with a tolerance whether or not one is written
CALLS = {"approx", "allclose", "isclose", "assert_allclose", "assert_close", "assert_almost_equal", "assert_array_almost_equal", "assertAlmostEqual"}
ARGUMENTS = {"rtol", "atol", "rel", "abs", "rel_tol", "abs_tol", "rtol_", "atol_", "decimal", "significant"}
# A difference that is held below a number of this size has a tolerance, not a bound
LARGEST_TOLERANCE = 0.1


def literal_tolerances(source: str) -> Iterator[tuple[int, str]]:
    """Line and reason of each literal tolerance in a file's text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if name_of(node.func) in CALLS:
                yield node.lineno, f"{name_of(node.func)}(...): use close.close"
            yield from ((node.lineno, f"{k.arg}=: use close.close") for k in node.keywords if k.arg in ARGUMENTS and has_number(k.value))
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            if any(map(is_difference, parts)) and any(map(is_small_number, parts)):
                yield node.lineno, "a difference compared with a small number: use close.close"


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def has_number(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, int | float) for part in ast.walk(node))


def is_small_number(node: ast.expr) -> bool:
    """A literal such as 1e-6, or a product or power with one in it."""
    numbers = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, float)]
    return not isinstance(node, ast.Call) and not is_difference(node) and any(0 < abs(number) < LARGEST_TOLERANCE for number in numbers)


def is_difference(node: ast.expr) -> bool:
    """abs(a - b), (a - b).abs().max() and the like."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call) and name_of(part.func) in ("abs", "fabs", "absolute", "norm")]
    return any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) for call in calls for part in ast.walk(call))


FILES = sorted(path for path in TESTS.rglob("*.py") if path not in (TESTS / "close.py", Path(__file__).resolve()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_literal_tolerance(path: Path) -> None:
    found = [f"{path.relative_to(TESTS)}:{line}: {why}" for line, why in literal_tolerances(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "assert x == pytest.approx(1.0)",
        "assert x == pytest.approx(1.0, rel=1e-3)",
        "np.testing.assert_allclose(x, y, rtol=1e-6)",
        "np.testing.assert_allclose(x, y)",
        "assert torch.allclose(x, y)",
        "torch.testing.assert_close(x, y)",
        "assert math.isclose(x, y, abs_tol=1e-9)",
        "assert torch.autograd.gradcheck(f, x, atol=1e-5)",
        "assert abs(x - y) < 1e-6",
        "assert (x - y).abs().max() <= 1e-3",
        "assert np.abs(x - y).max() < 2 * 1e-6",
        "assert 1e-6 > np.linalg.norm(x - y)",
    ],
)
def test_a_literal_tolerance_is_noticed(source: str) -> None:
    assert list(literal_tolerances(source))


@pytest.mark.parametrize(
    "source",
    [
        "close(x, y, 'float32')",
        "close(x, y, roundoffs='sum')",
        "assert x < 1e-3",
        "assert abs(x) < 4",
        "f(atol=TOLERANCE)",
        "assert abs(x - y) < z",
        "a - 1e-3",
    ],
)
def test_other_numbers_are_not(source: str) -> None:
    assert not list(literal_tolerances(source))
