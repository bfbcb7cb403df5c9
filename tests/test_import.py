"""`import boxloss` is light: it imports no library but NumPy, and little time passes."""

import subprocess
import sys

HEAVY = ("torch", "jax", "numba", "triton", "matplotlib", "lightning", "scipy", "rich", "typer", "PIL", "yaml", "array_api_compat")


def modules_after(code: str) -> set[str]:
    printed = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True).stdout
    return {name.split(".")[0] for name in printed.splitlines()[-1].split()}


def test_import_loads_nothing_heavy():
    loaded = modules_after("import boxloss as bl; bl.giou_loss([0, 0, 1, 1], [0, 0, 1, 1]); bl.catalogue(); bl.loss('ciou')")
    assert not loaded & set(HEAVY)


def test_the_test_would_notice():
    assert "yaml" in modules_after("import boxloss, yaml")


def test_help_loads_nothing_heavy():
    loaded = modules_after("import sys; sys.argv = ['boxloss', '--help']\nimport boxloss.cli\ntry: boxloss.cli.main()\nexcept SystemExit: pass")
    assert not loaded & (set(HEAVY) - {"rich", "typer", "yaml"})
