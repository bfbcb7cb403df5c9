"""A formula in a user's own file, for the command line: found by FILE.py:NAME, or refused in a line that names the place."""

import os
import subprocess
import sys

import pytest

import boxloss as bl
from boxloss.errors import FormulaError, UnknownNameError
from boxloss.from_file import from_file, is_place

DECORATED = "@bl.formula(title='Mine', paper='mine', bounds='[0, 1]', symmetric=True, scale_free=True)\n"
FILE = f"""import dataclasses
import boxloss as bl
from beside import SHARE

@dataclasses.dataclass
class Settings:
    share: float = SHARE

{DECORATED}def mine(p):
    return p.jaccard * Settings().share

{DECORATED}def other(p):
    return p.jaccard

def undecorated(p):
    return p.jaccard

number = 3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "beside.py").write_text("SHARE = 0.5\n")
    path = tmp_path / "my_loss.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(("text", "yes"), [("my_loss.py:mine", True), ("a/my_loss.py", True), ("ciou", False), ("smooth_l1:beta=0.5", False)])
def test_a_place_is_told_from_a_name(text, yes):
    assert is_place(text) == yes


def test_the_formula_of_a_file_that_imports_what_lies_beside_it(file):
    before = list(sys.path)
    mine = from_file(f"{file}:mine")
    assert sys.path == before
    assert float(bl.loss(mine)([0.0, 0, 1, 1], [2.0, 0, 3, 1])) == 0.5


def test_a_file_is_read_anew_however_soon_it_was_changed(file, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    as_it_was = file.stat()
    from_file(f"{file}:mine")
    file.write_text(FILE.replace("* Settings", "/ Settings"))
    os.utime(file, ns=(as_it_was.st_atime_ns, as_it_was.st_mtime_ns))  # the size and the time by which Python knows its compiled code
    assert float(bl.loss(from_file(f"{file}:mine"))([0.0, 0, 1, 1], [2.0, 0, 3, 1])) == 2


def test_what_is_no_formula_is_refused_with_a_hint(file):
    refusals = {
        f"{file.parent}/none.py:mine": (FormulaError, f"{file.parent}/none.py: no such file; expected FILE.py:NAME"),
        f"{file}": (FormulaError, f"{file}: which formula of it? there is {file}:mine, {file}:other"),
        f"{file}:mini": (UnknownNameError, f"unknown formula in {file} 'mini': did you mean mine?"),
        f"{file}:undecorated": (
            FormulaError,
            f"{file}: undecorated is a function, expected a formula: put @boxloss.formula(title=..., ...) above def undecorated",
        ),
        f"{file}:number": (FormulaError, f"{file}: number is a int, expected a formula: there is {file}:mine, {file}:other"),
    }
    for place, (error, message) in refusals.items():
        with pytest.raises(error) as refusal:
            from_file(place)
        assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = = 2\n", ":2: is not Python: invalid syntax"),
        ("x = 1\n\nraise SystemExit('no')\n", ":3: the file raises SystemExit: no"),
        ("import boxloss\nboxloss.catalog()\n", ":2: the file raises AttributeError: module 'boxloss' has no attribute 'catalog'"),
        ("x = 1\n", ": has no 'mine', and no formula at all"),
    ],
)
def test_a_file_that_does_not_run_is_refused_with_its_line(text, message, tmp_path):
    path = tmp_path / "my_loss.py"
    path.write_text(text)
    with pytest.raises(FormulaError) as refusal:
        from_file(f"{path}:mine")
    assert str(refusal.value).startswith(f"{path}{message}")


def test_the_command_line_prints_its_code(file):
    def boxloss(*words):
        return subprocess.run([sys.executable, "-m", "boxloss", *words], capture_output=True, text=True, cwd=file.parent)

    done = boxloss("show", "my_loss.py:mine", "--source", "triton", "--gradient")
    assert done.returncode == 0, done.stderr
    assert done.stdout == bl.source(from_file(f"{file}:mine"), target="triton", gradient=True)
    card = boxloss("show", "my_loss.py:mine")
    assert card.returncode == 0, card.stderr
    assert "Mine" in card.stdout
