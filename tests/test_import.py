"""`import boxloss` is light: it imports no library but NumPy, and little time passes."""

import os
import subprocess
import sys

HEAVY = (
    "torch", "jax", "numba", "llvmlite", "platformdirs", "triton", "matplotlib", "lightning", "scipy", "rich", "typer", "PIL", "yaml", "array_api_compat",
    "pyarrow", "ray",
)  # fmt: skip


def modules_after(code: str, **environment: str) -> set[str]:
    asked = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    printed = subprocess.run(asked, capture_output=True, text=True, check=True, env=os.environ | environment).stdout
    return {name.split(".")[0] for name in printed.splitlines()[-1].split()}


def test_import_loads_nothing_heavy():
    loaded = modules_after("import boxloss as bl; bl.catalogue(); bl.loss('ciou'); bl.giou_loss; bl.set_num_threads(1)")
    assert not loaded & set(HEAVY)


CALL = "import boxloss as bl; bl.giou_loss([[0, 0, 1, 1]], [[0, 0, 1, 1]]); bl.giou([[0, 0, 1, 1]], [[0, 0, 1, 1]])"


def test_a_call_loads_what_it_compiles_with(tmp_path):
    """Numba the first time, and from then on what reads its machine code from disk."""
    assert "numba" in modules_after(CALL, BOXLOSS_CACHE=str(tmp_path))  # which brings SciPy and more along
    assert modules_after(CALL, BOXLOSS_CACHE=str(tmp_path)) & set(HEAVY) == {"llvmlite"}


def test_a_call_without_kernels_loads_nothing_heavy():
    assert not modules_after(CALL, BOXLOSS_KERNELS="off") & set(HEAVY)


def test_the_test_would_notice():
    assert "yaml" in modules_after("import boxloss, yaml")


def test_help_loads_nothing_heavy():
    loaded = modules_after("import sys; sys.argv = ['boxloss', '--help']\nimport boxloss.cli\ntry: boxloss.cli.main()\nexcept SystemExit: pass")
    assert not loaded & (set(HEAVY) - {"rich", "typer", "yaml"})
